/**
 * Peers that do what no client should, of every protocol, and some that behave. For a test of a few seconds
 * (`hostile-peers.test.ts`) and for hours (`test/bench/soak.ts`). What they do is decided by their dice alone, so that a
 * seed repeats it.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { clientHello } from '../client-hello.ts';
import { Dialogue } from './dialogue.ts';

/** The services that begin in clear. */
export const CLEAR = ['smtp', 'submission', 'lmtp', 'imap', 'pop3', 'http'] as const;
export const IN_TLS = ['submissions', 'imaps', 'pop3s', 'https'] as const;
export type ServiceName = (typeof CLEAR)[number] | (typeof IN_TLS)[number];

export interface Target {
  port(service: ServiceName): number;
}

/** A good-enough generator of numbers from 0 to 1 with a seed: mulberry32. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to below `sides`. */
  roll(sides: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * sides);
  }

  oneOf<T>(choices: readonly T[]): T {
    return choices[this.roll(choices.length)]!;
  }

  octets(most: number): Buffer {
    return Buffer.from(Array.from({ length: this.roll(most + 1) }, () => this.roll(256)));
  }
}

const MAIL = 'From: a@else.test\r\nSubject: soak\r\nMIME-Version: 1.0\r\n\r\nhello\r\n..dot\r\n';
const PLAIN = Buffer.from('\0alice\0glass').toString('base64');
const LETTER = `${MAIL}.\r\n`;
const TRANSACTION = `MAIL FROM:<a@else.test>\r\nRCPT TO:<alice@glass.localhost>\r\nDATA\r\n${LETTER}`;
const IMAP_END = 'y UID STORE 1:* +FLAGS.SILENT (\\Deleted)\r\nz EXPUNGE\r\n';

/** What a client says that does a little of everything, without waiting for any answer. */
export const SCRIPTS: Readonly<Record<(typeof CLEAR)[number], string>> = {
  smtp: `EHLO a.test\r\n${TRANSACTION}RSET\r\nVRFY a\r\nMAIL FROM:<> SIZE=10\r\nRCPT TO:<bob@glass.localhost>\r\nBDAT 5\r\nhelloBDAT 2 LAST\r\n\r\nNOOP\r\nQUIT\r\n`,
  submission: `EHLO a.test\r\nAUTH PLAIN ${PLAIN}\r\n${TRANSACTION}QUIT\r\n`,
  lmtp: `LHLO a.test\r\n${TRANSACTION}${TRANSACTION}QUIT\r\n`,
  imap: `a LOGIN alice glass\r\nb SELECT INBOX\r\nc FETCH 1:* (UID FLAGS ENVELOPE BODYSTRUCTURE BODY.PEEK[])\r\nd UID SEARCH OR SUBJECT soak BODY {5+}\r\nhello\r\ne APPEND INBOX (\\Seen) {${MAIL.length}+}\r\n${MAIL}\r\nf IDLE\r\nDONE\r\ng LIST "" *\r\nh SORT (SUBJECT) UTF-8 ALL\r\ni THREAD REFERENCES UTF-8 ALL\r\n${IMAP_END}j LOGOUT\r\n`,
  pop3: 'CAPA\r\nUSER bob\r\nPASS glass\r\nSTAT\r\nUIDL\r\nLIST\r\nRETR 1\r\nTOP 1 2\r\nDELE 1\r\nQUIT\r\n',
  http: 'GET /api/glass/messages HTTP/1.1\r\nHost: localhost\r\n\r\nPOST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n{"a"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
};

const START_TLS: Partial<Record<ServiceName, readonly [greeting: RegExp, ask: string, permission: RegExp]>> = {
  submission: [/^220 .*\r\n/m, 'EHLO a.test\r\nSTARTTLS', /^220 2\.0\.0 .*\r\n/m],
  imap: [/^\* OK .*\r\n/m, 's STARTTLS', /^s OK .*\r\n/m],
  pop3: [/^\+OK .*\r\n/m, 'STLS', /^\+OK .*\r\n/m],
};
const WITH_START_TLS = ['submission', 'imap', 'pop3'] as const;

/** What is said behind STARTTLS in clear, and an answer to it that would show that it was acted on. */
export const INJECTED: Readonly<Record<(typeof WITH_START_TLS)[number], readonly [said: string, acted: RegExp]>> = {
  submission: ['MAIL FROM:<injected@else.test>\r\nVRFY x\r\n', /^(250 2\.1\.0|252|503|530)/m],
  imap: ['inj LOGIN alice glass\r\n', /^inj /m],
  pop3: ['CAPA\r\n', /^\.\r\n/m],
};

type Play = (target: Target, dice: Dice) => Promise<void>;

async function sayAndLeave(port: number, pieces: readonly Uint8Array[], dice: Dice): Promise<void> {
  using peer = await Dialogue.open(port);
  for (const piece of pieces) {
    peer.send(piece);
    await nextTurn();
  }
  if (dice.roll(3) === 0) peer.reset();
  else {
    peer.finish();
    await peer.rest();
  }
}

function cut(text: string, dice: Dice): Buffer[] {
  const octets = Buffer.from(text, 'latin1');
  const ends = Array.from({ length: dice.roll(4) }, () => dice.roll(octets.length + 1)).sort((a, b) => a - b);
  return [...ends, octets.length].map((end, i) => octets.subarray(ends[i - 1] ?? 0, end));
}

