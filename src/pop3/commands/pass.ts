/**
 * PASS: RFC 1939 §7.
 * The password is all that follows the first space, blanks too. After a refusal the client starts again with USER.
 */
import { mistakeOf } from '../../sasl/login-mistake.ts';
import { Secret } from '../../sasl/secret.ts';
import { decodeUtf8 } from '../../sasl/text.ts';
import { verifyLogin } from '../../sasl/verify-login.ts';
import { command } from '../command.ts';
import { BadSyntax } from '../grammar/parser.ts';
import { err } from '../grammar/responses.ts';
import { NOT_IN_CLEAR, enterMaildrop, refuseLogin } from '../login.ts';

export const pass = command({
  states: ['authorization'],
  parse: (input) => {
    const password = decodeUtf8(input.oneSp().rest());
    if (password === undefined) throw new BadSyntax('The password is not UTF-8 text');
    return { password: new Secret(password) };
  },
  async run({ password }, context) {
    const { login } = context.state;
    if (!context.plaintextPermitted) return NOT_IN_CLEAR;
    if (login === undefined) return err('USER comes first');
    await context.become({ name: 'authorization', login: undefined });
    await context.holdBack();
    if (!(await verifyLogin(context.credentials, login, password))) {
      const mistake = await mistakeOf(context.credentials, login, password);
      return refuseLogin(login, 'USER', 'wrong name or password', context, mistake);
    }
    return enterMaildrop(login, 'USER', context);
  },
});
