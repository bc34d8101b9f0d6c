/** Mistakes about what is spoken where (D04, D05, D16, D27, D28). */
import type { Case } from './case.ts';
import { type Exchange, type Facts, allNoted, hex, noted } from './facts.ts';
import { strangeFirstWords } from './first-words.ts';
import { choose, port, protocolName } from './remedies.ts';

/** A connection without a word: shorter ones are checks whether somebody listens. Milliseconds. */
const CHECK_MS = 1_000;
const SILENCE_MS = 5_000;

const OTHERS: readonly (readonly [protocol: string, RegExp])[] = [
  ['imap', /^\S{1,20} +(?:CAPABILITY|LOGIN|AUTHENTICATE|SELECT|EXAMINE|NAMESPACE|ID|STARTTLS|NOOP|LOGOUT|LIST)\b/i],
  ['pop3', /^(?:CAPA|USER|PASS|APOP|STAT|UIDL|STLS|RETR|TOP)\b/i],
  ['smtp', /^(?:EHLO|HELO|MAIL FROM|RCPT TO)\b/i],
  ['lmtp', /^LHLO\b/i],
];

function otherProtocol({
  exchanges,
  conversation,
}: Facts): { readonly name: string; readonly at: Exchange } | undefined {
  for (const exchange of exchanges.slice(0, 2)) {
    const { text, secret } = exchange.command;
    // `AUTH LOGIN` is SMTP's and POP3's own.
    const found =
      secret || /^(?:AUTH|EHLO|HELO|LHLO|MAIL|RCPT)\b/i.test(text)
        ? undefined
        : OTHERS.find(([, sign]) => sign.test(text));
    const name = found?.[0] ?? OTHERS.slice(2).find(([, sign]) => sign.test(text))?.[0];
    if (name !== undefined && name !== conversation.protocol) return { name, at: exchange };
    if (name === conversation.protocol) return undefined;
  }
  return undefined;
}

export const otherProtocolsPort: Case = {
  id: 'D04',
  title: 'The port of another protocol',
  seen: 'the other protocol’s command; or a greeting, then five seconds and more of silence',
  says: 'This is the POP3 port; your program seems to speak IMAP.',
  find(facts) {
    const { conversation, context, greeting, first, closed, now, handshake, service } = facts;
    const here = protocolName(conversation.protocol);
    const other = otherProtocol(facts);
    if (other) {
      const { command, reply } = other.at;
      const right = port(context, other.name === 'smtp' ? 'submission' : other.name);
      return {
        severity: 'problem',
        sentence: `This is the ${here} port; your program seems to speak ${protocolName(other.name)}.`,
        remedy: choose(`${here} as the protocol`, right && `for ${protocolName(other.name)} ${right}`),
        evidence: [
          { seq: command.seq, shows: `"${command.text.slice(0, 60)}" is ${protocolName(other.name)}` },
          ...(reply ? [{ seq: reply.seq, shows: 'our answer' }] : []),
        ],
      };
    }
    if (!greeting || first || handshake || service?.tls === 'implicit' || conversation.protocol === 'http')
      return undefined;
    if (noted(facts, 'limit') || noted(facts, 'fault') || noted(facts, 'wrong-port')) return undefined;
    if (closed && (closed.by === 'us' || closed.at - greeting.at < CHECK_MS)) return undefined;
    if (!closed && now < greeting.at + SILENCE_MS) return { lookAgainAt: greeting.at + SILENCE_MS };
    const silence = Math.floor(((closed?.at ?? now) - greeting.at) / 1000);
    return {
      severity: 'advice',
      title: 'Silence after the greeting',
      sentence: `This is the ${here} port; after its greeting your program said nothing for ${silence} s. It may expect another protocol, or a person may be typing.`,
      remedy: `If a mail program was meant, see that ${here} is chosen for port ${conversation.local.port}.`,
      evidence: [
        { seq: greeting.seq, shows: 'our greeting' },
        ...(closed ? [{ seq: closed.seq, shows: 'the client left' }] : []),
      ],
    };
  },
};

export const httpOnMailPort: Case = {
  id: 'D05',
  title: 'HTTP on a mail port',
  seen: '`GET`, `POST`, … first, in clear or under TLS',
  says: 'A browser or an HTTP library is talking to the SMTP port.',
  inBand: 'an HTTP 400 page with the right address',
  find(facts) {
    const { conversation, context, first } = facts;
    if (noted(facts, 'wrong-port')?.annotation.found !== 'http' || conversation.protocol === 'http') return undefined;
    const web = context.webAddress();
    const said = facts.spoken.find(({ side }) => side === 'client');
    return {
      severity: 'problem',
      sentence: `A browser or an HTTP library is talking to the ${protocolName(conversation.protocol)} port.`,
      remedy: web === undefined ? 'The web pages are switched off here.' : `The web pages and the API are at ${web}/.`,
      evidence: first ? [{ seq: first.seq, shows: said ? `"${said.text.slice(0, 60)}"` : 'an HTTP request' }] : [],
    };
  },
};

const MAIL_PROGRAM =
  /^(?:User-Agent: .*(?:Thunderbird|Mozilla|Evolution|KMail|Claws|Mutt|aerc|Betterbird|K-9|FairEmail)|X-Mailer: .*(?:Outlook|Apple Mail|iPhone Mail|iPad Mail|Evolution|Sylpheed|Claws|The Bat|eM Client))/im;

