import { formatAbsolute, formatRelative } from '../format.ts';
import { Store, useStore } from '../store.ts';

const TICK_MS = 20_000;

/** The present, as coarse as relative times need it. */
const clock = new Store({ now: Date.now() });
setInterval(() => clock.update({ now: Date.now() }), TICK_MS);

function useNow(): number {
  return useStore(clock, ({ now }) => now);
}

/** Relative; absolute with its zone while the pointer is on it, or while the row has the focus. */
export function When({ at }: { readonly at: string }) {
  const now = useNow();
  const moment = Date.parse(at);
  // What has just arrived is newer than the last tick.
  return (
    <time className="when" dateTime={at}>
      <span>{formatRelative(moment, Math.max(now, moment))}</span>
      <span className="absolute">{formatAbsolute(moment)}</span>
    </time>
  );
}
