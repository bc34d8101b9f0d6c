import { describe, expect, test } from 'vitest';
import { IMAP_COMMANDS } from '../../src/glass/explain/imap-commands.ts';
import { capabilityInWords } from '../../src/glass/explain/imap-parts.ts';
import { CAPABILITY_WORDS, RESPONSE_CODES } from '../../src/glass/explain/imap-words.ts';
import { POP3_COMMANDS } from '../../src/glass/explain/pop3-commands.ts';
import { POP3_RESPONSE_CODES } from '../../src/glass/explain/pop3.ts';
import { SMTP_COMMANDS } from '../../src/glass/explain/smtp-commands.ts';
import { REPLY_CODES, STATUS_CODES } from '../../src/glass/explain/smtp-words.ts';
import { type Meaning, readingOf, type Spoken } from '../../src/glass/reading.ts';
import { CAPABILITIES } from '../../src/imap/capabilities.ts';
import { COMMANDS as IMAP } from '../../src/imap/commands/table.ts';
import { COMMANDS as POP3 } from '../../src/pop3/commands/table.ts';
import { WORDS } from '../../src/store/refusal.ts';
import { Recorder } from '../../src/wire/recorder.ts';

/** `C: ` and `S: ` lines of a dialogue, and what the last unit of them means. */
function units(protocol: string, lines: readonly string[]): readonly Spoken[] {
  const conversation = new Recorder().open({
    service: protocol,
    protocol,
    role: 'server',
    local: { address: '127.0.0.1', port: 1143 },
    remote: { address: '127.0.0.1', port: 50_000 },
  });
  for (const line of lines)
    conversation.octets(line.startsWith('C') ? 'in' : 'out', 'both', Buffer.from(`${line.slice(3)}\r\n`));
  return readingOf(conversation);
}

function meaning(protocol: string, ...lines: readonly string[]): Meaning {
  const found = units(protocol, lines).at(-1)?.meaning;
  if (found === null || found === undefined) throw new Error(`${lines.at(-1)} has no meaning`);
  return found;
}

/** `sequence-set 1:4: messages 1 to 4`. */
function fields(protocol: string, ...lines: readonly string[]): string[] {
  const unit = units(protocol, lines).at(-1)!;
  return unit.meaning!.fields.map(({ start, end, name, says }) => `${name} ${unit.text.slice(start, end)}: ${says}`);
}

const rfc = ({ rfc }: Meaning): string => `${rfc?.number} ${rfc?.section}`;

describe('all that the servers know is explained', () => {
  test('commands, each with its section', () => {
    for (const name of IMAP.keys()) expect(IMAP_COMMANDS[name]?.rfc?.section, name).toBeTruthy();
    for (const name of POP3.keys()) expect(POP3_COMMANDS[name]?.rfc?.section, name).toBeTruthy();
    const smtp = [
      'EHLO',
      'HELO',
      'LHLO',
      'MAIL',
      'RCPT',
      'DATA',
      'BDAT',
      'RSET',
      'NOOP',
      'QUIT',
      'VRFY',
      'HELP',
      'AUTH',
      'STARTTLS',
    ];
    for (const name of smtp) expect(SMTP_COMMANDS[name]?.rfc?.section, name).toBeTruthy();
  });

  test('capabilities', () => {
    for (const { name } of CAPABILITIES) {
      expect(capabilityInWords(name), name).not.toContain('not explained');
      expect(CAPABILITY_WORDS[name.toUpperCase().split('=')[0]!]?.rfc, name).toBeTruthy();
    }
  });

  test('ways of saying no', () => {
    for (const { imap, smtp, pop3 } of Object.values(WORDS)) {
      expect(RESPONSE_CODES[imap?.split(' ')[0] ?? ''], imap).toBeTruthy();
      expect(REPLY_CODES[String(smtp[0])], String(smtp[0])).toBeTruthy();
      expect(STATUS_CODES[smtp[1].slice(2)], smtp[1]).toBeTruthy();
      if (pop3 !== undefined) expect(POP3_RESPONSE_CODES[pop3], pop3).toBeTruthy();
    }
  });
});

