/**
 * NOOP and CHECK: RFC 9051 §6.1.2, RFC 3501 §6.4.1.
 * Nothing is done, so that what is new can be told: as after every command, but here EXPUNGE too. The store has no more
 * checkpoint to make for CHECK than for any other command.
 */
import { command, EVERYWHERE, none } from '../command.ts';
import { ok } from '../grammar/responses.ts';

export const noop = command({
  states: EVERYWHERE,
  mayExpunge: true,
  parse: none,

  async *run() {
    return ok('NOOP completed');
  },
});

export const check = command({
  states: ['selected'],
  mayExpunge: true,
  parse: none,

  async *run() {
    return ok('CHECK completed');
  },
});
