/**
 * How mailboxes of others are named: `Other Users/bob@glass.test/INBOX` (RFC 2342 §5). In an address, what would divide
 * levels is written as in URLs.
 */
export const OTHER_USERS = 'Other Users';

/** Whether a name is reserved for mailboxes of others, and the levels above them. */
export function isOthersName(name: string): boolean {
  return name.startsWith(OTHER_USERS) && (name.length === OTHER_USERS.length || name[OTHER_USERS.length] === '/');
}

/** @param name as its owner calls it */
export function othersName(address: string, name: string): string {
  const level = address.normalize('NFC').replaceAll('%', '%25').replaceAll('/', '%2F');
  return `${OTHER_USERS}/${level}/${name}`;
}

/** Undefined: it names no mailbox, but a level above some, or nothing at all. */
export function parseOthersName(name: string): { readonly address: string; readonly name: string } | undefined {
  const [, level, rest] = /^Other Users\/([^/]+)\/(.+)$/s.exec(name) ?? [];
  if (level === undefined || rest === undefined) return undefined;
  return { address: level.replace(/%2F/gi, '/').replaceAll('%25', '%'), name: rest };
}
