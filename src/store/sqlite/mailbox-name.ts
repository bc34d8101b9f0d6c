/** Names of mailboxes as the store keeps them: Unicode NFC, levels divided by `/`, the first level INBOX in capitals. */
import { isOthersName, OTHER_USERS } from '../other-users.ts';
import { Refusal } from '../refusal.ts';

const LONGEST_NAME = 1000; // octets
const DEEPEST_NAME = 50; // levels

/** @throws Refusal CANNOT, LIMIT */
export function mailboxName(given: string): string {
  const name = given.normalize('NFC');
  if (name.length > LONGEST_NAME || Buffer.byteLength(name) > LONGEST_NAME) {
    throw new Refusal('LIMIT', `A mailbox name has at most ${LONGEST_NAME} octets`);
  }
  // RFC 9051 §5.1 and RFC 5198 §2 leave no control characters, nor the line separators of Unicode.
  if (!name.isWellFormed() || /[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(name)) {
    throw new Refusal('CANNOT', 'A mailbox name has no control characters');
  }
  const levels = name.split('/');
  if (levels.includes('')) throw new Refusal('CANNOT', 'A mailbox name has no empty levels');
  if (levels.length > DEEPEST_NAME) throw new Refusal('LIMIT', `A mailbox name has at most ${DEEPEST_NAME} levels`);
  // RFC 9051 §5.1: INBOX is compared without case.
  if (levels[0]!.toUpperCase() === 'INBOX') levels[0] = 'INBOX';
  return levels.join('/');
}

/** Of a mailbox that is to be. @throws Refusal CANNOT, LIMIT */
export function newMailboxName(given: string): string {
  const name = mailboxName(given);
  if (isOthersName(name))
    throw new Refusal('CANNOT', `Names below "${OTHER_USERS}" are those of other people's mailboxes`);
  return name;
}

/** The name as it is kept, or undefined if no mailbox can have it. */
export function possibleName(given: string): string | undefined {
  try {
    return mailboxName(given);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** `a`, `a/b` of `a/b/c`. */
export function superiorNames(name: string): string[] {
  const levels = name.split('/');
  return levels.slice(1).map((_, index) => levels.slice(0, index + 1).join('/'));
}

/** INBOX first, the others by code points, inferior names after their superior one. */
export function sortedByName<Item>(items: readonly Item[], nameOf: (item: Item) => string): Item[] {
  const keys = items.map((item) => {
    const name = nameOf(item);
    const isFirst = name === 'INBOX' || name.startsWith('INBOX/');
    return { item, key: (isFirst ? '\0' : '\x01') + name.replaceAll('/', '\0') };
  });
  return keys.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ item }) => item);
}
