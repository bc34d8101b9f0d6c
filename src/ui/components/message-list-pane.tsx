import { type ReactNode, useDeferredValue, useEffect, useRef } from 'react';
import { formatCount } from '../format.ts';
import { PAGE_ROWS, startOf } from '../mail-list.ts';
import {
  askToRemove,
  bringBack,
  chosen,
  mark,
  moveMessages,
  retryList,
  selectEverything,
  selectPage,
  setAtTop,
  setFlags,
  showWaiting,
} from '../mail.ts';
import { mailTexts } from '../mail-texts.ts';
import { leaveRemoved, rowAddress, writeAddress } from '../mail-places.ts';
import { type Place, isTrash, useOf } from '../mailboxes.ts';
import { navigate, usePlace, withQuery } from '../router.ts';
import { type ListRow, type ListState, useAppState } from '../state.ts';
import { texts } from '../texts.ts';
import { visibleName } from '../visible-text.ts';
import { useWide } from '../wide.ts';
import { AccountsPane } from './accounts-pane.tsx';
import { Blank } from './blank.tsx';
import { EmptyState } from './empty-state.tsx';
import { Icon } from './icons.tsx';
import { Link } from './link.tsx';
import { MailboxMenu } from './mail-mailbox-menu.tsx';
import { MessageRow } from './message-row.tsx';
import { MoveMenu } from './message-move-menu.tsx';
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
    if (wish && wish.page > 1) navigate(withQuery('/mail', query, { page: undefined, uid: undefined }));
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
        <p className="buttons">
          {wish === undefined || wish.query === '' ? null : (
            <Link className="button" to={withQuery('/mail', query, { q: undefined, page: undefined, uid: undefined })}>
              {texts.mail.clearSearch}
            </Link>
          )}
          <button type="button" className="button" onClick={retryList}>
            {texts.retry}
          </button>
        </p>
      </Blank>
    );
  }
  if (list.rows.length === 0) {
    if (list.phase === 'loading') return <p className="blank muted">{texts.mail.loading}</p>;
    if (wish && wish.query !== '') {
      return (
        <Blank title={texts.mail.noneFound} text={texts.mail.noneFoundText}>
          <Link className="button" to={withQuery('/mail', query, { q: undefined, page: undefined, uid: undefined })}>
            {texts.mail.clearSearch}
          </Link>
        </Blank>
      );
    }
    if (list.matches > 0) return null;
    if (wish?.mailbox !== undefined && wish.mailbox !== 'INBOX') return <EmptyMailbox list={list} />;
    return <EmptyState account={wish?.account} />;
  }
  return (
    <>
      <ul className={list.wish?.threads === true ? 'rows threaded' : 'rows'}>
        <Rows list={list} open={open} query={query} />
      </ul>
      <Removed />
    </>
  );
}

function EmptyMailbox({ list }: { readonly list: ListState }) {
  const place = usePlaceOf(list);
  const text = place && isTrash(place.mailbox) ? mailTexts.mailbox.emptyTrash : mailTexts.mailbox.emptyText;
  return <Blank title={mailTexts.mailbox.empty} text={text} />;
}

/** Why there is less than once was. */
function Removed() {
  const removed = useAppState(({ status }) => status?.retention?.removed ?? 0);
  return removed === 0 ? null : <p className="small-print removed">{mailTexts.retention(removed)}</p>;
}

/** The mailbox that is listed, as it stands. */
function usePlaceOf({ wish }: ListState): Place | undefined {
  const account = wish?.account;
  const mailboxes = useAppState((state) => (account === undefined ? undefined : state.mailboxes.get(account)));
  const mailbox = mailboxes?.find(({ name }) => name === wish?.mailbox);
  return account === undefined || !mailbox ? undefined : { account, mailbox };
}

/** What is in sight is drawn at once, the rest when there is time: mail may come by the hundred. */
function Rows({ list, open, query }: ListBodyProps): ReactNode {
  const later = useDeferredValue(list.rows);
  const place = usePlaceOf(list);
  const use = place && useOf(place.mailbox);
  const showsRecipients = list.wish?.account === undefined || use === '\\Sent' || use === '\\Drafts';
  const shown = later === list.rows ? later : withoutNewTail(list.rows, later);
  return shown.map((row) => (
    <MessageRow
      key={row.id}
      row={row}
      to={rowAddress(query, row)}
      isOpen={row.id === open}
      isSelected={list.selected.has(row.id)}
      showsAccount={showsRecipients}
    />
  ));
}

