/**
 * What requests do with messages, as remarks on their connections: read, marked, deleted, handed in. Every API reaches
 * messages through the store and the delivery, so it is noticed there, whichever API it is.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import { copiesTold } from '../delivery/copies-told.ts';
import type { MailStore } from '../store/mail-store.ts';
import type { Connection } from '../wire/connection.ts';
import { pathOf } from './access.ts';
import type { HttpParts } from './parts.ts';

interface Noticed {
  readonly connection: Pick<Connection, 'id' | 'annotate'>;
  /** Method and path; a query may hold what is secret. */
  readonly request: string;
  readonly program: string;
}

const current = new AsyncLocalStorage<Noticed>();

/** Characters of a path and of a program's name that are kept. */
const LONGEST = 200;
/** Ids that one remark names. */
const MOST_NAMED = 100;

export function noticing(connection: Connection, incoming: IncomingMessage, answer: () => void): void {
  const { method = 'GET', url = '/', headers } = incoming;
  const request = `${method} ${pathOf(`http://host${url}`)}`.slice(0, LONGEST);
  current.run({ connection, request, program: (headers['user-agent'] ?? '').slice(0, LONGEST) }, answer);
}

/** What `run` reads is looked up for somebody who watches, and is no reading. */
export function unnoticed<T>(run: () => T): T {
  return current.exit(run);
}

/** The same parts; what is done through them in a request leaves a remark on its connection. */
export function noticedParts<Parts extends HttpParts>(parts: Parts): Parts {
  const { delivery } = parts;
  return {
    ...parts,
    store: noticedStore(parts.store),
    ...(delivery && {
      delivery: {
        ...delivery,
        async deliver(mail: Parameters<typeof delivery.deliver>[0]) {
          const by = current.getStore();
          if (!by) return delivery.deliver(mail);
          const origin = { ...mail.origin, conversation: mail.origin.conversation ?? by.connection.id };
          const accepted = await delivery.deliver({ ...mail, origin });
          by.connection.annotate({
            type: 'stored',
            emailId: String(accepted.emailId),
            transactionId: accepted.transactionId,
            octets: mail.content.size,
            ...copiesTold(accepted),
            envelopeSeq: undefined,
            dataSeq: undefined,
          });
          return accepted;
        },
      },
    }),
  };
}

function noticedStore(store: MailStore): MailStore {
  const overrides: Partial<MailStore> = {
    async findContent(id, owner) {
      const found = await store.findContent(id, owner);
      if (found) remark((by) => ({ type: 'api-read', messages: String(id), ...by }));
      return found;
    },
    async markTransactions(ids, read, filter) {
      const count = await store.markTransactions(ids, read, filter);
      const messages = named(ids, filter);
      if (count > 0 && messages !== undefined) remark((by) => ({ type: 'api-marked', messages, read, ...by }));
      return count;
    },
    async deleteTransactions(ids, filter) {
      const count = await store.deleteTransactions(ids, filter);
      const messages = named(ids, filter);
      if (count > 0 && messages !== undefined) remark((by) => ({ type: 'api-deleted', messages, ...by }));
      return count;
    },
    async appendMessages(account, mailbox, messages, replaced) {
      const appended = await store.appendMessages(account, mailbox, messages, replaced);
      const uids = appended.uids.filter((uid) => uid !== undefined).join(',');
      const name = typeof mailbox === 'string' ? mailbox : '';
      const { mailbox: mailboxId } = appended;
      if (uids !== '') current.getStore()?.connection.annotate({ type: 'appended', mailbox: name, mailboxId, uids });
      return appended;
    },
  };
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(overrides, name) ?? Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

type Remark = Parameters<Connection['annotate']>[0];

function remark(make: (by: { readonly request: string; readonly program: string }) => Remark): void {
  const noticed = current.getStore();
  if (!noticed) return;
  const { connection, request, program } = noticed;
  connection.annotate(make({ request, program }));
}

/** Undefined: which ones, only the store knew. */
function named(ids: readonly string[] | undefined, filter: object = {}): string | undefined {
  if (ids) return ids.slice(0, MOST_NAMED).join(' ');
  return Object.values(filter).every((value) => value === undefined) ? '*' : undefined;
}
