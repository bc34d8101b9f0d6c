/** How many lessons are finished, for every page: the lessons tell it, since only they know what there is to do. */
import { Store, useStore } from './store.ts';

export interface LessonsFinished {
  readonly done: number;
  /** Zero: the lessons were never looked at. */
  readonly of: number;
}

const KEY = 'glassmail.lessons.finished';

const store = new Store<LessonsFinished>(stored());

export const useLessonsFinished = (): LessonsFinished => useStore(store, (finished) => finished);

export function keepFinished(finished: LessonsFinished): void {
  const { done, of } = store.latest;
  if (finished.done === done && finished.of === of) return;
  store.update(finished);
  try {
    localStorage.setItem(KEY, JSON.stringify(finished));
  } catch {
    // Storage is forbidden or full: it holds until the page is closed.
  }
}

function stored(): LessonsFinished {
  try {
    const { done, of } = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Record<'done' | 'of', unknown>>;
    if (Number.isSafeInteger(done) && Number.isSafeInteger(of)) return { done: done as number, of: of as number };
  } catch {
    // As if there were none.
  }
  return { done: 0, of: 0 };
}
