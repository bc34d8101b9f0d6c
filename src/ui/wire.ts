/** What the wire pages do: load conversations and follow one. */
import type { ConversationItem } from '../http/schemas/conversations.ts';
import type { ConversationNews, EventNews } from '../http/schemas/feed.ts';
import { ApiError, deleteConversations, fetchConversation, fetchConversations, isAbort, wordsOf } from './api.ts';
import { hasProblem } from './conversation-filter.ts';
import type { Feed } from './feed.ts';
import { currentPlace } from './router.ts';
import { type ConversationsState, state, tell } from './state.ts';
import { WireLog } from './wire-log.ts';
import { wireTexts } from './wire-texts.ts';

/** How many the list shows at first, and how many at most; the server keeps more. */
const SHOWN = 500;
export const MOST_SHOWN = 1000;

let atTop = true;
let shown = SHOWN;
/** So many over HTTP are kept while they are not wanted. */
const HTTP_KEPT = 100;
/** Whether those over HTTP are wanted: they are so many that they would leave no room for the others. */
let withHttp = currentPlace().query.get('http') === '1';

export function setAtTop(value: boolean): void {
  atTop = value;
}

/** The mail protocols: what the pages themselves ask over HTTP is told apart. */
export function isMail({ protocol }: ConversationItem): boolean {
  return protocol !== 'http';
}

// --------------------------------------------------------------------------------------------------------- list

export function wantHttp(wanted: boolean, feed: Feed): void {
  if (wanted === withHttp) return;
  withHttp = wanted;
  void loadConversations(feed);
  const text = state.latest.conversations.search?.text;
  if (text === undefined) return;
  searchConversations(undefined);
  searchConversations(text);
}

export async function loadConversations(feed: Feed, limit = shown): Promise<void> {
  shown = limit;
  try {
    const { conversations: rows, recording, revision, total } = await fetchConversations(limit, withHttp);
    const fresh = { rows, recording, total, waiting: new Set<string>(), missed: 0 };
    changeList({ phase: 'ready', problem: undefined, ...fresh });
    feed.setRevision(revision);
  } catch (error) {
    changeList({ phase: 'failed', problem: wordsOf(error) });
  }
}

function changeList(change: Partial<ConversationsState>): void {
  state.update({ conversations: { ...state.latest.conversations, ...change } });
}

/** Newest first. Those over HTTP, which other pages hear of news by, leave the others their room. */
function cut(rows: readonly ConversationItem[]): ConversationItem[] {
  if (withHttp) return rows.slice(0, shown);
  const room = { mail: shown, http: HTTP_KEPT };
  return rows.filter((row) => room[isMail(row) ? 'mail' : 'http']-- > 0);
}

export function conversationNews(news: ConversationNews, feed: Feed): void {
  const { conversations, heard } = state.latest;
  const changed = new Map(news.conversations.map((item) => [item.id, item]));
  if (changed.size > 0 || news.missed > 0) {
    const before = new Map(conversations.rows.map((item) => [item.id, item]));
    const fresh = [...changed.values()].filter(({ id }) => !before.has(id));
    const rows = conversations.rows.map((item) => changed.get(item.id) ?? item);
    const newest = fresh.sort((a, b) => (a.opened < b.opened ? 1 : -1));
    const waiting = atTop ? conversations.waiting : new Set([...conversations.waiting, ...fresh.map(({ id }) => id)]);
    const problems = [...changed.values()].filter((item) => {
      const known = before.get(item.id);
      return hasProblem(item) && !(known && hasProblem(known));
    });
    state.update({
      conversations: {
        ...conversations,
        rows: cut([...newest, ...rows]),
        waiting,
        total: conversations.total + (withHttp ? fresh : fresh.filter(isMail)).length,
        missed: conversations.missed + news.missed,
      },
      heard: {
        ...heard,
        conversations: heard.conversations + fresh.filter(isMail).length,
        problems: heard.problems + problems.filter(isMail).length,
      },
    });
  }
  const open = state.latest.conversation;
  if (open?.detail) {
    const item = changed.get(open.id) ?? news.grown.find(({ id }) => id === open.id);
    if (item) state.update({ conversation: { ...open, detail: { ...open.detail, ...item } } });
  }
  if (news.cleared) void loadConversations(feed);
  searchAgainSoon();
}

/** Those that came while the reader was further down are shown. */
export function showWaiting(): void {
  changeList({ waiting: new Set() });
}

