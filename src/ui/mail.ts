/** What the mail page does: loads lists and messages, marks, deletes. It writes to `state` and to nothing else. */
import type { MailNews, MailboxNews } from '../http/schemas/feed.ts';
import {
  type Chosen,
  type ListWish,
  ApiError,
  deleteMessages,
  fetchAccounts,
  fetchMessage,
  fetchMessages,
  fetchStatus,
  isAbort,
  markMessages,
  wordsOf,
} from './api.ts';
import {
  type ListAnswer,
  PAGE_ROWS,
  flagged,
  flagsAfter,
  isPlain,
  marked,
  reconciled,
  replaced,
  startOf,
  withNews,
  without,
} from './mail-list.ts';
import { mailTexts } from './mail-texts.ts';
import {
  type Place,
  changeFlags,
  expunge,
  fetchCopy,
  fetchMailboxPage,
  isTrash,
  listedPlace,
  loadMailboxes,
  mailboxNamed,
  moveTo,
  moveToTrash,
  restore,
} from './mailboxes.ts';
import { type CopyState, type ListState, type Wish, EMPTY_LIST, state, tell } from './state.ts';
import { texts } from './texts.ts';

/** The list is not read anew more often than this, however many news there are. */
const REFRESH_MS = 1000;
const STATUS_MS = 5000;
/** Counts are asked for of so many accounts at most: those that are on the page. */
export const ACCOUNTS_SHOWN = 40;

let atTop = true;
/** Changes with each wish, so that an answer to an earlier one is not shown. */
let load: AbortController | undefined;

/** Whether the reader sees the newest row. */
export function setAtTop(value: boolean): void {
  atTop = value;
}

const reader = (): { readonly atTop: boolean } => ({ atTop: atTop && state.latest.list.selected.size === 0 });

// --------------------------------------------------------------------------------------------------------- list

export function showList(wish: Wish): void {
  const { list } = state.latest;
  const before = list.wish;
  const isNarrower = before?.account === wish.account && before?.mailbox === wish.mailbox;
  const isSame = before?.query === wish.query && before.page === wish.page && before.threads === wish.threads;
  if (isNarrower && isSame && list.phase !== 'failed') return;
  // Another page or search keeps the rows until the answer is there; the frame does not flicker.
  const rows = isNarrower ? list.rows : [];
  state.update({ list: { ...EMPTY_LIST, wish, rows, matches: isNarrower ? list.matches : 0 } });
  atTop = true;
  loadList(replaced);
}

/** The rows that wait, and the top of the list. */
export function showWaiting(): void {
  atTop = true;
  loadList(replaced);
}

function loadList(combine: (list: ListState, answer: ListAnswer) => ListState): void {
  const { wish } = state.latest.list;
  if (wish === undefined) return;
  load?.abort();
  const mine = new AbortController();
  load = mine;
  const fetchPage: typeof fetchMailboxPage = wish.mailbox === undefined ? fetchMessages : fetchMailboxPage;
  fetchPage(wish, startOf(wish), PAGE_ROWS, mine.signal).then(
    (answer) => {
      if (load !== mine) return;
      load = undefined;
      state.update({
        list: combine(state.latest.list, answer),
        ...(answer.total !== undefined && { total: answer.total }),
        ...(answer.unread !== undefined && { unread: answer.unread }),
      });
    },
    (error: unknown) => {
      if (load !== mine || isAbort(error)) return;
      load = undefined;
      state.update({ list: { ...state.latest.list, phase: 'failed', problem: wordsOf(error) } });
    },
  );
}

const refreshList = atMostEvery(REFRESH_MS, () => {
  if (load === undefined) loadList((list, answer) => reconciled(list, answer, reader()));
});

export function retryList(): void {
  state.update({ list: { ...state.latest.list, phase: 'loading', problem: undefined } });
  loadList(replaced);
}

// --------------------------------------------------------------------------------------------------------- news

