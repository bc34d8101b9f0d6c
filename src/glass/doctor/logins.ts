/** Mistakes about logging in, and about sending without it (D06, D07, D12, D13, D14, D15, D17). */
import { wholeName } from '../../sasl/login-name.ts';
import type { Spoken } from '../spoken.ts';
import type { Case } from './case.ts';
import { type Exchange, type Facts, allNoted, noted } from './facts.ts';
import { choose, list, tlsPort } from './remedies.ts';

const LOOPBACK = /^(?:127\.|::1$)/;
const IN_CLEAR = /\[PRIVACYREQUIRED\]|^538 |^-ERR \[AUTH\] Passwords are not taken in clear/i;

const quoted = ({ text }: Spoken): string => `"${text.slice(0, 80)}"`;

/** Undefined: TLS has never started. */
const tlsAt = ({ handshake }: Facts): number | undefined =>
  handshake?.end?.step.step === 'end' ? handshake.end.seq : undefined;

export const passwordInClear: Case = {
  id: 'D06',
  title: 'A password in clear',
  seen: 'LOGIN, AUTH or PASS on a clear connection that does not permit it (or, as a note or advice, that does)',
  says: 'The password has crossed the network readable. Turn TLS on and change it.',
  inBand: '`NO [PRIVACYREQUIRED]`, `538 5.7.11`, `-ERR [AUTH]`',
  find(facts) {
    const { conversation, spoken, exchanges, service } = facts;
    if (conversation.protocol === 'http') return undefined;
    const secured = tlsAt(facts);
    const clear = (seq: number): boolean => (secured === undefined ? service?.tls !== 'implicit' : seq < secured);
    const turnOn = choose(
      service?.tls === 'starttls' && 'STARTTLS as the connection security',
      tlsPort(facts) && `SSL/TLS with ${tlsPort(facts)!}`,
    );
    const refused = exchanges.find(({ reply, command }) => reply && clear(command.seq) && IN_CLEAR.test(reply.text));
    if (refused) {
      // USER, or AUTH that waits for a challenge, have not shown the password yet.
      const shown = spoken.find(({ side, secret, seq }) => side === 'client' && secret && clear(seq));
      const hasLeaked = shown !== undefined && !/^USER\b/i.test(shown.text);
      return {
        severity: 'problem',
        sentence: hasLeaked
          ? 'Your program sent the password before TLS: it has crossed the network readable, and was refused.'
          : 'Your program wanted to log in before TLS, and was refused. The password has not been sent yet.',
        remedy: hasLeaked ? `Turn TLS on and change the password. ${turnOn}` : `Turn TLS on. ${turnOn}`,
        evidence: [
          { seq: (hasLeaked ? shown : refused.command).seq, shows: quoted(hasLeaked ? shown : refused.command) },
          { seq: refused.reply!.seq, shows: quoted(refused.reply!) },
        ],
      };
    }
    const login = allNoted(facts, 'login').find(
      ({ seq, annotation }) => clear(seq) && !annotation.mechanism.startsWith('SCRAM'),
    );
    if (login === undefined || conversation.tls !== undefined) return undefined;
    const isHere = LOOPBACK.test(conversation.remote.address);
    const sent = spoken.findLast(({ side, secret, seq }) => side === 'client' && secret && seq <= login.seq);
    return {
      severity: isHere ? 'note' : 'advice',
      title: 'A login in clear',
      sentence: isHere
        ? 'Name and password came in clear. On this computer nobody listens; on a network everybody between could read them.'
        : 'Name and password crossed the network readable. This server permits it from private addresses, to try things out; others refuse it.',
      remedy: `For a real account turn TLS on. ${turnOn}`,
      evidence: [
        ...(sent ? [{ seq: sent.seq, shows: quoted(sent) }] : []),
        { seq: login.seq, shows: `logged in by ${login.annotation.mechanism}` },
      ],
    };
  },
};

const LOOKING: ReadonlySet<string> = new Set(['CAPABILITY', 'CAPA', 'EHLO', 'HELO', 'LHLO', 'NOOP', 'ID', 'RSET']);
const LEAVING: ReadonlySet<string> = new Set(['QUIT', 'LOGOUT']);
const TLS_COMMANDS: ReadonlySet<string> = new Set(['STARTTLS', 'STLS']);

