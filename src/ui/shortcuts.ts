/** Keys: single letters, and `g` followed by one. The part of the page that was shown last has the first say. */
import { useEffect, useEffectEvent } from 'react';
import { preferences } from './preferences.ts';

/** By what is pressed: `j`, `#`, `g m`, `Escape`. False: it was not for this one. */
export type Keys = Readonly<Record<string, () => unknown>>;

type Handler = (keys: string) => boolean;

const handlers: Handler[] = [];
/** After `g`, the next letter must come within this time. */
const SEQUENCE_MS = 1500;
let sequenceUntil = 0;

export function useKeys(keys: Keys): void {
  const handle = useEffectEvent((pressed: string): boolean => {
    const act = Object.hasOwn(keys, pressed) ? keys[pressed] : undefined;
    return act !== undefined && act() !== false;
  });
  useEffect(() => {
    const handler: Handler = (pressed) => handle(pressed);
    handlers.push(handler);
    return () => {
      handlers.splice(handlers.indexOf(handler), 1);
    };
  }, []);
}

document.addEventListener('keydown', (event) => {
  const pressed = pressedKeys(event);
  if (pressed === undefined) return;
  for (const handler of [...handlers].reverse()) {
    if (handler(pressed)) {
      event.preventDefault();
      return;
    }
  }
});

function pressedKeys(event: KeyboardEvent): string | undefined {
  const { key, target } = event;
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return undefined;
  if (document.querySelector('dialog[open], :popover-open') !== null) return undefined;
  // Escape and arrows are no letters: they act always.
  if (key === 'Escape') return key;
  if (target instanceof Element && target.closest('input:not([type=checkbox]), textarea, select') !== null)
    return undefined;
  if (key === 'ArrowDown' || key === 'ArrowUp') return key;
  if (!preferences().shortcuts) return undefined;
  const isWidget = target instanceof Element && target.closest('button, summary, input, [tabindex="0"]') !== null;
  const isLink = target instanceof Element && target.closest('a') !== null;
  if ((key === ' ' && isWidget) || (key === 'Enter' && (isWidget || isLink))) return undefined;
  if (key === 'g') {
    sequenceUntil = performance.now() + SEQUENCE_MS;
    return undefined;
  }
  const isSecond = performance.now() < sequenceUntil;
  sequenceUntil = 0;
  return isSecond ? `g ${key}` : key;
}