export function mailNews(news: MailNews): void {
  const { list, heard, message } = state.latest;
  const next = withNews(list, news, reader());
  state.update({
    list: next,
    total: news.total,
    unread: news.unread,
    heard: { ...heard, messages: heard.messages + news.arrived.length },
  });
  const openId = message?.message?.transaction?.id ?? message?.id;
  if (message?.message && openId !== undefined && news.deleted.includes(openId)) {
    state.update({ message: { ...message, phase: 'gone' } });
  }
  const read = news.read.find(({ id }) => id === openId)?.read;
  const tags = news.tagged.find(({ id }) => id === openId)?.tags;
  if (message?.message?.transaction && (read !== undefined || tags)) {
    const { transaction } = message.message;
    const changed = { ...transaction, read: read ?? transaction.read, tags: tags ?? transaction.tags };
    state.update({ message: { ...message, message: { ...message.message, transaction: changed } } });
  }
  if (message?.message && news.tooOld) lookForMessage(message.id);
  const { wish } = list;
  const isShort = next.rows.length < Math.min(PAGE_ROWS, next.matches - (wish ? startOf(wish) : 0));
  const isExact = wish !== undefined && isPlain(wish) && wish.account === undefined;
  if (news.tooOld || (wish && (!isExact || isShort))) refreshList();
  accountsTouched(news);
  refreshStatus();
}

/** Something has changed in these accounts: flags, mailboxes, whatever it was. */
export function mailboxNews({ accounts }: MailboxNews): void {
  const { mailboxes, list, message } = state.latest;
  for (const account of accounts) {
    if (mailboxes.has(account)) staleMailboxes.add(account);
  }
  refreshMailboxes();
  const { wish } = list;
  if (wish?.mailbox !== undefined && accounts.includes(wish.account ?? '')) refreshMailbox();
  if (message?.copy && accounts.includes(message.copy.account)) refreshCopy();
  // Where the copies of an accepted message lie, and their flags, are told by the message alone.
  const copies = message?.message?.copies ?? [];
  if (message?.phase === 'ready' && !message.copy && copies.some(({ account }) => accounts.includes(account)))
    refreshOpen();
}

/** Flags and counts follow at once what an IMAP client does. */
const SOON_MS = 200;
const staleMailboxes = new Set<string>();

const refreshMailboxes = atMostEvery(SOON_MS, () => {
  const stale = [...staleMailboxes];
  staleMailboxes.clear();
  for (const account of stale) void loadMailboxes(account).catch(() => undefined);
});

const refreshMailbox = atMostEvery(SOON_MS, () => {
  if (load === undefined && state.latest.list.wish?.mailbox !== undefined) {
    loadList((list, answer) => reconciled(list, answer, reader()));
  } else refreshList();
});

const refreshCopy = atMostEvery(SOON_MS, () => void readCopyAnew());

async function readCopyAnew(): Promise<void> {
  const copy = state.latest.message?.copy;
  if (!copy) return;
  try {
    const message = await fetchCopy(copy.account, copy.mailbox.id, copy.uid, new AbortController().signal);
    const open = state.latest.message;
    if (open?.copy?.uid !== copy.uid || open.copy.mailbox.id !== copy.mailbox.id) return;
    state.update({ message: { ...open, copy: { ...copy, message } } });
    if (!message && open.copy.message) refreshOpen();
  } catch {
    // The next news tries again.
  }
}

/** Where an open message lies now. */
const refreshOpen = atMostEvery(SOON_MS, () => {
  const open = state.latest.message;
  if (open?.phase !== 'ready') return;
  fetchMessage(open.id, new AbortController().signal).then(
    (message) => {
      if (state.latest.message?.id === open.id) state.update({ message: { ...state.latest.message, message } });
    },
    (error: unknown) => {
      if (state.latest.message?.id === open.id && isMissing(error)) {
        state.update({ message: { ...state.latest.message, phase: 'gone' } });
      }
    },
  );
});

/** After each connection: what passed before the feed knew of us is read anew. */
export function connectedAgain(): void {
  if (state.latest.list.wish) refreshList();
  for (const account of state.latest.mailboxes.keys()) staleMailboxes.add(account);
  refreshMailboxes();
  refreshCopy();
  void loadAccounts();
}

const refreshStatus = atMostEvery(STATUS_MS, () => void loadStatus());

/** @returns when the server started; undefined: it did not answer */
export async function loadStatus(): Promise<string | undefined> {
  try {
    const status = await fetchStatus();
    state.update({ status, unread: status.counts.unreadTransactions, total: status.counts.transactions });
    return status.startedAt;
  } catch {
    // The connection's state already says so.
    return undefined;
  }
}

