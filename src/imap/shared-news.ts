/**
 * What happens to the mailboxes that others share with a client that has said NOTIFY (RFC 5465 §5.9): along the change log
 * of each owner. Which mailboxes these are, and how they are called, is compared with what it was before: to a client it
 * is the same whether a mailbox has been made or has been shared (§5.4).
 */
import type { AccountId, Change, MailboxId, ModSeq } from '../store/change.ts';
import type { Mailbox, SharedMailStore } from '../store/mail-store.ts';
import { hasRight } from '../store/rights.ts';

export interface Known {
  readonly name: string;
  /** Whether its messages may be watched: §5 wants `l` and `r`. */
  readonly readable: boolean;
}

/** A mailbox that can be listed now, could be before, or both. */
export interface NameNews {
  readonly before: Known | undefined;
  readonly after: Known | undefined;
}

export class SharedNews {
  readonly #store: SharedMailStore;
  readonly #account: AccountId;
  #known: ReadonlyMap<MailboxId, Known> = new Map();
  /** Up to where each owner's log has been read. */
  readonly #seen = new Map<AccountId, ModSeq>();

  private constructor(store: SharedMailStore, account: AccountId) {
    this.#store = store;
    this.#account = account;
  }

  static async start(store: SharedMailStore, account: AccountId): Promise<SharedNews> {
    const news = new SharedNews(store, account);
    news.#known = await news.#list();
    return news;
  }

  /** Whose logs are to be listened to. */
  get owners(): Iterable<AccountId> {
    return this.#seen.keys();
  }

  /** @param sharedAnew whether somebody else may have begun to share something */
  async next(sharedAnew: boolean): Promise<{
    readonly changes: readonly Change[];
    readonly names: readonly NameNews[];
    readonly tooOld: boolean;
  }> {
    const changes: Change[] = [];
    let [again, tooOld] = [sharedAnew, false];
    for (const [owner, seen] of this.#seen) {
      const news = await this.#store.sharedChangesSince(this.#account, owner, seen);
      this.#seen.set(owner, news.modSeq);
      changes.push(...news.changes);
      again ||= news.mailboxesChanged;
      tooOld ||= news.tooOld;
    }
    return { changes, names: again ? await this.#compare() : [], tooOld };
  }

  async #compare(): Promise<readonly NameNews[]> {
    const before = this.#known;
    this.#known = await this.#list();
    const ids = new Set([...before.keys(), ...this.#known.keys()]);
    return [...ids]
      .map((id) => ({ before: before.get(id), after: this.#known.get(id) }))
      .filter((each) => each.before?.name !== each.after?.name || each.before?.readable !== each.after?.readable);
  }

  async #list(): Promise<ReadonlyMap<MailboxId, Known>> {
    let mailboxes = await this.#shared();
    const owners = new Set(mailboxes.map(({ account }) => account));
    for (const owner of this.#seen.keys()) if (!owners.has(owner)) this.#seen.delete(owner);
    const added = [...owners.difference(this.#seen)];
    for (const owner of added) {
      this.#seen.set(owner, (await this.#store.findAccount(owner))?.modSeq ?? (0 as ModSeq));
    }
    // What has happened since the log is read from here on is not to be missed.
    if (added.length > 0) mailboxes = await this.#shared();
    return new Map(
      mailboxes.map(({ id, name, rights = '' }) => [id, { name, readable: hasRight(rights, 'r') }] as const),
    );
  }

  async #shared(): Promise<readonly Mailbox[]> {
    const all = await this.#store.listMailboxes(this.#account);
    return all.filter(({ account }) => account !== this.#account);
  }
}
