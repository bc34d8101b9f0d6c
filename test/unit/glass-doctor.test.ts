/** The doctor's cases over conversations that were never had: what sockets cannot bring about in a moment, and the borders between cases. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Case } from '../../src/glass/doctor/case.ts';
import { ACROSS_CASES, acrossOf } from '../../src/glass/doctor/across.ts';
import { CASES } from '../../src/glass/doctor/cases.ts';
import { differenceWords, looksLikeZone } from '../../src/glass/doctor/clocks.ts';
import { Doctor, diagnose } from '../../src/glass/doctor/doctor.ts';
import type { DoctorContext, DoctorService } from '../../src/glass/doctor/facts.ts';
import { strangeFirstWords } from '../../src/glass/doctor/first-words.ts';
import { nameHint, wholeName } from '../../src/sasl/login-name.ts';
import { passwordVariants } from '../../src/sasl/login-mistake.ts';
import { type Conversation, Recorder } from '../../src/wire/recorder.ts';
import { fc } from '../property.ts';

const service = (port: number, protocol: string, tls: DoctorService['tls']): DoctorService => ({
  ...{ port, protocol, tls, addresses: ['0.0.0.0'], accepted: 1, acceptedAt: 0 },
});

const SERVICES = {
  smtp: service(1025, 'smtp', 'none'),
  submission: service(1587, 'smtp', 'starttls'),
  submissions: service(1465, 'smtp', 'implicit'),
  imap: service(1143, 'imap', 'starttls'),
  imaps: service(1993, 'imap', 'implicit'),
  pop3: service(1110, 'pop3', 'starttls'),
  pop3s: service(1995, 'pop3', 'implicit'),
  http: service(8025, 'http', 'none'),
};

const CONTEXT: DoctorContext = {
  mode: 'capture',
  defaultDomain: 'glass.test',
  domains: ['glass.test'],
  webAddress: () => 'http://localhost:8025',
  services: () => SERVICES,
  certificateNames: () => ['localhost', '127.0.0.1'],
  certifies: (name) => name === 'localhost' || name === '127.0.0.1',
  ownAuthority: true,
};

function open(recorder: Recorder, name: keyof typeof SERVICES, address = '127.0.0.1'): Conversation {
  const { port, protocol } = SERVICES[name];
  return recorder.open({
    service: name,
    protocol,
    role: 'server',
    local: { address: '127.0.0.1', port },
    remote: { address, port: 50_000 },
  });
}

/** Lines of a conversation in clear: `S: …` and `C: …`. */
function conversation(name: keyof typeof SERVICES, ...lines: readonly string[]): Conversation {
  const made = open(new Recorder(), name);
  for (const line of lines) {
    made.octets(line.startsWith('S') ? 'out' : 'in', 'both', Buffer.from(`${line.slice(3)}\r\n`));
  }
  return made;
}

const found = (of: Conversation, later = 0, context: Partial<DoctorContext> = {}): readonly string[] =>
  diagnose(of, { ...CONTEXT, ...context }, of.openedAt + later).diagnoses.map(
    ({ id, severity }) => `${id} ${severity}`,
  );

