/**
 * APPEND: RFC 9051 §6.3.12; APPENDUID RFC 4315 §2, literal8 RFC 3516 §4.4.
 * The mailbox is looked up before the client is asked for its message, and the message goes to the store's spool as it
 * comes. A message over the limit was refused by the framing with TOOBIG, before its first octet.
 */
import { Refusal } from '../../store/refusal.ts';
import { command, LOGGED_IN } from '../command.ts';
import { BadSyntax } from '../grammar/bad-syntax.ts';
import { no, ok } from '../grammar/responses.ts';

export const append = command({
  states: LOGGED_IN,
  mayExpunge: true,
  parse(input) {
    const mailbox = input.sp().mailbox();
    input.sp();
    const flags = input.peek() === '(' ? input.flagList() : undefined;
    if (flags) input.sp();
    const internalDate = input.peek() === '"' ? input.dateTime() : undefined;
    if (internalDate) input.sp();
    return { mailbox, flags: flags ?? [], internalDate, literal: input.messageLiteral() };
  },

  async *run({ mailbox: name, flags, internalDate = new Date(), literal }, { state, store, message }) {
    const mailbox = await store.findMailbox(state.account, name);
    if (!mailbox) throw new Refusal('TRYCREATE', `There is no mailbox "${name}": CREATE it first`);
    // By RFC 3502 §6.3.11 a client that thinks better of it sends no octets; no message is empty anyway.
    if (literal.size === 0) return no('A message without octets cannot be kept');
    await using spool = store.spool();
    for await (const octets of message.octets()) {
      // RFC 9051 §9: a literal is made of CHAR8, which NUL is not.
      if (!literal.binary && octets.includes(0)) throw new BadSyntax('NUL may only come in a literal8: ~{size}');
      await spool.write(octets);
    }
    (await message.rest()).end();
    const content = await spool.finish();
    const { uidValidity, uids } = await store.appendMessages(state.account, mailbox.id, [
      { content, flags, internalDate },
    ]);
    return ok('APPEND completed', `APPENDUID ${uidValidity} ${uids[0]!}`);
  },
});
