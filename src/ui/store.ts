/**
 * State outside React. Changes are collected and shown once per animation frame, however fast news arrive; a page in the
 * background, which has no frames, is brought up to date now and then.
 */
import { useSyncExternalStore } from 'react';

const HIDDEN_MS = 250;

export class Store<State extends object> {
  #latest: State;
  #shown: State;
  #scheduled = false;
  readonly #listeners = new Set<() => void>();

  constructor(initial: State) {
    this.#latest = initial;
    this.#shown = initial;
  }

  /** With changes that are not shown yet: what the next change builds on. */
  get latest(): State {
    return this.#latest;
  }

  readonly shown = (): State => this.#shown;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  update(change: Partial<State>): void {
    this.#latest = { ...this.#latest, ...change };
    if (this.#scheduled) return;
    this.#scheduled = true;
    if (document.visibilityState === 'hidden') setTimeout(this.#flush, HIDDEN_MS);
    else requestAnimationFrame(this.#flush);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    this.#shown = this.#latest;
    for (const listener of this.#listeners) listener();
  };
}

/** @param select gives a part of the state, or a value that is equal as long as that part is */
export function useStore<State extends object, Value>(store: Store<State>, select: (state: State) => Value): Value {
  return useSyncExternalStore(store.subscribe, () => select(store.shown()));
}
