/**
 * The maildrop as this session knows it: a snapshot of INBOX taken at login, with message numbers that stay, and marks of
 * what is to be deleted (RFC 1939 §4, §5). What arrives later is the next session's.
 */
import { isAscii } from 'node:buffer';
import { parseMimeTree, type MimePart } from '../mail/mime-tree.ts';
import { Refusal } from '../store/refusal.ts';
import type { AccountId, MailboxId, ModSeq, Uid } from '../store/change.ts';
import type { Content, Mailbox, MailboxSnapshot, MailStore } from '../store/mail-store.ts';
import { LineCounter } from './grammar/line-encoder.ts';
import { headerRanges, surrogate } from './grammar/surrogate.ts';

export interface MaildropOptions {
  /** `unread`: only messages without \Seen; so what was retrieved once is not offered again. Default: `all`. */
  readonly messages?: 'all' | 'unread';
  /** `trash`: what POP3 deletes is moved to the mailbox with \Trash, where other clients find it. Default: `expunge`. */
  readonly deleted?: 'expunge' | 'trash';
}

/** What the session adds to them. */
export interface ViewOptions extends MaildropOptions {
  /** Messages are sent as they are; else what of their headers is not ASCII is sent as a surrogate (RFC 6856 §2.1). */
  readonly utf8: boolean;
  /** Told of those that have become \Seen, when the session ends. */
  readonly seen?: (uids: readonly Uid[], modSeq: ModSeq) => void;
}

/** Where deleted messages have gone: UIDs in the order of the old ones. */
export interface MovedTo {
  readonly name: string;
  readonly id: MailboxId;
  readonly uids: readonly Uid[];
}

export interface MaildropMessage {
  /** From 1. */
  readonly number: number;
  readonly uid: Uid;
}

export class MaildropView implements AsyncDisposable {
  readonly #store: MailStore;
  readonly #account: AccountId;
  readonly #lock: AsyncDisposable;
  readonly #snapshot: MailboxSnapshot;
  readonly #options: ViewOptions;
  /** By message number less one: the row in the snapshot. Undefined: they are all there. */
  readonly #rows: Uint32Array | undefined;
  readonly #sizes: SentSizes;
  readonly #marked = new Set<number>();
  /** Retrieved whole in this session and not \Seen before. */
  readonly #retrieved = new Set<Uid>();

  /**
   * Locks and reads the maildrop.
   * @returns undefined while another session has it (RFC 1939 §4)
   * @throws Refusal NONEXISTENT
   */
  static async open(store: MailStore, account: AccountId, options: ViewOptions): Promise<MaildropView | undefined> {
    const lock = await store.lockMaildrop(account);
    if (lock === undefined) return undefined;
    try {
      const inbox = await store.findMailbox(account, 'INBOX');
      if (inbox === undefined) throw new Refusal('NONEXISTENT', 'There is no INBOX');
      return new MaildropView(store, account, lock, await store.snapshot(account, inbox.id), options);
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(
    store: MailStore,
    account: AccountId,
    lock: AsyncDisposable,
    snapshot: MailboxSnapshot,
    options: ViewOptions,
  ) {
    this.#store = store;
    this.#account = account;
    this.#lock = lock;
    this.#snapshot = snapshot;
    this.#options = options;
    this.#rows = options.messages === 'unread' ? unreadRows(store, snapshot) : undefined;
    this.#sizes = sentSizesOf(store, options.utf8);
  }

  get mailbox(): Mailbox {
    return this.#snapshot.mailbox;
  }

  /** All that are not marked, in order. */
  *messages(): Generator<MaildropMessage> {
    for (let number = 1; number <= this.#total; number++) {
      if (!this.#marked.has(number)) yield { number, uid: this.#uid(number) };
    }
  }

  /** How many there are that are not marked. */
  get count(): number {
    return this.#total - this.#marked.size;
  }

  get #total(): number {
    return this.#rows?.length ?? this.#snapshot.count;
  }

  #row(number: number): number {
    return this.#rows === undefined ? number - 1 : this.#rows[number - 1]!;
  }

  #uid(number: number): Uid {
    return this.#snapshot.uids[this.#row(number)]! as Uid;
  }

