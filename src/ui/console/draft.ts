/**
 * What is being written. Unlike what the server says, it is shown at once and not with the next frame: a field that lags
 * behind the keys loses letters.
 */
import { useSyncExternalStore } from 'react';

export interface Written {
  readonly line: string;
  /** A message, or a literal. */
  readonly text: string;
  /** `\xNN` in the line stands for one octet. */
  readonly rawOctets: boolean;
  /** What the line that was put in is for. */
  readonly note: string | undefined;
}

export class Draft {
  #written: Written = { line: '', text: '', rawOctets: false, note: undefined };
  readonly #listeners = new Set<() => void>();

  readonly shown = (): Written => this.#written;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  write(change: Partial<Written>): void {
    this.#written = { ...this.#written, ...change };
    for (const listener of this.#listeners) listener();
  }
}

export function useDraft(draft: Draft): Written {
  return useSyncExternalStore(draft.subscribe, draft.shown);
}