function withMistakes(text: string, dice: Dice): string {
  let wrong = text;
  for (let mistakes = 1 + dice.roll(4); mistakes > 0; mistakes--) {
    const at = dice.roll(wrong.length + 1);
    const inserted = dice.oneOf(['', '\0', '\r', '\n', '\r\n', 'x'.repeat(9000), dice.octets(6).toString('latin1')]);
    wrong = wrong.slice(0, at) + inserted + wrong.slice(at + dice.oneOf([0, 1, 2, 40]));
  }
  return wrong;
}

const randomOctets: Play = async (target, dice) => {
  const service = dice.oneOf([...CLEAR, ...IN_TLS]);
  await sayAndLeave(target.port(service), [dice.octets(400), dice.octets(400)], dice);
};

const mistakes: Play = async (target, dice) => {
  const service = dice.oneOf(CLEAR);
  await sayAndLeave(target.port(service), cut(withMistakes(SCRIPTS[service], dice), dice), dice);
};

const cutShort: Play = async (target, dice) => {
  const service = dice.oneOf(CLEAR);
  const text = SCRIPTS[service];
  await sayAndLeave(target.port(service), cut(text.slice(0, dice.roll(text.length)), dice), dice);
};

const helloInClear: Play = async (target, dice) => {
  const hello = await clientHello();
  const wrong = Buffer.from(hello);
  wrong[dice.roll(hello.length)] = dice.roll(256);
  const first = dice.oneOf([hello, wrong, hello.subarray(0, dice.roll(hello.length))]);
  const service = dice.oneOf([...CLEAR, ...IN_TLS]);
  await sayAndLeave(target.port(service), [first, dice.octets(100)], dice);
};

const clearInTls: Play = async (target, dice) => {
  const service = dice.oneOf(IN_TLS);
  await sayAndLeave(target.port(service), cut(SCRIPTS[dice.oneOf(CLEAR)], dice), dice);
};

/** @throws when what was injected was acted on, or TLS began in TLS */
const startTls: Play = async (target, dice) => {
  const service = dice.oneOf(WITH_START_TLS);
  const [greeting, ask, permission] = START_TLS[service]!;
  const [injected, acted] = INJECTED[service];
  using peer = await Dialogue.open(target.port(service));
  await peer.until(greeting);
  const injects = dice.roll(2) === 0;
  peer.send(`${ask}\r\n${injects ? injected : ''}`);
  await peer.until(permission);
  switch (dice.roll(4)) {
    case 0: // Anything but a handshake.
      peer.send(dice.octets(200));
      peer.finish();
      await peer.rest();
      return;
    case 1:
      peer.reset();
      return;
    default:
  }
  await peer.startTls();
  if (dice.roll(2) === 0) {
    peer.reset();
    return;
  }
  // A second STARTTLS is refused, and the first thing that is answered is what was said in TLS.
  peer.send(`${ask}\r\n`);
  const answer = await peer.until(/^(s (OK|BAD|NO)|-ERR|\+OK|5\d\d|220) .*\r\n/m);
  if (/^(s OK|\+OK|220)/m.test(answer)) throw new Error(`${service} began TLS in TLS: ${answer}`);
  if (acted.test(answer.replace(/^503 5\.5\.1 TLS.*$/m, ''))) throw new Error(`${service} acted on: ${answer}`);
  peer.finish();
  await peer.rest();
};

const slowly: Play = async (target, dice) => {
  const service = dice.oneOf(CLEAR);
  using peer = await Dialogue.open(target.port(service));
  for (const octet of Buffer.from(SCRIPTS[service].slice(0, dice.roll(200)), 'latin1')) {
    peer.send(Uint8Array.of(octet));
    await nextTurn();
  }
};

const asksAndNeverReads: Play = async (target, dice) => {
  const service = dice.oneOf(CLEAR);
  using peer = await Dialogue.open(target.port(service));
  peer.stopReading();
  const more = {
    smtp: 'HELP\r\n',
    submission: 'HELP\r\n',
    lmtp: 'HELP\r\n',
    imap: 'l LIST "" *\r\n',
    pop3: 'CAPA\r\n',
    http: 'GET /api/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n',
  }[service];
  peer.send(SCRIPTS[service].replace(/(j LOGOUT|QUIT|Connection: close)\r\n/, '') + more.repeat(300));
  for (let turns = dice.roll(50); turns > 0; turns--) await nextTurn();
  peer.reset();
};

const comesAndGoes: Play = async (target, dice) => {
  using peer = await Dialogue.open(target.port(dice.oneOf([...CLEAR, ...IN_TLS])));
  if (dice.roll(2) === 0) peer.reset();
};

const behaves: Play = async (target, dice) => {
  const service = dice.oneOf(CLEAR);
  using peer = await Dialogue.open(target.port(service));
  peer.send(SCRIPTS[service]);
  await peer.rest();
};

export const PLAYS: Readonly<Record<string, Play>> = {
  randomOctets,
  mistakes,
  cutShort,
  helloInClear,
  clearInTls,
  startTls,
  slowly,
  asksAndNeverReads,
  comesAndGoes,
  behaves,
};