describe('IMAP', () => {
  test.each<readonly [string, string, string]>([
    ['C: a SELECT INBOX', 'The client opens INBOX, where mail arrives, to read and to change it.', '9051 6.3.2'],
    ['C: a EXAMINE "Entw&APw-rfe"', 'The client opens the mailbox “Entwürfe” for reading only.', '9051 6.3.3'],
    [
      'C: a FETCH 1:4 (FLAGS ENVELOPE)',
      'The client asks for messages 1 to 4: the flags; date, subject, addresses and Message-ID.',
      '9051 6.4.5',
    ],
    [
      'C: a UID MOVE 7,9:* Trash',
      'The client moves UIDs 7 and 9 to the last one into the mailbox “Trash”.',
      '9051 6.4.9',
    ],
    ['S: * 12 EXISTS', 'The mailbox has 12 messages now.', '9051 7.4.1'],
    ['S: * 1 EXISTS', 'The mailbox has 1 message now.', '9051 7.4.1'],
    ['S: * 3 EXPUNGE', 'Message 3 is gone; those behind it move up by one.', '9051 7.5.1'],
    [
      'S: * LIST (\\Sent) "/" "Gesendet"',
      'There is the mailbox “Gesendet”, for copies of what was sent.',
      '9051 7.3.1',
    ],
    [
      'S: * OK [UIDVALIDITY 5] Good',
      'The server remarks: UIDs hold as long as this number stays the same.',
      '9051 7.1',
    ],
    ['S: * QUOTA "" (STORAGE 10 512)', 'Used: 10 of 512 (STORAGE).', '9208 4.2.1'],
    ['S: * ESEARCH (TAG "a") UID COUNT 2 ALL 4,7', 'The search has found 2 messages.', '9051 7.3.4'],
  ])('%s', (line, what, where) => {
    const found = meaning('imap', 'S: * OK ready', line);
    expect(found.what).toBe(what);
    expect(rfc(found)).toBe(where);
  });

  test('an answer says which command it answers, and why not', () => {
    const found = meaning('imap', 'C: a CREATE x', 'S: a NO [ALREADYEXISTS] There is one');
    expect(found.what).toBe('CREATE has failed: that exists already.');
  });

  test('arguments, where they stand', () => {
    expect(fields('imap', 'C: a STORE 2 (UNCHANGEDSINCE 5) +FLAGS.SILENT (\\Seen $Later)')).toEqual([
      'tag a: the client’s name for this command: the answer bears it',
      'command STORE: STORE',
      'sequence-set 2: message 2',
      'modifier (UNCHANGEDSINCE 5): only if nobody has changed it after the change 5',
      'operation +FLAGS.SILENT: add these flags, and do not tell me what I know',
      'flag \\Seen: read',
      'keyword $Later: a keyword, with a meaning that clients give it',
    ]);
    expect(fields('imap', 'C: a SEARCH RETURN (COUNT) UNSEEN FROM "bob" SINCE 1-Jan-2026').slice(2)).toEqual([
      'result options RETURN: what of the result is to be told',
      'result option COUNT: how many there are',
      'search key UNSEEN: not read',
      'search key FROM "bob": from: bob',
      'search key SINCE 1-Jan-2026: arrived on or after: 1 January 2026',
    ]);
    expect(fields('imap', 'C: a FETCH 1 BODY.PEEK[1.HEADER.FIELDS (FROM TO)]<0.100>').slice(3)).toEqual([
      'fetch item BODY.PEEK[1.HEADER.FIELDS (FROM TO)]<0.100>: of the header of part 1: FROM and TO, 100 octets from 0 on, without marking the message as read',
    ]);
  });

  test('a FETCH response in words', () => {
    const line =
      'S: * 4 FETCH (FLAGS (\\Seen) ENVELOPE ("Mon, 2 Mar 2026 10:00:00 +0000" "=?utf-8?q?Gr=C3=BC=C3=9Fe?=" (("Jim" NIL "jim" "a.test")) NIL NIL (("" NIL "bob" "b.test")) NIL NIL NIL "<1@a>") RFC822.SIZE 1204)';
    expect(fields('imap', line).slice(2)).toEqual([
      'fetch item FLAGS: the flags',
      'flag \\Seen: read',
      'fetch item ENVELOPE: date, subject, addresses and Message-ID',
      'date "Mon, 2 Mar 2026 10:00:00 +0000": Mon, 2 Mar 2026 10:00:00 +0000',
      'subject "=?utf-8?q?Gr=C3=BC=C3=9Fe?=": “Grüße”',
      'from (("Jim" NIL "jim" "a.test")): Jim <jim@a.test>',
      'sender NIL: none',
      'reply-to NIL: none',
      'to (("" NIL "bob" "b.test")):  <bob@b.test>',
      'cc NIL: none',
      'bcc NIL: none',
      'in-reply-to NIL: none',
      'message-id "<1@a>": <1@a>',
      'fetch item RFC822.SIZE: its size in octets',
      'rfc822.size 1204: 1,204 octets',
    ]);
    const structure =
      'S: * 1 FETCH (BODYSTRUCTURE (("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 12 1 NIL NIL NIL NIL)("image" "png" ("name" "x.png") NIL NIL "base64" 99 NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL))';
    expect(fields('imap', structure).at(-1)).toMatch(
      /: multipart\/mixed of text\/plain \(utf-8, 7bit, 12 octets\); image\/png “x\.png” \(base64, 99 octets\)$/,
    );
  });

  test('a login says who, and hides the rest', () => {
    const said = Buffer.from('\0alice\0glass').toString('base64');
    const found = units('imap', ['C: a AUTHENTICATE PLAIN', 'S: + ', `C: ${said}`])[2]!;
    expect(found.role).toBe('sasl');
    expect(found.meaning!.decoded).toEqual([
      { name: 'user name', value: 'alice' },
      { name: 'password', value: '•••••' },
    ]);
    const scram = units('imap', ['C: a AUTHENTICATE SCRAM-SHA-256', 'S: + ', `C: ${btoa('n,,n=al=2Cice,r=xyz')}`])[2]!;
    expect(scram.meaning!.decoded.map(({ name, value }) => `${name}=${value}`)).toEqual([
      'channel binding=the client knows none',
      'user name=al,ice',
      'nonce=xyz',
    ]);
  });
});

