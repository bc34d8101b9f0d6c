import { type ReactNode, useDeferredValue, useEffect, useRef } from 'react';
import type { MessageSummary } from '../../http/schemas/messages.ts';
import { formatCount } from '../format.ts';
import { PAGE_ROWS, startOf } from '../mail-list.ts';
import { askToRemove, chosen, mark, retryList, selectEverything, selectPage, setAtTop, showWaiting } from '../mail.ts';
import { leaveRemoved, mailAddress } from '../mail-places.ts';
import { navigate, usePlace, withQuery } from '../router.ts';
import { type ListState, useAppState } from '../state.ts';
import { texts } from '../texts.ts';
import { visibleName } from '../visible-text.ts';
import { useWide } from '../wide.ts';
import { AccountsPane } from './accounts-pane.tsx';
import { Blank } from './blank.tsx';
import { EmptyState } from './empty-state.tsx';
import { Icon } from './icons.tsx';
import { Link } from './link.tsx';
import { MessageRow } from './message-row.tsx';
import { SkipLink } from './skip-link.tsx';

/** A list that is scrolled by less than this is at its top. */
const TOP = 8;

export function MessageListPane({ list, open }: { readonly list: ListState; readonly open: string | undefined }) {
  const { query } = usePlace();
  const scroller = useRef<HTMLDivElement>(null);
  const { wish } = list;
  useEffect(() => {
    scroller.current?.scrollTo({ top: 0 });
    setAtTop(true);
  }, [wish]);
  const showNew = (): void => {
    scroller.current?.scrollTo({ top: 0 });
    if (wish && wish.page > 1) navigate(withQuery('/mail', query, { page: undefined }));
    else showWaiting();
  };
  return (
    <section className="list-pane" aria-label={texts.mail.list}>
      <ListHeader list={list} query={query} open={open} />
      {list.waiting.size === 0 ? null : (
        <div className="fresh-place">
          <button
            type="button"
            className="fresh"
            aria-label={texts.mail.freshLabel(list.waiting.size)}
            onClick={showNew}
          >
            <Icon name="up" />
            {texts.mail.fresh(list.waiting.size)}
          </button>
        </div>
      )}
      <div
        ref={scroller}
        className="scroller"
        aria-busy={list.phase === 'loading'}
        onScroll={(event) => setAtTop(event.currentTarget.scrollTop < TOP)}
      >
        <ListBody list={list} open={open} query={query} />
      </div>
      <Pager list={list} query={query} />
    </section>
  );
}

interface ListBodyProps {
  readonly list: ListState;
  readonly open: string | undefined;
  readonly query: URLSearchParams;
}

function ListBody({ list, open, query }: ListBodyProps): ReactNode {
  const { wish } = list;
  if (list.phase === 'failed') {
    return (
      <Blank title={texts.mail.failed}>
        <p id="search-problem" role="alert">
          {wish?.query === '' ? list.problem : texts.search.problem(list.problem ?? '')}
        </p>
        <button type="button" className="button" onClick={retryList}>
          {texts.retry}
        </button>
      </Blank>
    );
  }
  if (list.rows.length === 0) {
    if (list.phase === 'loading') return <p className="blank muted">{texts.mail.loading}</p>;
    if (wish && wish.query !== '') {
      return (
        <Blank title={texts.mail.noneFound} text={texts.mail.noneFoundText}>
          <Link className="button" to={withQuery('/mail', query, { q: undefined, page: undefined })}>
            {texts.mail.clearSearch}
          </Link>
        </Blank>
      );
    }
    if (list.matches > 0) return null;
    return <EmptyState account={wish?.account} />;
  }
  return (
    <ul className="rows">
      <Rows list={list} open={open} query={query} />
    </ul>
  );
}

/** What is in sight is drawn at once, the rest when there is time: mail may come by the hundred. */
function Rows({ list, open, query }: ListBodyProps): ReactNode {
  const later = useDeferredValue(list.rows);
  const shown = later === list.rows ? later : withoutNewTail(list.rows, later);
  return shown.map((row) => (
    <MessageRow
      key={row.id}
      row={row}
      to={mailAddress(query, row.id)}
      isOpen={row.id === open}
      isSelected={list.selected.has(row.id)}
      showsAccount={list.wish?.account === undefined}
    />
  ));
}

/** More rows than these are in sight on no screen. */
const IN_SIGHT = 30;

function withoutNewTail(rows: readonly MessageSummary[], before: readonly MessageSummary[]): readonly MessageSummary[] {
  const head = rows.slice(0, IN_SIGHT);
  const tail = new Set(rows.slice(IN_SIGHT).map(({ id }) => id));
  return [...head, ...before.filter(({ id }) => tail.has(id))];
}