/** Thunderbird looks for a server so; it has come back with what it found by then. */
export function isGuess({ exchanges }: Facts): boolean {
  const [first] = exchanges;
  return first !== undefined && /^(?:EHLO we-guess\.mozilla\.org|1 CAPABILITY$)/i.test(first.command.text);
}

const isRefused = ({ reply }: Exchange): boolean =>
  reply !== undefined && /^(?:\S+ (?:NO|BAD)\b|-ERR|[45]\d\d)/i.test(reply.text);

export const insistsOnTls: Case = {
  id: 'D07',
  title: 'TLS demanded, not offered',
  seen: 'EHLO, CAPABILITY or CAPA and then gone, or a STARTTLS that was refused, where TLS is not offered (or a fault strips it)',
  says: 'Your program insists on TLS, which this port does not offer.',
  find(facts) {
    const { exchanges, closed, service, conversation } = facts;
    if (tlsAt(facts) !== undefined || conversation.protocol === 'http' || facts.handshake) return undefined;
    const isStripped = allNoted(facts, 'fault').some(({ annotation }) => annotation.at === 'capabilities');
    const why = isStripped
      ? 'A fault rule has taken STARTTLS out of what is offered, as an attacker would.'
      : 'This port does not offer it.';
    const remedy = isStripped
      ? 'That is the right behaviour. Switch the fault rule off to go on.'
      : choose('a port that has TLS', tlsPort(facts));
    const demanded = exchanges.find((exchange) => TLS_COMMANDS.has(exchange.verb) && isRefused(exchange));
    if (demanded && (isStripped || service?.tls === 'none')) {
      return {
        severity: 'problem',
        sentence: `Your program insists on TLS. ${why}`,
        remedy,
        evidence: [
          { seq: demanded.command.seq, shows: quoted(demanded.command) },
          { seq: demanded.reply!.seq, shows: quoted(demanded.reply!) },
        ],
      };
    }
    const looked = exchanges.filter(({ verb }) => LOOKING.has(verb) && verb !== 'NOOP');
    const onlyLooked = exchanges.every(({ verb }) => LOOKING.has(verb) || LEAVING.has(verb));
    if (closed?.by !== 'peer' && !exchanges.some(({ verb }) => LEAVING.has(verb))) return undefined;
    if (closed === undefined || looked.length === 0 || !onlyLooked || isGuess(facts)) return undefined;
    if (!isStripped && service?.tls !== 'none') return undefined;
    return {
      severity: 'advice',
      sentence: `Your program asked what is offered and left: it probably insists on TLS. ${why}`,
      remedy: isStripped ? remedy : `${remedy} If it only checked that the server is there, all is well.`,
      evidence: [
        { seq: looked[0]!.command.seq, shows: quoted(looked[0]!.command) },
        { seq: closed.seq, shows: 'the end, without anything more' },
      ],
    };
  },
};

