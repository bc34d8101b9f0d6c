/**
 * GETMETADATA: RFC 5464 §4.2. The empty mailbox name means the server. An entry without a value is answered NIL, unless
 * DEPTH asks for what there is.
 */
import { Refusal } from '../../store/refusal.ts';
import { annotationValues } from '../annotations.ts';
import { command, LOGGED_IN } from '../command.ts';
import { getMetadata as parse } from '../grammar/metadata.ts';
import { ok } from '../grammar/responses.ts';

export const getMetadata = command({
  states: LOGGED_IN,
  mayExpunge: true,
  parse: (input) => parse(input.sp()),
  async *run({ mailbox: name, ...query }, { state, store, session }) {
    const mailbox = name === '' ? undefined : await store.findMailbox(state.account, name);
    if (name !== '' && !mailbox) throw new Refusal('NONEXISTENT', `There is no mailbox "${name}"`);
    const { adminContact } = session.options;
    const { values, longest } = await annotationValues(store, state.account, mailbox, query, adminContact);
    if (values.length > 0) yield { type: 'metadata', mailbox: mailbox?.name ?? '', values };
    // §4.2.1
    return ok('GETMETADATA completed', longest > 0 ? `METADATA LONGENTRIES ${longest}` : undefined);
  },
});
