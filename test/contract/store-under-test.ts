/** What the contract tests need of a store, and the mail that they put into it. */
import { onTestFinished } from 'vitest';
import type { Notifier } from '../../src/notifier/notifier.ts';
import type { AccountId, EmailId, Uid } from '../../src/store/change.ts';
import type {
  Account,
  AclStore,
  Delivery,
  Mailbox,
  MailStore,
  Spooled,
  Transaction,
} from '../../src/store/mail-store.ts';
import type { RefusalCode } from '../../src/store/refusal.ts';

export interface StoreUnderTest extends AsyncDisposable {
  readonly store: MailStore & AclStore;
  readonly notifier: Notifier;
  /** Closes the store and opens what it kept. */
  reopen(): Promise<void>;
}

export type StoreFactory = () => Promise<StoreUnderTest>;

/** A store for one test, closed at its end. */
export async function opened(factory: StoreFactory): Promise<StoreUnderTest> {
  const subject = await factory();
  onTestFinished(() => subject[Symbol.asyncDispose]());
  return subject;
}

export async function openedWithAccount(
  factory: StoreFactory,
): Promise<StoreUnderTest & { account: Account; inbox: Mailbox }> {
  const subject = await opened(factory);
  const account = await subject.store.createAccount({ address: 'alice@glass.test', passwordRecord: undefined });
  const inbox = (await subject.store.findMailbox(account.id, 'INBOX'))!;
  return Object.assign(subject, { account, inbox });
}

export function inMemory(text: string | Uint8Array): Spooled {
  const octets = typeof text === 'string' ? Buffer.from(text) : text;
  return { size: octets.length, octets, file: undefined };
}

export const internalDate = new Date('2025-07-01T10:20:30Z');

export async function append(
  store: MailStore,
  account: AccountId,
  mailbox: string,
  texts: readonly (string | Uint8Array)[],
  flags: readonly string[] = [],
): Promise<Uid[]> {
  const messages = texts.map((text) => ({ content: inMemory(text), flags, internalDate }));
  return (await store.appendMessages(account, mailbox, messages)).uids as Uid[];
}

export function transaction(
  deliveries: readonly Delivery[],
  text: string,
  changes: Partial<Transaction> = {},
): Transaction {
  return {
    reversePath: 'sender@else.test',
    forwardPaths: [{ address: 'alice@glass.test' }],
    deliveries,
    trace: Buffer.from('Return-Path: <sender@else.test>\r\n'),
    content: inMemory(text),
    receivedAt: new Date('2025-07-01T12:00:00.123Z'),
    origin: {
      service: 'smtp',
      conversation: 'c1',
      remoteAddress: '192.0.2.1',
      helo: 'else.test',
      login: undefined,
      tls: undefined,
    },
    ...changes,
  };
}

/** A message as text; `headers` come before the empty line. */
export const message = (headers: readonly string[], body = 'Hello.\r\n'): string =>
  `${headers.join('\r\n')}\r\n\r\n${body}`;

/** What a mailbox holds, message by message. */
export async function contents(store: MailStore, account: AccountId, mailbox: Mailbox['id']): Promise<StoredMessage[]> {
  const snapshot = await store.snapshot(account, mailbox);
  return Array.from({ length: snapshot.count }, (_, i) => ({
    uid: snapshot.uids[i] as Uid,
    emailId: snapshot.emailIds[i] as EmailId,
    flags: store.flagSet(snapshot.flagSets[i]!),
    modSeq: snapshot.modSeqs[i]!,
    size: snapshot.sizes[i]!,
    internalDate: snapshot.internalDates[i]!,
  }));
}

export interface StoredMessage {
  readonly uid: Uid;
  readonly emailId: EmailId;
  readonly flags: readonly string[];
  readonly modSeq: number;
  readonly size: number;
  readonly internalDate: number;
}

/** The octets of messages as they are served, in the order of the UIDs. */
export async function served(
  store: MailStore,
  account: AccountId,
  mailbox: Mailbox['id'],
  uids: ArrayLike<number>,
): Promise<string[]> {
  const texts: string[] = [];
  for await (const batch of store.fetchMessages(account, mailbox, uids, { content: true })) {
    for (const { content } of batch) {
      const pieces: Uint8Array[] = [];
      for await (const piece of content!.read(0, content!.size)) pieces.push(piece);
      texts.push(Buffer.concat(pieces).toString('latin1'));
    }
  }
  return texts;
}

/** For `await expect(promise).rejects.toMatchObject(refusal('LIMIT'))`. */
export const refusal = (code: RefusalCode): object => ({ name: 'Refusal', code });

export const counters = ({ messages, unseen, deleted, octets }: Mailbox): object => ({
  messages,
  unseen,
  deleted,
  octets,
});