describe('SMTP', () => {
  test.each<readonly [readonly string[], string, string]>([
    [['S: 220 hi'], 'The server speaks first: it is ready.', '5321 4.2'],
    [['C: MAIL FROM:<>'], 'A new message, from nobody: a report.', '5321 4.1.1.2'],
    [
      ['S: 220 hi', 'C: RCPT TO:<b@c.test>', 'S: 550 5.1.1 no'],
      'RCPT is refused: there is no such mailbox.',
      '3463 3.2',
    ],
    [
      ['S: 220 hi', 'C: EHLO me', 'S: 250-x\r\n250-SIZE 1000'],
      'SIZE: the largest message that is taken, in octets (1,000 octets).',
      '1870 3',
    ],
    [
      ['S: 220 hi', 'C: DATA', 'S: 354 go', 'C: Subject: x\r\n\r\n..a\r\n.', 'S: 250 2.0.0 ok'],
      'The server has taken the message over, and answers for it from now on.',
      '3463 3.1',
    ],
  ])('%j', (lines, what, where) => {
    const found = meaning('smtp', ...lines);
    expect(found.what).toBe(what);
    expect(rfc(found)).toBe(where);
  });

  test('parameters, and the reports that they ask for', () => {
    expect(fields('smtp', 'C: RCPT TO:<b@c.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+2Bx@c.test').slice(1)).toEqual([
      'forward-path <b@c.test>: to whom it is to be delivered; it may differ from To:',
      'parameter NOTIFY=SUCCESS,DELAY: of what the sender wants to hear: when it has arrived, when it is late',
      'parameter ORCPT=rfc822;b+2Bx@c.test: the address that was written first: rfc822;b+x@c.test',
    ]);
  });

  test('doubled dots are pointed at, and the end of a message', () => {
    const [, , , data, end] = units('smtp', [
      'S: 220 hi',
      'C: DATA',
      'S: 354 go',
      'C: Subject: =?utf-8?q?=C3=BC?=\r\n\r\n..a\r\n.',
    ]);
    expect(data).toMatchObject({ role: 'data', octets: 36 });
    expect(data!.meaning!.what).toBe(
      'The message itself, 36 octets: subject “ü”. One line begins with a dot, which is doubled.',
    );
    expect(data!.meaning!.fields.map(({ start, end: to }) => data!.text.slice(start, to + 2))).toEqual(['..a']);
    expect(end).toMatchObject({ role: 'continuation', name: '.', octets: 3 });
  });

  test('LMTP replies once for each recipient', () => {
    const found = units('lmtp', [
      'S: 220 hi',
      'C: MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA',
      'S: 250 ok\r\n250 ok\r\n250 ok\r\n354 go',
      'C: x\r\n.',
      'S: 250 2.0.0 ok\r\n452 4.2.2 full',
    ]);
    const [first, second] = found.slice(-2);
    expect(first!.meaning!.what).toContain('for c@d');
    expect(second!.meaning!.what).toBe(
      'The message is not taken now; the client should try again later for e@f: the mailbox is full.',
    );
    expect(first!.answers).toBe(second!.answers);
  });
});