/** The reader has confirmed it. Those that are open stay. */
export async function clearConversations(feed: Feed): Promise<void> {
  try {
    const { deleted } = await deleteConversations();
    tell('done', wireTexts.list.cleared(deleted));
    await loadConversations(feed);
  } catch (error) {
    tell('failed', wordsOf(error));
  }
}

// ------------------------------------------------------------------------------------------------------- search

/** While the reader looks at it, the server is asked again after so long, if anything has happened. */
const SEARCH_AGAIN_MS = 2000;
let search: AbortController | undefined;
let searchTimer: number | undefined;

/** Looks for what was said; undefined: no longer. */
export function searchConversations(text: string | undefined): void {
  if (state.latest.conversations.search?.text === text) return;
  endSearch();
  if (text === undefined) {
    changeList({ search: undefined });
    return;
  }
  changeList({ search: { text, phase: 'loading', problem: undefined, rows: [], unsearched: 0 } });
  void searchNow(text);
}

async function searchNow(text: string): Promise<void> {
  const mine = new AbortController();
  search = mine;
  const before = state.latest.conversations.search;
  try {
    const { conversations: rows, unsearched } = await fetchConversations(SHOWN, withHttp, text, mine.signal);
    if (search === mine) changeList({ search: { text, phase: 'ready', problem: undefined, rows, unsearched } });
  } catch (error) {
    if (search !== mine || isAbort(error)) return;
    const rows = before?.rows ?? [];
    changeList({ search: { text, phase: 'failed', problem: wordsOf(error), rows, unsearched: 0 } });
  }
}

function searchAgainSoon(): void {
  if (state.latest.conversations.search === undefined || searchTimer !== undefined) return;
  searchTimer = window.setTimeout(() => {
    searchTimer = undefined;
    const { search: now } = state.latest.conversations;
    if (now && now.phase !== 'loading') void searchNow(now.text);
  }, SEARCH_AGAIN_MS);
}

function endSearch(): void {
  search?.abort();
  search = undefined;
  window.clearTimeout(searchTimer);
  searchTimer = undefined;
}

// -------------------------------------------------------------------------------------------------- one of them

let load: AbortController | undefined;

export function showConversation(id: string | undefined, feed: Feed): void {
  if (state.latest.conversation?.id === id && state.latest.conversation?.phase !== 'failed') return;
  leaveConversation(feed);
  if (id === undefined) {
    state.update({ conversation: undefined });
    return;
  }
  const empty = { detail: undefined, log: undefined, version: 0 };
  state.update({ conversation: { id, phase: 'loading', problem: undefined, ...empty } });
  loadConversation(id, feed);
}

/** What was left out is asked for, as far as the server keeps it. */
export function readConversationAnew(feed: Feed): void {
  const open = state.latest.conversation;
  if (!open) return;
  leaveConversation(feed);
  loadConversation(open.id, feed);
}

function leaveConversation(feed: Feed): void {
  load?.abort();
  load = undefined;
  feed.watch(undefined);
}

function loadConversation(id: string, feed: Feed): void {
  const mine = new AbortController();
  load = mine;
  const version = (state.latest.conversation?.version ?? 0) + 1;
  fetchConversation(id, mine.signal).then(
    ({ events, spoken, missed: _, ...detail }) => {
      if (load !== mine) return;
      const log = new WireLog(detail.role === 'server' ? 'in' : 'out');
      log.add({ events, spoken });
      state.update({ conversation: { id, phase: 'ready', problem: undefined, detail, log, version } });
      feed.watch({ id, seq: detail.lastSeq });
    },
    (error: unknown) => {
      if (load !== mine || isAbort(error)) return;
      const status = error instanceof ApiError ? error.status : 0;
      const phase = status === 410 ? 'gone' : status === 404 || status === 400 ? 'missing' : 'failed';
      const { detail, log } = state.latest.conversation ?? { detail: undefined, log: undefined };
      state.update({ conversation: { id, phase, problem: wordsOf(error), detail, log, version } });
    },
  );
}

export function eventNews(news: EventNews): void {
  const open = state.latest.conversation;
  if (open?.id !== news.conversation || !open.detail || !open.log) return;
  if (news.gone) {
    // What is on the page was true and stays; it can only not be asked for again.
    state.update({ conversation: { ...open, phase: 'gone' } });
    return;
  }
  open.log.add(news);
  const { lastSeq } = news;
  state.update({ conversation: { ...open, detail: { ...open.detail, lastSeq }, version: open.version + 1 } });
}
