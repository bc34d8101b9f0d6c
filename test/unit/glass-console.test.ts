/** The console's hints against the servers' own tables, and states told from dialogues. */
import { describe, expect, test } from 'vitest';
import { imapHints, IMAP_HINTS } from '../../src/glass/console/imap-hints.ts';
import { POP3_HINTS, pop3Hints } from '../../src/glass/console/pop3-hints.ts';
import { SMTP_HINTS, smtpHints } from '../../src/glass/console/smtp-hints.ts';
import { type ConsoleProtocol, type Standing, standingOf } from '../../src/glass/console/standing.ts';
import type { Spoken } from '../../src/glass/reading.ts';
import { COMMANDS as IMAP } from '../../src/imap/commands/table.ts';
import { Parser as ImapParser } from '../../src/imap/grammar/parser.ts';
import { COMMANDS as POP3 } from '../../src/pop3/commands/table.ts';
import { Parser as Pop3Parser } from '../../src/pop3/grammar/parser.ts';

/** What a reader would make of it: the words in `‹…›` are examples, but these. */
const EXAMPLES: Readonly<Record<string, string>> = {
  account: 'alice@glass.localhost',
  other: 'bob@glass.localhost',
  password: 'glass',
  'base64 of NUL, account, NUL, password': 'AGFsaWNlAGdsYXNz',
};
const filled = (template: string): string =>
  template.replace(/‹([^›]*)›/g, (_, name: string) => EXAMPLES[name] ?? name);

describe('hints', () => {
  test('there is one for each command of the tables, and for no other', () => {
    expect(Object.keys(IMAP_HINTS).sort()).toEqual([...IMAP.keys()].sort());
    expect(Object.keys(POP3_HINTS).sort()).toEqual([...POP3.keys()].sort());
  });

  test.each(Object.entries(IMAP_HINTS))('IMAP: the server reads the template of %s', (name, { template }) => {
    const line = filled(template);
    expect(line.startsWith(name)).toBe(true);
    // A message is announced here, and read by itself.
    const rest = line.slice(name.length).replace(/\{\d+\}$/, '{3}\r\n');
    expect(() => void IMAP.get(name)!.parse(new ImapParser(Buffer.from(rest)), name, Buffer.from(rest))).not.toThrow();
  });

  test.each(Object.entries(POP3_HINTS))('POP3: the server reads the template of %s', (name, { template }) => {
    const input = new Pop3Parser(Buffer.from(filled(template)));
    expect(input.keyword()).toBe(name);
    if (name === 'APOP') return; // It reads nothing, for it is refused in any case.
    POP3.get(name)!.parse(input);
    expect(() => input.end()).not.toThrow();
  });

  test('SMTP: the templates begin with their commands', () => {
    for (const [name, { template }] of Object.entries(SMTP_HINTS)) expect(template.split(' ')[0]).toBe(name);
  });

  test('each is one or two sentences and names where it is written', () => {
    for (const { what, rfc } of Object.values({ ...IMAP_HINTS, ...POP3_HINTS, ...SMTP_HINTS })) {
      expect(what).toMatch(/^[A-Z].*\.$/);
      expect(rfc[0]).toBeGreaterThan(1000);
      expect(rfc[1]).toMatch(/^\d+(\.\d+)*$/);
    }
  });

  test('only what the state permits', () => {
    const commands = (hints: readonly { readonly command: string }[]) => hints.map(({ command }) => command);
    const selected = commands(imapHints(standing('imap', { state: 'selected' })));
    expect(selected).toContain('FETCH');
    expect(selected).not.toContain('LOGIN');
    const none = standing('imap', { announced: ['IMAP4REV2', 'LOGINDISABLED', 'STARTTLS'] });
    expect(commands(imapHints(none))).not.toContain('LOGIN');
    expect(commands(imapHints(none))).toContain('STARTTLS');
    expect(commands(imapHints({ ...none, secure: true }))).not.toContain('STARTTLS');
    expect(commands(pop3Hints(standing('pop3', { state: 'transaction' })))).not.toContain('PASS');
    expect(commands(smtpHints(standing('smtp', { state: 'greeted', announced: ['SIZE 10'] })))).not.toContain('AUTH');
  });
});

function standing(protocol: ConsoleProtocol, more: Partial<Standing>): Standing {
  const state = protocol === 'imap' ? 'not-authenticated' : protocol === 'pop3' ? 'authorization' : 'connected';
  return {
    protocol,
    state,
    expects: { type: 'command' },
    secure: false,
    announced: undefined,
    tags: [],
    mailbox: undefined,
    ...more,
  };
}