describe('the cases', () => {
  it('are told apart by commands, not by what stands in messages and literals', () => {
    const sent = conversation(
      'submission',
      ...['S: 220 x', 'C: EHLO me', 'S: 250 x', 'C: MAIL FROM:<a@b>', 'S: 250 x', 'C: RCPT TO:<a@b>', 'S: 250 x'],
      ...[
        'C: DATA',
        'S: 354 x',
        'C: CAPA',
        'C: USER alice',
        'C: a LOGIN b c',
        'C: .',
        'S: 250 x',
        'C: QUIT',
        'S: 221 x',
      ],
    );
    expect(found(sent)).toEqual([]);
    const appended = conversation(
      'imap',
      ...[
        'S: * OK x',
        'C: a CAPABILITY',
        'S: a OK x',
        'C: b APPEND Drafts {12}',
        'S: + x',
        'C: EHLO me',
        'C: ab',
        'C: ',
      ],
      ...['S: b OK x', 'C: c NOOP', 'S: c OK x'],
    );
    expect(found(appended)).toEqual([]);
  });

  it('do not take Thunderbird’s guesses for problems', () => {
    const guess = conversation('imap', 'S: * OK x', 'C: 1 CAPABILITY', 'S: 1 OK x', 'C: 2 LOGOUT', 'S: 2 OK x');
    guess.closed('peer', 'fin');
    expect(found(guess)).toEqual(['D30 note']);
  });

  it.each([['fin'], ['reset']] as const)('label a connection without a word (%s)', (how) => {
    const made = open(new Recorder(), 'imaps');
    made.closed('peer', how);
    expect(found(made)).toEqual(['D27 note']);
  });

  it('say nothing of a browser’s silence after TLS, and of ours', () => {
    for (const [name, by] of [
      ['http', 'peer'],
      ['imaps', 'us'],
    ] as const) {
      const made = open(new Recorder(), name);
      made.octets('in', 'network', Buffer.from([0x16, 3, 1, 0, 1, 0]));
      made.tlsStep({ step: 'start' });
      made.octets('out', 'network', Buffer.alloc(100));
      const tls = { version: 'TLSv1.3', cipher: 'x', serverName: 'localhost', handshakeMs: 1 };
      made.tlsStep({ step: 'end', tls });
      made.closed(by, 'fin');
      expect(found(made)).toEqual([]);
    }
  });

  it('ask to be asked again where time decides, and then know', () => {
    const made = conversation('imap', 'S: * OK x');
    const first = diagnose(made, CONTEXT, made.openedAt + 10);
    expect(first.diagnoses).toEqual([]);
    expect(first.lookAgainAt).toBeGreaterThanOrEqual(made.openedAt + 5_000);
    expect(found(made, first.lookAgainAt - made.openedAt + 1)).toEqual(['D04 advice']);
  });

  it.each([
    ['Mozilla Thunderbird', 'capture', 'advice'],
    ['an application', 'capture', undefined],
    ['an application', 'domain', 'advice'],
  ] as const)('%s on the port for servers, in %s mode: %s', (agent, mode, severity) => {
    const made = conversation(
      'smtp',
      ...['S: 220 x', 'C: EHLO me', 'S: 250 x', 'C: MAIL FROM:<a@glass.test>', 'S: 250 x', 'C: DATA', 'S: 354 x'],
      ...[`C: User-Agent: ${agent}`, 'C: ', 'C: .', 'S: 250 x', 'C: QUIT', 'S: 221 x'],
    );
    expect(found(made, 0, { mode }).filter((each) => each.startsWith('D16'))).toEqual(
      severity ? [`D16 ${severity}`] : [],
    );
  });

  it('name the ports that there are, and none that is off', () => {
    const made = open(new Recorder(), 'imap');
    made.octets('in', 'both', Buffer.from([0x16, 3, 1, 0, 1, 0]));
    made.annotate({ type: 'wrong-port', found: 'tls' });
    const remedy = (services: DoctorContext['services']): string =>
      diagnose(made, { ...CONTEXT, services }, made.openedAt).diagnoses[0]!.remedy;
    expect(remedy(() => SERVICES)).toBe('Choose STARTTLS as the connection security, or port 1993.');
    expect(remedy(() => ({ imap: SERVICES.imap }))).toBe('Choose STARTTLS as the connection security.');
  });

  it('never fail, whatever was said, and never show a secret', () => {
    const line = fc.oneof(
      fc.string({ maxLength: 60 }),
      fc.constantFrom(
        'AUTH PLAIN AGFsaWNlAHMzY3JldHNlY3JldA==',
        'a LOGIN alice s3cretsecret',
        'USER alice',
        'PASS s3cretsecret',
      ),
      fc.constantFrom(
        'a1 AUTHENTICATE PLAIN',
        '334 ',
        '354 go',
        '* BYE x',
        'EHLO x',
        '.',
        'a {5}',
        'STARTTLS',
        '-ERR x',
        'a NO x',
      ),
    );
    const names = Object.keys(SERVICES) as (keyof typeof SERVICES)[];
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.array(fc.tuple(fc.boolean(), line), { maxLength: 20 }),
        (name, lines) => {
          const made = conversation(name, ...lines.map(([client, text]) => `${client ? 'C' : 'S'}: ${text}`));
          const { diagnoses } = diagnose(made, CONTEXT, made.openedAt + 60_000);
          for (const { evidence } of diagnoses) {
            for (const { seq } of evidence) expect(seq).toBeLessThanOrEqual(made.lastSeq);
          }
          const clients = lines.filter(([client]) => client).map(([, text]) => text);
          if (clients.some((text) => text.startsWith('PASS '))) {
            expect(JSON.stringify(diagnoses)).not.toMatch(/PASS s3cret/);
          }
        },
      ),
    );
  });
});

describe('what the doctor keeps', () => {
  it('thinks once for each state of a conversation', () => {
    const made = conversation('imap', 'S: * OK x', 'C: EHLO me', 'S: x BAD x');
    const doctor = new Doctor(CONTEXT);
    const patients = { list: () => [made] };
    const first = doctor.visit(patients).diagnosesOf(made);
    expect(first.map(({ id }) => id)).toContain('D04');
    expect(doctor.visit(patients).diagnosesOf(made)).toBe(first);
    made.octets('in', 'both', Buffer.from('x\r\n'));
    expect(doctor.visit(patients).diagnosesOf(made)).not.toBe(first);
    doctor.close();
  });

  it('says what it knew before when its patience is at an end, and that it owes the rest', () => {
    const [one, other] = [0, 1].map(() => conversation('imap', 'S: * OK x', 'C: EHLO me', 'S: x BAD x')) as [
      Conversation,
      Conversation,
    ];
    const doctor = new Doctor(CONTEXT);
    const patients = { list: () => [one, other] };
    const short = doctor.visit(patients, Number.MIN_VALUE);
    expect(short.isOver).toBe(false);
    const known = short.diagnosesOf(one);
    expect(known.map(({ id }) => id)).toContain('D04');
    expect(short.diagnosesOf(other)).toEqual([]);
    expect([short.isOver, short.owes(one), short.owes(other)]).toEqual([true, false, true]);
    one.octets('in', 'both', Buffer.from('x\r\n'));
    expect(short.diagnosesOf(one)).toBe(known);
    expect(short.owes(one)).toBe(true);
    const next = doctor.visit(patients, Number.MIN_VALUE);
    expect(next.diagnosesOf(other).map(({ id }) => id)).toContain('D04');
    expect(next.owes(other)).toBe(false);
    doctor.close();
  });
});

