/**
 * Rights on mailboxes: RFC 4314 §2.1, and which flags they are about (§4). The obsolete rights `c` and `d` are the
 * protocol's to translate: here are none but these.
 */
import type { FlagChange } from './mail-store.ts';

export type Right = 'l' | 'r' | 's' | 'w' | 'i' | 'p' | 'k' | 'x' | 't' | 'e' | 'a';

/** A set of rights: each letter once, in the order of `ALL_RIGHTS`. */
export type Rights = string;

export const ALL_RIGHTS: Rights = 'lrswipkxtea';

/** What somebody may do who is no owner: an element of an access control list (RFC 4314 §2). */
export interface AclEntry {
  /** An account's address, or `anyone`. */
  readonly identifier: string;
  /** These rights are taken away, wherever they come from. */
  readonly negative: boolean;
  readonly rights: Rights;
}

export interface AclChange extends AclEntry {
  readonly mode: 'add' | 'remove' | 'replace';
}

/** All accounts of the scope that the owner is of. */
export const ANYONE = 'anyone';

export function hasRight(rights: Rights, right: Right): boolean {
  return rights.includes(right);
}

export function hasAnyRight(rights: Rights, wanted: Rights): boolean {
  return Array.from(wanted).some((right) => rights.includes(right));
}

/** @param letters of `ALL_RIGHTS`, in any order, perhaps several times */
export function toRights(letters: string): Rights {
  return Array.from(ALL_RIGHTS)
    .filter((right) => letters.includes(right))
    .join('');
}

export function changeRights(present: Rights, { mode, rights }: Pick<AclChange, 'mode' | 'rights'>): Rights {
  switch (mode) {
    case 'add':
      return toRights(present + rights);
    case 'remove':
      return Array.from(present)
        .filter((right) => !rights.includes(right))
        .join('');
    case 'replace':
      return toRights(rights);
  }
}

/** What several entries come to: the union of what they give, without what they take (§2 leaves that to us). */
export function effectiveRights(entries: readonly Pick<AclEntry, 'negative' | 'rights'>[]): Rights {
  const of = (negative: boolean): string =>
    entries.map((entry) => (entry.negative === negative ? entry.rights : '')).join('');
  return changeRights(toRights(of(false)), { mode: 'remove', rights: of(true) });
}

/** RFC 5464 §3.3: whether annotations of the mailbox may be read, and private ones set. */
export function mayAnnotate(rights: Rights): boolean {
  return hasRight(rights, 'l') && hasAnyRight(rights, 'rswip');
}

/** §4: what it takes to change a flag. */
export function rightForFlag(flag: string): 's' | 't' | 'w' {
  const folded = flag.toLowerCase();
  return folded === '\\seen' ? 's' : folded === '\\deleted' ? 't' : 'w';
}

/** §4: what is appended or copied has no more of its flags than these. */
export function permittedFlags(flags: readonly string[], rights: Rights): readonly string[] {
  return flags.filter((flag) => hasRight(rights, rightForFlag(flag)));
}

/** §4: what of a STORE may be done; undefined: nothing of it. */
export function permittedChange<Change extends FlagChange>(change: Change, rights: Rights): Change | undefined {
  if (['s', 'w', 't'].every((right) => rights.includes(right))) return change;
  const flags = permittedFlags(change.flags, rights);
  if (change.mode === 'replace') return hasAnyRight(rights, 'swt') ? { ...change, flags, only: rights } : undefined;
  return flags.length === 0 && change.flags.length > 0 ? undefined : { ...change, flags };
}
