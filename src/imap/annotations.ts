/**
 * Annotations of mailboxes and of the server as clients are told of them: RFC 5464. Entry names are compared without case;
 * inside they are in lower case. One entry of the server is not the store's: `/shared/admin`, which only the operator sets.
 */
import { THE_SERVER, type AccountId, type Change, type MailboxId, type ModSeq } from '../store/change.ts';
import type { Mailbox, MailStore } from '../store/mail-store.ts';
import type { GetMetadata, Response } from './grammar/syntax.ts';

/** RFC 5464 §3.2.1.1: a URI; clients cannot change it. */
export const ADMIN = '/shared/admin';

export interface AnnotationValues {
  /** An entry that was asked for by its name and has no value is there, with null. */
  readonly values: readonly (readonly [entry: string, value: Uint8Array | null])[];
  /** Octets of the largest value that was larger than asked for; 0: none was. */
  readonly longest: number;
}

/**
 * @param mailbox undefined: the server
 * @param admin a URI, the value of the server's `/shared/admin`
 * @throws Refusal NONEXISTENT
 */
export async function annotationValues(
  store: MailStore,
  account: AccountId,
  mailbox: Mailbox | undefined,
  { entries, depth, maximumOctets }: GetMetadata,
  admin?: string,
): Promise<AnnotationValues> {
  // Clients may compare what they get with what they have asked for.
  const spelled = new Map(entries.map((entry) => [entry.toLowerCase(), entry]));
  const asked = [...spelled.keys()];
  const query = { entries: asked, depth, ...(maximumOctets !== undefined && { maximumOctets }) };
  const found = await store.findAnnotations(account, mailbox?.id ?? THE_SERVER, query);
  const all = new Map<string, { readonly octets: number; readonly value: Uint8Array | undefined }>();
  if (!mailbox && admin !== undefined && isAskedFor(ADMIN, asked, depth)) {
    const value = Buffer.from(admin);
    all.set(ADMIN, { octets: value.length, value: value.length > (maximumOctets ?? Infinity) ? undefined : value });
  }
  for (const annotation of found) all.set(annotation.entry, annotation);
  const values: [string, Uint8Array | null][] = [];
  let longest = 0;
  for (const [entry, { octets, value }] of all) {
    if (value) values.push([spelled.get(entry) ?? entry, value]);
    else longest = Math.max(longest, octets);
  }
  // §4.2.2: with a depth, only what exists.
  if (depth === 0) for (const [entry, name] of spelled) if (!all.has(entry)) values.push([name, null]);
  return { values, longest };
}

function isAskedFor(entry: string, asked: readonly string[], depth: GetMetadata['depth']): boolean {
  return asked.some((each) => {
    if (each === entry) return true;
    // Two components below the root: a child of /shared.
    return depth !== 0 && entry.startsWith(`${each}/`);
  });
}

/**
 * The unsolicited METADATA responses for what has changed (RFC 5464 §4.4.2): one for each mailbox, in the order of the
 * changes. Those that are gone have none.
 * @param own the numbers of what this client has changed itself
 * @param isWanted undefined: the server
 */
export async function annotationResponses(
  store: MailStore,
  account: AccountId,
  changes: readonly Change[],
  own: ReadonlySet<ModSeq>,
  isWanted: (mailbox: Mailbox | undefined) => boolean,
): Promise<Response[]> {
  const changed = new Map<MailboxId, Set<string>>();
  for (const change of changes) {
    if (change.type !== 'annotations' || own.has(change.modSeq)) continue;
    const entries = changed.get(change.mailbox) ?? new Set();
    for (const entry of change.entries) entries.add(entry);
    changed.set(change.mailbox, entries);
  }
  const responses: Response[] = [];
  for (const [id, entries] of changed) {
    const mailbox = id === THE_SERVER ? undefined : await store.findMailbox(account, id);
    if ((id !== THE_SERVER && !mailbox) || !isWanted(mailbox)) continue;
    responses.push({ type: 'metadata-changed', mailbox: mailbox?.name ?? '', entries: [...entries] });
  }
  return responses;
}

/** What a client that has said ENABLE METADATA is told: all that others change, from then on (RFC 5464 §4.1, §4.4). */
export class AnnotationNews {
  readonly #store: MailStore;
  readonly #account: AccountId;
  /** Up to here the change log has been read. */
  #seen: ModSeq;

  private constructor(store: MailStore, account: AccountId, seen: ModSeq) {
    this.#store = store;
    this.#account = account;
    this.#seen = seen;
  }

  static async start(store: MailStore, account: AccountId): Promise<AnnotationNews> {
    const present = await store.findAccount(account);
    return new AnnotationNews(store, account, present?.modSeq ?? (0 as ModSeq));
  }

  /** @param own the numbers of what this client has changed itself, emptied here: the log is read beyond them */
  async news(own: Set<ModSeq>): Promise<Response[]> {
    const { changes, modSeq } = await this.#store.changesSince(this.#account, this.#seen);
    if (modSeq === this.#seen) return [];
    this.#seen = modSeq;
    const responses = await annotationResponses(this.#store, this.#account, changes, own, () => true);
    own.clear();
    return responses;
  }
}