describe('across conversations', () => {
  it('D22: all from the gateway, and not where one is from elsewhere', () => {
    const recorder = new Recorder();
    for (let i = 0; i < 3; i++) open(recorder, 'imap', '172.18.0.1');
    const ids = (): string[] => acrossOf(recorder.list(), CONTEXT, undefined).map(({ id }) => id);
    expect(ids()).toEqual(['D22']);
    open(recorder, 'imap', '172.18.0.7');
    expect(ids()).toEqual([]);
  });

  it('D23: first ::1, without a word, then 127.0.0.1', () => {
    const recorder = new Recorder();
    open(recorder, 'imap', '::1').closed('peer', 'fin');
    open(recorder, 'pop3', '127.0.0.1');
    const across = () => acrossOf(recorder.list(), CONTEXT, undefined);
    expect(across()).toEqual([]);
    open(recorder, 'imap', '127.0.0.1');
    expect(across()).toMatchObject([
      { id: 'D23', service: 'imap', conversations: [expect.any(String), expect.any(String)] },
    ]);
  });
});

describe('what a client says first', () => {
  it('is never more than undefined, whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
        strangeFirstWords(octets);
      }),
    );
  });

  it.each([
    ['SSH-2.0-x', 'SSH'],
    ['\x05\x01\x00', 'SOCKS 5'],
    ['CONNECT a:1 HTTP/1.1', 'an HTTP proxy'],
    ['EHLO me', undefined],
    ['a1 LOGIN x y', undefined],
    ['CAPA', undefined],
  ])('%j is %s', (text, name) => {
    expect(strangeFirstWords(Buffer.from(text, 'latin1'))).toBe(name);
  });
});

describe('logins', () => {
  it.each([
    ['alice', 'alice@glass.test'],
    ['RED\\Alice', 'alice@glass.test'],
    ['alice@glass.test', undefined],
    ['RED\\', undefined],
    ['a b', undefined],
    ['', undefined],
  ])('%j is written %s', (name, whole) => {
    expect(wholeName(name, 'glass.test')).toBe(whole);
    expect(nameHint(name, 'glass.test') !== '').toBe(whole !== undefined);
  });

  it.each([
    ['GLASS', 'case'],
    ['gLASS', 'case'],
    ['Glass', 'case'],
    [' glass\t', 'blanks'],
    ['gl ass', 'blanks'],
    ['glqss', 'keyboard'],
    ['пдфыы', 'keyboard'],
  ])('%j may mean glass: %s', (given, mistake) => {
    expect(passwordVariants(given)).toContainEqual({ mistake, variant: 'glass' });
  });

  it('have few variants, none twice, none as it was given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (given) => {
        const variants = passwordVariants(given).map(({ variant }) => variant);
        expect(variants.length).toBeLessThanOrEqual(12);
        expect(new Set([...variants, given]).size).toBe(variants.length + 1);
      }),
    );
  });
});

it('clocks: minutes, and what looks like a time zone', () => {
  expect(differenceWords(12 * 60_000)).toBe('12 minutes ahead');
  expect(differenceWords(-6 * 60_000)).toBe('6 minutes behind');
  expect([3_600_000, -7_200_000, 5_400_000 + 20_000].map(looksLikeZone)).toEqual([true, true, true]);
  expect([600_000, 0, 3_600_000 + 300_000].map(looksLikeZone)).toEqual([false, false, false]);
});

it('the README lists every case as the code has it', () => {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  const section = readme.split('## What the doctor finds')[1]!.split('\n## ')[0]!;
  const lines = section.split('\n').filter((line) => line.startsWith('- '));
  const cases: readonly Pick<Case, 'id' | 'title' | 'seen' | 'says' | 'inBand'>[] = [...CASES, ...ACROSS_CASES];
  const wanted = cases
    .toSorted((a, b) => a.id.localeCompare(b.id))
    .map(
      ({ id, title, seen, says, inBand }) =>
        `- **${id} ${title}.** Seen: ${seen}. Said: “${says}”${inBand === undefined ? '' : ` On the wire: ${inBand}.`}`,
    );
  expect(lines).toEqual(wanted);
});
