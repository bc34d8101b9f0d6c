/** What PASS and AUTH have in common: from a proven login to the TRANSACTION state, or to a refusal (RFC 1939 §4). */
import type { LoginMistake } from '../sasl/login-mistake.ts';
import { loginAddress, nameHint } from '../sasl/login-name.ts';
import { WRONG_LOGIN } from '../sasl/verify-login.ts';
import type { AuthorizationState, Context } from './command.ts';
import { err, ok } from './grammar/responses.ts';
import type { Response } from './grammar/responses.ts';
import { MaildropView, type ViewOptions, told } from './maildrop-view.ts';

export async function enterMaildrop(
  login: string,
  mechanism: string,
  context: Context<AuthorizationState>,
): Promise<Response> {
  const address = loginAddress(login, context.defaultDomain);
  const account = await context.store.findAccount(address);
  if (account === undefined) return refuseLogin(login, mechanism, 'no such account', context);
  context.loginSucceeded(account.address, mechanism, login);
  // RFC 2449 §8.1.1: said to nobody but who has proved the password.
  if (!context.loginDue(account.id)) {
    return err(`Not yet: ${context.loginDelaySeconds!} seconds have to lie between two logins`, 'LOGIN-DELAY');
  }
  const options: ViewOptions = {
    ...context.maildrop,
    utf8: context.dialect.utf8,
    seen: (uids, modSeq) =>
      view && context.annotate({ type: 'flags', ...told(view.mailbox, uids), mode: 'add', flags: '\\Seen', modSeq }),
  };
  const view = await MaildropView.open(context.store, account.id, options);
  // RFC 2449 §8.1.2: the login was right, which the code says.
  if (view === undefined)
    return err('Another POP3 session has this maildrop open; try again when it has ended', 'IN-USE');
  await context.become({ name: 'transaction', account: account.id, view });
  context.loggedIn(account.id);
  return ok(`${account.address}: ${view.count === 1 ? '1 message' : `${view.count} messages`}`);
}

/** RFC 3206 §4: [AUTH] tells the client to ask for the password anew, and not to try again by itself. */
export function refuseLogin(
  login: string,
  mechanism: string,
  reason: string,
  context: Context<AuthorizationState>,
  mistake?: LoginMistake,
): Response {
  const response = err(`${WRONG_LOGIN}${nameHint(login, context.defaultDomain)}`, 'AUTH');
  return context.loginFailed(login, mechanism, reason, mistake) ? { ...response, then: 'close' } : response;
}

/** RFC 8314 §3.2 has passwords under TLS only. */
export const NOT_IN_CLEAR: Response = err(
  'Passwords are not taken in clear on this connection: use STLS, or the port that begins with TLS',
  'AUTH',
);
