/**
 * The selected mailbox as this client knows it (RFC 9051 §2.3.1.2, §5.2, §7.5.1). Sequence numbers live here alone.
 *
 * Two things are kept apart: what the store holds (`#snapshot`, shared with every other session of the mailbox) and what
 * the client was told (`#uids`, `#count`). `look` learns from the store, `tell` says what may be said now. Messages that
 * are gone from the store but not yet told as expunged are held: they keep their sequence numbers, and what was known
 * of them can still be answered.
 */
import { Refusal } from '../store/refusal.ts';
import type { AccountId, Changes, MailboxId, ModSeq, SeqNum, Uid, UidRange } from '../store/change.ts';
import type { ClaimedRecent, MailboxSnapshot, MailStore } from '../store/mail-store.ts';
import { ALL_RIGHTS, hasAnyRight, hasRight, permittedFlags } from '../store/rights.ts';
import type { Right, Rights } from '../store/rights.ts';
import { BadSyntax, uidRequired } from './grammar/bad-syntax.ts';
import { exists, flagsChanged, untaggedOk } from './grammar/responses.ts';
import { contains, intersectRanges, mergeRanges, rangesOf, resolve } from './grammar/sequence-set.ts';
import type { NumberRange } from './grammar/sequence-set.ts';
import type { Dialect, Response, SequenceSet } from './grammar/syntax.ts';
import { UpdateContexts } from './update-contexts.ts';

/** Messages of the view, ascending, pairwise: `uids[i]` is at `seqNums[i]`. */
export interface Found {
  readonly seqNums: Uint32Array;
  readonly uids: Uint32Array;
}

/** What was known of a message when it went. */
interface Held {
  readonly flagSet: number;
  readonly modSeq: number;
  readonly size: number;
  readonly internalDate: number;
  readonly emailId: number;
}

/** What it asks of the store. */
export type ViewStore = Pick<MailStore, 'changesSince' | 'claimRecent' | 'flagSet' | 'snapshot'>;

/** What of its news the client wants to be told: RFC 5465 §3.1. */
export interface Interest {
  readonly arrived: boolean;
  readonly expunged: boolean;
  readonly flags: boolean;
  /** More than EXISTS is to be told of new messages, unless this client has put them here. */
  readonly contents: boolean;
}

export const EVERYTHING: Interest = { arrived: true, expunged: true, flags: true, contents: false };

/** RFC 9051 §2.3.2. */
export const SYSTEM_FLAGS = ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft'] as const;

const NONE = new Uint32Array(0);

/**
 * The selected mailbox was deleted by somebody else. RFC 9051 has no way back to the authenticated state that is not asked
 * for, so the session ends with BYE (RFC 2180 §3.3).
 */
export class MailboxDeleted extends Error {
  override readonly name = 'MailboxDeleted';

  constructor(mailbox: string) {
    super(`The selected mailbox ${mailbox} was deleted by another session`);
  }
}

/** RFC 4314 §5.1.1: whoever may not read the selected mailbox any more is told so by BYE. */
export class AccessLost extends Error {
  override readonly name = 'AccessLost';

  constructor(mailbox: string) {
    super(`You may not read the selected mailbox ${mailbox} any more`);
  }
}

export class MailboxView {
  readonly id: MailboxId;
  /** Who has it open. */
  readonly account: AccountId;
  /** Whose it is: its numbers are those of this account. */
  readonly owner: AccountId;
  readonly #examined: boolean;
  /** Search results that are kept up (RFC 5267 §4.3). */
  readonly contexts = new UpdateContexts();
  readonly #store: ViewStore;
  readonly #dialect: Dialect;