/** What is listed; with a selection, what can be done with it. */
function ListHeader({ list, query, open }: ListBodyProps) {
  const isWide = useWide();
  const box = useRef<HTMLInputElement>(null);
  const { wish } = list;
  const count = list.everything ? list.matches : list.selected.size;
  const isWhole = list.rows.length > 0 && list.rows.every(({ id }) => list.selected.has(id));
  useEffect(() => {
    if (box.current) box.current.indeterminate = count > 0 && !isWhole;
  }, [count, isWhole]);
  return (
    <header className="pane-header">
      <label className="box">
        <input
          ref={box}
          type="checkbox"
          aria-label={texts.mail.selectPage}
          checked={isWhole}
          disabled={list.rows.length === 0}
          onChange={(event) => selectPage(event.currentTarget.checked)}
        />
      </label>
      <h2 className={count > 0 ? 'visually-hidden' : undefined}>
        {wish?.account === undefined ? texts.mail.all : <bdi>{visibleName(wish.account)}</bdi>}
      </h2>
      {count === 0 ? (
        <>
          <p className="muted">{listWords(list)}</p>
          {isWide ? null : <AccountChooser />}
        </>
      ) : (
        <SelectionTools list={list} query={query} open={open} count={count} isWhole={isWhole} />
      )}
      {open === undefined ? null : <SkipLink to="item">{texts.skipToMessage}</SkipLink>}
    </header>
  );
}

function listWords(list: ListState): string {
  if (list.phase !== 'ready') return '';
  return list.wish?.query === '' ? texts.mail.counts(list.matches, list.unreadMatches) : texts.mail.found(list.matches);
}

interface SelectionToolsProps extends ListBodyProps {
  readonly count: number;
  readonly isWhole: boolean;
}

function SelectionTools({ list, query, open, count, isWhole }: SelectionToolsProps) {
  const act = (run: (which: NonNullable<ReturnType<typeof chosen>>) => void) => (): void => {
    const which = chosen();
    if (which) run(which);
  };
  return (
    <>
      <p role="status">{texts.mail.selected(count)}</p>
      {isWhole && !list.everything && list.matches > list.rows.length ? (
        <button type="button" className="button small plain" onClick={selectEverything}>
          {texts.mail.selectEverything(list.matches)}
        </button>
      ) : null}
      <span className="push" />
      <button
        type="button"
        className="tool"
        aria-label={texts.mail.markRead}
        title={texts.mail.markRead}
        onClick={act(({ chosen: which }) => void mark(which, true))}
      >
        <Icon name="read" />
      </button>
      <button
        type="button"
        className="tool"
        aria-label={texts.mail.markUnread}
        title={texts.mail.markUnread}
        onClick={act(({ chosen: which }) => void mark(which, false))}
      >
        <Icon name="unread" />
      </button>
      <button
        type="button"
        className="tool danger"
        aria-label={texts.mail.remove}
        title={texts.mail.remove}
        onClick={act(({ chosen: which, count: number }) => askToRemove(which, number, () => leaveRemoved(query, open)))}
      >
        <Icon name="trash" />
      </button>
    </>
  );
}

function Pager({ list, query }: { readonly list: ListState; readonly query: URLSearchParams }) {
  const { wish, rows, matches } = list;
  if (!wish || list.phase !== 'ready' || (matches <= PAGE_ROWS && wish.page === 1)) return null;
  const start = startOf(wish);
  const to = (page: number): string => withQuery('/mail', query, { page: page === 1 ? undefined : String(page) });
  return (
    <nav className="pager" aria-label={texts.mail.list}>
      <span className="muted">
        {rows.length === 0 ? formatCount(matches) : texts.mail.range(start + 1, start + rows.length, matches)}
      </span>
      {wish.page > 1 ? (
        <Link className="button small" to={to(wish.page - 1)}>
          {texts.mail.newer}
        </Link>
      ) : null}
      {start + rows.length < matches ? (
        <Link className="button small" to={to(wish.page + 1)}>
          {texts.mail.older}
        </Link>
      ) : null}
    </nav>
  );
}

/** Where there is no room for the pane of accounts. */
function AccountChooser() {
  const count = useAppState((state) => state.accounts?.length ?? 0);
  return (
    <div className="menu-anchor">
      <button type="button" className="button small" popoverTarget="account-menu" disabled={count === 0}>
        {texts.mail.accounts}
        <Icon name="down" />
      </button>
      <div id="account-menu" className="menu" popover="auto" role="dialog" aria-label={texts.mail.choose}>
        <AccountsPane chosen={() => document.getElementById('account-menu')?.hidePopover()} />
      </div>
    </div>
  );
}
