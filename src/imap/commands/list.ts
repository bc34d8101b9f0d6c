/**
 * LIST: RFC 9051 §6.3.9, RFC 3501 §6.3.8, with all that LIST-EXTENDED (RFC 5258), LIST-STATUS (RFC 5819), CHILDREN
 * (RFC 3348), SPECIAL-USE (RFC 6154) and LIST-METADATA (RFC 9590) add. No mailbox is remote here, so REMOTE adds none.
 */
import type { AccountId } from '../../store/change.ts';
import type { Mailbox, MailStore } from '../../store/mail-store.ts';
import { annotationValues } from '../annotations.ts';
import { command, LOGGED_IN } from '../command.ts';
import { BadSyntax } from '../grammar/bad-syntax.ts';
import { DELIMITER, matchPattern } from '../grammar/mailbox-name.ts';
import { metadataEntries } from '../grammar/metadata.ts';
import type { Parser } from '../grammar/parser.ts';
import { ok } from '../grammar/responses.ts';
import type { Response, StatusItem } from '../grammar/syntax.ts';
import { statusOf } from './status.ts';

interface Selection {
  readonly subscribed: boolean;
  readonly specialUse: boolean;
  readonly recursive: boolean;
}
interface Returns {
  readonly subscribed: boolean;
  readonly status: readonly StatusItem[] | undefined;
  /** Entries of annotations. */
  readonly metadata: readonly string[] | undefined;
}

export const list = command({
  states: LOGGED_IN,
  mayExpunge: true,
  parse(input) {
    const isExtended = input.sp().peek() === '(';
    const selection = selectionOptions(isExtended ? options(input, (name) => name) : []);
    if (isExtended) input.sp();
    const reference = input.mailbox();
    const severalPatterns = input.sp().peek() === '(';
    const patterns = input.listPatterns();
    const returns = returnOptions(input);
    return {
      selection,
      reference,
      patterns,
      returns,
      extended: isExtended || severalPatterns || returns !== undefined,
    };
  },
  async *run({ selection, reference, patterns, returns, extended }, { state, store, session }) {
    if (!extended && patterns[0] === '') {
      // §6.3.9: the delimiter, and the root of the reference, which is the same for all names here.
      yield { type: 'list', attributes: ['\\Noselect'], delimiter: DELIMITER, name: '' };
      return ok('LIST completed');
    }
    if (returns?.status?.includes('HIGHESTMODSEQ')) session.enable('condstore');
    const tree = await mailboxTree(store, state.account);
    const canonical = patterns.filter((pattern) => pattern !== '').map((pattern) => reference + pattern);
    const showsSubscribed = selection.subscribed || (returns?.subscribed ?? false);
    const withChildInfo = tree.withChildInfo(selection);
    const criteria = [
      ...(selection.subscribed ? ['SUBSCRIBED'] : []),
      ...(selection.specialUse ? ['SPECIAL-USE'] : []),
    ];
    for (const name of tree.matching(canonical, selection)) {
      yield tree.entry(name, { showsSubscribed, childInfo: withChildInfo.has(name) ? criteria : [] });
      const mailbox = tree.mailbox(name);
      // RFC 5819 §2: only for those that meet the selection themselves, and can be selected.
      if (!returns || !mailbox || !tree.meets(name, selection)) continue;
      if (returns.status) yield await statusOf(store, mailbox, returns.status, session.options.maximumMessageOctets);
      if (returns.metadata) yield await metadataOf(store, state.account, mailbox, returns.metadata);
    }
    return ok('LIST completed');
  },
});

/** RFC 9590 §3: NIL where there is no value. Nothing of a mailbox that somebody has deleted meanwhile. */
async function metadataOf(
  store: MailStore,
  account: AccountId,
  mailbox: Mailbox,
  entries: readonly string[],
): Promise<readonly Response[]> {
  if (!(await store.findMailbox(account, mailbox.id))) return [];
  const { values } = await annotationValues(store, account, mailbox, { entries, depth: 0 });
  return values.length === 0 ? [] : [{ type: 'metadata', mailbox: mailbox.name, values }];
}

