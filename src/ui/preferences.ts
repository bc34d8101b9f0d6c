/** What the reader chose about the looks and the keys: kept in this browser alone. */
import { Store, useStore } from './store.ts';

export interface Preferences {
  readonly theme: 'system' | 'light' | 'dark';
  readonly density: 'comfortable' | 'compact';
  /** Single letters act (WCAG 2.1.4 wants a way to switch that off). */
  readonly shortcuts: boolean;
  /** Each line of a conversation says what it means. */
  readonly explanations: boolean;
}

const KEY = 'glassmail.preferences';
const DEFAULTS: Preferences = { theme: 'system', density: 'comfortable', shortcuts: true, explanations: true };

const store = new Store<Preferences>(stored());

export function usePreferences(): Preferences {
  return useStore(store, (preferences) => preferences);
}

export const preferences = (): Preferences => store.latest;

export function choose(change: Partial<Preferences>): void {
  store.update(change);
  const chosen = store.latest;
  const { dataset } = document.documentElement;
  if (chosen.theme === 'system') delete dataset.theme;
  else dataset.theme = chosen.theme;
  if (chosen.density === 'compact') dataset.density = chosen.density;
  else delete dataset.density;
  try {
    localStorage.setItem(KEY, JSON.stringify(chosen));
  } catch {
    // Storage is forbidden or full: the choice holds until the page is closed.
  }
}

function stored(): Preferences {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Record<keyof Preferences, unknown>>;
    return {
      theme: found.theme === 'light' || found.theme === 'dark' ? found.theme : DEFAULTS.theme,
      density: found.density === 'compact' ? 'compact' : DEFAULTS.density,
      shortcuts: found.shortcuts !== false,
      explanations: found.explanations !== false,
    };
  } catch {
    return DEFAULTS;
  }
}
