/**
 * USER: RFC 1939 §7, in UTF-8 by RFC 6856 §2.2.
 * Says nothing about whether the name exists.
 */
import { saslprep } from '../../sasl/saslprep.ts';
import { decodeUtf8 } from '../../sasl/text.ts';
import { command } from '../command.ts';
import { BadSyntax } from '../grammar/parser.ts';
import { ok } from '../grammar/responses.ts';
import { NOT_IN_CLEAR } from '../login.ts';

export const user = command({
  states: ['authorization'],
  parse: (input) => {
    // RFC 6856 §2.2: SASLprep, which refuses control characters and the like, and what is not UTF-8 is refused.
    const login = saslprep(decodeUtf8(input.sp().rest())?.trim() ?? '\0');
    if (login === undefined || /[\x00-\x1F\x7F]/.test(login)) throw new BadSyntax('The name is not UTF-8 text');
    return { login };
  },
  async run({ login }, context) {
    if (!context.plaintextPermitted) return NOT_IN_CLEAR;
    await context.become({ name: 'authorization', login });
    return ok('Now the password, with PASS');
  },
});