// ----------------------------------------------------------------------------------------------------- accounts

const touched = new Set<string>();
let countsWanted: readonly string[] = [];

export async function loadAccounts(): Promise<void> {
  try {
    const { accounts } = await fetchAccounts();
    const counts = new Map(state.latest.accounts?.map((account) => [account.address, account.counts]));
    state.update({
      accounts: accounts.map(({ address }) => ({ address, counts: counts.get(address) })),
      accountsProblem: undefined,
    });
    wantCounts(countsWanted);
  } catch (error) {
    state.update({ accountsProblem: wordsOf(error) });
  }
}

/** The accounts whose counts are on the page. */
export function wantCounts(addresses: readonly string[]): void {
  countsWanted = addresses.slice(0, ACCOUNTS_SHOWN);
  for (const address of countsWanted) touched.add(address);
  refreshCounts();
}

function accountsTouched(news: MailNews): void {
  const known = new Set(state.latest.accounts?.map(({ address }) => address));
  const arrivedIn = news.arrived.flatMap(({ copies }) => copies.map(({ account }) => account));
  if (arrivedIn.some((address) => !known.has(address))) refreshAccounts();
  // Which accounts lost a message, or had it read, the news do not tell.
  const all = news.tooOld || news.deleted.length > 0 || news.read.length > 0;
  for (const address of all ? countsWanted : arrivedIn) touched.add(address);
  refreshCounts();
}

const refreshAccounts = atMostEvery(REFRESH_MS, () => void loadAccounts());

const refreshCounts = atMostEvery(REFRESH_MS, () => void loadCounts());

async function loadCounts(): Promise<void> {
  const addresses = countsWanted.filter((address) => touched.has(address));
  touched.clear();
  const counts = new Map<string, { messages: number; unread: number }>();
  for (const address of addresses) {
    try {
      const { matches, unreadMatches } = await fetchMessages({ query: '', account: address }, 0, 0);
      counts.set(address, { messages: matches, unread: unreadMatches });
    } catch {
      // It may have been deleted; the list of accounts is read anew then.
    }
  }
  if (counts.size === 0) return;
  state.update({
    accounts: state.latest.accounts?.map((account) => {
      const found = counts.get(account.address);
      return found ? { address: account.address, counts: found } : account;
    }),
  });
}

// ------------------------------------------------------------------------------------------------------ message

let messageLoad: AbortController | undefined;

/** Which message of which mailbox is meant. */
export interface CopyWish {
  readonly account: string;
  readonly mailbox: string;
  readonly uid: number;
}

function isCopy(copy: CopyState | undefined, wish: CopyWish | undefined): boolean {
  if (!copy || !wish) return copy === wish;
  return copy.account === wish.account && copy.mailbox.name === wish.mailbox && copy.uid === wish.uid;
}

export function showMessage(id: string | undefined, wish?: CopyWish): void {
  const shown = state.latest.message;
  if (shown?.id === id && isCopy(shown?.copy, wish) && shown?.phase !== 'failed') return;
  messageLoad?.abort();
  messageLoad = undefined;
  if (id === undefined) {
    state.update({ message: undefined });
    return;
  }
  const mine = new AbortController();
  messageLoad = mine;
  state.update({ message: { id, phase: 'loading', problem: undefined, message: undefined } });
  Promise.all([fetchMessage(id, mine.signal), wish && findCopy(wish, mine.signal)]).then(
    ([message, copy]) => {
      if (messageLoad !== mine) return;
      state.update({ message: { id, phase: 'ready', problem: undefined, message, copy } });
      if (copy) {
        const isSeen = copy.message?.flags.includes('\\Seen') ?? true;
        if (!isSeen) void setFlags(copy, { ids: [String(copy.uid)] }, ['\\Seen'], []);
      } else if (message.transaction && !message.transaction.read) {
        void mark({ ids: [message.transaction.id] }, true, { quiet: true });
      }
    },
    (error: unknown) => {
      if (messageLoad !== mine || isAbort(error)) return;
      const isUnreadable = error instanceof ApiError && error.status === 400; // such ids there are not
      const phase = isUnreadable ? 'missing' : isMissing(error) ? 'gone' : 'failed';
      const problem = phase === 'failed' ? wordsOf(error) : undefined;
      state.update({ message: { id, phase, problem, message: undefined } });
    },
  );
}

