/**
 * APOP: RFC 1939 §7, refused on purpose.
 * Its digest is MD5 over the password, so the server would have to keep passwords as they are; here they are kept as
 * SCRAM records, from which nobody reads them. The greeting has no timestamp, by which clients know (§7).
 */
import { command } from '../command.ts';
import { err } from '../grammar/responses.ts';

export const apop = command({
  states: ['authorization'],
  parse: (input) => {
    input.rest();
  },
  run: () =>
    err('APOP is not offered: it needs passwords that the server can read. Use AUTH SCRAM-SHA-256, or USER and PASS'),
});
