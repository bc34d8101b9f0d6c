/**
 * REPLACE and UID REPLACE: RFC 8508. The new message arrives and the old one goes, or neither: no other session sees the
 * one without the other.
 */
import type { Uid } from '../../store/change.ts';
import { Refusal } from '../../store/refusal.ts';
import { appendSteps, receiveMessages } from '../append-message.ts';
import { command, highestModSeq } from '../command.ts';
import { BadSyntax } from '../grammar/bad-syntax.ts';
import { ok, untaggedOk } from '../grammar/responses.ts';
import type { SequenceSet } from '../grammar/syntax.ts';

export const replace = command({
  states: ['selected'],
  mayExpunge: true,
  parse(input) {
    const which = input.sp().sequenceSet();
    if (!isOne(which)) throw new BadSyntax('REPLACE takes the number of one message');
    return { which, mailbox: input.sp().mailbox(), steps: appendSteps(input, 'one') };
  },

  async *run({ which, mailbox: wanted, steps }, context) {
    const { name, state, store, session } = context;
    const { account, view } = state;
    view.assertWritable();
    const [uid] = view.uids(which, name === 'UID REPLACE' ? 'uid' : 'seq');
    if (uid === undefined) throw new Refusal('NONEXISTENT', 'There is no such message');
    const mailbox = await store.findMailbox(account, wanted, 'i');
    if (!mailbox) throw new Refusal('TRYCREATE', `There is no mailbox "${wanted}": CREATE it first`);
    await using spools = new AsyncDisposableStack();
    const messages = await receiveMessages(steps, 'one', context, spools);
    const replaced = { mailbox: view.id, uid: uid as Uid };
    const { uidValidity, uids, modSeq, unreadable } = await store.appendMessages(
      account,
      mailbox.id,
      messages,
      replaced,
    );
    view.removes([uid]);
    if (mailbox.id === view.id) view.brings(uids);
    session.connection.annotate({ type: 'expunged', ...view.told(String(uid)) });
    const { id: mailboxId } = mailbox;
    session.connection.annotate({ type: 'appended', mailbox: mailbox.name, mailboxId, uids: String(uids[0]!) });
    // §4.3: before EXPUNGE, so that the client knows what has become of the message; if it may (RFC 9051 §6.3.12).
    if (!unreadable) yield untaggedOk('The replacement is there', `APPENDUID ${uidValidity} ${uids[0]!}`);
    // §4.5, RFC 7162 §3.2.9
    return ok(`${name} completed`, session.dialect.qresync ? highestModSeq(modSeq) : undefined);
  },
});

function isOne(set: SequenceSet): boolean {
  return set.type === 'set' && set.ranges.length === 1 && set.ranges[0]!.first === set.ranges[0]!.last;
}
