/** The message list as values: what news and answers of the server make of it. Nothing moves under the reader. */
import type { MailNews } from '../http/schemas/feed.ts';
import type { MessageList } from '../http/schemas/messages.ts';
import type { ListRow, ListState, Wish } from './state.ts';

export const PAGE_ROWS = 100;

/** @property atTop the reader sees the newest row and has chosen none, so that a new one may be put above it */
export interface Reader {
  readonly atTop: boolean;
}

/** A page of a list, whatever it lists. */
export type ListAnswer = Pick<MessageList, 'matches' | 'unreadMatches'> & {
  readonly messages: readonly ListRow[];
  readonly total?: number;
  readonly unread?: number;
};

export function isPlain(wish: Wish): boolean {
  return wish.query.trim() === '';
}

export function startOf(wish: Wish): number {
  return (wish.page - 1) * PAGE_ROWS;
}

/** A first answer, or one that the reader asked for: it replaces what was there. */
export function replaced(list: ListState, answer: ListAnswer): ListState {
  const ids = new Set(answer.messages.map(({ id }) => id));
  return {
    ...list,
    phase: 'ready',
    problem: undefined,
    rows: answer.messages,
    matches: answer.matches,
    unreadMatches: answer.unreadMatches,
    waiting: new Set(),
    selected: list.everything ? ids : new Set([...list.selected].filter((id) => ids.has(id))),
  };
}

/** A later answer to the same wish: away from the top, what is new waits and what is there stays where it is. */
export function reconciled(list: ListState, answer: ListAnswer, { atTop }: Reader): ListState {
  if (list.phase !== 'ready' || atTop || list.rows.length === 0) return replaced(list, answer);
  if (list.wish?.mailbox !== undefined) return reconciledMailbox(list, answer);
  const known = new Set(list.rows.map(({ id }) => id));
  const fresh = new Map(answer.messages.map((row) => [row.id, row]));
  const common = answer.messages.findIndex(({ id }) => known.has(id));
  const newer = answer.messages.slice(0, common === -1 ? undefined : common);
  const isFirstPage = list.wish === undefined || list.wish.page === 1;
  const last = list.rows.at(-1);
  const older =
    last === undefined ? [] : answer.messages.slice(answer.messages.findIndex(({ id }) => id === last.id) + 1);
  const kept = list.rows.map((row) => fresh.get(row.id) ?? row);
  return {
    ...list,
    rows: fresh.has(last?.id ?? '') ? [...kept, ...older].slice(0, Math.max(PAGE_ROWS, kept.length)) : kept,
    matches: answer.matches,
    unreadMatches: answer.unreadMatches,
    waiting: isFirstPage ? new Set([...list.waiting, ...newer.map(({ id }) => id)]) : list.waiting,
  };
}

/** Of a mailbox each answer tells what has gone too: only what is new on the first page waits. */
function reconciledMailbox(list: ListState, answer: ListAnswer): ListState {
  const known = new Set(list.rows.map(({ id }) => id));
  const newest = Math.max(0, ...list.rows.map(({ copy }) => copy?.uid ?? 0));
  const isNew = ({ id, copy }: ListRow): boolean => !known.has(id) && (copy?.uid ?? 0) > newest;
  const waits = list.wish?.page === 1 && list.wish.threads !== true ? answer.messages.filter(isNew) : [];
  const waiting = new Set(waits.map(({ id }) => id));
  return { ...replaced(list, { ...answer, messages: answer.messages.filter(({ id }) => !waiting.has(id)) }), waiting };
}

