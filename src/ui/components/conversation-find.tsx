import { useMemo } from 'react';
import { currentPlace, navigate, withQuery } from '../router.ts';
import type { WireLog } from '../wire-log.ts';
import { type Lens, isShown } from '../wire-rows.ts';
import { wireTexts } from '../wire-texts.ts';
import { Icon } from './icons.tsx';

interface ConversationFindProps {
  readonly log: WireLog;
  readonly version: number;
  readonly lens: Lens;
  readonly find: string;
  readonly setFind: (find: string) => void;
  /** The row that the address names. */
  readonly hash: string;
}

/** Looks for words in all of a conversation, also in what is folded or not in the document. */
export function ConversationFind({ log, version, lens, find, setFind, hash }: ConversationFindProps) {
  const found = useMemo(
    () => placesOf(log, lens, find.toLowerCase()),
    // The log grows in place: its version tells.
    [log, version, lens, find],
  );
  const at = found.indexOf(hash);
  const go = (by: 1 | -1): void => {
    const next = at === -1 ? (by === 1 ? 0 : found.length - 1) : (at + by + found.length) % found.length;
    const id = found[next];
    if (id === undefined) return;
    navigate(`${withQuery(location.pathname, currentPlace().query)}#${id}`, { replace: true });
  };
  return (
    <search className="find">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          go(1);
        }}
      >
        <input
          className="field"
          type="text"
          inputMode="search"
          autoComplete="off"
          spellCheck={false}
          dir="auto"
          value={find}
          aria-label={wireTexts.tools.find}
          placeholder={wireTexts.tools.find}
          onChange={(event) => setFind(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return;
            event.preventDefault();
            setFind('');
            event.currentTarget.blur();
          }}
        />
        {find === '' ? null : (
          <>
            <span className="muted" role="status">
              {wireTexts.tools.found(at + 1, found.length)}
            </span>
            <button type="button" className="tool small" aria-label={wireTexts.tools.previous} onClick={() => go(-1)}>
              <Icon name="up" />
            </button>
            <button type="submit" className="tool small" aria-label={wireTexts.tools.next}>
              <Icon name="down" />
            </button>
          </>
        )}
      </form>
    </search>
  );
}

function placesOf(log: WireLog, lens: Lens, find: string): string[] {
  if (find === '') return [];
  return log.entries.flatMap((entry) =>
    entry.type === 'unit' && isShown(entry, lens) && entry.unit.text.toLowerCase().includes(find) ? [entry.id] : [],
  );
}