  /** @throws Refusal for a number that there is not, or whose message is marked (RFC 1939 §5) */
  message(number: number): MaildropMessage {
    const total = this.#total;
    if (number > total) {
      const there = total === 0 ? 'the maildrop is empty' : `there are ${total}`;
      throw new Refusal('NONEXISTENT', `No message ${number}: ${there}`);
    }
    if (this.#marked.has(number))
      throw new Refusal('NONEXISTENT', `Message ${number} is marked as deleted; RSET unmarks`);
    return { number, uid: this.#uid(number) };
  }

  mark({ number }: MaildropMessage): void {
    this.#marked.add(number);
  }

  unmarkAll(): void {
    this.#marked.clear();
  }

  /** UIDs of what is marked, ascending. */
  get marked(): readonly Uid[] {
    return [...this.#marked].sort((a, b) => a - b).map((number) => this.#uid(number));
  }

  /**
   * RFC 1939 §7, UIDL: 1 to 70 printable characters, the same in every session, never given to another message. UIDs and
   * UIDVALIDITY have just that promise (RFC 9051 §2.3.1.1).
   */
  uniqueId({ uid }: MaildropMessage): string {
    return `${this.#snapshot.mailbox.uidValidity}.${uid}`;
  }

  /** Octets that RETR sends of each message, in order, without byte-stuffing (RFC 1939 §11). */
  async sizes(messages: readonly MaildropMessage[]): Promise<readonly number[]> {
    const { emailIds, sizes, mailbox } = this.#snapshot;
    const emailId = ({ number }: MaildropMessage): number => emailIds[this.#row(number)]!;
    const unknown = messages.filter((message) => !this.#sizes.has(emailId(message)));
    if (unknown.length > 0) {
      const uids = unknown.map(({ uid }) => uid);
      const batches = this.#store.fetchMessages(this.#account, mailbox.id, uids, { content: true });
      for await (const batch of batches) {
        for (const { uid, emailId, content } of batch) {
          if (content === undefined) continue;
          const plain = this.#isSentAsItIs(content) ? content.octets : undefined;
          const sent = plain === undefined ? await sentSize(await this.#sent(uid, content)) : plainSize(plain);
          this.#sizes.set(emailId, content.size, sent);
        }
      }
    }
    // One that another session has expunged has its stored size: nobody can retrieve it any more.
    return messages.map((message) => sizes[this.#row(message.number)]! + this.#sizes.difference(emailId(message)));
  }

  /** What RETR sends, its lines as they are stored. @throws Refusal EXPUNGEISSUED when another session has expunged it */
  async octets({ number, uid }: MaildropMessage): Promise<AsyncIterable<Uint8Array>> {
    const batches = this.#store.fetchMessages(this.#account, this.mailbox.id, [uid], { content: true });
    for await (const [message] of batches) {
      if (message?.content !== undefined) return this.#sent(uid, message.content);
    }
    throw new Refusal('EXPUNGEISSUED', `Message ${number} has been deleted by another session`);
  }

  #isSentAsItIs({ octets }: Content): boolean {
    return this.#options.utf8 || (octets !== undefined && isAscii(octets));
  }

  /** RFC 6856 §2.1: the message, or its surrogate. Almost all are in ASCII, and of those that lie in memory that is known at once. */
  async #sent(uid: Uid, content: Content): Promise<AsyncIterable<Uint8Array>> {
    if (this.#isSentAsItIs(content)) return pieces(content);
    const tree = content.octets === undefined ? await this.#tree(uid) : parseMimeTree(content.octets);
    return tree === undefined ? pieces(content) : surrogate(pieces(content), headerRanges(tree));
  }

  /** Undefined: it was expunged just now. */
  async #tree(uid: Uid): Promise<MimePart | undefined> {
    for await (const [message] of this.#store.fetchMessages(this.#account, this.mailbox.id, [uid], { tree: true })) {
      return message?.tree;
    }
    return undefined;
  }

  /** \Seen from now on, once the session has ended. */
  retrieved({ number, uid }: MaildropMessage): void {
    if (!this.#store.flagSet(this.#snapshot.flagSets[this.#row(number)]!).includes('\\Seen')) this.#retrieved.add(uid);
  }

  /**
   * UPDATE (RFC 1939 §6): removes what is marked, all of it or nothing.
   * @returns the UIDs that were there to be removed; and where they have gone
   */
  async update(): Promise<{ readonly uids: readonly Uid[]; readonly movedTo: MovedTo | undefined }> {
    const uids = this.marked;
    if (uids.length === 0) return { uids, movedTo: undefined };
    const removed = this.#options.deleted === 'trash' ? await this.#moveToTrash(uids) : await this.#expunge(uids);
    for (const uid of uids) this.#retrieved.delete(uid);
    return removed;
  }

  async #expunge(uids: readonly Uid[]) {
    const expunged = await this.#store.expunge(this.#account, this.mailbox.id, { uids, onlyDeleted: false });
    return { uids: expunged.uids, movedTo: undefined };
  }

  async #moveToTrash(uids: readonly Uid[]) {
    // Read messages arrive there as read.
    await this.#markSeen();
    const trash = await this.#trash();
    const moved = await this.#store.moveMessages(this.#account, this.mailbox.id, uids, trash);
    const movedTo = { name: trash, id: moved.mailbox, uids: moved.destinationUids };
    return { uids: moved.sourceUids, movedTo };
  }

  /** RFC 6154 §2: the mailbox with \Trash; one is made where there is none. */
  async #trash(): Promise<string> {
    const mailboxes = await this.#store.listMailboxes(this.#account);
    const named = mailboxes.find(({ name }) => name.toLowerCase() === 'trash');
    const found = mailboxes.find(({ specialUse }) => specialUse.includes('\\Trash')) ?? named;
    return found?.name ?? (await this.#store.createMailbox(this.#account, 'Trash', ['\\Trash'])).name;
  }

  /** Gives the maildrop back. Marks are forgotten: without QUIT nothing is deleted (RFC 1939 §6). */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#markSeen();
    } finally {
      await this.#lock[Symbol.asyncDispose]();
    }
  }

  /**
   * What was retrieved has been read, as Dovecot has it too unless told otherwise (pop3_no_flag_updates): else an IMAP
   * client shows as new what its owner has on another computer. At the end of the session, for all at once.
   */
  async #markSeen(): Promise<void> {
    if (this.#retrieved.size === 0) return;
    const uids = [...this.#retrieved].sort((a, b) => a - b);
    this.#retrieved.clear();
    const change = { mode: 'add', flags: ['\\Seen'] } as const;
    const { modSeq } = await this.#store.storeFlags(this.#account, this.mailbox.id, uids, change);
    this.#options.seen?.(uids, modSeq);
  }
}

/** Messages of the maildrop, for those who watch. */
export function told(mailbox: Mailbox, uids: readonly Uid[]) {
  return { mailbox: mailbox.name, mailboxId: mailbox.id, uids: uidSet(uids) };
}

/** `3:7,9`, as IMAP writes it. */
export function uidSet(uids: readonly number[]): string {
  const ranges: [first: number, last: number][] = [];
  for (const uid of uids) {
    const range = ranges.at(-1);
    if (range?.[1] === uid - 1) range[1] = uid;
    else ranges.push([uid, uid]);
  }
  return ranges.map(([first, last]) => (first === last ? String(first) : `${first}:${last}`)).join(',');
}

async function sentSize(octets: AsyncIterable<Uint8Array>): Promise<number> {
  const counter = new LineCounter();
  for await (const piece of octets) counter.add(piece);
  return counter.total;
}

function plainSize(octets: Uint8Array): number {
  const counter = new LineCounter();
  counter.add(octets);
  return counter.total;
}

async function* pieces(content: Content): AsyncGenerator<Uint8Array> {
  if (content.octets !== undefined) yield content.octets;
  else yield* content.read(0, content.size);
}

/** Flag sets are few, however many messages there are. */
function unreadRows(store: MailStore, { count, flagSets }: MailboxSnapshot): Uint32Array {
  const unread = new Map<number, boolean>();
  return Uint32Array.from({ length: count }, (_, row) => row).filter((row) => {
    const set = flagSets[row]!;
    const known = unread.get(set) ?? !store.flagSet(set).includes('\\Seen');
    unread.set(set, known);
    return known;
  });
}

/**
 * By how much messages grow when their lines are sent with CRLF, and as surrogates. Almost all by nothing, but to know that
 * takes reading each of them once. Octets never change under an email id, so it is remembered for all sessions.
 */
class SentSizes {
  readonly #differences = new Map<number, number>();

  has(emailId: number): boolean {
    return this.#differences.has(emailId);
  }

  difference(emailId: number): number {
    return this.#differences.get(emailId) ?? 0;
  }

  set(emailId: number, stored: number, sent: number): void {
    if (this.#differences.size >= MOST_REMEMBERED) this.#differences.clear();
    this.#differences.set(emailId, sent - stored);
  }
}

const MOST_REMEMBERED = 1_000_000;
const sentSizes = new WeakMap<MailStore, { readonly utf8: SentSizes; readonly ascii: SentSizes }>();

function sentSizesOf(store: MailStore, utf8: boolean): SentSizes {
  let sizes = sentSizes.get(store);
  if (sizes === undefined) sentSizes.set(store, (sizes = { utf8: new SentSizes(), ascii: new SentSizes() }));
  return utf8 ? sizes.utf8 : sizes.ascii;
}
