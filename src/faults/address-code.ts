/**
 * Faults that the recipient's address itself asks for, so that a program under test needs no other way to this server:
 * whoever mails `451-first2@any.test` is refused twice. Words of the local part, divided by hyphens; whatever is not just
 * such a code is an address like any other.
 */
import type { Effect } from './rule.ts';

export interface AddressCode {
  readonly at: 'recipient' | 'delivery';
  readonly what: Effect;
  /** So often for this address; undefined: always. */
  readonly times: number | undefined;
}

/** For people: in `start --help` and the API's description. */
export const ADDRESS_CODES: readonly (readonly [form: string, meaning: string])[] = [
  ['550@', 'refused at RCPT with this code, from 400 to 599'],
  ['451-first2@', 'refused so often, then accepted'],
  ['data-552@, data-451-first2@', 'the same when the message has come'],
  ['greylist@, greylist-30s@', '451 4.7.1 at first; accepted at the second try, or 30 s after the first'],
  ['delay-3s@, delay-500ms@', 'the reply to RCPT waits'],
  ['data-delay-3s@', 'the reply to the message waits'],
  ['duplicate@, duplicate-3@', 'the message is stored twice, or so often'],
  ['full@', '452 4.2.2: the mailbox is full'],
  ['cut@, cut-rst@', 'the message is stored, and the connection cut before the reply, with FIN or RST'],
];

/** @param localPart in lower case */
export function addressCode(localPart: string): AddressCode | undefined {
  // Nearly every address ends here.
  if (!/^(?:\d{3}|data|greylist|delay|duplicate|full|cut)(?:-|$)/.test(localPart)) return undefined;
  const code = /^(data-)?([45]\d\d)(?:-first([1-9]\d{0,3}))?$/.exec(localPart);
  if (code) {
    return { at: code[1] ? 'delivery' : 'recipient', what: { type: 'refuse', code: code[2] }, times: number(code[3]) };
  }
  const delay = /^(data-)?delay-([1-9]\d{0,5})(ms|s)$/.exec(localPart);
  if (delay) {
    const ms = Math.min(Number(delay[2]) * (delay[3] === 's' ? 1000 : 1), 600_000);
    return { at: delay[1] ? 'delivery' : 'recipient', what: { type: 'delay', ms }, times: undefined };
  }
  const greylist = /^greylist(?:-([1-9]\d{0,4})s)?$/.exec(localPart);
  if (greylist) return { at: 'recipient', what: { type: 'greylist', seconds: number(greylist[1]) }, times: undefined };
  const duplicate = /^duplicate(?:-([2-9]|[1-9]\d))?$/.exec(localPart);
  if (duplicate) {
    return { at: 'delivery', what: { type: 'duplicate', copies: number(duplicate[1]) ?? 2 }, times: undefined };
  }
  if (localPart === 'full') {
    const what = { type: 'refuse', code: '452', status: '4.2.2', text: 'The mailbox is full' } as const;
    return { at: 'recipient', what, times: undefined };
  }
  const cut = /^cut(-rst)?$/.exec(localPart);
  if (cut) {
    const what = { type: 'cut', when: 'before', how: cut[1] ? 'rst' : 'fin' } as const;
    return { at: 'delivery', what, times: undefined };
  }
  return undefined;
}

const number = (digits: string | undefined): number | undefined => (digits === undefined ? undefined : Number(digits));
