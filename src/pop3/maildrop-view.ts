/**
 * The maildrop as this session knows it: a snapshot of INBOX taken at login, with message numbers that stay, and marks of
 * what is to be deleted (RFC 1939 §4, §5). What arrives later is the next session's.
 */
import { Refusal } from '../store/refusal.ts';
import type { AccountId, Uid } from '../store/change.ts';
import type { Content, Mailbox, MailboxSnapshot, MailStore } from '../store/mail-store.ts';
import { LineCounter } from './grammar/line-encoder.ts';

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
  readonly #sizes: SentSizes;
  readonly #marked = new Set<number>();
  /** Retrieved whole in this session and not \Seen before. */
  readonly #retrieved = new Set<Uid>();

  /**
   * Locks and reads the maildrop.
   * @returns undefined while another session has it (RFC 1939 §4)
   * @throws Refusal NONEXISTENT
   */
  static async open(store: MailStore, account: AccountId): Promise<MaildropView | undefined> {
    const lock = await store.lockMaildrop(account);
    if (lock === undefined) return undefined;
    try {
      const inbox = await store.findMailbox(account, 'INBOX');
      if (inbox === undefined) throw new Refusal('NONEXISTENT', 'There is no INBOX');
      return new MaildropView(store, account, lock, await store.snapshot(account, inbox.id));
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(store: MailStore, account: AccountId, lock: AsyncDisposable, snapshot: MailboxSnapshot) {
    this.#store = store;
    this.#account = account;
    this.#lock = lock;
    this.#snapshot = snapshot;
    this.#sizes = sentSizesOf(store);
  }

  get mailbox(): Mailbox {
    return this.#snapshot.mailbox;
  }

  /** All that are not marked, in order. */
  *messages(): Generator<MaildropMessage> {
    for (let number = 1; number <= this.#snapshot.count; number++) {
      if (!this.#marked.has(number)) yield { number, uid: this.#snapshot.uids[number - 1]! as Uid };
    }
  }

  /** How many there are that are not marked. */
  get count(): number {
    return this.#snapshot.count - this.#marked.size;
  }

  /** @throws Refusal for a number that there is not, or whose message is marked (RFC 1939 §5) */
  message(number: number): MaildropMessage {
    const { count } = this.#snapshot;
    if (number > count) {
      const there = count === 0 ? 'the maildrop is empty' : `there are ${count}`;
      throw new Refusal('NONEXISTENT', `No message ${number}: ${there}`);
    }
    if (this.#marked.has(number))
      throw new Refusal('NONEXISTENT', `Message ${number} is marked as deleted; RSET unmarks`);
    return { number, uid: this.#snapshot.uids[number - 1]! as Uid };
  }

  mark({ number }: MaildropMessage): void {
    this.#marked.add(number);
  }

  unmarkAll(): void {
    this.#marked.clear();
  }

  /** UIDs of what is marked, ascending. */
  get marked(): readonly Uid[] {
    return [...this.#marked].sort((a, b) => a - b).map((number) => this.#snapshot.uids[number - 1]! as Uid);
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
    const unknown = messages.filter(({ number }) => !this.#sizes.has(emailIds[number - 1]!));
    if (unknown.length > 0) {
      const uids = unknown.map(({ uid }) => uid);
      const batches = this.#store.fetchMessages(this.#account, mailbox.id, uids, { content: true });
      for await (const batch of batches) {
        for (const { emailId, content } of batch) {
          if (content !== undefined) this.#sizes.set(emailId, content.size, await sentSize(content));
        }
      }
    }
    // One that another session has expunged has its stored size: nobody can retrieve it any more.
    return messages.map(({ number }) => sizes[number - 1]! + this.#sizes.difference(emailIds[number - 1]!));
  }

  /** @throws Refusal EXPUNGEISSUED when another session has expunged it since */
  async content({ number, uid }: MaildropMessage): Promise<Content> {
    const batches = this.#store.fetchMessages(this.#account, this.mailbox.id, [uid], { content: true });
    for await (const [message] of batches) {
      if (message?.content !== undefined) return message.content;
    }
    throw new Refusal('EXPUNGEISSUED', `Message ${number} has been deleted by another session`);
  }

  /** \Seen from now on, once the session has ended. */
  retrieved({ number, uid }: MaildropMessage): void {
    if (!this.#store.flagSet(this.#snapshot.flagSets[number - 1]!).includes('\\Seen')) this.#retrieved.add(uid);
  }

  /**
   * UPDATE (RFC 1939 §6): removes what is marked, all of it or nothing.
   * @returns the UIDs that were there to be removed
   */
  async update(): Promise<readonly Uid[]> {
    const uids = this.marked;
    if (uids.length === 0) return [];
    const expunged = await this.#store.expunge(this.#account, this.mailbox.id, { uids, onlyDeleted: false });
    for (const uid of uids) this.#retrieved.delete(uid);
    return expunged.uids;
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
    await this.#store.storeFlags(this.#account, this.mailbox.id, uids, { mode: 'add', flags: ['\\Seen'] });
  }
}

async function sentSize(content: Content): Promise<number> {
  const counter = new LineCounter();
  if (content.octets !== undefined) counter.add(content.octets);
  else for await (const piece of content.read(0, content.size)) counter.add(piece);
  return counter.total;
}

/**
 * By how much messages grow when their lines are sent with CRLF. Almost all by nothing, but to know that takes reading
 * each of them once. Octets never change under an email id, so it is remembered for all sessions.
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
const sentSizes = new WeakMap<MailStore, SentSizes>();

function sentSizesOf(store: MailStore): SentSizes {
  let sizes = sentSizes.get(store);
  if (sizes === undefined) sentSizes.set(store, (sizes = new SentSizes()));
  return sizes;
}
