import { useEffect, useRef, useState } from 'react';
import type { ConnectProgress } from '../../http/schemas/connect.ts';
import { isAbort, wordsOf } from '../api.ts';
import { type State, useAppState } from '../state.ts';
import { isMail } from '../wire.ts';
import { fetchProgress } from './api.ts';

/** News of so many milliseconds are asked about together. */
const TOGETHER_MS = 120;

/**
 * Changes when a conversation of a mail program does. What the page itself asks over HTTP must not be among them, or each
 * question would lead to the next.
 */
function mark({ conversations: { rows } }: State): string {
  return rows
    .flatMap((row) => {
      if (isMail(row)) return [`${row.id}.${row.lastSeq}`];
      const asked = row.annotations.settings;
      return asked === undefined ? [] : [`${row.id}.${asked}`];
    })
    .join(' ');
}

/** How far the newest attempt has come; asked anew whenever something has happened. */
export function useProgress(
  account: string | undefined,
  since: string,
): { readonly progress: ConnectProgress | undefined; readonly problem: string | undefined } {
  const [progress, setProgress] = useState<ConnectProgress>();
  const [problem, setProblem] = useState<string>();
  const changes = useAppState(mark);
  const asked = useRef(0);
  useEffect(() => {
    if (account === undefined) return;
    const stop = new AbortController();
    // The first answer is wanted at once.
    const timer = window.setTimeout(
      () => {
        asked.current = Date.now();
        fetchProgress(account, since, stop.signal).then(
          (answer) => {
            setProgress(answer);
            setProblem(undefined);
          },
          (error: unknown) => {
            if (!isAbort(error)) setProblem(wordsOf(error));
          },
        );
      },
      Math.max(0, asked.current + TOGETHER_MS - Date.now()),
    );
    return () => {
      window.clearTimeout(timer);
      stop.abort();
    };
  }, [account, since, changes]);
  return { progress: progress?.account === account ? progress : undefined, problem };
}
