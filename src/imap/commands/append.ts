/**
 * APPEND: RFC 9051 §6.3.12; several messages at once RFC 3502, all of them or none; APPENDUID RFC 4315 §2, literal8
 * RFC 3516 §4.4. What a message may be made of stands in `append-message.ts`.
 * The mailbox and its owner's room (RFC 9208 §4.3.1) are looked at before the client is asked for its message, and the
 * message goes to the store's spool as it comes. A literal over the limit was refused by the framing with TOOBIG, before its first octet (RFC 7889 §4).
 */
import { Refusal } from '../../store/refusal.ts';
import { appendSteps, receiveMessages } from '../append-message.ts';
import { command, LOGGED_IN } from '../command.ts';
import { ok } from '../grammar/responses.ts';
import { uidSet } from '../grammar/sequence-set.ts';
import { withProgress } from '../in-progress.ts';

export const append = command({
  states: LOGGED_IN,
  mayExpunge: true,
  parse: (input) => ({ mailbox: input.sp().mailbox(), steps: appendSteps(input, 'several') }),

  async *run({ mailbox: name, steps }, context) {
    const { tag, state, store, session } = context;
    const mailbox = await store.findMailbox(state.account, name, 'i');
    if (!mailbox) throw new Refusal('TRYCREATE', `There is no mailbox "${name}": CREATE it first`);
    await using spools = new AsyncDisposableStack();
    const owner = await store.findAccount(mailbox.account);
    const messages = await receiveMessages(steps, 'several', context, spools, owner);
    const appending = () => store.appendMessages(state.account, mailbox.id, messages);
    const { uidValidity, uids, unreadable } = await withProgress(tag, session, appending);
    if (state.name === 'selected' && state.view.id === mailbox.id) state.view.brings(uids);
    const arrived = uidSet(uids as readonly number[]);
    const sent = mailbox.specialUse.includes('\\Sent') || /(?:^|\/)sent\b/i.test(mailbox.name);
    session.connection.annotate({
      type: 'appended',
      mailbox: mailbox.name,
      mailboxId: mailbox.id,
      uids: arrived,
      ...(sent && { sent }),
    });
    // §6.3.12: who may not SELECT the mailbox is not told.
    if (unreadable) return ok('APPEND completed');
    return ok('APPEND completed', `APPENDUID ${uidValidity} ${arrived}`);
  },
});
