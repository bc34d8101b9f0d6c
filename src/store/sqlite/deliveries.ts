/** Messages that arrive: accepted transactions, and what clients append. Octets are stored once per transaction. */
import type { AccountId, EmailId, MailboxId, ModSeq, Uid } from '../change.ts';
import type { Replaced } from '../mail-store.ts';
import { quotaRefusal, refusalOfDeliveries, type Quota } from '../quota.ts';
import { Refusal, type RefusedDelivery } from '../refusal.ts';
import { checkAddress, loginOf, type AccountWrites } from './accounts.ts';
import type { ExpungeWrites } from './expunge.ts';
import { checkFlags } from './flag-sets.ts';
import { newTransactionId, type AccountState, type Ledger, type MailboxState } from './ledger.ts';
import { newMailboxName, possibleName } from './mailbox-name.ts';
import type { MailboxWrites } from './mailboxes.ts';
import { checkTags, type TagWrites } from './tags.ts';
import type { ContentToKeep, DeliveryToMake, Requests } from './requests.ts';

const NO_TRACE = new Uint8Array();

export class DeliveryWrites {
  readonly #ledger: Ledger;
  readonly #accounts: AccountWrites;
  readonly #mailboxes: MailboxWrites;
  readonly #expunge: ExpungeWrites;
  readonly #tags: TagWrites;
  readonly #statements;

