/**
 * Mail in an account, put there and looked at through the store, so that the program under test is the only one that
 * speaks a protocol; and the messages that the tests use.
 */
import type { TestStack } from '../test-stack.ts';

export interface StoredMessage {
  readonly uid: number;
  /** In the order of the alphabet. */
  readonly flags: readonly string[];
  readonly internalDate: Date;
  readonly octets: Buffer;
  /** The octets, one character each: what differs is shown better than that of octets. */
  readonly text: string;
}

/** The login name of an account. */
export const address = (account: string): string => `${account}@glass.localhost`;

async function accountOf(stack: TestStack, account: string) {
  const found = await stack.store.findAccount(address(account));
  if (!found) throw new Error(`There is no account ${account}`);
  return found.id;
}

/** @returns the UID */
export async function deposit(
  stack: TestStack,
  account: string,
  mailbox: string,
  octets: Uint8Array,
  flags: readonly string[] = [],
): Promise<number> {
  await using spool = stack.store.spool();
  await spool.write(octets);
  const message = { content: await spool.finish(), flags, internalDate: new Date() };
  const { uids } = await stack.store.appendMessages(await accountOf(stack, account), mailbox, [message]);
  return uids[0]!;
}

export async function createMailbox(stack: TestStack, account: string, name: string): Promise<void> {
  await stack.store.createMailbox(await accountOf(stack, account), name);
}

/** The number of an account's change log: what leaves it alone has changed nothing. */
export async function modSeq(stack: TestStack, account: string): Promise<number> {
  return (await stack.store.findAccount(address(account)))!.modSeq;
}

/** The names of an account's mailboxes, sorted. */
export async function mailboxes(stack: TestStack, account: string): Promise<string[]> {
  const found = await stack.store.listMailboxes(await accountOf(stack, account));
  return found.map(({ name }) => name).sort();
}

export async function subscribe(stack: TestStack, account: string, name: string): Promise<void> {
  await stack.store.setSubscribed(await accountOf(stack, account), name, true);
}

export async function subscriptions(stack: TestStack, account: string): Promise<string[]> {
  return [...(await stack.store.listSubscriptions(await accountOf(stack, account)))].sort();
}

/** The messages of a mailbox, in the order of their UIDs. */
export async function contents(stack: TestStack, account: string, mailbox: string): Promise<StoredMessage[]> {
  const { store } = stack;
  const id = await accountOf(stack, account);
  const found = await store.findMailbox(id, mailbox);
  if (!found) throw new Error(`${account} has no mailbox ${mailbox}`);
  const snapshot = await store.snapshot(id, found.id);
  const messages: StoredMessage[] = [];
  const uids = [...snapshot.uids.subarray(0, snapshot.count)];
  for await (const batch of store.fetchMessages(id, found.id, uids, { content: true })) {
    for (const { uid, content } of batch) {
      const at = uids.indexOf(uid);
      const octets = Buffer.concat(await Array.fromAsync(content!.read(0, content!.size)));
      messages.push({
        uid,
        flags: [...store.flagSet(snapshot.flagSets[at]!)].sort(),
        internalDate: new Date(snapshot.internalDates[at]!),
        octets,
        text: octets.toString('latin1'),
      });
    }
  }
  return messages;
}

/** Flags of messages, set as another client of the account would. */
export async function addFlags(
  stack: TestStack,
  account: string,
  mailbox: string,
  uids: readonly number[],
  flags: readonly string[],
): Promise<void> {
  const id = await accountOf(stack, account);
  const found = await stack.store.findMailbox(id, mailbox);
  await stack.store.storeFlags(id, found!.id, uids, { mode: 'add', flags });
}

/** Messages that another client of the account deletes. */
export async function remove(
  stack: TestStack,
  account: string,
  mailbox: string,
  uids: readonly number[],
): Promise<void> {
  const id = await accountOf(stack, account);
  const found = await stack.store.findMailbox(id, mailbox);
  await stack.store.expunge(id, found!.id, { uids, onlyDeleted: false });
}

/** The subject of a message as it is written. */
export const subjectOf = ({ octets }: { readonly octets: Buffer }): string | undefined =>
  /^Subject: (.*?)\r?$/m.exec(octets.toString())?.[1];

export const crlf = (text: string): Buffer => Buffer.from(text.replace(/\r?\n/g, '\r\n'));

/** Line ends as on disk, for programs that keep mail there. */
export const lf = (octets: Buffer): Buffer => Buffer.from(octets.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');

/** A message of this subject, from bob to alice. */
export function letter(subject: string, body = `This is ${subject}.\n`): Buffer {
  return crlf(`Date: Wed, 1 Jul 2026 12:00:00 +0200
From: Bob <bob@glass.localhost>
To: Alice <alice@glass.localhost>
Subject: ${subject}
Message-ID: <${subject.replaceAll(' ', '.')}@glass.localhost>

${body}`);
}

/** Messages that are easily spoilt on the way, each by its subject. */
export const AWKWARD: Readonly<Record<string, Buffer>> = {
  dots: letter('dots', '.\n..\n...three\n.\n\n.last\n'),
  'eight bits': letter('eight bits', 'Grüße, 你好, \u{1F40C}\n'),
  'no body': letter('no body', ''),
  'a long line': letter('a long line', `${'0123456789'.repeat(99)}\n`),
  'From lines': letter('From lines', 'From here on\n>From there\nFrom: nobody\n'),
  parts: crlf(`Date: Wed, 1 Jul 2026 12:00:00 +0200
From: Bob <bob@glass.localhost>
To: Alice <alice@glass.localhost>
Subject: parts
Message-ID: <parts@glass.localhost>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="b1"

--b1
Content-Type: text/plain; charset=utf-8

The text.
--b1
Content-Type: application/octet-stream; name="bytes.bin"
Content-Disposition: attachment; filename="bytes.bin"
Content-Transfer-Encoding: base64

AAECAwQFBgcICQ==
--b1
Content-Type: message/rfc822

Subject: inside

A message in a message.
--b1--
`),
};