export const noCommonMechanism: Case = {
  id: 'D12',
  title: 'No login method in common',
  seen: 'capabilities read, then gone without a login, where one is needed; or a mechanism that is not offered',
  says: 'No login method in common: we offer PLAIN, LOGIN, …; set “normal password”.',
  find(facts) {
    const { exchanges, closed, conversation, service } = facts;
    const needsLogin = /^(?:imaps?|pop3s?|submissions?)$/.test(conversation.service);
    if (!needsLogin || noted(facts, 'login') || noted(facts, 'fault') || isGuess(facts)) return undefined;
    const offered = offeredMechanisms(facts);
    const words = offered.length > 0 ? `This server offers ${list(offered, 8)}` : 'This server offers none before TLS';
    const remedy =
      'Set the authentication method to “normal password” (TLS protects it), not to encrypted password, CRAM-MD5, NTLM or Kerberos.';
    const refused = exchanges.find(
      (exchange) =>
        isRefused(exchange) &&
        (exchange.verb === 'APOP' ||
          (/^AUTH(?:ENTICATE)?$/.test(exchange.verb) && /not offered|not known|^504 /i.test(exchange.reply!.text))),
    );
    if (refused) {
      const mechanism =
        refused.verb === 'APOP' ? 'APOP' : (/^\S+/.exec(refused.args)?.[0] ?? '').toUpperCase().slice(0, 30);
      return {
        severity: 'problem',
        sentence: `Your program wants to log in by ${mechanism}, which is not offered. ${words}.`,
        remedy,
        evidence: [
          { seq: refused.command.seq, shows: quoted(refused.command) },
          { seq: refused.reply!.seq, shows: quoted(refused.reply!) },
        ],
      };
    }
    if (closed === undefined || noted(facts, 'login-failed')) return undefined;
    const looked = exchanges.findLast(({ verb }) => LOOKING.has(verb) && verb !== 'NOOP' && verb !== 'ID');
    const silent = exchanges.every(({ verb }) => LOOKING.has(verb) || LEAVING.has(verb) || TLS_COMMANDS.has(verb));
    if (looked === undefined || !silent || (tlsAt(facts) === undefined && service?.tls === 'implicit'))
      return undefined;
    // Capabilities that were read in clear, before TLS: the handshake is what went wrong.
    const secured = tlsAt(facts);
    if (facts.handshake !== undefined && (secured === undefined || looked.command.seq < secured)) return undefined;
    const isPolite = exchanges.some(({ verb }) => LEAVING.has(verb));
    if (!isPolite && closed.by !== 'peer') return undefined;
    return {
      severity: isPolite ? 'advice' : 'problem',
      sentence: `Your program read what is offered and left without a login: it probably found no method in common. ${words}.`,
      remedy: isPolite ? `${remedy} If it only checked that the server is there, all is well.` : remedy,
      evidence: [
        {
          seq: (looked.reply ?? looked.command).seq,
          shows: offered.length > 0 ? `we offer ${offered.join(' ')}` : quoted(looked.command),
        },
        { seq: closed.seq, shows: 'the client left' },
      ],
    };
  },
};

/** As the last list of capabilities has them. */
function offeredMechanisms({ spoken }: Facts): string[] {
  for (const { side, text } of spoken.toReversed()) {
    if (side !== 'server') continue;
    const named = /^250[ -]AUTH (.+)$/.exec(text)?.[1] ?? /^SASL (.+)$/.exec(text)?.[1];
    if (named !== undefined) return named.trim().split(/ +/);
    const imap = [...text.matchAll(/\bAUTH=([A-Z0-9-]+)/g)].map(([, name]) => name!);
    if (imap.length > 0) return imap;
  }
  return [];
}

export const incompleteName: Case = {
  id: 'D13',
  title: 'Not a whole address as the user name',
  seen: 'a login name without `@`, or with a backslash',
  says: 'You logged in as alice; most servers want alice@glass.localhost.',
  inBand: 'the text of the `NO`, `535` or `-ERR` of a login that failed',
  find(facts) {
    if (facts.conversation.service === 'smtp' || facts.conversation.service === 'lmtp') return undefined;
    const attempts = [
      ...allNoted(facts, 'login').map(({ seq, annotation }) => ({
        seq,
        name: annotation.given ?? annotation.login,
        works: true,
      })),
      ...allNoted(facts, 'login-failed').map(({ seq, annotation }) => ({ seq, name: annotation.login, works: false })),
    ].sort((a, b) => a.seq - b.seq);
    for (const { seq, name, works } of attempts) {
      const whole = wholeName(name, facts.context.defaultDomain);
      if (whole === undefined) continue;
      return {
        severity: works ? 'advice' : 'problem',
        sentence: works
          ? `You logged in as ${name}. It works here and means ${whole}; most servers want the whole address.`
          : `You tried to log in as ${name}; most servers, this one too where a name is in doubt, want ${whole}.`,
        remedy: `Set the user name to ${whole}.`,
        evidence: [{ seq, shows: `${works ? 'logged in' : 'refused'} as ${name}` }],
      };
    }
    return undefined;
  },
};

const MISTAKES = {
  'unknown-name': [
    'There is no account of that name here.',
    'Check the user name: Settings, Accounts lists those that exist.',
  ],
  case: [
    'The password is right but for capitals and small letters.',
    'Look at Caps Lock, and at the capital that phones put at the start.',
  ],
  blanks: ['The password is right but for blanks.', 'A blank came with it when it was copied: type it.'],
  keyboard: [
    'The password would be right on another keyboard layout.',
    'Check the keyboard layout: letters such as y and z have changed places.',
  ],
} as const;

