/** Addresses inside Mail, and where the focus goes. */
import { navigate, withQuery } from './router.ts';
import { type ListRow, type Wish, state } from './state.ts';

export function wishOfQuery(query: URLSearchParams): Required<Wish> {
  const page = Number(query.get('page') ?? '1');
  const account = query.get('account') ?? undefined;
  const mailbox = account === undefined ? undefined : (query.get('mailbox') ?? undefined);
  return {
    query: query.get('q') ?? '',
    account,
    mailbox,
    threads: mailbox !== undefined && query.get('threads') === '1',
    page: Number.isSafeInteger(page) && page > 0 ? page : 1,
  };
}

/** The row that an address opens: a transaction, or a UID of the mailbox that is listed. */
export function openRow(query: URLSearchParams, message: string | undefined): string | undefined {
  if (message === undefined || wishOfQuery(query).mailbox === undefined) return message;
  return uidOf(query) === undefined ? undefined : String(uidOf(query));
}

export function uidOf(query: URLSearchParams): number | undefined {
  const text = query.get('uid') ?? '';
  return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined;
}

/** The address of the list that is shown. */
export function mailAddress(query: URLSearchParams): string {
  return withQuery('/mail', query, { view: undefined, uid: undefined, write: undefined });
}

/** The address of a message beside the list that is shown. */
export function rowAddress(query: URLSearchParams, { id, emailId, copy }: ListRow): string {
  const path = `/mail/${encodeURIComponent(copy ? emailId : id)}`;
  return withQuery(path, query, { view: undefined, write: undefined, uid: copy && String(copy.uid) });
}

/** The address of a mailbox; without a name, of all that an account got. */
export function mailboxAddress(query: URLSearchParams, account: string | undefined, mailbox?: string): string {
  return withQuery('/mail', query, { account, mailbox, page: undefined, view: undefined, uid: undefined });
}

/** The permanent address of a message where it lies. */
export function copyAddress(emailId: string, account: string, mailbox: string, uid: number): string {
  return withQuery(`/mail/${emailId}`, new URLSearchParams({ account, mailbox, uid: String(uid) }));
}

export const WRITES = ['new', 'reply', 'reply-all', 'forward'] as const;
export type WriteKind = (typeof WRITES)[number];

/** What is shown, with something to be written above it. */
export function writeAddress(query: URLSearchParams, kind: WriteKind | undefined): string {
  const { pathname } = location;
  return withQuery(/^\/mail(?:\/|$)/.test(pathname) ? pathname : '/mail', query, { write: kind });
}

/** The id of the row that has the focus, in any of its parts. */
export function focusedRow(): string | undefined {
  return document.activeElement?.closest<HTMLElement>('[data-row]')?.dataset.row;
}

export function focusRow(id: string): void {
  const row = document.querySelector(`[data-row="${CSS.escape(id)}"]`);
  row?.querySelector<HTMLElement>('.row-link')?.focus({ preventScroll: true });
  row?.scrollIntoView({ block: 'nearest' });
}

/** Once the page has been drawn anew. */
export function focusRowSoon(id: string): void {
  requestAnimationFrame(() => requestAnimationFrame(() => focusRow(id)));
}

export function focusItemSoon(): void {
  requestAnimationFrame(() => document.getElementById('item')?.focus({ preventScroll: true }));
}

/** @param open the row that is open */
export function backToList(query: URLSearchParams, open: string | undefined): void {
  navigate(mailAddress(query));
  if (open !== undefined) focusRowSoon(open);
}

/** After a deletion the reader is at the next message, as far as there is one. @param open the row that is open */
export function leaveRemoved(query: URLSearchParams, open: string | undefined): void {
  const { rows, selected } = state.latest.list;
  const anchor = open ?? focusedRow();
  const gone = selected.size > 0 ? selected : new Set(anchor === undefined ? [] : [anchor]);
  const at = Math.max(
    0,
    rows.findIndex(({ id }) => id === anchor),
  );
  const next = rows.slice(at).find(({ id }) => !gone.has(id)) ?? rows.slice(0, at).findLast(({ id }) => !gone.has(id));
  if (open !== undefined && gone.has(open)) {
    navigate(next ? rowAddress(query, next) : mailAddress(query), { replace: true });
  }
  if (next) focusRowSoon(next.id);
}
