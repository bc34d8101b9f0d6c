/**
 * As much of a store as receiving mail needs, in memory: accounts, spools, accepted transactions. It keeps the promises
 * of `MailStore` that can be kept without a disk, and fails on demand.
 */
import type { AccountId, EmailId, MailboxId, ModSeq, Uid } from '../../src/store/change.ts';
import type { Accepted, Account, MailStore, Spool, Transaction } from '../../src/store/mail-store.ts';
import { quotaRefusal, refusalOfDeliveries, type Quota } from '../../src/store/quota.ts';
import { Refusal, type RefusedDelivery } from '../../src/store/refusal.ts';

export interface Stored extends Transaction {
  readonly octets: Buffer;
}

export const UNUSED: Quota = { messages: 0, octets: 0, messageLimit: undefined, octetLimit: undefined };

export class FakeStore implements Pick<MailStore, 'findAccount' | 'accept' | 'spool'> {
  readonly accounts = new Map<string, Account>();
  readonly transactions: Stored[] = [];
  readonly passwords = new Map<string, string>();
  /** Limits of accounts, by address. Nothing is counted: usage is what the test says. */
  readonly quotas = new Map<string, Quota>();
  /** Spools that were neither finished nor disposed of. */
  openSpools = 0;
  /** Awaited by `accept` before it commits. */
  commit: () => Promise<void> = async () => undefined;
  /** Awaited by every write to a spool. */
  taken: (octets: number) => Promise<void> = async () => undefined;

  constructor(...addresses: readonly string[]) {
    for (const address of addresses) this.#make(address, undefined);
  }

  #make(address: string, passwordRecord: string | undefined): Account {
    const account: Account = {
      id: (this.accounts.size + 1) as AccountId,
      address,
      owner: undefined,
      createdAt: new Date(),
      modSeq: 1 as ModSeq,
      quota: UNUSED,
    };
    this.accounts.set(address.toLowerCase(), account);
    if (passwordRecord !== undefined) this.passwords.set(address.toLowerCase(), passwordRecord);
    return account;
  }

  async findAccount(idOrAddress: AccountId | string): Promise<Account | undefined> {
    const found =
      typeof idOrAddress === 'string'
        ? this.accounts.get(idOrAddress.toLowerCase())
        : [...this.accounts.values()].find(({ id }) => id === idOrAddress);
    return found && { ...found, quota: this.quotas.get(found.address) ?? found.quota };
  }

  spool(): Spool {
    const chunks: Uint8Array[] = [];
    let isOpen = true;
    this.openSpools++;
    const close = (): void => {
      if (isOpen) this.openSpools--;
      isOpen = false;
    };
    return {
      write: async (octets) => {
        if (!isOpen) throw new Error('written to after its end');
        chunks.push(octets);
        await this.taken(octets.length);
      },
      finish: async () => {
        if (!isOpen) throw new Error('finished twice');
        close();
        const octets = Buffer.concat(chunks);
        return { size: octets.length, octets, file: undefined };
      },
      [Symbol.asyncDispose]: async () => close(),
    };
  }

  async accept(transaction: Transaction): Promise<Accepted> {
    await this.commit();
    const { deliveries, content } = transaction;
    const refused: RefusedDelivery[] = [];
    for (const [delivery, { account }] of deliveries.entries()) {
      if (typeof account !== 'number') continue;
      const found = await this.findAccount(account);
      if (!found) throw new Refusal('NONEXISTENT', 'There is no such account');
      const refusal = quotaRefusal(found.address, found.quota, 1, content.size);
      if (refusal) refused.push({ delivery, code: refusal.code, message: refusal.message });
    }
    if (refused.length > 0) throw refusalOfDeliveries(refused);
    const copies = deliveries.map(({ account }) => {
      const { id } =
        typeof account === 'number'
          ? { id: account }
          : (this.accounts.get(account.address.toLowerCase()) ?? this.#make(account.address, account.passwordRecord));
      return { account: id, mailbox: id as number as MailboxId, uid: (this.transactions.length + 1) as Uid };
    });
    this.transactions.push({ ...transaction, octets: Buffer.from(content.octets!) });
    const number = this.transactions.length;
    return { transactionId: `T${String(number).padStart(21, '0')}`, emailId: number as EmailId, copies };
  }
}
