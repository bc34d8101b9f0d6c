/** Rules of the line that are broken (D24, D25, D26), and limits (D29). */
import type { Case } from './case.ts';
import { allNoted, noted } from './facts.ts';
import { protocolName } from './remedies.ts';

export const bareLineFeeds: Case = {
  id: 'D24',
  title: 'Lines that end in LF alone',
  seen: 'a command that ends with `0A` without `0D`',
  says: 'Lines end in CR LF; `nc -C` sends that.',
  inBand: 'commands are taken all the same; it never ends DATA',
  find({ exchanges }) {
    const bare = exchanges.find(({ command }) => command.end === 'lf');
    if (bare === undefined) return undefined;
    return {
      severity: 'advice',
      sentence:
        'Lines end in CR LF; this client sends LF alone. Here commands are taken all the same, elsewhere they may not be; a message never ends so.',
      remedy: 'With nc: nc -C, or nc -c. With a program of your own: write \\r\\n.',
      evidence: [{ seq: bare.command.seq, shows: `"${bare.command.text.slice(0, 60)}" ends in 0A without 0D` }],
    };
  },
};

export const earlyTalker: Case = {
  id: 'D25',
  title: 'Spoke before the greeting',
  seen: 'octets from the client before our greeting',
  says: 'The server speaks first (RFC 5321 §3.1, RFC 9051 §3, RFC 1939 §4).',
  inBand: 'with `--early-talker-wait`: `554`, and the end',
  find(facts) {
    const { conversation, first, greeting } = facts;
    if (conversation.protocol === 'http' || noted(facts, 'wrong-port') || noted(facts, 'fault')) return undefined;
    const sentAway = allNoted(facts, 'limit').find(
      ({ annotation }) => annotation.limit === 'spoke before the greeting',
    );
    if (first === undefined || (!sentAway && (greeting === undefined || first.seq > greeting.seq))) return undefined;
    const said = facts.spoken.find(({ side }) => side === 'client');
    return {
      severity: sentAway ? 'problem' : 'advice',
      sentence: `The client spoke before our greeting; in ${protocolName(conversation.protocol)} the server speaks first.${sentAway ? ' It was sent away.' : ' Servers that hold back their greeting to find spammers refuse that.'}`,
      remedy: 'Let the program wait for the greeting before it sends its first command.',
      evidence: [
        { seq: first.seq, shows: said ? `"${said.text.slice(0, 60)}" came first` : 'the client’s octets' },
        ...(sentAway ? [{ seq: sentAway.seq, shows: 'sent away' }] : [{ seq: greeting!.seq, shows: 'our greeting' }]),
      ],
    };
  },
};

export const injectedBeforeTls: Case = {
  id: 'D26',
  title: 'Commands behind STARTTLS, in clear',
  seen: 'octets after STARTTLS or STLS in the same segment',
  says: 'What came in clear behind STARTTLS was dropped.',
  inBand: 'dropped, without a word',
  find(facts) {
    const dropped = noted(facts, 'dropped');
    if (dropped === undefined) return undefined;
    const asked = facts.exchanges.find(({ verb }) => verb === 'STARTTLS' || verb === 'STLS');
    return {
      severity: 'problem',
      sentence: `${dropped.annotation.octets} octets came in clear behind STARTTLS. Nothing of that counts after TLS has begun: somebody between could have put them there. They were dropped.`,
      remedy:
        'Let the program wait for the answer to STARTTLS before it sends more; a program of others needs an update (RFC 3207 §4.2, RFC 9051 §6.2.1).',
      evidence: [
        ...(asked ? [{ seq: asked.command.seq, shows: `"${asked.command.text}" and more` }] : []),
        { seq: dropped.seq, shows: `${dropped.annotation.octets} octets dropped` },
      ],
    };
  },
};

/** Who says more than these wrong commands does not know the protocol. */
const MOST_BAD = 3;

export const limits: Case = {
  id: 'D29',
  title: 'A limit was reached',
  seen: 'too many connections, failed logins or wrong commands, or silence for too long (IDLE not renewed within 29 minutes)',
  says: 'Your program reached a limit of the server.',
  inBand: '`* BYE`, `421`, `-ERR [SYS/TEMP]`, `BAD`',
  find(facts) {
    const { exchanges, closed, conversation } = facts;
    const reached = allNoted(facts, 'limit').find(
      ({ annotation: { limit } }) => limit !== 'spoke before the greeting' && !limit.includes('held back'),
    );
    if (reached) {
      const { limit } = reached.annotation;
      const { severity, remedy } = REMEDIES.find(([sign]) => sign.test(limit))?.[1] ?? OTHERWISE;
      return {
        severity,
        sentence: `Your program reached a limit of this server: ${limit}.`,
        remedy,
        evidence: [{ seq: reached.seq, shows: limit }],
      };
    }
    const last = exchanges.at(-1);
    if (closed?.by === 'us' && closed.how === 'timeout' && last) {
      const isIdle = last.verb === 'IDLE';
      return {
        severity: 'advice',
        title: 'Silent for too long',
        sentence: `Nothing came from your program for so long that the connection was ended${isIdle ? ', in the middle of IDLE' : ''}.`,
        remedy: isIdle
          ? 'IDLE is to be renewed every 29 minutes (RFC 2177 §3): most programs have a setting for it.'
          : 'Let it send NOOP now and then, or log in anew when it has something to say.',
        evidence: [
          { seq: last.command.seq, shows: `"${last.command.text.slice(0, 60)}" was the last` },
          { seq: closed.seq, shows: 'ended by us' },
        ],
      };
    }
    const bad = exchanges.filter(
      ({ reply }) => reply && (conversation.protocol === 'imap' ? /^\S+ BAD\b/i : /^50[0-4] /).test(reply.text),
    );
    if (bad.length <= MOST_BAD) return undefined;
    return {
      severity: 'advice',
      title: 'Many wrong commands',
      sentence: `${bad.length} commands of your program were not understood.`,
      remedy: 'See the first of them: the answer says what is wrong with it.',
      evidence: bad.slice(0, 3).map(({ command }) => ({ seq: command.seq, shows: `"${command.text.slice(0, 60)}"` })),
    };
  },
};

interface Remedy {
  readonly severity: 'problem' | 'advice';
  readonly remedy: string;
}

const REMEDIES: readonly (readonly [sign: RegExp, remedy: Remedy])[] = [
  [
    /^connections/,
    {
      severity: 'problem',
      remedy:
        'Let the program keep fewer connections open, or raise --max-connections and --max-connections-per-address.',
    },
  ],
  [
    /failed logins/,
    { severity: 'problem', remedy: 'Correct the password in every program that still has the old one.' },
  ],
  [
    /^idle/,
    {
      severity: 'advice',
      remedy: 'Let it end its connection when it has nothing to say: servers wait five minutes for the next command.',
    },
  ],
];
const OTHERWISE: Remedy = {
  severity: 'problem',
  remedy: 'See the last lines of the conversation: the server says there what was too much.',
};
