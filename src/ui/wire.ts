/** What the wire pages do: load conversations and follow one. */
import type { ConversationItem } from '../http/schemas/conversations.ts';
import type { ConversationNews, EventNews } from '../http/schemas/feed.ts';
import { ApiError, fetchConversation, fetchConversations, isAbort, wordsOf } from './api.ts';
import type { Feed } from './feed.ts';
import { state } from './state.ts';

/** How many the list shows; the server keeps more. */
const SHOWN = 500;

let atTop = true;

export function setAtTop(value: boolean): void {
  atTop = value;
}

/** The mail protocols: what the pages themselves ask over HTTP is told apart. */
export function isMail({ protocol }: ConversationItem): boolean {
  return protocol !== 'http';
}

// --------------------------------------------------------------------------------------------------------- list

export async function loadConversations(feed: Feed): Promise<void> {
  try {
    const { conversations, recording, revision } = await fetchConversations(SHOWN);
    const waiting = new Set<string>();
    state.update({ conversations: { phase: 'ready', problem: undefined, recording, rows: conversations, waiting } });
    feed.setRevision(revision);
  } catch (error) {
    state.update({ conversations: { ...state.latest.conversations, phase: 'failed', problem: wordsOf(error) } });
  }
}

export function conversationNews(news: ConversationNews): void {
  const { conversations, heard } = state.latest;
  const changed = new Map(news.conversations.map((item) => [item.id, item]));
  const before = new Map(conversations.rows.map((item) => [item.id, item]));
  const fresh = [...changed.values()].filter(({ id }) => !before.has(id));
  const rows = conversations.rows.map((item) => changed.get(item.id) ?? item);
  const newest = [...fresh].sort((a, b) => (a.opened < b.opened ? 1 : -1));
  const waiting = atTop ? conversations.waiting : new Set([...conversations.waiting, ...fresh.map(({ id }) => id)]);
  const problems = [...changed.values()].filter((item) => item.problem !== null && !before.get(item.id)?.problem);
  state.update({
    conversations: { ...conversations, rows: [...newest, ...rows].slice(0, SHOWN), waiting },
    heard: {
      ...heard,
      conversations: heard.conversations + fresh.filter(isMail).length,
      problems: heard.problems + problems.filter(isMail).length,
    },
  });
  const open = state.latest.conversation;
  const item = open && changed.get(open.id);
  if (open?.detail && item) state.update({ conversation: { ...open, detail: { ...open.detail, ...item } } });
}

/** Those that came while the reader was further down are shown. */
export function showWaiting(): void {
  state.update({ conversations: { ...state.latest.conversations, waiting: new Set() } });
}

// -------------------------------------------------------------------------------------------------- one of them

let load: AbortController | undefined;

export function showConversation(id: string | undefined, feed: Feed): void {
  if (state.latest.conversation?.id === id && state.latest.conversation?.phase !== 'failed') return;
  load?.abort();
  load = undefined;
  feed.watch(undefined);
  if (id === undefined) {
    state.update({ conversation: undefined });
    return;
  }
  const mine = new AbortController();
  load = mine;
  state.update({ conversation: { id, phase: 'loading', problem: undefined, detail: undefined } });
  fetchConversation(id, mine.signal).then(
    (detail) => {
      if (load !== mine) return;
      state.update({ conversation: { id, phase: 'ready', problem: undefined, detail } });
      feed.watch({ id, seq: detail.lastSeq });
    },
    (error: unknown) => {
      if (load !== mine || isAbort(error)) return;
      const status = error instanceof ApiError ? error.status : 0;
      const phase = status === 410 ? 'gone' : status === 404 || status === 400 ? 'missing' : 'failed';
      state.update({ conversation: { id, phase, problem: wordsOf(error), detail: undefined } });
    },
  );
}

export function eventNews(news: EventNews): void {
  const open = state.latest.conversation;
  if (open?.id !== news.conversation || !open.detail) return;
  if (news.gone) {
    // What is on the page was true and stays; it can only not be asked for again.
    state.update({ conversation: { ...open, phase: 'gone' } });
    return;
  }
  const last = open.detail.events.at(-1)?.seq ?? 0;
  const events = [...open.detail.events, ...news.events.filter(({ seq }) => seq > last)];
  state.update({ conversation: { ...open, detail: { ...open.detail, events, lastSeq: news.lastSeq } } });
}