describe('POP3', () => {
  test.each<readonly [readonly string[], string, string]>([
    [['S: +OK hi', 'C: STAT', 'S: +OK 2 320'], 'The maildrop has 2 messages, 320 octets.', '1939 5'],
    [['S: +OK hi', 'C: LIST', 'S: +OK\r\n1 120'], 'Message 1 has 120 octets.', '1939 5'],
    [
      ['S: +OK hi', 'C: PASS x', 'S: -ERR [AUTH] no'],
      'PASS has failed: user name or password are wrong, or may not be used so.',
      '3206 5',
    ],
    [['C: TOP 3 10'], 'The client asks for the head of message 3 and 10 lines of its body.', '1939 7'],
    [
      ['S: +OK hi', 'C: RETR 1', 'S: +OK\r\nSubject: x\r\n\r\n.'],
      'A line of one dot: the message ends here.',
      '1939 3',
    ],
  ])('%j', (lines, what, where) => {
    const found = meaning('pop3', ...lines);
    expect(found.what).toBe(what);
    expect(rfc(found)).toBe(where);
  });
});

describe('HTTP, and what is not known', () => {
  test('a request and its answer', () => {
    const found = units('http', [
      'C: GET /x HTTP/1.1\r\nHost: a\r\n',
      'S: HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno',
    ]);
    expect(found.map(({ meaning: each }) => each?.what)).toEqual([
      'The client asks for /x.',
      'Host: which name the client used.',
      'An empty line: the head ends here.',
      'The answer to the GET: there is no such thing.',
      'Content-Length: how many octets the body has.',
      'An empty line: the head ends here.',
      'The body of the response, 2 octets.',
      expect.any(String),
    ]);
  });

  test.each([
    ['imap', 'C: EHLO me', 'This is a command of SMTP, on a port of IMAP.'],
    ['pop3', 'C: a1 CAPABILITY', 'This is a command of IMAP, on a port of POP3.'],
    ['smtp', 'C: XYZZY', 'This is no command that SMTP has, or it is not explained here.'],
    ['smtp', 'C: \x16\x03\x01abc', 'The beginning of TLS, on a port that begins in clear.'],
  ])('%s %j', (protocol, line, what) => {
    const found = units(protocol, [line]).at(-1)!;
    expect(found.role).toBe('unknown');
    expect(found.meaning!.what).toBe(what);
  });
});
