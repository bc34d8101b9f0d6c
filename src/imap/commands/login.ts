/**
 * LOGIN: RFC 9051 §6.2.3; and how a login ends, for AUTHENTICATE too.
 * The answer to a failed login says nothing about whether the account exists.
 */
import { loginAddress, nameForm } from '../../sasl/login-name.ts';
import { type LoginMistake, mistakeOf } from '../../sasl/login-mistake.ts';
import { Secret } from '../../sasl/secret.ts';
import { verifyLogin } from '../../sasl/verify-login.ts';
import { Refusal } from '../../store/refusal.ts';
import { command } from '../command.ts';
import type { Context } from '../command.ts';
import { ok } from '../grammar/responses.ts';
import type { Completion } from '../grammar/syntax.ts';

export const login = command({
  states: ['not-authenticated'],
  mayExpunge: false,
  parse: (input) => ({
    login: input.sp().astring('a login name'),
    password: new Secret(input.sp().astring('a password')),
  }),

  async *run({ login, password }, context) {
    const { session } = context;
    if (!session.login.permitsPlaintext()) throw privacyRequired();
    await session.login.delay();
    const { credentials } = session.options;
    if (await verifyLogin(credentials, login, password)) return loggedIn(login, 'LOGIN', context);
    throw loginFailed(login, 'LOGIN', context, await mistakeOf(credentials, login, password));
  },
});

/** @throws Refusal AUTHORIZATIONFAILED: the name and the password are right, but there is no mail for it here */
export async function loggedIn(
  login: string,
  mechanism: string,
  { session, store }: Pick<Context, 'session' | 'store'>,
): Promise<Completion> {
  const address = loginAddress(login, session.options.defaultDomain);
  const account = await store.findAccount(address);
  if (account === undefined) {
    session.login.failed(login, mechanism, 'no-account');
    throw new Refusal('AUTHORIZATIONFAILED', `There is no account ${address} here`);
  }
  session.login.succeeded(account.address, mechanism, login);
  session.become({ name: 'authenticated', account: account.id, login: account.address });
  // RFC 9051 §6.2.2, §6.2.3: saves the client a CAPABILITY.
  return ok(`Logged in as ${account.address}`, `CAPABILITY ${session.capabilities().join(' ')}`);
}

/** Counts the failure. The text names the form of a login, for that is what is wrong most often after the password. */
export function loginFailed(
  login: string,
  mechanism: string,
  { session }: Pick<Context, 'session'>,
  mistake?: LoginMistake,
): Refusal {
  session.login.failed(login, mechanism, 'invalid-credentials', mistake);
  const form = nameForm(session.options.defaultDomain);
  return new Refusal('AUTHENTICATIONFAILED', `The name or the password is wrong${form}`);
}

/** RFC 9051 §6.2.3, §11.1: an eavesdropper has read it already; nobody shall get used to that. */
export function privacyRequired(): Refusal {
  return new Refusal(
    'PRIVACYREQUIRED',
    'Passwords in clear are not taken here: use STARTTLS, or the port that begins with TLS. If one was sent just now, change it',
  );
}
