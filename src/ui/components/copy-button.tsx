import { type ReactNode, useEffect, useState } from 'react';
import { texts } from '../texts.ts';
import { Icon } from './icons.tsx';

const SHOWN_MS = 1500;

interface CopyButtonProps {
  readonly text: string;
  /** What it is called, where its content does not say it. */
  readonly label?: string;
  readonly className?: string;
  readonly children?: ReactNode;
}

export function CopyButton({ text, label, className = 'button', children }: CopyButtonProps) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = window.setTimeout(() => setCopied(false), SHOWN_MS);
    return () => window.clearTimeout(timer);
  }, [isCopied]);
  const copy = (): void => void copyText(text).then(setCopied);
  return (
    <button type="button" className={className} aria-label={label} onClick={copy}>
      <Icon name={isCopied ? 'check' : 'copy'} />
      {children}
      <span className="visually-hidden" role="status">
        {isCopied ? texts.copied : ''}
      </span>
    </button>
  );
}

/** Over plain HTTP from another machine there is no clipboard API: then the way of old. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement('textarea');
    field.value = text;
    field.className = 'visually-hidden';
    const focused = document.activeElement;
    document.body.append(field);
    field.select();
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- there is no other way without a secure context
    const isCopied = document.execCommand('copy');
    field.remove();
    if (focused instanceof HTMLElement) focused.focus();
    return isCopied;
  }
}
