/**
 * Identifiers and rights as clients write and read them: RFC 4314 §2, §3, §7. What is `c` and `d` to clients of RFC 2086 is
 * two rights each: create is `kx`, delete is `te` (§2.1.1).
 */
import { saslprep } from '../../sasl/saslprep.ts';
import { ALL_RIGHTS, ANYONE, hasAnyRight, toRights } from '../../store/rights.ts';
import type { AclChange, Rights } from '../../store/rights.ts';
import { BadSyntax } from './bad-syntax.ts';
import type { Parser } from './parser.ts';

export interface Identifier {
  /** As the client wrote it: LISTRIGHTS answers with the same (§3.4). */
  readonly given: string;
  /** `anyone`, or a login name. */
  readonly name: string;
  /** It began with a dash: rights are taken away. */
  readonly negative: boolean;
}

const CREATE = 'kx';
const DELETE = 'te';

export function identifier(input: Parser): Identifier {
  const given = input.astring('an identifier such as a login name');
  // §3: BAD when it cannot be prepared, and when nothing is left of it.
  const prepared = saslprep(given);
  const negative = prepared?.startsWith('-') ?? false;
  const name = negative ? prepared?.slice(1) : prepared;
  if (name === undefined || name.trim() === '') throw new BadSyntax('An identifier is a login name, or anyone');
  return { given, name: name.toLowerCase() === ANYONE ? ANYONE : name, negative };
}

/** mod-rights: `lrs`, `+w` or `-te`. */
export function modRights(input: Parser): Pick<AclChange, 'mode' | 'rights'> {
  const text = input.astring('rights such as lrs, or +w');
  const mode = text.startsWith('+') ? 'add' : text.startsWith('-') ? 'remove' : 'replace';
  const letters = mode === 'replace' ? text : text.slice(1);
  // §3.1: nothing that is not known may be passed over.
  const unknown = Array.from(letters).find((letter) => !`${ALL_RIGHTS}cd`.includes(letter));
  if (unknown !== undefined) {
    const isUpperCase = /[A-Z]/.test(unknown);
    throw new BadSyntax(
      isUpperCase ? 'Rights are lower-case letters' : `There is no right ${unknown} here: ${ALL_RIGHTS} are all`,
    );
  }
  return { mode, rights: toRights(letters.replaceAll('c', CREATE).replaceAll('d', DELETE)) };
}

/** §2.1.1: with `c` and `d` where a part of them is there. */
export function printRights(rights: Rights): string {
  const create = hasAnyRight(rights, CREATE) ? 'c' : '';
  const remove = hasAnyRight(rights, DELETE) ? 'd' : '';
  return rights.endsWith('a') ? `${rights.slice(0, -1)}${create}${remove}a` : rights + create + remove;
}
