/** Mail: accounts, the list, and the message that is open. */
import { Suspense, lazy, useEffect } from 'react';
import { AccountsPane } from '../components/accounts-pane.tsx';
import { Blank } from '../components/blank.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { MessageListPane } from '../components/message-list-pane.tsx';
import { MessagePane } from '../components/message-pane.tsx';
import type { Chosen } from '../api.ts';
import {
  backToList,
  focusRow,
  focusRowSoon,
  focusedRow,
  leaveRemoved,
  openRow,
  rowAddress,
  uidOf,
  wishOfQuery,
} from '../mail-places.ts';
import { askToRemove, chosen, mark, showList, showMessage, toggle } from '../mail.ts';
import { navigate, usePlace } from '../router.ts';
import { useKeys } from '../shortcuts.ts';
import { state, useAppState } from '../state.ts';
import { texts } from '../texts.ts';
import { visibleText } from '../visible-text.ts';
import { useWide } from '../wide.ts';

export function MailPage({ message }: { readonly message: string | undefined }) {
  const { query } = usePlace();
  const isWide = useWide();
  const { query: words, account, mailbox, threads, page } = wishOfQuery(query);
  const uid = uidOf(query);
  useEffect(
    () => showList({ query: words, account, mailbox, threads, page }),
    [words, account, mailbox, threads, page],
  );
  useEffect(() => {
    const isCopy = account !== undefined && mailbox !== undefined && uid !== undefined;
    showMessage(message, isCopy ? { account, mailbox, uid } : undefined);
  }, [message, account, mailbox, uid]);
  const open = openRow(query, message);
  useMailKeys(query, open, message);
  useTitle(message);
  const list = useAppState((shown) => shown.list);
  const isEmpty = list.phase === 'ready' && list.matches === 0 && list.waiting.size === 0 && list.wish?.query === '';
  const hasNone = isEmpty && message === undefined && account === undefined && list.wish.account === undefined;
  return (
    <div className={`panes mail ${message === undefined ? 'at-list' : 'at-item'}`}>
      <h1 className="visually-hidden">{texts.mail.title}</h1>
      {isWide ? (
        <aside className="accounts-pane" aria-label={texts.mail.accounts}>
          <AccountsPane />
        </aside>
      ) : null}
      {hasNone ? (
        <div className="empty-pane">
          <EmptyState account={undefined} />
        </div>
      ) : (
        <>
          <MessageListPane list={list} open={open} />
          <section className="item-pane" id="item" tabIndex={-1} aria-label={texts.message.label}>
            {message === undefined ? (
              <Blank title={texts.mail.nothingOpen} text={texts.mail.nothingOpenText} />
            ) : (
              <MessagePane id={message} />
            )}
          </section>
        </>
      )}
      {query.has('write') ? (
        <Suspense fallback={null}>
          <ComposeDialog query={query} />
        </Suspense>
      ) : null}
    </div>
  );
}

// Writing is rarer than reading.
const ComposeDialog = lazy(async () => ({ default: (await import('../components/mail-compose.tsx')).ComposeDialog }));

function useTitle(message: string | undefined): void {
  const unread = useAppState((shown) => shown.unread);
  const open = useAppState((shown) => shown.message);
  const subject = message !== undefined && open?.id === message ? open.message?.subject : undefined;
  useEffect(() => {
    const count = unread > 0 ? `(${unread}) ` : '';
    const title = subject === undefined ? texts.pages.mail : visibleText(subject) || texts.mail.noSubject;
    document.title = `${count}${title} · ${texts.name}`;
  }, [unread, subject]);
}

/** @param open the row that is open @param message the message that is */
function useMailKeys(query: URLSearchParams, open: string | undefined, message: string | undefined): void {
  const current = (): string | undefined => open ?? focusedRow();
  const step = (by: 1 | -1): true => {
    const { rows } = state.latest.list;
    const at = rows.findIndex(({ id }) => id === current());
    const next = rows[at === -1 ? (by === 1 ? 0 : rows.length - 1) : at + by];
    if (!next) return true;
    if (open === undefined) {
      focusRow(next.id);
      return true;
    }
    navigate(rowAddress(query, next), { replace: true });
    focusRowSoon(next.id);
    return true;
  };
  const back = (): boolean => {
    if (message === undefined) return false;
    backToList(query, open);
    return true;
  };
  /** What is selected, else the message that is open or has the focus. */
  const subject = (): { readonly chosen: Chosen; readonly count: number } | undefined => {
    const id = current();
    return chosen() ?? (id === undefined ? undefined : { chosen: { ids: [id] }, count: 1 });
  };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => (focusedRow() === undefined ? false : step(1)),
    ArrowUp: () => (focusedRow() === undefined ? false : step(-1)),
    u: back,
    Escape: back,
    x: () => {
      const id = current();
      if (id !== undefined) toggle(id);
    },
    r: () => {
      const which = subject();
      if (which) void mark(which.chosen, !isRead(which.chosen));
    },
    '#': () => {
      const which = subject();
      if (which) askToRemove(which.chosen, which.count, () => leaveRemoved(query, open));
    },
  });
}

/** Of several, `r` makes all read unless they are. */
function isRead(which: Chosen): boolean {
  const { list, message } = state.latest;
  const ids = 'ids' in which ? new Set(which.ids) : undefined;
  const shown = list.rows.filter(({ id }) => ids?.has(id) ?? true);
  if (shown.length > 0) return shown.every(({ read }) => read);
  return message?.copy?.message?.flags.includes('\\Seen') ?? message?.message?.transaction?.read ?? true;
}
