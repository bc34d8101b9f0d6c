/**
 * AUTH: RFC 5034, with the mechanisms of RFC 4422.
 * `AUTH` alone lists the mechanisms, as clients from before CAPA ask for them (Outlook Express still does).
 */
import { nameHint } from '../../sasl/login-name.ts';
import { WRONG_LOGIN } from '../../sasl/verify-login.ts';
import { decodeBase64, mechanisms, startSasl } from '../../sasl/mechanism.ts';
import type { SaslStep } from '../../sasl/mechanism.ts';
import { command } from '../command.ts';
import type { AuthorizationState, Context } from '../command.ts';
import { BadSyntax, quote } from '../grammar/parser.ts';
import { err, ok } from '../grammar/responses.ts';
import type { Response } from '../grammar/responses.ts';
import { NOT_IN_CLEAR, enterMaildrop, refuseLogin } from '../login.ts';

/** What CAPA and AUTH list; under TLS 1.3 SCRAM-SHA-256-PLUS too, where it is offered (RFC 5802 §6, RFC 9266). */
export function offeredMechanisms({ credentials, sasl }: Context): readonly string[] {
  return mechanisms(credentials, sasl);
}

export const auth = command({
  states: ['authorization'],
  parse: (input) => {
    if (!input.optionalSp()) return undefined;
    const mechanism = input.word();
    if (!input.optionalSp()) return { mechanism, initial: undefined };
    // RFC 5034 §4: `=` is an initial response that is empty.
    const initial = decodeBase64(input.word());
    if (initial === undefined) throw new BadSyntax('The initial response is not base 64');
    return { mechanism, initial };
  },
  async run(args, context) {
    if (args === undefined) return ok('Mechanisms follow', { lines: offeredMechanisms(context) });
    const { mechanism, initial } = args;
    const exchange = startSasl(mechanism, context.credentials, context.sasl);
    if (exchange === undefined) {
      if (mechanisms(context.credentials).includes(mechanism.toUpperCase())) return NOT_IN_CLEAR;
      return err(`${quote(mechanism)} is not offered; there are ${offeredMechanisms(context).join(', ')}`);
    }
    await context.holdBack();
    let step = await exchange.step(initial);
    while (step.type === 'challenge') {
      const answer = await context.ask(step.data);
      if (answer.type === 'cancelled') return err('Cancelled, as you asked');
      if (answer.type === 'malformed') return err(answer.message);
      step = await exchange.step(answer.octets);
    }
    return step.type === 'success'
      ? enterMaildrop(step.login, exchange.mechanism, context)
      : failed(step, exchange.mechanism, context);
  },
});

function failed(
  { reason, login = '', mistake, message }: Extract<SaslStep, { type: 'failure' }>,
  mechanism: string,
  context: Context<AuthorizationState>,
): Response {
  if (reason === 'malformed') return err(message);
  const hint = message === WRONG_LOGIN ? nameHint(login, context.defaultDomain) : '';
  return { ...refuseLogin(login, mechanism, message, context, mistake), text: `${message}${hint}` };
}
