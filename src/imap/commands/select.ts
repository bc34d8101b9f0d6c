/**
 * SELECT and EXAMINE: RFC 9051 §6.3.2, §6.3.3; RFC 3501 §6.3.1 for RECENT and UNSEEN; CONDSTORE RFC 7162 §3.1.8, QRESYNC
 * §3.2.5; MAILBOXID RFC 8474 §4.2; a warning of RFC 9208 §4.3.1.
 */
import { isFull } from '../../store/quota.ts';
import { Refusal } from '../../store/refusal.ts';
import { command, highestModSeq, LOGGED_IN } from '../command.ts';
import type { Yielded } from '../command.ts';
import { BadSyntax, uidRequired } from '../grammar/bad-syntax.ts';
import { exists, ok, untaggedNo, untaggedOk } from '../grammar/responses.ts';
import type { Dialect } from '../grammar/syntax.ts';
import { MailboxView } from '../mailbox-view.ts';
import { pathPrefixHint } from '../path-prefix.ts';
import { mailboxObjectId } from '../object-id.ts';
import { resync } from '../resync.ts';
import { listEntryOf } from './list.ts';

export const select = command({
  states: LOGGED_IN,
  mayExpunge: false,
  parse: (input) => ({ mailbox: input.sp().mailbox(), parameters: input.selectParameters() }),
  async *run({ mailbox: wanted, parameters }, { name, state, store, session }) {
    // RFC 7162 §3.2.5: only after ENABLE QRESYNC.
    if (parameters.qresync && !session.dialect.qresync) throw new BadSyntax('QRESYNC has not been enabled');
    if (parameters.qresync?.match && session.dialect.uidOnly) throw uidRequired();
    const { account, login } = state;
    if (state.name === 'selected') {
      // §6.3.2: the old mailbox is closed even if the new one cannot be opened; CLOSED divides what concerns the one and the other.
      session.become({ name: 'authenticated', account, login });
      yield untaggedOk('The mailbox that was selected is closed', 'CLOSED');
    }
    // Now, so that what it tells is told of the new mailbox alone.
    if (parameters.condstore) session.enable('condstore');
    const mailbox = await store.findMailbox(account, wanted, 'r');
    if (!mailbox)
      throw new Refusal(
        'NONEXISTENT',
        `There is no mailbox "${wanted}"${pathPrefixHint(wanted)}; LIST "" * names those that exist`,
      );
    const fault = session.faults?.ask({ at: 'mailbox', mailbox: mailbox.name, doing: 'open' });
    if (fault?.has('new-uidvalidity') === true) await store.renewUidValidity(account, mailbox.id);
    const examine = name === 'EXAMINE' || fault?.has('read-only') === true;
    const view = await MailboxView.open(store, account, mailbox.id, { readOnly: examine, dialect: session.dialect });
    yield opened(view, session.dialect);
    if (parameters.qresync) yield* resync(view, parameters.qresync);
    if (session.dialect.rev2) yield await listEntryOf(store, account, view.name);
    session.become({ name: 'selected', account, login, view });
    session.connection.annotate({ type: 'selected', mailbox: view.name });
    // RFC 9208 §4.3.1: permitted now that a mailbox is selected, and the only way in which people learn why no mail comes.
    const owner = await store.findAccount(mailbox.account);
    if (owner && isFull(owner.quota)) yield untaggedNo(`The mailboxes of ${owner.address} are full`, 'OVERQUOTA');
    // RFC 4314 §5.2
    return ok(`${name} completed`, view.readOnly ? 'READ-ONLY' : 'READ-WRITE');
  },
});

function opened(view: MailboxView, { rev2, uidOnly }: Dialect): Yielded {
  // RFC 9586 §3: it would be a sequence number.
  const unseen = rev2 || uidOnly ? undefined : view.firstUnseen;
  return [
    { type: 'flags', flags: view.flags },
    exists(view.count),
    ...(rev2 ? [] : [{ type: 'recent', count: view.recentCount } as const]),
    ...(unseen === undefined ? [] : [untaggedOk('The first message without \\Seen', `UNSEEN ${unseen}`)]),
    untaggedOk('Flags that can be changed', `PERMANENTFLAGS (${view.permanentFlags.join(' ')})`),
    untaggedOk('UIDs are valid', `UIDVALIDITY ${view.uidValidity}`),
    untaggedOk('The next UID, or a higher one', `UIDNEXT ${view.uidNext}`),
    untaggedOk('The highest mod-sequence', highestModSeq(view.highestModSeq)),
    untaggedOk('The mailbox itself', `MAILBOXID (${mailboxObjectId(view.id)})`),
  ];
}