/** What the feed tells about messages. With a search only the server knows whether a new one belongs here. */
export function withNews(list: ListState, news: MailNews, { atTop }: Reader): ListState {
  const { wish } = list;
  if (wish === undefined || wish.mailbox !== undefined || list.phase !== 'ready') return list;
  const deleted = new Set(news.deleted);
  const read = new Map(news.read.map((change) => [change.id, change.read]));
  const known = new Set(list.rows.map(({ id }) => id));
  const arrived = isPlain(wish)
    ? news.arrived.filter((row) => belongs(row, wish.account) && !known.has(row.id) && !deleted.has(row.id))
    : [];
  const gone = list.rows.filter(({ id }) => deleted.has(id));
  const isEverything = isPlain(wish) && wish.account === undefined;
  const showsNow = atTop && wish.page === 1;
  const tagged = new Map(news.tagged.map(({ id, tags }) => [id, tags]));
  const rows = withChanges(list.rows, deleted, read, tagged);
  const unseen = arrived.filter(({ id }) => !list.waiting.has(id));
  return {
    ...list,
    rows: showsNow && arrived.length > 0 ? [...newestFirst(arrived), ...rows].slice(0, PAGE_ROWS) : rows,
    waiting: showsNow ? list.waiting : withWaiting(list.waiting, arrived, deleted),
    selected: gone.length === 0 ? list.selected : new Set([...list.selected].filter((id) => !deleted.has(id))),
    matches: isEverything ? news.total : list.matches + unseen.length - gone.length,
    unreadMatches: isEverything ? news.unread : list.unreadMatches + unseen.filter((row) => !row.read).length,
  };
}

function belongs(row: ListRow, account: string | undefined): boolean {
  return account === undefined || row.copies.some((copy) => copy.account === account);
}

/** As the server orders them: the clock may stand still between two. */
function newestFirst(rows: readonly ListRow[]): ListRow[] {
  return [...rows].sort((a, b) => Number(b.emailId) - Number(a.emailId));
}

function withChanges(
  rows: readonly ListRow[],
  deleted: ReadonlySet<string>,
  read: ReadonlyMap<string, boolean>,
  tagged: ReadonlyMap<string, string[]>,
): readonly ListRow[] {
  if (deleted.size === 0 && read.size === 0 && tagged.size === 0) return rows;
  return rows
    .filter(({ id }) => !deleted.has(id))
    .map((row) => (read.has(row.id) && read.get(row.id) !== row.read ? { ...row, read: !row.read } : row))
    .map((row) => (tagged.has(row.id) ? { ...row, tags: tagged.get(row.id)! } : row));
}

function withWaiting(
  waiting: ReadonlySet<string>,
  arrived: readonly ListRow[],
  deleted: ReadonlySet<string>,
): ReadonlySet<string> {
  if (arrived.length === 0 && deleted.size === 0) return waiting;
  return new Set([...waiting, ...arrived.map(({ id }) => id)].filter((id) => !deleted.has(id)));
}

/** At once, before the server has said so. */
export function marked(list: ListState, ids: ReadonlySet<string>, read: boolean): ListState {
  return { ...list, rows: list.rows.map((row) => (ids.has(row.id) && row.read !== read ? { ...row, read } : row)) };
}

/** The flags of a message after a change. */
export function flagsAfter(flags: readonly string[], add: readonly string[], remove: readonly string[]): string[] {
  const taken = new Set([...add, ...remove].map((flag) => flag.toLowerCase()));
  return [...flags.filter((flag) => !taken.has(flag.toLowerCase())), ...add];
}

/** As `marked`, of messages of a mailbox. */
export function flagged(
  list: ListState,
  ids: ReadonlySet<string>,
  add: readonly string[],
  remove: readonly string[],
): ListState {
  const rows = list.rows.map((row) => {
    if (!row.copy || !ids.has(row.id)) return row;
    const flags = flagsAfter(row.copy.flags, add, remove);
    return { ...row, read: flags.includes('\\Seen'), copy: { ...row.copy, flags } };
  });
  return { ...list, rows };
}

export function without(list: ListState, ids: ReadonlySet<string>): ListState {
  return {
    ...list,
    rows: list.rows.filter(({ id }) => !ids.has(id)),
    selected: new Set([...list.selected].filter((id) => !ids.has(id))),
    everything: false,
  };
}
