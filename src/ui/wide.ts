import { useSyncExternalStore } from 'react';

/** There is room for three panes and words in the rail: as the style sheet has it. */
const wide = matchMedia('(min-width: 1100px)');

export function useWide(): boolean {
  return useSyncExternalStore(subscribe, () => wide.matches);
}

function subscribe(changed: () => void): () => void {
  wide.addEventListener('change', changed);
  return () => wide.removeEventListener('change', changed);
}