export const userOnServersPort: Case = {
  id: 'D16',
  title: 'A user’s program on the port for servers',
  seen: 'on the SMTP port: a login, or a header field of a mail program, or (domain mode) a sender of ours without a login',
  says: 'Use the submission port: port 25 is for servers.',
  find(facts) {
    const { conversation, context, exchanges, spoken } = facts;
    const server = context.services().smtp;
    if (conversation.service !== 'smtp' || server === undefined) return undefined;
    const login = noted(facts, 'login');
    const header = spoken.find(({ side, text }) => side === 'client' && MAIL_PROGRAM.test(text));
    const own = exchanges.find(
      ({ verb, args }) =>
        verb === 'MAIL' && context.domains.some((domain) => args.toLowerCase().includes(`@${domain.toLowerCase()}>`)),
    );
    const isReal = context.mode === 'domain';
    const evidence = header
      ? { seq: header.seq, shows: MAIL_PROGRAM.exec(header.text)![0].slice(0, 80) }
      : login
        ? { seq: login.seq, shows: `a login as ${login.annotation.login}` }
        : isReal && own
          ? { seq: own.command.seq, shows: own.command.text.slice(0, 80) }
          : undefined;
    if (evidence === undefined) return undefined;
    const ways = ['submission', 'submissions'].flatMap((service) => context.services()[service]?.port ?? []);
    return {
      // For applications under test this port is the right one here.
      severity: isReal || header ? 'advice' : 'note',
      sentence: `Port ${conversation.local.port} stands for port 25, by which servers hand mail to each other; a user’s program submits. It works here; elsewhere many networks block port 25, and servers refuse what users send there.`,
      remedy:
        ways.length === 0
          ? 'Use the submission port of your provider, 465 or 587.'
          : `Use port ${ways.join(' or ')} here, elsewhere 587 or 465: they are for users.`,
      evidence: [evidence],
    };
  },
};

export const justLooking: Case = {
  id: 'D27',
  title: 'Health check or port scan',
  seen: 'connected and closed, at once and without a word',
  says: 'Somebody looked whether this port is open: harmless.',
  find(facts) {
    const { conversation, closed, now } = facts;
    if (conversation.passed.networkIn > 0 || closed === undefined || noted(facts, 'limit') || noted(facts, 'fault'))
      return undefined;
    if (closed.by === 'us' || noted(facts, 'wrong-port')) return undefined;
    const isHttp = conversation.protocol === 'http';
    if (!isHttp && Math.min(closed.at, now) >= CHECK_MS) return undefined;
    return {
      severity: 'note',
      sentence: isHttp
        ? 'A connection that was opened and not used: browsers do that, and health checks.'
        : `The client connected and left after ${Math.round(closed.at)} ms without a word: a health check, a port scan, or a program that looks which port is open.`,
      remedy: 'Nothing is to be done.',
      evidence: [{ seq: closed.seq, shows: closed.how === 'reset' ? 'closed by RST' : 'closed by FIN' }],
    };
  },
};

export const strangeProtocol: Case = {
  id: 'D28',
  title: 'Another protocol',
  seen: 'first octets of SSH, SOCKS, RDP, …; or TLS that offers HTTP alone (ALPN `h2`) on a mail port',
  says: 'This is a mail port; what came is SSH.',
  find({ conversation, first, hello, context }) {
    const here = protocolName(conversation.protocol);
    const strange = first && strangeFirstWords(first.octets);
    if (strange !== undefined) {
      return {
        severity: 'problem',
        sentence: `This is the ${here} port; what came is ${strange}.`,
        remedy: 'Check host and port in the program that connected, and whether a proxy is set for it.',
        evidence: [{ seq: first!.seq, shows: `${hex(first!.octets, 8)} is how ${strange} begins` }],
      };
    }
    const offered = hello?.value.protocols ?? [];
    const isWeb = offered.length > 0 && offered.every((name) => /^(?:h2|h3|http\/)/.test(name));
    if (conversation.protocol === 'http' || !isWeb) return undefined;
    const web = context.webAddress();
    return {
      severity: 'problem',
      title: 'A browser on a mail port',
      sentence: `This is the ${here} port; the TLS that came is for ${offered.join(' and ')}, as browsers and HTTP libraries speak it.`,
      remedy: web === undefined ? 'The web pages are switched off here.' : `The web pages are at ${web}/.`,
      evidence: [{ seq: hello!.seq, shows: `ALPN offers ${offered.join(', ')}` }],
    };
  },
};

/** Conversations in which a rule made something fail are labelled, so that nobody looks for the cause elsewhere. */
export const madeToFail: Case = {
  id: 'D31',
  title: 'Made to fail on purpose',
  seen: 'a fault rule was hit',
  says: 'Rule 2 made this fail.',
  find(facts) {
    const hits = allNoted(facts, 'fault');
    const [hit] = hits;
    if (hit === undefined) return undefined;
    const { rule, effect, at } = hit.annotation;
    return {
      severity: 'note',
      sentence: `Rule ${rule} made something fail here on purpose: ${effect} at ${at}${hits.length > 1 ? `, and ${hits.length - 1} more` : ''}.`,
      remedy: 'Switch the fault rule off if it is not wanted (Settings, Faults; or DELETE /api/glass/faults).',
      evidence: hits
        .slice(0, 5)
        .map(({ seq, annotation }) => ({ seq, shows: `${annotation.effect} at ${annotation.at}` })),
    };
  },
};
