/** Accounts and mail with the store of a data folder opened here: while no server runs on it. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Notifier } from '../notifier/notifier.ts';
import { loginAddress } from '../sasl/login-name.ts';
import { makeScramRecord } from '../sasl/scram-record.ts';
import type { Secret } from '../sasl/secret.ts';
import type { MailboxId } from '../store/change.ts';
import { lockFolder } from '../store/folder-lock.ts';
import type { Account, Appended, MailStore, NewMessage } from '../store/mail-store.ts';
import type { DefaultQuota, QuotaLimits } from '../store/quota.ts';
import { Refusal } from '../store/refusal.ts';
import type { Access, AccountLine, MailboxLine, MessageLine, MessageToImport } from './access.ts';
import { UsageError } from './command.ts';
import { defaultDomain } from './control.ts';
import { readLimit, readOctets } from './flags.ts';

/** @throws UsageError when another process has the folder, or its store cannot be opened */
export async function openFolder(folder: string, environment: NodeJS.ProcessEnv): Promise<Access> {
  await using opening = new AsyncDisposableStack();
  if (!(await isFolder(folder))) {
    throw new UsageError(`There is no data folder ${folder}: name it with --data, or start the server once`, 1);
  }
  const quota = defaultQuota(environment);
  let store: MailStore;
  try {
    opening.use(lockFolder(folder));
    const { openStore } = await import('../store/sqlite/sqlite-store.ts');
    store = opening.use(await openStore({ folder, durability: 'power', notifier: new Notifier(), quota }));
  } catch (error) {
    throw new UsageError((error as Error).message, 1);
  }
  return new FolderAccess(folder, store, await defaultDomain(undefined, environment), opening.move());
}

/** What the server that is stopped would give to each account, as far as the environment says it. */
function defaultQuota({ GLASSMAIL_QUOTA_STORAGE, GLASSMAIL_QUOTA_MESSAGES }: NodeJS.ProcessEnv): DefaultQuota {
  const given = (text: string | undefined): string => (text === undefined || text === '' ? 'none' : text);
  const octets = readOctets('GLASSMAIL_QUOTA_STORAGE', given(GLASSMAIL_QUOTA_STORAGE));
  const messages = readLimit('GLASSMAIL_QUOTA_MESSAGES', given(GLASSMAIL_QUOTA_MESSAGES));
  return {
    octets: typeof octets === 'number' ? octets : undefined,
    messages: typeof messages === 'number' ? messages : undefined,
  };
}

class FolderAccess implements Access {
  readonly place: string;
  readonly #store: MailStore;
  readonly #defaultDomain: string;
  readonly #opened: AsyncDisposableStack;

  constructor(folder: string, store: MailStore, defaultDomain: string, opened: AsyncDisposableStack) {
    this.place = join(folder, '');
    this.#store = store;
    this.#defaultDomain = defaultDomain;
    this.#opened = opened;
  }

  async listAccounts(): Promise<readonly AccountLine[]> {
    const accounts = await this.#store.listAccounts();
    return [...accounts].sort((a, b) => (a.address < b.address ? -1 : 1));
  }

  async addAccount(name: string, password: Secret): Promise<string> {
    const address = loginAddress(name, this.#defaultDomain);
    const passwordRecord = await recordOf(password);
    return (await refusing(this.#store.createAccount({ address, passwordRecord }))).address;
  }

  async setPassword(name: string, password: Secret): Promise<void> {
    const { id } = await this.#account(name);
    await refusing(this.#store.setPasswordRecord(id, await recordOf(password)));
  }

  async setQuota(name: string, limits: QuotaLimits): Promise<AccountLine> {
    const { id } = await this.#account(name);
    await refusing(this.#store.setQuota(id, limits));
    return this.#account(name);
  }

  async deleteAccount(name: string): Promise<void> {
    const { id } = await this.#account(name);
    await refusing(this.#store.deleteAccount(id));
  }

  async listMailboxes(name: string): Promise<readonly MailboxLine[]> {
    return this.#store.listMailboxes((await this.#account(name)).id);
  }

  async *messages(name: string, mailbox: MailboxLine): AsyncGenerator<MessageLine> {
    const { id } = await this.#account(name);
    const { count, uids, flagSets, internalDates, sizes } = await this.#store.snapshot(id, mailbox.id as MailboxId);
    for (let i = 0; i < count; i++) {
      const flags = this.#store.flagSet(flagSets[i]!);
      yield { uid: uids[i]!, flags, internalDate: new Date(internalDates[i]!), size: sizes[i]! };
    }
  }

  async readMessage(name: string, mailbox: MailboxLine, uid: number): Promise<Uint8Array | undefined> {
    const { id } = await this.#account(name);
    for await (const batch of this.#store.fetchMessages(id, mailbox.id as MailboxId, [uid], { content: true })) {
      for (const { content } of batch) {
        if (content === undefined) continue;
        if (content.octets !== undefined) return content.octets;
        const pieces: Uint8Array[] = [];
        for await (const piece of content.read(0, content.size)) pieces.push(piece);
        return Buffer.concat(pieces);
      }
    }
    return undefined;
  }

  async importMessage(name: string, mailbox: string, message: MessageToImport): Promise<'imported' | 'duplicate'> {
    const { id } = await this.#account(name);
    await using spool = this.#store.spool();
    await refusing(spool.write(message.octets));
    const { flags, internalDate, key } = message;
    const content = await refusing(spool.finish());
    const { uids } = await this.#append(id, mailbox, { content, flags, internalDate, importKey: key });
    return uids[0] === undefined ? 'duplicate' : 'imported';
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#opened.disposeAsync();
  }

  async #append(account: Account['id'], mailbox: string, message: NewMessage): Promise<Appended> {
    try {
      return await this.#store.appendMessages(account, mailbox, [message]);
    } catch (error) {
      if (!(error instanceof Refusal && error.code === 'TRYCREATE')) return refusing(Promise.reject(error as Error));
    }
    await refusing(this.#store.createMailbox(account, mailbox));
    return refusing(this.#store.appendMessages(account, mailbox, [message]));
  }

  async #account(name: string): Promise<Account> {
    const address = loginAddress(name, this.#defaultDomain);
    const account = await this.#store.findAccount(address);
    if (account === undefined) throw new UsageError(`there is no account ${address}`, 1);
    return account;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function recordOf(password: Secret): Promise<string> {
  try {
    return await makeScramRecord(password);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message, 1);
    throw error;
  }
}

/** What the store refuses is a line for the user. */
async function refusing<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof Refusal) throw new UsageError(error.message, 1);
    throw error;
  }
}
