/**
 * ENABLE: RFC 9051 §6.3.1, RFC 5161.
 * What is unknown or not enabled by this command is passed over; only what is newly enabled is answered.
 */
import { AnnotationNews } from '../annotations.ts';
import { command } from '../command.ts';
import { ok } from '../grammar/responses.ts';
import type { Dialect } from '../grammar/syntax.ts';

/** In capitals: capability names are compared without case. */
const FEATURES: Readonly<Record<string, { readonly name: string; readonly feature: keyof Dialect }>> = {
  CONDSTORE: { name: 'CONDSTORE', feature: 'condstore' }, // RFC 7162 §3.1
  IMAP4REV2: { name: 'IMAP4rev2', feature: 'rev2' }, // RFC 9051 §6.3.1
  QRESYNC: { name: 'QRESYNC', feature: 'qresync' }, // RFC 7162 §3.2.3
  UIDONLY: { name: 'UIDONLY', feature: 'uidOnly' }, // RFC 9586 §3
  'UTF8=ACCEPT': { name: 'UTF8=ACCEPT', feature: 'utf8Accept' }, // RFC 6855 §3
};

export const enable = command({
  // RFC 5161 §3.1: not once a mailbox is selected.
  states: ['authenticated'],
  mayExpunge: true,
  parse(input) {
    const names = [input.sp().atom('a capability')];
    while (!input.atEnd()) names.push(input.sp().atom('a capability'));
    return { names };
  },
  async *run({ names }, { state, store, session }) {
    const asked = new Set(names.map((name) => FEATURES[name.toUpperCase()]).filter((known) => known !== undefined));
    const enabled = [...asked].filter(({ feature }) => !session.dialect[feature]);
    for (const { feature } of enabled) session.enable(feature);
    // RFC 5464 §4.1: it changes nothing but what is told unasked.
    const follows =
      names.some((name) => name.toUpperCase() === 'METADATA') &&
      session.followAnnotations(await AnnotationNews.start(store, state.account));
    yield { type: 'enabled', names: [...enabled.map(({ name }) => name), ...(follows ? ['METADATA'] : [])] };
    return ok('ENABLE completed');
  },
});
