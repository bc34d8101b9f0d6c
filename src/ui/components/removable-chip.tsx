import type { ReactNode } from 'react';
import { Icon } from './icons.tsx';

interface RemovableChipProps {
  /** What the button says. */
  readonly words: string;
  readonly remove: () => void;
  readonly children: ReactNode;
}

/** One of several things that can be taken away again. */
export function RemovableChip({ words, remove, children }: RemovableChipProps) {
  return (
    <span className="chip flag-chip">
      {children}
      <button type="button" className="remove" aria-label={words} onClick={remove}>
        <Icon name="close" />
      </button>
    </span>
  );
}