  #snapshot: MailboxSnapshot;
  /** Up to here the change log has been read. */
  #seen: ModSeq;
  /** What the client knows: the first `#count` elements. The snapshot's own array whenever the two are equal. */
  #uids: Uint32Array;
  #count: number;
  /** Known to the client, gone from the store, not told yet. */
  readonly #held = new Map<number, Held>();
  /** Below the MODSEQ of the first expunge that has not been told yet. */
  #toldBefore: ModSeq | undefined;
  /** UIDs whose flags others have changed, not told yet. */
  #changed = new Set<number>();
  /** What this session has changed itself, by MODSEQ: its commands answer for that. */
  readonly #own = new Map<number, readonly UidRange[]>();
  /** This session's \Recent messages, ascending (RFC 3501 §2.3.2). */
  readonly #recent: { first: number; last: number }[] = [];
  /** Flag sets whose keywords the client knows, and those keywords, in lower case for comparing. */
  readonly #knownFlagSets = new Set<number>();
  readonly #keywords = new Map<string, string>();
  #flagsChanged = false;
  /** Flag arrays with \Recent in front, by flag set. */
  readonly #withRecent = new Map<number, readonly string[]>();
  /** `$`: UIDs, ascending (RFC 9051 §6.4.4.1). */
  #saved: Uint32Array = NONE;

  /** What is not wanted is kept back until it is. */
  interest: Interest = EVERYTHING;
  /** UIDs that this session has removed: whatever else is wanted, that is told. */
  readonly #removed = new Set<number>();
  /** UIDs that this session has brought. */
  readonly #brought = new Set<number>();

  private constructor(
    store: ViewStore,
    account: AccountId,
    snapshot: MailboxSnapshot,
    options: { readonly readOnly: boolean; readonly dialect: Dialect },
  ) {
    this.#store = store;
    this.id = snapshot.mailbox.id;
    this.account = account;
    this.owner = snapshot.mailbox.account;
    this.#examined = options.readOnly;
    this.#dialect = options.dialect;
    this.#snapshot = snapshot;
    this.#seen = snapshot.modSeq;
    this.#uids = snapshot.uids;
    this.#count = snapshot.count;
  }

  /**
   * @param options.dialect is looked at again each time something is told
   * @throws Refusal NONEXISTENT
   */
  static async open(
    store: ViewStore,
    account: AccountId,
    mailbox: MailboxId,
    options: { readonly readOnly: boolean; readonly dialect: Dialect },
  ): Promise<MailboxView> {
    let snapshot = await store.snapshot(account, mailbox);
    let view = new MailboxView(store, account, snapshot, options);
    const { firstRecentUid: first, uidNext: next } = snapshot.mailbox;
    let recent: ClaimedRecent = { first, next };
    // RFC 3501 §2.3.2: the first session that opens it read-write takes what is recent; others only see it. IMAP4rev2 has no \Recent.
    if (!view.readOnly && !options.dialect.rev2 && first < next) {
      recent = await store.claimRecent(account, mailbox);
      snapshot = await store.snapshot(account, mailbox);
      view = new MailboxView(store, account, snapshot, options);
    }
    if (!options.dialect.rev2) view.#addRecent(recent);
    view.#learnKeywords(0, snapshot.count);
    view.#flagsChanged = false;
    return view;
  }