export const wrongPassword: Case = {
  id: 'D14',
  title: 'Login refused',
  seen: 'a login that failed; in capture mode also by what it differs from the right one: no such name, case, blanks, keyboard layout',
  says: 'The password is right but for capitals and small letters.',
  inBand: '`NO [AUTHENTICATIONFAILED]`, `535 5.7.8`, `-ERR [AUTH]`, which do not tell the difference',
  find(facts) {
    const failed = allNoted(facts, 'login-failed');
    const last = failed.findLast(({ annotation }) => annotation.mistake !== undefined) ?? failed.at(-1);
    if (last === undefined) return undefined;
    const { login, mistake, mechanism, reason } = last.annotation;
    const succeeded = allNoted(facts, 'login').some(({ seq }) => seq > last.seq);
    const name = login === '' ? 'somebody who gave no name' : login.slice(0, 80);
    const isToken = /XOAUTH2|OAUTHBEARER/.test(mechanism);
    const [what, cure] = mistake
      ? MISTAKES[mistake]
      : isToken
        ? ['The token is not valid here.', 'Get a new token, or log in with the password.']
        : ['The name or the password is wrong.', 'Type the name as a whole address, and the password anew.'];
    return {
      severity: succeeded ? 'advice' : 'problem',
      title: mistake === 'unknown-name' ? 'No such account' : mistake ? 'Nearly the right password' : 'Login refused',
      sentence: `The login of ${name} was refused${succeeded ? ', before another one succeeded' : ''}. ${what}`,
      remedy: cure,
      evidence: [{ seq: last.seq, shows: `${mechanism}: ${mistake ?? reason}` }],
    };
  },
};

export const sendingWithoutLogin: Case = {
  id: 'D15',
  title: 'Sending without a login',
  seen: 'MAIL before AUTH on a submission port',
  says: 'Turn authentication on for the outgoing server.',
  inBand: '`530 5.7.0`',
  find({ exchanges, service }) {
    const refused = exchanges.find(({ verb, reply }) => verb === 'MAIL' && reply?.text.startsWith('530'));
    if (refused === undefined) return undefined;
    const tlsFirst = refused.reply!.text.includes('STARTTLS');
    return {
      severity: 'problem',
      sentence: tlsFirst
        ? 'Your program wants to send without TLS and without a login; this port takes mail only from users who have logged in under TLS.'
        : 'Your program wants to send without a login; this port takes mail only from users who have logged in.',
      remedy: `${tlsFirst && service?.tls === 'starttls' ? 'Choose STARTTLS for the outgoing server, and turn' : 'Turn'} authentication on for the outgoing server: the same name and password as for reading.`,
      evidence: [
        { seq: refused.command.seq, shows: quoted(refused.command) },
        { seq: refused.reply!.seq, shows: quoted(refused.reply!) },
      ],
    };
  },
};

export const relaying: Case = {
  id: 'D17',
  title: 'Relaying refused',
  seen: 'RCPT for another domain, without a login: `550 5.7.1`',
  says: 'Relaying needs a login.',
  inBand: '`550 5.7.1`',
  find(facts) {
    const { exchanges, context } = facts;
    const refused = exchanges.find(({ verb, reply }) => verb === 'RCPT' && /^550 5\.7\.1\b/.test(reply?.text ?? ''));
    if (refused === undefined || noted(facts, 'fault')) return undefined;
    const submission = context.services().submission ?? context.services().submissions;
    const loggedIn = noted(facts, 'login') !== undefined;
    return {
      severity: 'problem',
      sentence: loggedIn
        ? 'The recipient is of another domain, and this server sends nothing to other servers.'
        : `The recipient is of another domain: this port takes mail for ${list(context.domains)} alone. Relaying needs a login.`,
      remedy: loggedIn
        ? 'GLASSMAIL_ROUTE (--route) says whether, and by which way, mail leaves.'
        : `Log in, on ${submission ? `port ${submission.port}` : 'a submission port'}.`,
      evidence: [
        { seq: refused.command.seq, shows: quoted(refused.command) },
        { seq: refused.reply!.seq, shows: quoted(refused.reply!) },
      ],
    };
  },
};
