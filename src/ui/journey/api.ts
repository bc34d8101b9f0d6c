/** Reads a journey, and reads it again when something has happened that may belong to it. */
import { useEffect, useRef, useState } from 'react';
import type { Journey } from '../../http/schemas/journey.ts';
import { ApiError, get, isAbort, wordsOf } from '../api.ts';
import { type State, useAppState } from '../state.ts';

export type JourneyState =
  | { readonly phase: 'loading' | 'missing' }
  | { readonly phase: 'failed'; readonly problem: string }
  | { readonly phase: 'ready'; readonly journey: Journey };

/** What comes in one burst is read once. */
const SETTLE_MS = 250;

/** Changes with every remark on a conversation, and with what is done to mail; not with what this page asks itself. */
function newsOf({ conversations, total, unread }: State): string {
  let remarks = 0;
  for (const { annotations } of conversations.rows) for (const count of Object.values(annotations)) remarks += count;
  return `${remarks} ${total} ${unread}`;
}

export function useJourney(id: string): { readonly shown: JourneyState; readonly retry: () => void } {
  const [shown, setShown] = useState<JourneyState>({ phase: 'loading' });
  const [attempt, setAttempt] = useState(0);
  const news = useAppState(newsOf);
  const readAgain = useRef<() => void>(undefined);
  useEffect(() => {
    const leaving = new AbortController();
    let timer: number | undefined;
    let isReading = false;
    let isStale = false;
    const read = async (): Promise<void> => {
      timer = undefined;
      isReading = true;
      isStale = false;
      try {
        const path = `/messages/${encodeURIComponent(id)}/journey`;
        setShown({ phase: 'ready', journey: (await get(path, leaving.signal)) as Journey });
      } catch (error) {
        // What is on the page was true and stays.
        if (!isAbort(error)) setShown((before) => (before.phase === 'ready' ? before : failed(error)));
      }
      isReading = false;
      if (wasNews() && !leaving.signal.aborted) wait();
    };
    const wasNews = (): boolean => isStale;
    const wait = (): void => {
      if (isReading) isStale = true;
      else timer ??= window.setTimeout(() => void read(), SETTLE_MS);
    };
    readAgain.current = wait;
    setShown({ phase: 'loading' });
    void read();
    return () => {
      window.clearTimeout(timer);
      leaving.abort();
    };
  }, [id, attempt]);
  useEffect(() => readAgain.current?.(), [news]);
  return { shown, retry: () => setAttempt((before) => before + 1) };
}

function failed(error: unknown): JourneyState {
  const status = error instanceof ApiError ? error.status : 0;
  return status === 404 || status === 400 ? { phase: 'missing' } : { phase: 'failed', problem: wordsOf(error) };
}
