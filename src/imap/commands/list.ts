/**
 * LIST: RFC 9051 §6.3.9, RFC 3501 §6.3.8, with all that LIST-EXTENDED (RFC 5258), LIST-STATUS (RFC 5819), CHILDREN
 * (RFC 3348), SPECIAL-USE (RFC 6154), LIST-METADATA (RFC 9590) and LIST-MYRIGHTS (RFC 8440) add. No mailbox is remote
 * here, so REMOTE adds none.
 */
import type { AccountId } from '../../store/change.ts';
import type { Mailbox, MailStore } from '../../store/mail-store.ts';
import { ALL_RIGHTS, hasRight, mayAnnotate } from '../../store/rights.ts';
import { annotationValues } from '../annotations.ts';
import { command, LOGGED_IN } from '../command.ts';
import { printRights } from '../grammar/access-control.ts';
import { BadSyntax } from '../grammar/bad-syntax.ts';
import { DELIMITER, matchPattern } from '../grammar/mailbox-name.ts';
import { metadataEntries } from '../grammar/metadata.ts';
import type { Parser } from '../grammar/parser.ts';
import { ok } from '../grammar/responses.ts';
import type { Response, StatusItem } from '../grammar/syntax.ts';
import { Turns } from '../turns.ts';
import { statusOf } from './status.ts';

interface Selection {
  readonly subscribed: boolean;
  readonly specialUse: boolean;
  readonly recursive: boolean;
}
interface Returns {
  readonly subscribed: boolean;
  readonly myRights: boolean;
  readonly status: readonly StatusItem[] | undefined;
  /** Entries of annotations. */
  readonly metadata: readonly string[] | undefined;
}

/** Each is compared with each name. Clients that ask for several names at once ask for a few. */
const MOST_PATTERNS = 200;
/** Characters of patterns with wildcards together: what is looked at for each character of each name. */
const LONGEST_PATTERNS = 4_000;

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
    checkPatterns(patterns);
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
    for (const name of await tree.matching(canonical, selection, session.connection.signal)) {
      yield tree.entry(name, { showsSubscribed, childInfo: withChildInfo.has(name) ? criteria : [] });
      const mailbox = tree.mailbox(name);
      // RFC 5819 §2: only for those that meet the selection themselves, and can be selected; RFC 8440 §4.
      if (!returns || !mailbox || !tree.meets(name, selection)) continue;
      const { rights = ALL_RIGHTS } = mailbox;
      if (returns.myRights) yield { type: 'my-rights', name, rights: printRights(rights) };
      if (returns.status && hasRight(rights, 'r'))
        yield await statusOf(store, state.account, mailbox, returns.status, session.options.maximumMessageOctets);
      if (returns.metadata && mayAnnotate(rights))
        yield await metadataOf(store, state.account, mailbox, returns.metadata);
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
  const tree = await mailboxTree(store, account);
  if (tree.mailbox(name)) return tree.entry(name, { showsSubscribed: true });
  // Somebody else's that can be read and not listed (RFC 4314 §4).
  return { type: 'list', attributes: [], delimiter: DELIMITER, name };
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
  async matching(patterns: readonly string[], selection: Selection, signal: AbortSignal): Promise<string[]> {
    const matched = await this.#matched(patterns, signal);
    const atLevel = await this.#matched(patterns.filter(endsWithLevel), signal);
    const matches = (name: string): boolean => matched.has(name);
    // §6.3.9.1 RECURSIVEMATCH: for the sake of names below that are not listed themselves (§6.3.9.6).
    const hinted = selection.recursive
      ? this.#above((name) => this.meets(name, selection) && !matches(name))
      : new Set<string>();
    return this.#names.filter((name) => {
      if (!matches(name)) return false;
      if (this.meets(name, selection) || hinted.has(name)) return true;
      // §6.3.9: a level without a mailbox, for patterns that end with %.
      return isPlain(selection) && this.#parents.has(name) && atLevel.has(name);
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
  async subscribedMatching(
    pattern: string,
    signal: AbortSignal,
  ): Promise<{ readonly name: string; readonly isLevel: boolean }[]> {
    const matched = await this.#matched([pattern], signal);
    const levels = endsWithLevel(pattern) ? this.#above((name) => this.#subscribed.has(name)) : new Set<string>();
    return this.#names
      .filter((name) => matched.has(name) && (this.#subscribed.has(name) || levels.has(name)))
      .map((name) => ({ name, isLevel: !this.#subscribed.has(name) }));
  }

  /** Names that one of the patterns matches. However many there are of both, others have their turn meanwhile. */
  async #matched(patterns: readonly string[], signal: AbortSignal): Promise<ReadonlySet<string>> {
    const matched = new Set<string>();
    if (patterns.length === 0) return matched;
    const turns = new Turns();
    for (const name of this.#names) {
      for (const pattern of patterns) {
        const isMatch = matchesName(pattern, name);
        await turns.give();
        signal.throwIfAborted();
        if (!isMatch) continue;
        matched.add(name);
        break;
      }
    }
    return matched;
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

function endsWithLevel(pattern: string): boolean {
  return pattern.endsWith('%');
}

function isPlain({ subscribed, specialUse }: Selection): boolean {
  return !subscribed && !specialUse;
}

// --------------------------------------------------------------------------------------------------------- options

/** @throws BadSyntax */
export function checkPatterns(patterns: readonly string[]): void {
  if (patterns.length > MOST_PATTERNS) throw new BadSyntax(`No more than ${MOST_PATTERNS} patterns at once`);
  const wild = patterns.filter((pattern) => /[*%]/.test(pattern));
  if (wild.join('').length > LONGEST_PATTERNS) {
    throw new BadSyntax(`Patterns with wildcards may have ${LONGEST_PATTERNS} characters together`);
  }
}

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
  let myRights = false;
  let status: StatusItem[] | undefined;
  let metadata: string[] | undefined;
  input.sp();
  options(input, (name) => {
    if (name === 'SUBSCRIBED') subscribed = true;
    else if (name === 'MYRIGHTS') myRights = true;
    else if (name === 'STATUS') status = input.sp().statusItems();
    else if (name === 'METADATA') metadata = metadataEntries(input.sp());
    else if (name !== 'CHILDREN' && name !== 'SPECIAL-USE') throw new BadSyntax(`LIST has no return option ${name}`);
  });
  return { subscribed, myRights, status, metadata };
}
