/**
 * AUTHENTICATE: RFC 9051 §6.2.2, with an initial response (SASL-IR, RFC 4959). The mechanisms live in `sasl/`; here they
 * are framed: challenges as continuation requests, responses as lines, both in base 64.
 */
import { decodeBase64, encodeBase64, mechanisms, startSasl } from '../../sasl/mechanism.ts';
import type { SaslStep } from '../../sasl/mechanism.ts';
import { Refusal } from '../../store/refusal.ts';
import { command } from '../command.ts';
import type { Context } from '../command.ts';
import { BadSyntax } from '../grammar/bad-syntax.ts';
import { loggedIn, loginFailed, privacyRequired } from './login.ts';

export const authenticate = command({
  states: ['not-authenticated'],
  mayExpunge: false,
  parse: (input) => ({
    mechanism: input.sp().atom('a mechanism such as PLAIN').toUpperCase(),
    initialResponse: input.atEnd() ? undefined : input.sp().initialResponse(),
  }),

  async *run({ mechanism, initialResponse }, context) {
    const { session } = context;
    const { credentials } = session.options;
    const exchange = startSasl(mechanism, credentials, session.login.sasl());
    if (exchange === undefined) {
      if (mechanisms(credentials).includes(mechanism)) throw privacyRequired();
      const offered = mechanisms(credentials, session.login.sasl()).join(', ');
      throw new Refusal('CANNOT', `The mechanism ${mechanism} is not offered; these are: ${offered}`);
    }
    await session.login.delay();
    let step = await exchange.step(initialResponse);
    while (step.type === 'challenge') {
      await session.continuation(encodeBase64(step.data));
      step = await exchange.step(decodeAnswer(await session.answer()));
    }
    if (step.type === 'success') return loggedIn(step.login, mechanism, context);
    throw failure(step, mechanism, context);
  },
});

/** RFC 9051 §6.2.2: `*` cancels, and is answered BAD, as is what is no base 64. */
function decodeAnswer(line: Buffer): Uint8Array {
  const text = line.toString('latin1');
  if (text === '*') throw new BadSyntax('Authentication cancelled');
  const octets = decodeBase64(text);
  if (octets === undefined) throw new BadSyntax('The response to a challenge is one line of base 64');
  return octets;
}

function failure(
  { reason, login = '', mistake, message }: Extract<SaslStep, { type: 'failure' }>,
  mechanism: string,
  context: Pick<Context, 'session'>,
): Error {
  switch (reason) {
    case 'malformed':
    case 'aborted':
      return new BadSyntax(message);
    case 'invalid-credentials':
      return loginFailed(login, mechanism, context, mistake);
    case 'authorization':
    case 'unsupported':
      context.session.login.failed(login, mechanism, reason);
      return new Refusal(reason === 'authorization' ? 'AUTHORIZATIONFAILED' : 'CANNOT', message);
  }
}
