import type { ReactNode } from 'react';

interface BlankProps {
  readonly title: string;
  readonly text?: string | undefined;
  readonly level?: 1 | 2;
  readonly children?: ReactNode;
}

/** Where there is nothing to show: says why, and what to do. */
export function Blank({ title, text, level = 2, children }: BlankProps) {
  const Heading = level === 1 ? 'h1' : 'h2';
  return (
    <div className="blank">
      <Heading tabIndex={-1}>{title}</Heading>
      {text === undefined ? null : <p>{text}</p>}
      {children}
    </div>
  );
}
