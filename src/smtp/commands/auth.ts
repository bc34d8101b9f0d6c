/**
 * AUTH: RFC 4954.
 * Not during a mail transaction, once in a session. The mechanisms are those of `sasl`; this is their framing.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { loginAddress, nameHint } from '../../sasl/login-name.ts';
import { decodeBase64, mechanisms, startSasl } from '../../sasl/mechanism.ts';
import type { Credentials, SaslOptions, SaslStep } from '../../sasl/mechanism.ts';
import { WRONG_LOGIN } from '../../sasl/verify-login.ts';
import { LOGGED_IN, NOT_IMPLEMENTED, TOO_MANY_LOGINS, reply, struck, type Reply } from '../replies.ts';
import type { SmtpSession } from '../session.ts';

/** Then the connection ends. */
const MOST_FAILURES = 5;

/** Yields challenges, takes the lines that answer them. */
export async function* auth(argument: string, session: SmtpSession): AsyncGenerator<Uint8Array, Reply, string> {
  if (session.options.auth === 'none') return NOT_IMPLEMENTED;
  if (session.login !== undefined) return reply(503, '5.5.1', 'Already logged in'); // §4
  if (session.transaction) return reply(503, '5.5.1', 'Not during a mail transaction'); // §4
  const [mechanism = '', initial, ...more] = argument.split(/ +/);
  if (mechanism === '' || more.length > 0) return reply(501, '5.5.4', 'AUTH wants a mechanism');
  if (!offersLogin(session)) return whyNot(session);
  const exchange = startSasl(mechanism, credentials(session), saslOptions(session));
  if (!exchange) return reply(504, '5.5.4', 'The mechanism is not known here'); // §4
  let response: Uint8Array | undefined;
  if (initial !== undefined && (response = decodeBase64(initial)) === undefined) return NOT_BASE64;
  for (;;) {
    const step = await exchange.step(response);
    if (step.type !== 'challenge') return outcome(step, exchange.mechanism, session);
    const line = yield step.data;
    if (line === '*') return reply(501, '5.7.0', 'Authentication cancelled'); // §4
    response = line === '' ? new Uint8Array(0) : decodeBase64(line);
    if (response === undefined) return NOT_BASE64;
  }
}

/** §4: "If the server cannot base64 decode". */
const NOT_BASE64 = reply(501, '5.5.2', 'The response is not base64');

/** What EHLO announces; nothing that would then be refused. */
export function offeredMechanisms(session: SmtpSession): readonly string[] {
  if (session.login !== undefined || !offersLogin(session)) return [];
  return mechanisms(credentials(session), saslOptions(session));
}

/** RFC 4954 §4: no plaintext password where others can read it. */
export function offersLogin({ options, connection }: SmtpSession): boolean {
  if (options.auth === 'none') return false;
  return connection.secure || options.permitsPlaintextLogin(connection.remote.address);
}

function whyNot({ options, connection }: SmtpSession): Reply {
  if (connection.secure || !options.starttls) return NOT_IMPLEMENTED;
  return reply(538, '5.7.11', 'Encryption required: issue STARTTLS first'); // §6
}

function credentials({ options }: SmtpSession): Credentials {
  return options.auth === 'any' ? { ...options.credentials, acceptAny: true } : options.credentials;
}

/** Under TLS 1.3 a login can be bound to the connection: SCRAM-SHA-256-PLUS (RFC 7677, RFC 9266). */
function saslOptions({ connection }: SmtpSession): SaslOptions {
  return { channelBinding: connection.channelBinding() };
}

async function outcome(
  step: Exclude<SaslStep, { type: 'challenge' }>,
  mechanism: string,
  session: SmtpSession,
): Promise<Reply> {
  const { options, connection } = session;
  const { address } = connection.remote;
  if (step.type === 'failure' && step.reason === 'malformed') return reply(501, '5.5.2', step.message);
  // Who guesses waits for each answer, right or wrong.
  const wait = options.loginThrottle.delayMs(address);
  if (wait > 0) await delay(wait, undefined, { signal: connection.signal }).catch(() => undefined); // The client left.
  const hit = struck(session, 'authentication');
  if (hit) return hit;
  if (step.type === 'success') {
    options.loginThrottle.succeeded(address);
    session.login = options.auth === 'any' ? step.login : loginAddress(step.login, options.defaultDomain);
    const given = step.login === session.login ? {} : { given: step.login };
    connection.annotate({ type: 'login', login: session.login, mechanism, ...given });
    return LOGGED_IN;
  }
  options.loginThrottle.failed(address);
  const { login = '', reason, mistake } = step;
  connection.annotate({ type: 'login-failed', login, mechanism, reason, ...(mistake && { mistake }) });
  if (++session.failedLogins >= MOST_FAILURES) return TOO_MANY_LOGINS;
  const hint = step.message === WRONG_LOGIN ? nameHint(login, options.defaultDomain) : '';
  return reply(535, '5.7.8', `${step.message}${hint}`);
}