/** Lines: `C: …`, `S: …`, or `TLS`. */
function follow(protocol: ConsoleProtocol, ...lines: readonly string[]): Standing {
  const spoken: Spoken[] = [];
  const handshakes: { seq: number }[] = [];
  const positions = { client: 0, server: 0 };
  lines.forEach((line, index) => {
    const seq = index + 1;
    if (line === 'TLS') {
      handshakes.push({ seq });
      return;
    }
    const side = line.startsWith('C') ? 'client' : 'server';
    const text = line.slice(3);
    const octets = Buffer.byteLength(text) + 2;
    spoken.push({
      seq,
      lastSeq: seq,
      at: seq,
      side,
      position: positions[side],
      octets,
      text,
      charset: 'utf-8',
      end: 'crlf',
      secret: false,
      role: 'unknown',
      name: '',
      tag: null,
      answers: null,
      meaning: null,
    });
    positions[side] += octets;
  });
  return standingOf(protocol, spoken, handshakes);
}

describe('where a session stands', () => {
  test.each([
    [[], 'connected', 'greeting'],
    [['S: 220 hello'], 'connected', 'command'],
    [['S: 554 no'], 'over', 'nothing'],
    [['S: 220 hello', 'C: EHLO me'], 'connected', 'reply'],
    [['S: 220 hello', 'C: EHLO me', 'S: 250-x', 'S: 250 SIZE'], 'greeted', 'command'],
    [['S: 220 hello', 'C: MAIL FROM:<>', 'S: 503 no'], 'connected', 'command'],
    [['S: 220 hello', 'C: ehlo me', 'S: 250 x', 'C: mail from:<>', 'S: 250 ok'], 'mail', 'command'],
    // RFC 2920: the replies come one after the other.
    [
      ['S: 220 h', 'C: EHLO m', 'S: 250 x', 'C: MAIL FROM:<>', 'C: RCPT TO:<b>', 'S: 250 o', 'S: 550 no'],
      'mail',
      'command',
    ],
    [
      ['S: 220 h', 'C: EHLO m', 'S: 250 x', 'C: MAIL FROM:<>', 'S: 250 o', 'C: RCPT TO:<b>', 'S: 250 o'],
      'rcpt',
      'command',
    ],
    [['S: 220 h', 'C: DATA', 'S: 354 go', 'C: a', 'C: ..'], 'connected', 'message'],
    [['S: 220 h', 'C: DATA', 'S: 354 go', 'C: MAIL FROM:<>', 'C: .'], 'connected', 'reply'],
    [['S: 220 h', 'C: DATA', 'S: 354 go', 'C: .', 'S: 250 ok'], 'greeted', 'command'],
    [['S: 220 h', 'C: BDAT 10 LAST', 'C: abc'], 'connected', 'octets'],
    [['S: 220 h', 'C: BDAT 5 LAST', 'C: abc', 'S: 250 ok'], 'greeted', 'command'],
    [['S: 220 h', 'C: AUTH LOGIN', 'S: 334 VXNlcm5hbWU6'], 'connected', 'sasl'],
    [['S: 220 h', 'C: AUTH LOGIN', 'S: 334 VXNlcm5hbWU6', 'C: eA==', 'S: 535 no'], 'connected', 'command'],
    [['S: 220 h', 'C: EHLO m', 'S: 250 x', 'C: STARTTLS', 'S: 220 go'], 'greeted', 'handshake'],
    [['S: 220 h', 'C: EHLO m', 'S: 250 x', 'C: STARTTLS', 'S: 220 go', 'TLS'], 'connected', 'command'],
    [['S: 220 h', 'C: QUIT', 'S: 221 bye'], 'over', 'nothing'],
    [['S: 220 h', 'C: EHLO m', 'S: 421 stopping'], 'over', 'nothing'],
  ])('SMTP %j', (lines, state, expects) => {
    const found = follow('smtp', ...lines);
    expect([found.state, found.expects.type]).toEqual([state, expects]);
  });

  test.each([
    [['S: +OK hello'], 'authorization', 'command'],
    [['S: +OK h', 'C: USER a', 'S: +OK', 'C: PASS b', 'S: -ERR no'], 'authorization', 'command'],
    [['S: +OK h', 'C: USER a', 'S: +OK', 'C: PASS b', 'S: +OK'], 'transaction', 'command'],
    [['S: +OK h', 'C: CAPA', 'S: +OK', 'S: UIDL'], 'authorization', 'reply'],
    [['S: +OK h', 'C: CAPA', 'S: +OK', 'S: UIDL', 'S: .'], 'authorization', 'command'],
    [['S: +OK h', 'C: RETR 1', 'S: +OK', 'S: -ERR is a line of it', 'S: +OK too'], 'authorization', 'reply'],
    [['S: +OK h', 'C: LIST 1', 'S: +OK 1 200'], 'authorization', 'command'],
    [['S: +OK h', 'C: LIST', 'S: +OK'], 'authorization', 'reply'],
    [['S: +OK h', 'C: AUTH PLAIN', 'S: + '], 'authorization', 'sasl'],
    [['S: +OK h', 'C: AUTH PLAIN', 'S: + ', 'C: eA==', 'S: +OK'], 'transaction', 'command'],
    [['S: +OK h', 'C: STLS', 'S: +OK'], 'authorization', 'handshake'],
    [['S: +OK h', 'C: STLS', 'S: +OK', 'TLS'], 'authorization', 'command'],
    [['S: +OK h', 'C: QUIT', 'S: +OK'], 'over', 'nothing'],
  ])('POP3 %j', (lines, state, expects) => {
    const found = follow('pop3', ...lines);
    expect([found.state, found.expects.type]).toEqual([state, expects]);
  });

  test.each([
    [['S: * OK hello'], 'not-authenticated', 'command'],
    [['S: * PREAUTH hello'], 'authenticated', 'command'],
    [['S: * BYE busy'], 'over', 'nothing'],
    [['S: * OK h', 'C: a1 LOGIN a b'], 'not-authenticated', 'reply'],
    [['S: * OK h', 'C: a1 LOGIN a b', 'S: a1 NO'], 'not-authenticated', 'command'],
    [['S: * OK h', 'C: a1 LOGIN a b', 'S: a1 OK'], 'authenticated', 'command'],
    [['S: * OK h', 'C: a1 LOGIN {1}', 'S: + go', 'C: a {1}', 'S: + go'], 'not-authenticated', 'octets'],
    [
      ['S: * OK h', 'C: a1 LOGIN {1}', 'S: + go', 'C: a {1}', 'S: + go', 'C: b', 'S: a1 OK'],
      'authenticated',
      'command',
    ],
    [['S: * OK h', 'C: a1 LOGIN {1+}', 'C: a b', 'S: a1 OK'], 'authenticated', 'command'],
    [['S: * OK h', 'C: a1 LOGIN {9}', 'S: a1 BAD too long'], 'not-authenticated', 'command'],
    [['S: * PREAUTH h', 'C: a1 SELECT INBOX', 'S: * 1 EXISTS', 'S: a1 OK'], 'selected', 'command'],
    [['S: * PREAUTH h', 'C: a1 SELECT a', 'S: a1 OK', 'C: a2 SELECT b', 'S: a2 NO'], 'authenticated', 'command'],
    [['S: * PREAUTH h', 'C: a1 SELECT a', 'S: a1 OK', 'C: a2 SELECT b', 'S: a2 BAD'], 'selected', 'command'],
    [['S: * PREAUTH h', 'C: a1 SELECT a', 'S: a1 OK', 'C: a2 CLOSE', 'S: a2 OK'], 'authenticated', 'command'],
    [['S: * PREAUTH h', 'C: a1 IDLE', 'S: + idling', 'S: * 2 EXISTS'], 'authenticated', 'idle'],
    [['S: * PREAUTH h', 'C: a1 IDLE', 'S: + idling', 'C: DONE'], 'authenticated', 'reply'],
    [['S: * PREAUTH h', 'C: a1 IDLE', 'S: + idling', 'C: DONE', 'S: a1 OK'], 'authenticated', 'command'],
    [['S: * OK h', 'C: a1 AUTHENTICATE PLAIN', 'S: + '], 'not-authenticated', 'sasl'],
    [['S: * OK h', 'C: a1 STARTTLS', 'S: a1 OK'], 'not-authenticated', 'handshake'],
    [['S: * OK h', 'C: a1 STARTTLS', 'S: a1 OK', 'TLS'], 'not-authenticated', 'command'],
    // What lies in a literal of the server's is no response.
    [
      ['S: * PREAUTH h', 'C: a1 FETCH 1 BODY[]', 'S: * 1 FETCH (BODY[] {21}', 'S: * BYE', 'S: a1 OK x', 'S: )'],
      'authenticated',
      'reply',
    ],
    [['S: * PREAUTH h', 'C: a1 LOGOUT', 'S: * BYE', 'S: a1 OK'], 'over', 'nothing'],
    [['S: * PREAUTH h', 'C: a1 UID STORE 1 FLAGS ()', 'S: a1 OK'], 'authenticated', 'command'],
  ])('IMAP %j', (lines, state, expects) => {
    const found = follow('imap', ...lines);
    expect([found.state, found.expects.type]).toEqual([state, expects]);
  });

  test('IMAP: what was announced in clear is forgotten under TLS', () => {
    const before = ['S: * OK [CAPABILITY IMAP4rev2 STARTTLS] h', 'C: a1 STARTTLS', 'S: a1 OK'];
    expect(follow('imap', ...before).announced).toEqual(['IMAP4REV2', 'STARTTLS']);
    expect(follow('imap', ...before, 'TLS')).toMatchObject({ announced: undefined, secure: true, tags: ['a1'] });
  });
});
