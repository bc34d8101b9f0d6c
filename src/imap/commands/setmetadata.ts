/** SETMETADATA: RFC 5464 §4.3. The empty mailbox name means the server. All entries are set or none. */
import { THE_SERVER } from '../../store/change.ts';
import { Refusal } from '../../store/refusal.ts';
import { ADMIN } from '../annotations.ts';
import { command, LOGGED_IN } from '../command.ts';
import { setMetadata as parse } from '../grammar/metadata.ts';
import { ok } from '../grammar/responses.ts';
import type { ImapOptions } from '../server.ts';

export const setMetadata = command({
  states: LOGGED_IN,
  mayExpunge: true,
  parse: (input) => parse(input.sp()),
  async *run({ mailbox: name, changes }, { state, store, session }) {
    const mailbox = name === '' ? undefined : await store.findMailbox(state.account, name);
    if (name !== '' && !mailbox) throw new Refusal('NONEXISTENT', `There is no mailbox "${name}": CREATE it first`);
    if (!mailbox) assertMaySet([...changes.keys()], session.options);
    const modSeq = await store.setAnnotations(state.account, mailbox?.id ?? THE_SERVER, changes);
    // RFC 5465 §5: what this client does itself it is not told.
    if (modSeq !== undefined) session.ownAnnotations(modSeq);
    return ok('SETMETADATA completed');
  },
});

/** RFC 5464 §3.3: servers may restrict what is said of them to everybody. @throws Refusal NOPERM */
function assertMaySet(entries: readonly string[], { serverAnnotations = 'writable' }: ImapOptions): void {
  // §3.2.1.1
  if (entries.includes(ADMIN)) throw new Refusal('NOPERM', `${ADMIN} is for the operator to set`);
  if (serverAnnotations === 'read-only' && entries.some((entry) => entry.startsWith('/shared/'))) {
    throw new Refusal('NOPERM', 'What the server shares with all is not for its users to set');
  }
}
