import { useCallback, useEffect, useState } from 'react';
import { isAbort, wordsOf } from './api.ts';

export interface Loaded<Value> {
  readonly value: Value | undefined;
  readonly problem: string | undefined;
  /** Asks again; what is shown stays until the answer is there. */
  readonly reload: () => void;
}

/** What a route answers, as long as the component is there. @param everyMs asks again so often */
export function useLoaded<Value>(load: (signal: AbortSignal) => Promise<Value>, everyMs?: number): Loaded<Value> {
  const [answer, setAnswer] = useState<{ readonly value?: Value; readonly problem?: string }>({});
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const ending = new AbortController();
    load(ending.signal).then(
      (value) => setAnswer({ value }),
      (error: unknown) => {
        if (!isAbort(error))
          setAnswer(({ value }) => ({ ...(value !== undefined && { value }), problem: wordsOf(error) }));
      },
    );
    const timer = everyMs === undefined ? undefined : window.setTimeout(() => setTurn(turn + 1), everyMs);
    return () => {
      window.clearTimeout(timer);
      ending.abort();
    };
  }, [load, turn, everyMs]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  return { value: answer.value, problem: answer.problem, reload };
}