  get name(): string {
    return this.#snapshot.mailbox.name;
  }
  /** Messages of it, for those who watch. @param uids as a sequence set */
  told(uids: string): { readonly mailbox: string; readonly mailboxId: MailboxId; readonly uids: string } {
    return { mailbox: this.name, mailboxId: this.id, uids };
  }
  get uidValidity(): number {
    return this.#snapshot.mailbox.uidValidity;
  }
  get uidNext(): Uid {
    return this.#snapshot.mailbox.uidNext;
  }
  get mailboxId(): MailboxId {
    return this.#snapshot.mailbox.id;
  }
  /** What this client may do with it. */
  get rights(): Rights {
    return this.#snapshot.mailbox.rights ?? ALL_RIGHTS;
  }
  may(right: Right): boolean {
    return hasRight(this.rights, right);
  }
  /** Opened by EXAMINE, or by somebody who may change nothing (RFC 4314 §5.2: all flags are shared here). */
  get readOnly(): boolean {
    return this.#examined || !hasAnyRight(this.rights, 'ieswt');
  }
  /** The owner's number up to which it knows the store. */
  get modSeq(): ModSeq {
    return this.#seen;
  }
  get highestModSeq(): ModSeq {
    return this.#snapshot.mailbox.highestModSeq;
  }
  /** How many messages the client knows. */
  get count(): number {
    return this.#count;
  }
  get recentCount(): number {
    let count = 0;
    for (const { first, last } of this.#recent) count += this.#after(last) - this.#position(first);
    return count;
  }
  /** The first message without \Seen (RFC 3501 §7.1 UNSEEN). */
  get firstUnseen(): SeqNum | undefined {
    const seen = this.flagTest('\\Seen');
    for (let seqNum = 1; seqNum <= this.#count; seqNum++) if (!seen(seqNum)) return seqNum as SeqNum;
    return undefined;
  }
  /** The flags that exist in it (RFC 9051 §7.3.5). */
  get flags(): readonly string[] {
    return [...SYSTEM_FLAGS, ...this.#keywords.values()];
  }
  /** RFC 9051 §7.1: those that the client can change for good (RFC 4314 §5.1.1); `\*`: it may make new keywords. */
  get permanentFlags(): readonly string[] {
    if (this.readOnly) return [];
    return [...permittedFlags(this.flags, this.rights), ...(this.may('w') ? ['\\*'] : [])];
  }

  // --------------------------------------------------------------------------------------------- messages, by number

  /**
   * The messages that a sequence set names. UIDs that are not there are passed over without a word (RFC 9051 §6.4.9).
   * @param outOfRange what to do about sequence numbers above the number of messages: RFC 9051 §9 seq-number wants BAD;
   *   SEARCH is asked `1:*` of empty mailboxes by existing clients and finds nothing there
   * @throws BadSyntax
   */
  find(set: SequenceSet, by: 'seq' | 'uid', outOfRange: 'bad' | 'ignore' = 'bad'): Found {
    if (set.type === 'saved') return this.#known(this.#saved);
    if (by === 'seq' && this.#dialect.uidOnly) throw uidRequired();
    const ranges: [start: number, end: number][] = [];
    for (const { first, last } of set.ranges) {
      const [start, end] =
        by === 'uid' ? this.#uidRange(first, last) : this.#seqRange(first, last, outOfRange === 'bad');
      if (start < end) ranges.push([start, end]);
    }
    return this.#slice(ranges);
  }

  /** Those of them that are still there, and how many are not. */
  findThere(set: SequenceSet, by: 'seq' | 'uid'): Found & { readonly missed: number } {
    const { seqNums, uids } = this.find(set, by);
    if (this.#held.size === 0) return { seqNums, uids, missed: 0 };
    const there = seqNums.filter((seqNum) => !this.isGone(seqNum));
    return { seqNums: there, uids: there.map((seqNum) => this.uid(seqNum)), missed: seqNums.length - there.length };
  }

  /**
   * The UIDs of messages, for what is done to all of them or to none.
   * @throws Refusal EXPUNGEISSUED: one that was named by its number is gone (RFC 2180 §4.4)
   */
  uids(set: SequenceSet, by: 'seq' | 'uid'): Uint32Array {
    const { uids, missed } = this.findThere(set, by);
    if (by === 'seq' && missed > 0)
      throw new Refusal('EXPUNGEISSUED', 'Some of the messages have been deleted by others: NOOP tells which');
    return uids;
  }

  /** @throws Refusal NOPERM */
  assertWritable(): void {
    if (this.#examined)
      throw new Refusal('NOPERM', 'The mailbox was opened read-only, by EXAMINE: SELECT it to change it');
    if (this.readOnly) throw new Refusal('NOPERM', 'You may only read this mailbox');
  }

  /** All that the client knows, without what is gone. */
  present(): Found {
    const { seqNums, uids } = this.#slice([[0, this.#count]]);
    if (this.#held.size === 0) return { seqNums, uids };
    const there = seqNums.filter((seqNum) => !this.isGone(seqNum));
    return { seqNums: there, uids: there.map((seqNum) => this.uid(seqNum)) };
  }

  uid(seqNum: number): Uid {
    return this.#uids[seqNum - 1]! as Uid;
  }

  /** Undefined: the client does not know of it. */
  seqNum(uid: number): SeqNum | undefined {
    const position = this.#position(uid);
    return position < this.#count && this.#uids[position] === uid ? ((position + 1) as SeqNum) : undefined;
  }

  /** Gone from the store, but not told yet. */
  isGone(seqNum: number): boolean {
    return this.#held.size > 0 && this.#held.has(this.#uids[seqNum - 1]!);
  }

  /** Whether there are such messages. */
  get hasGone(): boolean {
    return this.#held.size > 0;
  }

  /** With \Recent where this session has it. */
  flagsOf(seqNum: number): readonly string[] {
    const index = this.#index(seqNum);
    const flagSet = index < 0 ? this.#heldAt(seqNum).flagSet : this.#snapshot.flagSets[index]!;
    return this.#recent.length > 0 && this.isRecent(seqNum) ? this.#recentFlags(flagSet) : this.#store.flagSet(flagSet);
  }
  modSeqOf(seqNum: number): ModSeq {
    const index = this.#index(seqNum);
    return (index < 0 ? this.#heldAt(seqNum).modSeq : this.#snapshot.modSeqs[index]!) as ModSeq;
  }
  sizeOf(seqNum: number): number {
    const index = this.#index(seqNum);
    return index < 0 ? this.#heldAt(seqNum).size : this.#snapshot.sizes[index]!;
  }
  /** Milliseconds since 1970. */
  internalDateOf(seqNum: number): number {
    const index = this.#index(seqNum);
    return index < 0 ? this.#heldAt(seqNum).internalDate : this.#snapshot.internalDates[index]!;
  }
  emailIdOf(seqNum: number): number {
    const index = this.#index(seqNum);
    return index < 0 ? this.#heldAt(seqNum).emailId : this.#snapshot.emailIds[index]!;
  }
  isRecent(seqNum: number): boolean {
    const uid = this.#uids[seqNum - 1]!;
    for (const { first, last } of this.#recent) if (uid >= first && uid <= last) return true;
    return false;
  }

  /** A test for one flag, compared without case, that looks at each flag set once. */
  flagTest(flag: string): (seqNum: number) => boolean {
    const wanted = flag.toLowerCase();
    const answers = new Map<number, boolean>();
    return (seqNum) => {
      const index = this.#index(seqNum);
      const flagSet = index < 0 ? this.#heldAt(seqNum).flagSet : this.#snapshot.flagSets[index]!;
      let answer = answers.get(flagSet);
      if (answer === undefined) {
        answer = this.#store.flagSet(flagSet).some((name) => name.toLowerCase() === wanted);
        answers.set(flagSet, answer);
      }
      return answer;
    };
  }

  // ----------------------------------------------------------------------------------------- what is gone (QRESYNC)

  /**
   * The UIDs that a set names, whether messages have them or not; `*` is the last that was ever given out: whoever asks
   * what has vanished of `1:*` means the last messages too, which may be the ones that are gone.
   */
  uidRanges(set: SequenceSet): UidRange[] {
    return resolve(set, (this.uidNext - 1) as Uid, rangesOf(this.#saved));
  }

  /**
   * RFC 7162 §3.2.6: those of the UIDs that are gone since then, and that the client need not be told of as expunged any
   * more. If the change log does not reach back that far, all that are missing: the client may have known them.
   */
  async vanishedSince(modSeq: ModSeq, among: readonly NumberRange[]): Promise<UidRange[]> {
    const { changes, tooOld } = await this.#store.changesSince(this.account, modSeq, this.id);
    const all: UidRange[] = this.uidNext > 1 ? [{ first: 1 as Uid, last: (this.uidNext - 1) as Uid }] : [];
    const gone = tooOld
      ? all
      : changes.flatMap((change) => (change.type === 'expunged' && change.modSeq <= this.#seen ? change.uids : []));
    return this.#withoutKnown(intersectRanges(mergeRanges(gone), among));
  }

  #withoutKnown(ranges: readonly UidRange[]): UidRange[] {
    const unknown: UidRange[] = [];
    for (const { first, last } of ranges) {
      let from: number = first;
      for (let i = this.#position(first); i < this.#count && this.#uids[i]! <= last; i++) {
        const uid = this.#uids[i]!;
        if (from < uid) unknown.push({ first: from as Uid, last: (uid - 1) as Uid });
        from = uid + 1;
      }
      if (from <= last) unknown.push({ first: from as Uid, last });
    }
    return unknown;
  }

  // ------------------------------------------------------------------------------------- the saved search result, `$`

  /** RFC 9051 §6.4.4.1. Messages that go later leave it by themselves: they are no longer known. */
  save(uids: Uint32Array): void {
    this.#saved = uids;
  }

  // ------------------------------------------------------------------------------------------------ learn and tell

  /**
   * Learns what has changed in the store since last time; the client hears nothing of it.
   * @throws MailboxDeleted, AccessLost
   */
  async look(): Promise<void> {
    let news = await this.#store.changesSince(this.account, this.#seen, this.id);
    if (!news.tooOld && news.changes.length === 0) {
      this.#seen = news.modSeq;
      return;
    }
    if (news.changes.some(({ type }) => type === 'mailbox-deleted')) throw new MailboxDeleted(this.name);
    const next = await this.#present();
    if (next.mailbox.rights !== this.#snapshot.mailbox.rights) this.#flagsChanged = true;
    // The two are read one after the other: if the snapshot is newer, the log is read again; if it is older, what has
    // changed after it is left for the next time.
    if (next.modSeq > news.modSeq) news = await this.#store.changesSince(this.account, this.#seen, this.id);
    this.#hold(next);
    if (this.#held.size > 0) this.#toldBefore ??= beforeExpunge(news) ?? this.#seen;
    this.#snapshot = next;
    this.#noteFlags(news);
    this.#learnKeywords(lowerBound(next.uids, next.count, this.#lastKnown + 1), next.count);
    this.#seen = next.modSeq;
    for (const modSeq of this.#own.keys()) if (modSeq <= this.#seen) this.#own.delete(modSeq);
    if (!this.#dialect.rev2 && !this.readOnly && next.mailbox.firstRecentUid < next.mailbox.uidNext) {
      this.#addRecent(await this.#store.claimRecent(this.account, this.id));
    }
  }

  /** @throws AccessLost */
  async #present(): Promise<MailboxSnapshot> {
    try {
      return await this.#store.snapshot(this.account, this.id);
    } catch (error) {
      throw error instanceof Refusal ? new AccessLost(this.name) : error;
    }
  }

  /**
   * What the client has not been told yet and may be told now; from here on it knows. EXPUNGE comes first and by itself,
   * so that the sequence numbers after it are the new ones.
   */
  tell(mayExpunge: boolean): Response[] {
    const responses: Response[] = [];
    if (mayExpunge && this.#held.size > 0) responses.push(...this.#tellExpunged());
    responses.push(...this.tellArrived());
    if (this.#changed.size > 0 && this.interest.flags) this.#tellFlags(responses);
    // RFC 7162 §3.2: higher numbers have been told than that of an expunge that has to wait. Should the connection be lost
    // before it is told, the client asks again from here.
    if (this.#toldBefore !== undefined && this.#dialect.qresync) {
      responses.push(untaggedOk('Some messages are gone: NOOP tells which', `HIGHESTMODSEQ ${this.#toldBefore}`));
    }
    return responses;
  }

  /** Of that, what a command may be about before it has answered: messages that have arrived, and new keywords. */
  tellArrived(): Response[] {
    const responses: Response[] = [];
    if (this.interest.arrived) this.#tellArrived(responses);
    responses.push(...this.newKeywords());
    return responses;
  }

  /** A FETCH response has just said this message's flags as they stand, and its MODSEQ if the client is owed that. */
  toldFlags(uid: Uid): void {
    this.#changed.delete(uid);
  }

  /**
   * This session has changed these messages and answers for that itself: it is not told of it again.
   * @param modSeq what the store gave the change; if there was nothing to change, that may be somebody else's number
   */
  own(modSeq: ModSeq, uids: readonly Uid[] | Uint32Array): void {
    if (modSeq > this.#seen) this.#own.set(modSeq, rangesOf(uids));
  }

  /**
   * RFC 9051 §7.3.5: what FLAGS said has grown; to be said before a FETCH response names a new keyword. RFC 4314 §5.1.1:
   * also when others may be changed than before.
   */
  newKeywords(): Response[] {
    if (!this.#flagsChanged) return [];
    this.#flagsChanged = false;
    const permanent = `PERMANENTFLAGS (${this.permanentFlags.join(' ')})`;
    return [{ type: 'flags', flags: this.flags }, untaggedOk('Flags that can be changed', permanent)];
  }

  /** The FETCH response by which flags are told; RFC 7162 §3.1 adds MODSEQ once CONDSTORE is enabled. */
  flagsResponse(seqNum: SeqNum): Response {
    const modSeq = this.#dialect.condstore ? this.modSeqOf(seqNum) : undefined;
    return flagsChanged(seqNum, this.uid(seqNum), this.flagsOf(seqNum), modSeq, !this.#dialect.uidOnly);
  }

  /** This session removes these messages: that is told even to a client that wants to hear of no expunges (RFC 5465). */
  removes(uids: Iterable<number>): void {
    if (!this.interest.expunged) for (const uid of uids) this.#removed.add(uid);
  }

  /** This session has put these messages here. */
  brings(uids: Iterable<number | undefined>): void {
    if (this.interest.contents) for (const uid of uids) if (uid !== undefined) this.#brought.add(uid);
  }

  /** RFC 5465 §5.2: those above this UID, but for those that the client has put here itself. */
  arrivedAfter(uid: number): Found {
    const found = this.#slice([[this.#after(uid), this.#count]]);
    const seqNums = found.seqNums.filter((seqNum) => !this.#brought.has(this.uid(seqNum)) && !this.isGone(seqNum));
    this.#brought.clear();
    return { seqNums, uids: seqNums.map((seqNum) => this.uid(seqNum)) };
  }

  /** The highest UID that the client knows of; 0: none. */
  get lastUid(): number {
    return this.#lastKnown;
  }

  #tellExpunged(): Response[] {
    const all = this.interest.expunged;
    const toTell = all ? this.#held : this.#removed.intersection(this.#held);
    if (toTell.size === 0) return [];
    const seqNums: SeqNum[] = [];
    const gone: Uid[] = [];
    const left = new Uint32Array(this.#count - toTell.size);
    for (let i = 0, kept = 0; i < this.#count; i++) {
      const uid = this.#uids[i]!;
      if (toTell.has(uid)) {
        gone.push(uid as Uid);
        // RFC 9051 §7.5.1: each number is the one after those before it have gone.
        seqNums.push((kept + 1) as SeqNum);
      } else left[kept++] = uid;
    }
    for (const uid of gone) this.#held.delete(uid);
    this.#removed.clear();
    if (this.#held.size === 0) this.#toldBefore = undefined;
    this.#uids = left;
    this.#count = left.length;
    this.#share();
    return [{ type: 'expunged', seqNums, uids: rangesOf(gone) }];
  }

  #tellArrived(responses: Response[]): void {
    const next = this.#snapshot;
    const known = lowerBound(next.uids, next.count, this.#lastKnown + 1);
    const arrived = next.count - known;
    if (arrived === 0) {
      this.#share();
      return;
    }
    if (this.#held.size > 0) {
      // Only a client that is behind has numbers of its own.
      const own = new Uint32Array(this.#count + arrived);
      own.set(this.#uids.subarray(0, this.#count));
      own.set(next.uids.subarray(known, next.count), this.#count);
      this.#uids = own;
    }
    this.#count += arrived;
    this.#share();
    responses.push(exists(this.#count));
    if (!this.#dialect.rev2) responses.push({ type: 'recent', count: this.recentCount });
  }

  #tellFlags(responses: Response[]): void {
    const changed = Uint32Array.from(this.#changed).sort();
    this.#changed = new Set();
    for (const uid of changed) {
      const seqNum = this.seqNum(uid);
      if (seqNum !== undefined && !this.isGone(seqNum)) responses.push(this.flagsResponse(seqNum));
    }
  }

  /** Once the client knows exactly what the store holds, the store's array is used again. */
  #share(): void {
    if (this.#held.size === 0 && this.#count === this.#snapshot.count) this.#uids = this.#snapshot.uids;
  }

  /** Keeps what is known of messages that the next snapshot has no longer. */
  #hold(next: MailboxSnapshot): void {
    const stillThere = lowerBound(next.uids, next.count, this.#lastKnown + 1);
    if (stillThere === this.#count - this.#held.size) return;
    for (let i = 0, j = 0; i < this.#count; i++) {
      const uid = this.#uids[i]!;
      while (j < next.count && next.uids[j]! < uid) j++;
      if (j < next.count && next.uids[j] === uid) continue;
      if (this.#held.has(uid)) continue;
      const { uids, count, flagSets, modSeqs, sizes, internalDates, emailIds } = this.#snapshot;
      const at = lowerBound(uids, count, uid);
      this.#held.set(uid, {
        flagSet: flagSets[at]!,
        modSeq: modSeqs[at]!,
        size: sizes[at]!,
        internalDate: internalDates[at]!,
        emailId: emailIds[at]!,
      });
    }
  }

  /** Whose flags have others changed? */
  #noteFlags({ changes, tooOld }: Changes): void {
    const { uids, modSeqs, count, modSeq } = this.#snapshot;
    const known = lowerBound(uids, count, this.#lastKnown + 1);
    if (tooOld) {
      for (let i = 0; i < known; i++) if (modSeqs[i]! > this.#seen) this.#changed.add(uids[i]!);
      this.#learnKeywords(0, known);
      return;
    }
    for (const change of changes) {
      if (change.type !== 'flags' || change.modSeq > modSeq) continue;
      const own = this.#own.get(change.modSeq);
      for (const { first, last } of change.uids) {
        const start = lowerBound(uids, known, first);
        const end = lowerBound(uids, known, last + 1);
        this.#learnKeywords(start, end);
        for (let i = start; i < end; i++) if (!own || !contains(own, uids[i]!)) this.#changed.add(uids[i]!);
      }
    }
  }

  #learnKeywords(start: number, end: number): void {
    const { flagSets } = this.#snapshot;
    for (let i = start, last = -1; i < end; i++) {
      const flagSet = flagSets[i]!;
      if (flagSet === last || this.#knownFlagSets.has((last = flagSet))) continue;
      this.#knownFlagSets.add(flagSet);
      for (const flag of this.#store.flagSet(flagSet)) {
        if (flag.startsWith('\\') || this.#keywords.has(flag.toLowerCase())) continue;
        this.#keywords.set(flag.toLowerCase(), flag);
        this.#flagsChanged = true;
      }
    }
  }

  /** Of what was claimed, some may arrive in a later snapshot; what else has arrived since is for whoever claims it. */
  #addRecent({ first, next }: ClaimedRecent): void {
    if (first === next) return;
    const before = this.#recent.at(-1);
    if (before?.last === first - 1) before.last = next - 1;
    else this.#recent.push({ first, last: next - 1 });
  }

  #recentFlags(flagSet: number): readonly string[] {
    let flags = this.#withRecent.get(flagSet);
    if (!flags) this.#withRecent.set(flagSet, (flags = [...this.#store.flagSet(flagSet), '\\Recent']));
    return flags;
  }

  /** Where in the snapshot; -1: gone from it. */
  #index(seqNum: number): number {
    if (this.#held.size === 0) return seqNum - 1;
    const uid = this.#uids[seqNum - 1]!;
    if (this.#held.has(uid)) return -1;
    return lowerBound(this.#snapshot.uids, this.#snapshot.count, uid);
  }

  #heldAt(seqNum: number): Held {
    return this.#held.get(this.#uids[seqNum - 1]!)!;
  }

  get #lastKnown(): number {
    return this.#count > 0 ? this.#uids[this.#count - 1]! : 0;
  }
  #position(uid: number): number {
    return lowerBound(this.#uids, this.#count, uid);
  }
  #after(uid: number): number {
    return lowerBound(this.#uids, this.#count, uid + 1);
  }

  #uidRange(first: number | '*', last: number | '*'): [number, number] {
    if (this.#count === 0) return [0, 0];
    const largest = this.#uids[this.#count - 1]!;
    const a = first === '*' ? largest : first;
    const b = last === '*' ? largest : last;
    return [this.#position(Math.min(a, b)), this.#after(Math.max(a, b))];
  }

  #seqRange(first: number | '*', last: number | '*', strict: boolean): [number, number] {
    const a = first === '*' ? this.#count : first;
    const b = last === '*' ? this.#count : last;
    const largest = Math.max(a, b);
    if (strict && (largest > this.#count || this.#count === 0)) {
      throw new BadSyntax(
        this.#count === 0
          ? 'The mailbox is empty: there are no message sequence numbers'
          : `There is no message ${largest}: sequence numbers go up to ${this.#count}`,
      );
    }
    return [Math.max(0, Math.min(a, b) - 1), Math.min(largest, this.#count)];
  }

  /** @param ranges of positions, in any order, perhaps overlapping */
  #slice(ranges: [start: number, end: number][]): Found {
    if (ranges.length > 1) ranges.sort((a, b) => a[0] - b[0]);
    let total = 0;
    let reached = 0;
    for (const range of ranges) {
      range[0] = Math.max(range[0], reached);
      if (range[1] > range[0]) {
        total += range[1] - range[0];
        reached = range[1];
      }
    }
    const seqNums = new Uint32Array(total);
    let filled = 0;
    for (const [start, end] of ranges) for (let i = start; i < end; i++) seqNums[filled++] = i + 1;
    const [first] = ranges;
    if (first && first[1] - first[0] === total) return { seqNums, uids: this.#uids.subarray(first[0], first[1]) };
    return { seqNums, uids: seqNums.map((seqNum) => this.#uids[seqNum - 1]!) };
  }

  #known(uids: Uint32Array): Found {
    const known = uids.filter((uid) => this.seqNum(uid) !== undefined);
    return { uids: known, seqNums: known.map((uid) => this.seqNum(uid)!) };
  }
}

/** Undefined: the log does not say. */
function beforeExpunge({ changes, tooOld }: Changes): ModSeq | undefined {
  const expunge = tooOld ? undefined : changes.find(({ type }) => type === 'expunged');
  return expunge && ((expunge.modSeq - 1) as ModSeq);
}

/** The first index whose value is not below `wanted`. */
function lowerBound(values: Uint32Array, count: number, wanted: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