/** The LIST response for one mailbox, as SELECT gives it to clients of IMAP4rev2. */
export async function listEntryOf(store: MailStore, account: AccountId, name: string): Promise<Response> {
  return (await mailboxTree(store, account)).entry(name, { showsSubscribed: true });
}

/** RFC 9051 §6.3.9.7: the mailbox that has this name had another, or was asked for by another. */
export function oldName(name: string, old: string): Response {
  const extended = `("OLDNAME" ("${old.replace(/["\\]/g, '\\$&')}"))`;
  return { type: 'list', attributes: [], delimiter: DELIMITER, name, extended };
}

export async function mailboxTree(store: MailStore, account: AccountId): Promise<MailboxTree> {
  return new MailboxTree(await store.listMailboxes(account), await store.listSubscriptions(account));
}

// ----------------------------------------------------------------------------------------------------------- names

/** The names that can be listed: of mailboxes, subscribed ones, and of levels above those. */
export class MailboxTree {
  readonly #mailboxes: ReadonlyMap<string, Mailbox>;
  readonly #subscribed: ReadonlySet<string>;
  /** Names that have mailboxes below them. */
  readonly #parents = new Set<string>();
  /** All names, INBOX first, superior before inferior ones. */
  readonly #names: readonly string[];

  constructor(mailboxes: readonly Mailbox[], subscriptions: readonly string[]) {
    this.#mailboxes = new Map(mailboxes.map((mailbox) => [mailbox.name, mailbox]));
    this.#subscribed = new Set(subscriptions);
    const names = new Set([...this.#mailboxes.keys(), ...subscriptions]);
    for (const name of [...names]) {
      for (const superior of superiorsOf(name)) {
        names.add(superior);
        if (this.#mailboxes.has(name)) this.#parents.add(superior);
      }
    }
    this.#names = [...names].sort(byName);
  }

  mailbox(name: string): Mailbox | undefined {
    return this.#mailboxes.get(name);
  }

  /** The names to be listed (RFC 9051 §6.3.9.3 rule 2). */
  matching(patterns: readonly string[], selection: Selection): string[] {
    const matches = (name: string): boolean => patterns.some((pattern) => matchesName(pattern, name));
    // §6.3.9.1 RECURSIVEMATCH: for the sake of names below that are not listed themselves (§6.3.9.6).
    const hinted = selection.recursive
      ? this.#above((name) => this.meets(name, selection) && !matches(name))
      : new Set<string>();
    return this.#names.filter((name) => {
      if (!matches(name)) return false;
      if (this.meets(name, selection) || hinted.has(name)) return true;
      // §6.3.9: a level without a mailbox, for patterns that end with %.
      return isPlain(selection) && this.#parents.has(name) && patterns.some((pattern) => endsAtLevel(pattern, name));
    });
  }

  /** Whether a name meets the selection options by itself. */
  meets(name: string, { subscribed, specialUse }: Selection): boolean {
    if (subscribed && !this.#subscribed.has(name)) return false;
    if (specialUse && !this.#mailboxes.get(name)?.specialUse.length) return false;
    return subscribed || this.#mailboxes.has(name);
  }

  /** RFC 9051 §6.3.9.6: names above those that meet the selection. */
  withChildInfo(selection: Selection): ReadonlySet<string> {
    return selection.recursive ? this.#above((name) => this.meets(name, selection)) : new Set();
  }

  /** Names that LSUB lists: subscribed ones, and levels above them for patterns that end with % (RFC 3501 §6.3.9). */
  subscribedMatching(pattern: string): { readonly name: string; readonly isLevel: boolean }[] {
    const levels = this.#above((name) => this.#subscribed.has(name));
    return this.#names
      .filter((name) => this.#subscribed.has(name) || (levels.has(name) && endsAtLevel(pattern, name)))
      .filter((name) => matchesName(pattern, name))
      .map((name) => ({ name, isLevel: !this.#subscribed.has(name) }));
  }

  entry(
    name: string,
    { showsSubscribed, childInfo = [] }: { readonly showsSubscribed: boolean; readonly childInfo?: readonly string[] },
  ): Response {
    const extended = childInfo.length > 0 ? `("CHILDINFO" (${childInfo.map((word) => `"${word}"`).join(' ')}))` : '';
    return {
      type: 'list',
      attributes: this.attributes(name, showsSubscribed),
      delimiter: DELIMITER,
      name,
      ...(extended === '' ? {} : { extended }),
    };
  }

  /** RFC 9051 §7.3.1. Children and special uses cost nothing here, so they are always said. */
  attributes(name: string, showsSubscribed: boolean): readonly string[] {
    const mailbox = this.#mailboxes.get(name);
    const hasChildren = this.#parents.has(name);
    return [
      ...(mailbox ? [] : ['\\NonExistent']),
      ...(hasChildren ? ['\\HasChildren'] : mailbox ? ['\\HasNoChildren'] : []),
      ...(mailbox?.specialUse ?? []),
      ...(showsSubscribed && this.#subscribed.has(name) ? ['\\Subscribed'] : []),
    ];
  }

  /** All the names above those that pass. */
  #above(passes: (name: string) => boolean): ReadonlySet<string> {
    return new Set(this.#names.filter(passes).flatMap(superiorsOf));
  }
}

function superiorsOf(name: string): string[] {
  const levels = name.split(DELIMITER);
  return levels.slice(1).map((_, index) => levels.slice(0, index + 1).join(DELIMITER));
}

function byName(one: string, other: string): number {
  const first = (name: string): number => (name === 'INBOX' || name.startsWith(`INBOX${DELIMITER}`) ? 0 : 1);
  return first(one) - first(other) || (one < other ? -1 : 1);
}

function matchesName(pattern: string, name: string): boolean {
  if (matchPattern(pattern, name, DELIMITER)) return true;
  // RFC 9051 §6.3.9: INBOX is found by a pattern in any case.
  return name === 'INBOX' && matchPattern(pattern.toUpperCase(), name, DELIMITER);
}

function endsAtLevel(pattern: string, name: string): boolean {
  return pattern.endsWith('%') && matchesName(pattern, name);
}

function isPlain({ subscribed, specialUse }: Selection): boolean {
  return !subscribed && !specialUse;
}

// --------------------------------------------------------------------------------------------------------- options

function options<T>(input: Parser, read: (name: string) => T): T[] {
  return input.take('()') ? [] : input.list(() => read(input.atom('an option').toUpperCase()));
}

function selectionOptions(names: readonly string[]): Selection {
  const unknown = names.find((name) => !['SUBSCRIBED', 'REMOTE', 'RECURSIVEMATCH', 'SPECIAL-USE'].includes(name));
  // §6.3.9: options that are not known are answered BAD.
  if (unknown !== undefined) throw new BadSyntax(`LIST has no selection option ${unknown}`);
  const selection = {
    subscribed: names.includes('SUBSCRIBED'),
    specialUse: names.includes('SPECIAL-USE'),
    recursive: names.includes('RECURSIVEMATCH'),
  };
  // §6.3.9.1
  if (selection.recursive && isPlain(selection)) {
    throw new BadSyntax('RECURSIVEMATCH needs another selection option, such as SUBSCRIBED');
  }
  return selection;
}

/** With the space before RETURN, if it is there. */
function returnOptions(input: Parser): Returns | undefined {
  if (input.atEnd()) return undefined;
  if (!input.sp().keyword('RETURN')) throw new BadSyntax('Only RETURN can follow the mailbox patterns of LIST');
  let subscribed = false;
  let status: StatusItem[] | undefined;
  let metadata: string[] | undefined;
  input.sp();
  options(input, (name) => {
    if (name === 'SUBSCRIBED') subscribed = true;
    else if (name === 'STATUS') status = input.sp().statusItems();
    else if (name === 'METADATA') metadata = metadataEntries(input.sp());
    else if (name !== 'CHILDREN' && name !== 'SPECIAL-USE') throw new BadSyntax(`LIST has no return option ${name}`);
  });
  return { subscribed, status, metadata };
}
