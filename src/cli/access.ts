/**
 * How the commands reach accounts and mail: through the running server, or with the store opened by themselves when none
 * runs. Both ways look alike from here on.
 */
import type { Secret } from '../sasl/secret.ts';
import type { Quota, QuotaLimits } from '../store/quota.ts';
import { dataFolder, readControl } from './control.ts';

export interface AccountLine {
  /** `local@domain`. */
  readonly address: string;
  readonly createdAt: Date;
  readonly quota: Quota;
}

export interface MailboxLine {
  readonly id: number;
  /** Levels divided by `/`. */
  readonly name: string;
  readonly messages: number;
}

export interface MessageLine {
  readonly uid: number;
  readonly flags: readonly string[];
  readonly internalDate: Date;
  /** Octets of trace and message. */
  readonly size: number;
}

export interface MessageToImport {
  readonly octets: Uint8Array;
  readonly flags: readonly string[];
  readonly internalDate: Date;
  /** A message of the mailbox that came under the same key is not taken again. */
  readonly key: string;
}

/** Accounts are named by address, or by the local part alone, which means the default domain. All throw UsageError. */
export interface Access extends AsyncDisposable {
  /** For a line to the user. */
  readonly place: string;
  /** In the order of addresses. */
  listAccounts(): Promise<readonly AccountLine[]>;
  /** @returns its full address */
  addAccount(name: string, password: Secret): Promise<string>;
  setPassword(name: string, password: Secret): Promise<void>;
  /** Without limits, nothing changes. @returns the account as it is then */
  setQuota(name: string, limits: QuotaLimits): Promise<AccountLine>;
  /** With all its mail. */
  deleteAccount(name: string): Promise<void>;
  /** INBOX first. */
  listMailboxes(name: string): Promise<readonly MailboxLine[]>;
  /** In ascending order of UIDs. */
  messages(name: string, mailbox: MailboxLine): AsyncIterable<MessageLine>;
  /** Trace and message; undefined when it is gone. */
  readMessage(name: string, mailbox: MailboxLine, uid: number): Promise<Uint8Array | undefined>;
  /** The mailbox is made if it does not exist. */
  importMessage(name: string, mailbox: string, message: MessageToImport): Promise<'imported' | 'duplicate'>;
}

/** @param data the flag --data */
export async function openAccess(data: string | undefined, environment: NodeJS.ProcessEnv): Promise<Access> {
  const folder = dataFolder(data, environment);
  const control = await readControl(folder);
  if (control !== undefined) return (await import('./server-access.ts')).serverAccess(control, folder);
  return (await import('./folder-access.ts')).openFolder(folder, environment);
}
