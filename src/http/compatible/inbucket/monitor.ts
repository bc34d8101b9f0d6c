/**
 * The WebSockets `/api/v1/monitor/messages` and `/api/v2/…`, of all mailboxes or of one: the last messages, and then each as
 * it arrives; version 2 tells of deletions too.
 */
import type { TransactionSummary } from '../../../store/mail-store.ts';
import { News } from '../../news.ts';
import { type HttpParts, INBUCKET_SOCKET_PATH } from '../../parts.ts';
import { type NewsSockets, newsSockets } from '../news-sockets.ts';
import { type MailboxName, isIn, mailboxName, mailboxesOf, ownPart } from './mailboxes.ts';
import { toHeader } from './shapes.ts';

/** So many that came before are told first. */
const HISTORY = 30;
/** Of so many, it is remembered whose they were: of what is deleted, nothing else is known any more. */
const MOST_REMEMBERED = 10_000;

/** @param pathOf the path that a request means */
export function inbucketMonitors(parts: HttpParts, pathOf: (url: string) => string): NewsSockets {
  return newsSockets(parts, 'Inbucket', async function* (view, cursor, signal, request) {
    const [, version, given] = INBUCKET_SOCKET_PATH.exec(pathOf(`http://host${request.url ?? ''}`)) ?? [];
    const mailbox = given === undefined ? undefined : mailboxName(decoded(given));
    // A name that nobody can have gets nothing.
    if (given !== undefined && !mailbox) return;
    yield* told(view, cursor, signal, mailbox, version === '2');
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

async function* told(
  view: HttpParts,
  from: string,
  signal: AbortSignal,
  only: MailboxName | undefined,
  withVariants: boolean,
): AsyncGenerator<string> {
  const { store } = view;
  const remembered = new Map<string, readonly MailboxName[]>();
  const stored = (found: TransactionSummary): string[] => {
    const transaction = ownPart(found, view);
    const mailboxes = only ? [only].filter((mailbox) => isIn(transaction, mailbox)) : mailboxesOf(transaction);
    remember(transaction.transactionId, mailboxes);
    return mailboxes.map(({ name }) => {
      const header = toHeader(transaction, name);
      return JSON.stringify(withVariants ? { variant: 'message-stored', identifier: null, header } : header);
    });
  };
  const remember = (id: string, mailboxes: readonly MailboxName[]): void => {
    remembered.set(id, mailboxes);
    if (remembered.size > MOST_REMEMBERED) remembered.delete([...remembered.keys()][0]!);
  };
  let cursor = from;
  using news = new News(view);
  const { items } = await store.listTransactions({}, { start: 0, limit: withVariants ? 1000 : HISTORY });
  for (const [index, item] of [...items.entries()].reverse()) {
    const texts = stored(item);
    if (index < HISTORY) yield* texts;
  }
  const isOver = (): boolean => signal.aborted;
  while (!isOver()) {
    const { events, cursor: reached } = await store.transactionEvents(cursor);
    cursor = reached;
    for (const { type, transactionId: id } of events) {
      if (type === 'new' && !remembered.has(id)) {
        const transaction = await store.findTransaction(id);
        if (transaction) yield* stored(transaction);
      } else if (type === 'deleted' && withVariants) {
        for (const { name } of remembered.get(id) ?? [])
          yield JSON.stringify({ variant: 'message-deleted', identifier: { mailbox: name, id }, header: null });
      }
      if (isOver()) return;
    }
    await news.next(signal);
  }
}