/** More rows than these are in sight on no screen. */
const IN_SIGHT = 30;

function withoutNewTail(rows: readonly ListRow[], before: readonly ListRow[]): readonly ListRow[] {
  const head = rows.slice(0, IN_SIGHT);
  const tail = new Set(rows.slice(IN_SIGHT).map(({ id }) => id));
  return [...head, ...before.filter(({ id }) => tail.has(id))];
}

/** What is listed; with a selection, what can be done with it. */
function ListHeader({ list, query, open }: ListBodyProps) {
  const isWide = useWide();
  const box = useRef<HTMLInputElement>(null);
  const { wish } = list;
  const place = usePlaceOf(list);
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
        <ListTitle list={list} />
      </h2>
      {count === 0 ? (
        <>
          <p className="muted">{listWords(list)}</p>
          <span className="push" />
          {place ? <MailboxMenu place={place} threads={wish?.threads === true} /> : null}
          {isWide ? null : (
            <>
              <Link
                className="tool"
                to={writeAddress(query, 'new')}
                aria-label={mailTexts.write}
                title={mailTexts.write}
              >
                <Icon name="pencil" />
              </Link>
              <AccountChooser />
            </>
          )}
        </>
      ) : (
        <SelectionTools list={list} query={query} open={open} count={count} isWhole={isWhole} />
      )}
      {open === undefined ? null : <SkipLink to="item">{texts.skipToMessage}</SkipLink>}
    </header>
  );
}

function ListTitle({ list: { wish } }: { readonly list: ListState }) {
  const domain = useAppState(({ status }) => status?.defaultDomain);
  if (wish?.account === undefined) return texts.mail.all;
  if (wish.mailbox === undefined) return <bdi>{visibleName(wish.account)}</bdi>;
  const at = wish.account.lastIndexOf('@');
  const short = wish.account.slice(at + 1) === domain ? wish.account.slice(0, at) : wish.account;
  return (
    <>
      <bdi>{visibleName(wish.mailbox)}</bdi> <bdi className="of-account">{visibleName(short)}</bdi>
    </>
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
  const place = usePlaceOf(list);
  const act = (run: (which: NonNullable<ReturnType<typeof chosen>>) => void) => (): void => {
    const which = chosen();
    if (which) run(which);
  };
  const inTrash = place !== undefined && isTrash(place.mailbox);
  const removeWords =
    place === undefined ? texts.mail.remove : inTrash ? mailTexts.copies.expunge : mailTexts.copies.trash;
  const allFlagged = list.rows.every(
    ({ id, copy }) => !list.selected.has(id) || copy?.flags.includes('\\Flagged') === true,
  );
  const flagWords = allFlagged ? mailTexts.copies.unflag : mailTexts.copies.flag;
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
      {place ? (
        <>
          <button
            type="button"
            className="tool"
            aria-label={flagWords}
            title={flagWords}
            onClick={act(({ chosen: which }) => {
              void setFlags(place, which, allFlagged ? [] : ['\\Flagged'], allFlagged ? ['\\Flagged'] : []);
            })}
          >
            <Icon name="flag" />
          </button>
          <MoveMenu
            account={place.account}
            from={place.mailbox.id}
            move={(to) =>
              act(({ chosen: which }) => {
                leaveRemoved(query, open);
                void moveMessages(place, which, to);
              })()
            }
          />
        </>
      ) : null}
      {place && inTrash ? (
        <button
          type="button"
          className="tool"
          aria-label={mailTexts.copies.restore}
          title={mailTexts.copies.restore}
          onClick={act(({ chosen: which }) => {
            leaveRemoved(query, open);
            void bringBack(place, which);
          })}
        >
          <Icon name="restore" />
        </button>
      ) : null}
      <button
        type="button"
        className="tool danger"
        aria-label={removeWords}
        title={removeWords}
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
  const to = (page: number): string =>
    withQuery('/mail', query, { page: page === 1 ? undefined : String(page), uid: undefined });
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