/** A mailbox that is no more takes nothing from the message itself. */
async function findCopy(wish: CopyWish, signal: AbortSignal): Promise<CopyState | undefined> {
  const { account, uid } = wish;
  try {
    const mailbox = await mailboxNamed(account, wish.mailbox);
    return { account, mailbox, uid, message: await fetchCopy(account, mailbox.id, uid, signal) };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The news do not reach back: is the open message still there? */
function lookForMessage(id: string): void {
  fetchMessage(id, new AbortController().signal).catch((error: unknown) => {
    const open = state.latest.message;
    if (open?.id === id && isMissing(error)) state.update({ message: { ...open, phase: 'gone' } });
  });
}

function isMissing(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 404 || error.status === 410);
}

// ------------------------------------------------------------------------------------------------------- choice

export function toggle(id: string): void {
  const { list } = state.latest;
  const selected = new Set(list.selected);
  if (!selected.delete(id)) selected.add(id);
  state.update({ list: { ...list, selected, everything: false } });
}

/** From the row that was chosen last to this one. */
export function selectRange(from: string, to: string): void {
  const { list } = state.latest;
  const ids = list.rows.map(({ id }) => id);
  const ends = [ids.indexOf(from), ids.indexOf(to)].sort((a, b) => a - b);
  if (ends[0] === -1) return;
  const range = ids.slice(ends[0], ends[1]! + 1);
  state.update({ list: { ...list, selected: new Set([...list.selected, ...range]), everything: false } });
}

export function selectPage(selects: boolean): void {
  const { list } = state.latest;
  const selected = new Set(selects ? list.rows.map(({ id }) => id) : []);
  state.update({ list: { ...list, selected, everything: false } });
}

export function selectEverything(): void {
  const { list } = state.latest;
  state.update({ list: { ...list, selected: new Set(list.rows.map(({ id }) => id)), everything: true } });
}

/** What the reader selected; undefined: nothing. */
export function chosen(): { readonly chosen: Chosen; readonly count: number } | undefined {
  const { selected, everything, wish, matches } = state.latest.list;
  if (selected.size === 0) return undefined;
  if (everything && wish) return { chosen: wishOf(wish), count: matches };
  return { chosen: { ids: [...selected] }, count: selected.size };
}

function wishOf({ query, account }: Wish): ListWish {
  return { query, account };
}

// ------------------------------------------------------------------------------------------------------ actions

export async function mark(
  which: Chosen,
  read: boolean,
  { quiet = false }: { readonly quiet?: boolean } = {},
): Promise<void> {
  const place = quiet ? undefined : listedPlace();
  if (place) return setFlags(place, which, read ? ['\\Seen'] : [], read ? [] : ['\\Seen']);
  const { list, message } = state.latest;
  const ids = new Set('ids' in which ? which.ids : list.rows.map((row) => row.id));
  state.update({ list: marked(list, ids, read) });
  if (message?.message?.transaction && ids.has(message.message.transaction.id)) {
    const transaction = { ...message.message.transaction, read };
    state.update({ message: { ...message, message: { ...message.message, transaction } } });
  }
  try {
    const { count } = await markMessages(which, read);
    if (!quiet) tell('done', texts.mail.marked(count, read));
  } catch (error) {
    tell('failed', wordsOf(error));
    refreshList();
  }
}

export async function remove(which: Chosen): Promise<void> {
  try {
    const { count } = await deleteMessages(which);
    const { list, message } = state.latest;
    const ids = new Set('ids' in which ? which.ids : list.rows.map((row) => row.id));
    state.update({ list: without(list, ids) });
    const openId = message?.message?.transaction?.id ?? message?.id;
    if (message && ids.has(openId ?? '')) state.update({ message: { ...message, phase: 'gone' } });
    tell('done', texts.mail.deleted(count));
    refreshList();
  } catch (error) {
    tell('failed', wordsOf(error));
  }
}

/**
 * Of a mailbox, to the trash; from there for good. What nobody can bring back is asked first.
 * @param then runs before the deletion begins
 */
export function askToRemove(which: Chosen, count: number, then: () => void = () => undefined): void {
  const place = listedPlace();
  if (place) {
    if (isTrash(place.mailbox)) askToExpunge(place, which, count, then);
    else {
      then();
      void trash(place, which);
    }
    return;
  }
  state.update({
    question: {
      title: texts.mail.deleteTitle(count),
      text: texts.mail.deleteText(count),
      confirm: texts.mail.deleteConfirm,
      act: () => {
        then();
        void remove(which);
      },
    },
  });
}

// ------------------------------------------------------------------------------------------- messages of a mailbox

/** Shown at once; the news of the change say what became of it. */
export async function setFlags(
  place: Place,
  which: Chosen,
  add: readonly string[],
  taken: readonly string[],
): Promise<void> {
  const { list, message } = state.latest;
  const ids = new Set('ids' in which ? which.ids : list.rows.map((row) => row.id));
  const isListed = list.wish?.account === place.account && list.wish.mailbox === place.mailbox.name;
  if (isListed) state.update({ list: flagged(list, ids, add, taken) });
  const copy = message?.copy;
  if (
    copy?.message &&
    copy.account === place.account &&
    copy.mailbox.id === place.mailbox.id &&
    ids.has(String(copy.uid))
  ) {
    const flags = flagsAfter(copy.message.flags, add, taken);
    state.update({ message: { ...message!, copy: { ...copy, message: { ...copy.message, flags } } } });
  }
  await orTell(async () => changeFlags(place, which, add, taken));
}

export async function trash(place: Place, which: Chosen): Promise<void> {
  await orTell(async () => {
    const { mailbox, moved } = await moveToTrash(place, which);
    taken(place, moved);
    const back: Place = { account: place.account, mailbox };
    const ids = moved.map(({ to }) => String(to));
    tell('done', mailTexts.copies.trashed(moved.length), () => void bringBack(back, { ids }, true));
  });
}

/** @param isUndo says less: the reader sees it */
export async function bringBack(place: Place, which: Chosen, isUndo = false): Promise<void> {
  await orTell(async () => {
    const { mailboxes } = await restore(place, which);
    const count = mailboxes.reduce((sum, { moved }) => sum + moved.length, 0);
    for (const { moved } of mailboxes) taken(place, moved);
    const names = mailboxes.map(({ mailbox }) => mailbox.name);
    tell('done', isUndo ? mailTexts.copies.undone : mailTexts.copies.restored(count, names));
  });
}

export async function moveMessages(place: Place, which: Chosen, to: string): Promise<void> {
  await orTell(async () => {
    const { mailbox, moved } = await moveTo(place, which, to);
    taken(place, moved);
    const ids = moved.map(({ to: uid }) => String(uid));
    tell('done', mailTexts.copies.moved(moved.length, mailbox.name), () => {
      void orTell(async () => {
        await moveTo({ account: place.account, mailbox }, { ids }, place.mailbox.name);
        tell('done', mailTexts.copies.undone);
      });
    });
  });
}

export function askToExpunge(place: Place, which: Chosen, count: number, then: () => void = () => undefined): void {
  state.update({
    question: {
      title: mailTexts.copies.expungeTitle(count),
      text: mailTexts.copies.expungeText,
      confirm: mailTexts.copies.expungeConfirm,
      act: () => {
        then();
        void orTell(async () => {
          const gone = await expunge(place, which);
          if ('ids' in which)
            taken(
              place,
              which.ids.map((id) => ({ from: Number(id) })),
            );
          tell('done', texts.mail.deleted(gone));
        });
      },
    },
  });
}

/** They have left the list. */
function taken(place: Place, moved: readonly { readonly from: number }[]): void {
  const { list } = state.latest;
  if (list.wish?.account !== place.account || list.wish.mailbox !== place.mailbox.name) return;
  state.update({ list: without(list, new Set(moved.map(({ from }) => String(from)))) });
}

/** What the server refuses is told, and what is shown is read anew. */
export async function orTell(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    tell('failed', wordsOf(error));
    refreshList();
    refreshCopy();
  }
}

// -------------------------------------------------------------------------------------------------------- pacing

/** At once if the last run is long enough ago, else once when it is. */
function atMostEvery(ms: number, run: () => void): () => void {
  let last = -Infinity;
  let timer: number | undefined;
  const now = (): void => {
    timer = undefined;
    last = performance.now();
    run();
  };
  return () => {
    timer ??= window.setTimeout(now, Math.max(0, last + ms - performance.now()));
  };
}
