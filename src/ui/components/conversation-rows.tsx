/**
 * The rows of a conversation. All that is near what the reader looks at is in the document, at most 2,000 rows, so that
 * the browser's own search and screen readers find it there; the others are behind "earlier" and "later". Nothing moves
 * under the reader: what comes is shown at once only to whoever is at the end.
 */
import { type MouseEvent, useEffect, useEffectEvent, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { navigate, withQuery } from '../router.ts';
import { useKeys } from '../shortcuts.ts';
import { texts } from '../texts.ts';
import type { Side, WireLog } from '../wire-log.ts';
import { type WireRow, rowAt, wireRows } from '../wire-rows.ts';
import { wireTexts } from '../wire-texts.ts';
import type { Diagnosis } from '../../http/schemas/reading.ts';
import { Icon } from './icons.tsx';
import { type RowLook, WireRowItem } from './wire-row.tsx';

const MOST_ROWS = 2000;
/** How many come at once. */
const PAGE = 300;
/** How many are in the document while the end is followed; what goes at the start goes together. */
const FOLLOWED = 150;
const STEP = 50;
const AT_END = 24;

interface ConversationRowsProps extends RowLook {
  readonly id: string;
  readonly log: WireLog;
  /** Of the log, which grows in place. */
  readonly version: number;
  readonly diagnoses: readonly Diagnosis[];
  readonly ours: Side;
  readonly isLive: boolean;
  /** The row that the address names; empty: none. */
  readonly hash: string;
  readonly query: URLSearchParams;
  readonly load: () => void;
}

/** `end` undefined: the end is followed. */
interface View {
  readonly start: number;
  readonly end: number | undefined;
}

export function ConversationRows(props: ConversationRowsProps) {
  const { log, version, lens, explains, find, diagnoses, ours, isLive, hash, query, load } = props;
  const [open, setOpen] = useState<ReadonlySet<string>>(() => new Set());
  const rows = useMemo(
    () => wireRows(log.entries, { lens, ours, diagnoses, open }),
    // The log grows in place: its version tells.
    [log, version, lens, ours, diagnoses, open],
  );
  const [view, setView] = useState<View>(() => ({ start: 0, end: isLive && hash === '' ? undefined : PAGE }));
  /** Whether the end is followed, known at once: rows may be laid out before the next drawing. */
  const follows = useRef(view.end === undefined);
  const look = (next: View): void => {
    follows.current = next.end === undefined;
    setView(next);
  };
  const [focused, setFocused] = useState<string>();
  const scroller = useRef<HTMLDivElement>(null);
  /** Where a key leads, until the focus has come there: the next press may be quicker than two frames. */
  const heading = useRef<string>(undefined);
  const place = useRef<{ readonly seq: number; readonly top: number } | undefined>(undefined);

  const isFollowing = view.end === undefined;
  const end = Math.min(rows.length, view.end ?? rows.length);
  const start = Math.min(end, isFollowing ? Math.max(0, Math.floor((end - FOLLOWED) / STEP) * STEP) : view.start);
  const shown = rows.slice(start, end);
  const target = hash === '' ? undefined : rows[rowAt(rows, hash)]?.id;
  const stop = target ?? (shown.some(({ id }) => id === focused) ? focused : shown.find(isEntry)?.id);

  /** Where following has brought the reader. */
  const pinned = useRef({ top: 0, height: 0 });
  const lastTop = useRef(0);
  const scrollToEnd = (): void => {
    const element = scroller.current;
    if (!element || !follows.current) return;
    element.scrollTop = element.scrollHeight;
    // Its event comes later, and is not the reader's: who has turned back meanwhile is not taken along again.
    lastTop.current = element.scrollTop;
    pinned.current = { top: element.scrollTop, height: element.scrollHeight };
  };
  useLayoutEffect(() => {
    if (isFollowing) scrollToEnd();
  }, [isFollowing, version, end]);
  // What is out of sight is laid out when it comes near: only then is its height known.
  const list = useRef<HTMLOListElement>(null);
  const hasRows = rows.length > 0;
  useEffect(() => {
    if (!isFollowing || !hasRows) return;
    const observer = new ResizeObserver(scrollToEnd);
    observer.observe(list.current!);
    return () => observer.disconnect();
  }, [isFollowing, hasRows]);

  /** Brings a row into the document and into sight, and opens the fold that it is behind. */
  const goTo = useEffectEvent((address: string, block: ScrollLogicalPosition) => {
    const at = rowAt(rows, address);
    const row = rows[at];
    if (row === undefined) return;
    if (row.type === 'fold') {
      setOpen((before) => new Set(before).add(row.id));
      return;
    }
    if (at < start || at >= end) {
      look({ start: Math.max(0, at - PAGE / 2), end: Math.min(rows.length, at + PAGE / 2) });
    } else stay();
    afterDrawing(() => showRow(scroller.current, row.id, block));
  });
  useEffect(() => {
    if (hash !== '') goTo(hash, 'center');
  }, [hash, open]);
  // The drawer takes room from the rows: what was chosen stays in sight.
  const shrunk = useEffectEvent(() => {
    if (hash !== '' && target !== undefined) showRow(scroller.current, target, 'center');
  });
  useEffect(() => {
    if (!hasRows) return;
    const observer = new ResizeObserver(shrunk);
    observer.observe(scroller.current!);
    return () => observer.disconnect();
  }, [hasRows]);
  // Another lens has other rows: the reader stays at the same moment.
  const lensBefore = useRef(lens);
  useEffect(() => {
    if (lensBefore.current === lens) return;
    lensBefore.current = lens;
    if (place.current && !isFollowing) goTo(`e${place.current.seq}`, 'start');
  }, [lens, isFollowing]);

  /** Follows no longer: what is there stays, what comes waits. */
  const stay = (): void => {
    if (isFollowing) look({ start, end });
  };
  const scrolled = (): void => {
    const element = scroller.current!;
    const isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < AT_END;
    const isDownward = element.scrollTop > lastTop.current;
    lastTop.current = element.scrollTop;
    place.current = topRow(element);
    if (isFollowing) {
      // Whoever scrolls up, without the rows having changed, wants to stay there.
      const { top, height } = pinned.current;
      if (element.scrollTop < top - 1 && element.scrollHeight === height) stay();
    } else if (isAtEnd && isDownward) {
      if (end >= rows.length) look({ start, end: undefined });
      else showLater();
    }
  };
  const showLater = (): void => {
    const next = Math.min(rows.length, end + PAGE);
    look({ start: Math.max(start, next - MOST_ROWS), end: next });
  };
  const showEarlier = (): void => {
    const next = Math.max(0, start - PAGE);
    look({ start: next, end: Math.min(end, next + MOST_ROWS) });
  };
  const follow = (): void => {
    look({ start: 0, end: undefined });
    afterDrawing(scrollToEnd);
  };

  const choose = (id: string | undefined): void =>
    navigate(withQuery(`/wire/${props.id}`, query) + (id === undefined ? '' : `#${id}`), { replace: true });
  /** At once if it is there, for the next key may come before the next frame; else once it has been drawn. */
  const focusRow = (id: string): void => {
    heading.current = id;
    focusRowLink(id);
    afterDrawing(() => {
      if (heading.current !== id) return;
      heading.current = undefined;
      focusRowLink(id);
    });
  };
  const step = (by: 1 | -1): boolean => {
    const active = document.activeElement;
    const isHere = hash !== '' || active?.closest('#item') !== null;
    if (!isHere) return false;
    const current = heading.current ?? active?.closest('li[id]')?.id ?? target;
    const at = rows.findIndex(({ id }) => id === current);
    let next = at === -1 ? (by === 1 ? start : end - 1) : at + by;
    while (rows[next] && !isEntry(rows[next]!)) next += by;
    const row = rows[next];
    if (!row) return true;
    setFocused(row.id);
    if (hash !== '') choose(row.id);
    else goTo(row.id, 'nearest');
    focusRow(row.id);
    return true;
  };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => (isOnRow() ? step(1) : false),
    ArrowUp: () => (isOnRow() ? step(-1) : false),
    Escape: () => {
      if (hash === '') return false;
      const id = target;
      choose(undefined);
      if (id !== undefined) focusRow(id);
      return true;
    },
  });
  const clicked = (event: MouseEvent<HTMLElement>): void => {
    if (!(event.target instanceof Element) || event.defaultPrevented) return;
    const { target: on } = event;
    const fold = on.closest<HTMLElement>('[data-fold]')?.dataset.fold;
    if (fold !== undefined) {
      setOpen((before) => toggled(before, fold));
      stay();
      return;
    }
    if (on.closest('[data-load]')) {
      load();
      return;
    }
    const link = on.closest('a');
    if (link ? !link.hash.startsWith('#e') || link.target !== '' : on.closest('button, summary, details') !== null)
      return;
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    const isSelecting = getSelection()?.isCollapsed === false;
    const id = link ? link.hash.slice(1) : on.closest('li[data-seq]')?.id;
    if (!isPlain || id === undefined || (isSelecting && !link)) return;
    event.preventDefault();
    choose(id === hash ? undefined : id);
    if (id !== hash) focusRow(id);
  };

  if (rows.length === 0) {
    const words = lens === 'eavesdropper' ? texts.conversation.nothingForEavesdropper : texts.conversation.nothing;
    return <p className="blank muted">{words}</p>;
  }
  const waiting = rows.length - end;
  return (
    <div className="wire-place">
      <div
        ref={scroller}
        className="wire-scroller"
        onScroll={scrolled}
        onWheel={({ deltaY }) => {
          if (deltaY < 0) stay();
        }}
        onTouchMove={stay}
        onPointerDown={({ target: on }) => {
          // The scroll bar is grasped.
          if (on === scroller.current) stay();
        }}
        onKeyDown={({ key }) => {
          if (['Home', 'PageUp', 'ArrowUp'].includes(key)) stay();
        }}
      >
        {start === 0 ? null : (
          <button type="button" className="button small edge" onClick={showEarlier}>
            <Icon name="up" />
            {wireTexts.rows.earlier(start)}
          </button>
        )}
        {/* What can be done by a click on a row, its link does by the keyboard. */}
        <ol
          ref={list}
          className={`wire-rows ${lens}`}
          aria-label={texts.conversation.rows}
          onClick={clicked}
          onFocus={({ target: on }) => setFocused(on.closest('li[id]')?.id)}
        >
          {shown.map((row) => (
            <WireRowItem
              key={row.id}
              row={row}
              lens={lens}
              explains={explains}
              find={find}
              isTarget={row.id === target}
              isStop={row.id === stop}
            />
          ))}
        </ol>
        {waiting === 0 || isLive ? null : (
          <button type="button" className="button small edge" onClick={showLater}>
            <Icon name="down" />
            {wireTexts.rows.later(waiting)}
          </button>
        )}
      </div>
      {waiting > 0 && isLive ? (
        <button type="button" className="fresh" aria-label={wireTexts.rows.freshLabel(waiting)} onClick={follow}>
          <Icon name="down" />
          {wireTexts.rows.fresh(waiting)}
        </button>
      ) : null}
    </div>
  );
}

