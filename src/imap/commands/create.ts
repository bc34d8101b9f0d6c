/**
 * CREATE: RFC 9051 §6.3.4; with special uses RFC 6154 §3; MAILBOXID RFC 8474 §4.1.
 * The store makes missing superior names too.
 */
import { SPECIAL_USES, type SpecialUse } from '../../store/mail-store.ts';
import { Refusal } from '../../store/refusal.ts';
import { command, LOGGED_IN } from '../command.ts';
import { BadSyntax } from '../grammar/bad-syntax.ts';
import { DELIMITER } from '../grammar/mailbox-name.ts';
import type { Parser } from '../grammar/parser.ts';
import { ok } from '../grammar/responses.ts';
import { mailboxObjectId } from '../object-id.ts';
import { oldName } from './list.ts';

export const create = command({
  states: LOGGED_IN,
  mayExpunge: true,
  parse: (input) => ({ mailbox: input.sp().mailbox(), uses: createParameters(input) }),
  async *run({ mailbox: wanted, uses }, { state, store, session }) {
    // A delimiter at the end declares that inferior names will follow (§6.3.4); any mailbox may have those here.
    const name = wanted.length > 1 && wanted.endsWith(DELIMITER) ? wanted.slice(0, -1) : wanted;
    const { id } = await store.createMailbox(state.account, name, specialUses(uses));
    if (name !== wanted && session.dialect.rev2) yield oldName(name, wanted);
    return ok('CREATE completed', `MAILBOXID (${mailboxObjectId(id)})`);
  },
});

/** With the space before them, if they are there: RFC 4466 §2.2. @returns what USE names */
function createParameters(input: Parser): readonly string[] {
  let uses: readonly string[] = [];
  if (!input.has(' (')) return uses;
  input.sp().list(() => {
    if (!input.keyword('USE')) throw new BadSyntax('CREATE has the parameter USE, and no others');
    uses = input.sp().take('()') ? [] : input.list(() => `\\${input.expect('\\').atom('a special use')}`);
  });
  return uses;
}

/** RFC 6154 §3: what is not known here is refused, and no mailbox is made. */
function specialUses(names: readonly string[]): SpecialUse[] {
  const known = names.map((name) => SPECIAL_USES.find((use) => use.toLowerCase() === name.toLowerCase()));
  const unknown = known.indexOf(undefined);
  if (unknown !== -1) throw new Refusal('USEATTR', `${names[unknown]!} is no special use that is known here`);
  return [...new Set(known as SpecialUse[])];
}
