/** What the mail page does: loads lists and messages, marks, deletes. It writes to `state` and to nothing else. */
import type { MailNews } from '../http/schemas/feed.ts';
import type { MessageList } from '../http/schemas/messages.ts';
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
import { PAGE_ROWS, isPlain, marked, reconciled, replaced, startOf, withNews, without } from './mail-list.ts';
import { type ListState, type Wish, EMPTY_LIST, state, tell } from './state.ts';
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
  const isSame = list.wish?.query === wish.query && list.wish.account === wish.account && list.wish.page === wish.page;
  if (isSame && list.phase !== 'failed') return;
  // Another page or search keeps the rows until the answer is there; the frame does not flicker.
  const isNarrower = list.wish?.account === wish.account;
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

function loadList(combine: (list: ListState, answer: MessageList) => ListState): void {
  const { wish } = state.latest.list;
  if (wish === undefined) return;
  load?.abort();
  const mine = new AbortController();
  load = mine;
  fetchMessages(wish, startOf(wish), PAGE_ROWS, mine.signal).then(
    (answer) => {
      if (load !== mine) return;
      load = undefined;
      state.update({
        list: combine(state.latest.list, answer),
        total: answer.total,
        unread: answer.unread,
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
  if (message?.message && news.deleted.includes(message.id)) {
    state.update({ message: { ...message, phase: 'gone' } });
  }
  const change = news.read.find(({ id }) => id === message?.id);
  if (message?.message?.transaction && change) {
    const transaction = { ...message.message.transaction, read: change.read };
    state.update({ message: { ...message, message: { ...message.message, transaction } } });
  }
  if (message?.message && news.tooOld) lookForMessage(message.id);
  const { wish } = list;
  const isShort = next.rows.length < Math.min(PAGE_ROWS, next.matches - (wish ? startOf(wish) : 0));
  const isExact = wish !== undefined && isPlain(wish) && wish.account === undefined;
  if (news.tooOld || (wish && (!isExact || isShort))) refreshList();
  accountsTouched(news);
  refreshStatus();
}

/** After each connection: what passed before the feed knew of us is read anew. */
export function connectedAgain(): void {
  if (state.latest.list.wish) refreshList();
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

export function showMessage(id: string | undefined): void {
  if (state.latest.message?.id === id && state.latest.message?.phase !== 'failed') return;
  messageLoad?.abort();
  messageLoad = undefined;
  if (id === undefined) {
    state.update({ message: undefined });
    return;
  }
  const mine = new AbortController();
  messageLoad = mine;
  state.update({ message: { id, phase: 'loading', problem: undefined, message: undefined } });
  fetchMessage(id, mine.signal).then(
    (message) => {
      if (messageLoad !== mine) return;
      state.update({ message: { id, phase: 'ready', problem: undefined, message } });
      if (message.transaction && !message.transaction.read) void mark({ ids: [message.id] }, true, { quiet: true });
    },
    (error: unknown) => {
      if (messageLoad !== mine || isAbort(error)) return;
      const isGone = isMissing(error);
      const phase = isGone ? 'gone' : 'failed';
      state.update({ message: { id, phase, problem: isGone ? undefined : wordsOf(error), message: undefined } });
    },
  );
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

export function wishOf({ query, account }: Wish): ListWish {
  return { query, account };
}

// ------------------------------------------------------------------------------------------------------ actions

export async function mark(
  which: Chosen,
  read: boolean,
  { quiet = false }: { readonly quiet?: boolean } = {},
): Promise<void> {
  const { list, message } = state.latest;
  const ids = new Set('ids' in which ? which.ids : list.rows.map((row) => row.id));
  state.update({ list: marked(list, ids, read) });
  if (message?.message?.transaction && ids.has(message.id)) {
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
    if (message && ids.has(message.id)) state.update({ message: { ...message, phase: 'gone' } });
    tell('done', texts.mail.deleted(count));
    refreshList();
  } catch (error) {
    tell('failed', wordsOf(error));
  }
}

/** Asks first: nobody can bring deleted mail back. @param then runs before the deletion begins */
export function askToRemove(which: Chosen, count: number, then: () => void = () => undefined): void {
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