function isEntry(row: WireRow): boolean {
  return row.type === 'entry' && row.entry.type !== 'missed';
}

function toggled(set: ReadonlySet<string>, id: string): Set<string> {
  const changed = new Set(set);
  if (!changed.delete(id)) changed.add(id);
  return changed;
}

function isOnRow(): boolean {
  return document.activeElement?.closest('.wire-rows') !== null;
}

function afterDrawing(act: () => void): void {
  requestAnimationFrame(() => requestAnimationFrame(act));
}

function focusRowLink(id: string): void {
  document.getElementById(id)?.querySelector<HTMLElement>('.at')?.focus({ preventScroll: true });
}

/** What can be seen already stays where it is. */
function showRow(scroller: HTMLElement | null, id: string, block: ScrollLogicalPosition): void {
  const row = document.getElementById(id);
  if (!scroller || !row) return;
  const [inner, outer] = [row.getBoundingClientRect(), scroller.getBoundingClientRect()];
  if (block !== 'start' && inner.top >= outer.top && inner.bottom <= outer.bottom) return;
  row.scrollIntoView({ block });
}

/** What the reader has at the top, to find it again. */
function topRow(scroller: HTMLElement): { readonly seq: number; readonly top: number } | undefined {
  const { left, top, width } = scroller.getBoundingClientRect();
  const row = document.elementFromPoint(left + width / 2, top + 12)?.closest<HTMLElement>('li[data-seq]');
  return row ? { seq: Number(row.dataset.seq), top: row.getBoundingClientRect().top - top } : undefined;
}