  constructor(
    ledger: Ledger,
    accounts: AccountWrites,
    mailboxes: MailboxWrites,
    expunge: ExpungeWrites,
    tags: TagWrites,
  ) {
    const { db } = ledger;
    this.#ledger = ledger;
    this.#expunge = expunge;
    this.#accounts = accounts;
    this.#mailboxes = mailboxes;
    this.#tags = tags;
    this.#statements = {
      insertEmail: db.prepare<[number, number, number, Uint8Array, string | null, Uint8Array | null]>(
        'INSERT INTO email (id, size, trace_size, trace, file, octets) VALUES (?, ?, ?, ?, ?, ?)',
      ),
      insertMessage: db.prepare<[number, number, number, number, number, number, number, number]>(
        `INSERT INTO message (mailbox_id, uid, email_id, flag_set, mod_seq, size, internal_date, saved_date)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
      insertAccepted: db.prepare<[number, string, number, number, number]>(
        'INSERT INTO accepted (email_id, public_id, received_at, copies, unread) VALUES (?, ?, ?, ?, ?)',
      ),
      insertOrigin: db.prepare<[number, number, string, string | null, string | null, string, string]>(
        `INSERT INTO origin (email_id, received_at_ms, reverse_path, return_type, envelope_id, forward_paths, origin)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      ),
      importKey: db
        .prepare<[number, string], number>('SELECT 1 FROM import_key WHERE mailbox_id = ? AND key = ?')
        .pluck(),
      size: db.prepare<[number, number], number>('SELECT size FROM message WHERE mailbox_id = ? AND uid = ?').pluck(),
      insertImportKey: db.prepare<[number, string]>('INSERT OR IGNORE INTO import_key (mailbox_id, key) VALUES (?, ?)'),
    };
  }

  /** @param packed trace, then octets, unless these lie in a file */
  accept(request: Requests['accept']['request'], packed: Uint8Array): Requests['accept']['result'] {
    const { deliveries, traceSize, content, receivedAt, tags } = request;
    for (const delivery of deliveries) this.#check(delivery);
    checkTags(tags);
    this.#checkRoom(deliveries, traceSize + content.size);
    const targets = deliveries.map((delivery) => this.#target(delivery));
    const emailId = this.#insertEmail(content, packed.subarray(0, traceSize), packed.subarray(traceSize));
    const seconds = Math.floor(receivedAt / 1000);
    const size = traceSize + content.size;
    let unread = 0;
    const copies = targets.map(([account, mailbox], index) => {
      const flagSet = this.#ledger.flagSets.intern(deliveries[index]!.flags);
      if (!flagSet.seen) unread++;
      const uid = this.#insertMessage(account, mailbox, emailId, flagSet, size, seconds);
      return { account: account.id as AccountId, mailbox: mailbox.id as MailboxId, uid };
    });
    const transactionId = newTransactionId(receivedAt);
    this.#statements.insertAccepted.run(emailId, transactionId, seconds, copies.length, unread);
    this.#statements.insertOrigin.run(
      emailId,
      receivedAt,
      request.reversePath,
      request.returnType,
      request.envelopeId,
      request.forwardPaths,
      request.origin,
    );
    if (tags.length > 0) this.#tags.add(emailId, tags);
    this.#ledger.count('transactions', 1);
    if (unread > 0) this.#ledger.count('unread_transactions', 1);
    return { transactionId, emailId, copies };
  }

  /** Whatever can be refused is refused here, before anything is written. */
  #check({ account, mailbox, flags }: DeliveryToMake): void {
    if (typeof account === 'number') this.#ledger.account(account);
    else checkAddress(account.address);
    newMailboxName(mailbox);
    checkFlags(flags);
  }

  #checkRoom(deliveries: readonly DeliveryToMake[], octets: number): void {
    const refused: RefusedDelivery[] = [];
    /** Copies that are to be made in an account, by its login. */
    const copies = new Map<string, number>();
    deliveries.forEach(({ account }, delivery) => {
      const { address, quota } = this.#quotaOf(account);
      if (quota.messageLimit === undefined && quota.octetLimit === undefined) return;
      const login = loginOf(address);
      const before = copies.get(login) ?? 0;
      const then = { ...quota, messages: quota.messages + before, octets: quota.octets + before * octets };
      const refusal = quotaRefusal(address, then, 1, octets);
      if (refusal) refused.push({ delivery, code: refusal.code, message: refusal.message });
      else copies.set(login, before + 1);
    });
    if (refused.length > 0) throw refusalOfDeliveries(refused);
  }

  #quotaOf(given: DeliveryToMake['account']): { readonly address: string; readonly quota: Quota } {
    if (typeof given === 'number') return this.#ledger.account(given);
    const { messages, octets } = this.#ledger.defaultQuota;
    return (
      this.#ledger.findAccountByLogin(loginOf(given.address)) ?? {
        address: given.address,
        quota: { messages: 0, octets: 0, messageLimit: messages, octetLimit: octets },
      }
    );
  }

  #target({ account: given, mailbox: name }: DeliveryToMake): readonly [AccountState, MailboxState] {
    const account =
      typeof given === 'number'
        ? this.#ledger.account(given)
        : (this.#ledger.findAccountByLogin(loginOf(given.address)) ?? this.#accounts.make(given));
    const known = this.#ledger.findMailboxByName(account.id, name);
    if (known) return [account, known];
    const kept = newMailboxName(name);
    return [account, this.#ledger.findMailboxByName(account.id, kept) ?? this.#mailboxes.make(account, kept)];
  }

  #insertEmail(content: ContentToKeep, trace: Uint8Array, octets: Uint8Array): EmailId {
    const id = this.#ledger.nextEmail();
    const { size, file } = content;
    this.#statements.insertEmail.run(id, size, trace.length, trace, file ?? null, file === undefined ? octets : null);
    this.#ledger.count('octets', size + trace.length);
    return id as EmailId;
  }

  #insertMessage(
    account: AccountState,
    mailbox: MailboxState,
    emailId: EmailId,
    flagSet: { readonly id: number; readonly seen: boolean; readonly deleted: boolean },
    size: number,
    internalDate: number,
  ): Uid {
    const arrived = { count: 1, octets: size, unseen: flagSet.seen ? 0 : 1, deleted: flagSet.deleted ? 1 : 0 };
    const uid = this.#ledger.arrive(account, mailbox, arrived);
    const now = Math.floor(Date.now() / 1000);
    this.#statements.insertMessage.run(
      mailbox.id,
      uid,
      emailId,
      flagSet.id,
      account.arrivals!,
      size,
      internalDate,
      now,
    );
    return uid as Uid;
  }

  /** @param packed the octets of those messages that lie in no file, one after the other */
  append(request: Requests['append']['request'], packed: Uint8Array): Requests['append']['result'] {
    const { account: id, mailbox: nameOrId, messages } = request;
    const account = this.#ledger.account(id);
    const mailbox = this.#existing(account, nameOrId);
    for (const { flags } of messages) checkFlags(flags);
    this.#checkRoomToAppend(mailbox, request);
    let start = 0;
    const uids = messages.map(({ content, flags, internalDate, importKey }) => {
      const end = start + (content.file === undefined ? content.size : 0);
      const octets = packed.subarray(start, end);
      start = end;
      if (importKey !== undefined && !this.#isNew(mailbox, importKey)) return undefined;
      const emailId = this.#insertEmail(content, NO_TRACE, octets);
      return this.#insertMessage(
        account,
        mailbox,
        emailId,
        this.#ledger.flagSets.intern(flags),
        content.size,
        internalDate,
      );
    });
    return {
      mailbox: mailbox.id as MailboxId,
      uidValidity: mailbox.uidValidity,
      uids,
      modSeq: request.replaced ? this.#remove(id, request.replaced) : (account.modSeq as ModSeq),
    };
  }

  /** What was appended under its key before counts for nothing; what is replaced makes room (RFC 8508 §3.4). */
  #checkRoomToAppend(mailbox: MailboxState, { messages, replaced }: Requests['append']['request']): void {
    const account = this.#ledger.account(mailbox.account);
    const { messageLimit, octetLimit } = account.quota;
    if (messageLimit === undefined && octetLimit === undefined) return;
    const keys = new Set<string>();
    const newOnes = messages.filter(({ importKey }) => {
      if (importKey === undefined) return true;
      const isNew = !keys.has(importKey) && !this.#statements.importKey.get(mailbox.id, importKey);
      keys.add(importKey);
      return isNew;
    });
    const octets = newOnes.reduce((sum, { content }) => sum + content.size, 0);
    const owner = replaced && this.#ledger.findMailbox(replaced.mailbox)?.account;
    const freed = owner === account.id ? this.#statements.size.get(replaced!.mailbox, replaced!.uid) : undefined;
    this.#ledger.checkRoom(account, newOnes.length - (freed === undefined ? 0 : 1), octets - (freed ?? 0));
  }

  #remove(appendedTo: AccountId, { mailbox, uid, account = appendedTo }: Replaced): ModSeq {
    const { uids, modSeq } = this.#expunge.expunge({ account, mailbox, uids: Uint32Array.of(uid), onlyDeleted: false });
    if (uids.length === 0) throw new Refusal('NONEXISTENT', 'The message that was to be replaced is gone');
    return modSeq;
  }

  #isNew(mailbox: MailboxState, importKey: string): boolean {
    this.#ledger.writes++;
    return this.#statements.insertImportKey.run(mailbox.id, importKey).changes === 1;
  }

  #existing(account: AccountState, nameOrId: string | MailboxId): MailboxState {
    if (typeof nameOrId === 'number') return this.#ledger.mailbox(account, nameOrId);
    const name = possibleName(nameOrId);
    const mailbox = name === undefined ? undefined : this.#ledger.findMailboxByName(account.id, name);
    if (!mailbox) throw new Refusal('TRYCREATE', `There is no mailbox ${nameOrId}`);
    return mailbox;
  }
}
