/** How far the reader has come: kept in this browser alone. */
import { Store, useStore } from '../store.ts';

export interface LessonProgress {
  /** By the server's clock: nothing before it counts. RFC 3339. */
  readonly began: string;
  /** Steps that are done, and when. */
  readonly done: Readonly<Record<string, string>>;
}

type All = Readonly<Record<string, LessonProgress>>;

const KEY = 'glassmail.lessons';

const store = new Store<{ readonly all: All }>({ all: stored() });

export const useProgress = (): All => useStore(store, ({ all }) => all);

export const progressOf = (lesson: string): LessonProgress | undefined => store.latest.all[lesson];

export function keepProgress(lesson: string, progress: LessonProgress): void {
  const all = { ...store.latest.all, [lesson]: progress };
  store.update({ all });
  try {
    localStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    // Storage is forbidden or full: it holds until the page is closed.
  }
}

function stored(): All {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    if (typeof found !== 'object' || found === null) return {};
    return Object.fromEntries(
      Object.entries(found as Record<string, unknown>).filter((entry): entry is [string, LessonProgress] =>
        isProgress(entry[1]),
      ),
    );
  } catch {
    return {};
  }
}

function isProgress(value: unknown): value is LessonProgress {
  if (typeof value !== 'object' || value === null) return false;
  const { began, done } = value as Record<string, unknown>;
  if (typeof began !== 'string' || Number.isNaN(Date.parse(began)) || typeof done !== 'object' || done === null)
    return false;
  return Object.values(done).every((time) => typeof time === 'string' && !Number.isNaN(Date.parse(time)));
}
