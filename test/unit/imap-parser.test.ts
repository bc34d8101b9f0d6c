import { fc } from '../property.ts';
import { describe, expect, test } from 'vitest';
import { BadSyntax } from '../../src/imap/grammar/bad-syntax.ts';
import { Refusal } from '../../src/store/refusal.ts';
import { encodeMailboxName } from '../../src/imap/grammar/mailbox-name.ts';
import { Parser } from '../../src/imap/grammar/parser.ts';
import type { ParserOptions } from '../../src/imap/grammar/parser.ts';
import { BadCharset } from '../../src/imap/grammar/search-charset.ts';
import { printSequenceSet } from '../../src/imap/grammar/sequence-set.ts';
import type { SearchKey, SequenceRange } from '../../src/imap/grammar/syntax.ts';
import { dateTime } from '../../src/imap/grammar/writer.ts';

/** Each character up to U+00FF is one octet. */
function parser(text: string, options?: ParserOptions): Parser {
  return new Parser(Buffer.from(text, 'latin1'), options);
}

function utf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The whole text is what the rule reads. */
function read<T>(text: string, rule: (input: Parser) => T, options?: ParserOptions): T {
  const input = parser(text, options);
  const value = rule(input);
  input.end();
  return value;
}

function flag(name: string, set = true): SearchKey {
  return { name: 'FLAG', flag: name, set };
}

function sequence(...ranges: (readonly [SequenceRange['first'], SequenceRange['last']])[]) {
  return { type: 'set', ranges: ranges.map(([first, last]) => ({ first, last })) } as const;
}

describe('strings', () => {
  test.each([
    ['abc', 'abc'],
    ['a]b', 'a]b'],
    ['~abc', '~abc'],
    ['NIL', 'NIL'],
    ['""', ''],
    ['"a b"', 'a b'],
    [String.raw`"a\"b\\c"`, String.raw`a"b\c`],
    [String.raw`"\\\\\""`, String.raw`\\"`],
    [`"${utf8('für')}"`, 'für'],
    ['{5}\r\na b"c', 'a b"c'],
    ['{3+}\r\na\r\n', 'a\r\n'],
    ['{0}\r\n', ''],
    ['~{2}\r\n\0a', '\0a'],
    [`{4}\r\n${utf8('für')}`, 'für'],
  ])('astring %j', (text, value) => {
    expect(read(text, (input) => input.astring())).toBe(value);
    expect(Buffer.from(read(text, (input) => input.astringOctets())).toString('utf8')).toBe(value);
  });

  test.each([
    '',
    ' a',
    '(',
    '*',
    '"abc',
    String.raw`"a\b"`,
    '"a\\',
    '"a\r\nb"',
    'für',
    '"f\xfcr"',
    '{4}\r\nabc',
    '{3}abc',
    '{}\r\n',
    '{-1}\r\n',
    '{3}\r\na\0c',
    '{99999999999999999999999}\r\n',
    '~{3}',
  ])('no astring: %j', (text) => {
    expect(() => read(text, (input) => input.astring())).toThrow(BadSyntax);
  });

  test('an atom ends before a bracket, an astring does not', () => {
    expect(() => read('a]', (input) => input.atom())).toThrow(BadSyntax);
    expect(read('a]', (input) => input.astring())).toBe('a]');
  });

  test('nstring tells NIL from "NIL"', () => {
    expect(read('nil', (input) => input.nstring())).toBeNull();
    expect(read('"NIL"', (input) => input.nstring())).toBe('NIL');
    expect(() => read('NILS', (input) => input.nstring())).toThrow(BadSyntax);
  });

  test('many escapes cost no more than their length', () => {
    const escaped = `"${String.raw`\\`.repeat(200_000)}"`;
    const start = performance.now();
    expect(read(escaped, (input) => input.string())).toHaveLength(200_000);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test.each([
    ['NIL', null],
    ['()', new Map()],
    [
      '("name" "mutt" "version" NIL)',
      new Map([
        ['name', 'mutt'],
        ['version', null],
      ]),
    ],
  ])('id parameters %j', (text, value) => {
    expect(read(text, (input) => input.idParameters())).toEqual(value);
  });

  test.each([
    ['AGFsaWNlAGdsYXNz', '\0alice\0glass'],
    ['YQ==', 'a'],
  ])('base64 %j', (text, value) => {
    expect(Buffer.from(read(text, (input) => input.base64())).toString()).toBe(value);
    expect(Buffer.from(read(text, (input) => input.initialResponse())).toString()).toBe(value);
  });

  test('an initial response of nothing is =', () => {
    expect(read('=', (input) => input.initialResponse())).toHaveLength(0);
    for (const text of ['', 'YQ', 'YQ=', 'Y===', 'YQ==a', '*', 'Y Q=']) {
      expect(() => read(text, (input) => input.initialResponse()), text).toThrow(BadSyntax);
    }
  });

  test('a message literal ends what the parser is given', () => {
    expect(read('{310}\r\n', (input) => input.messageLiteral())).toEqual({ size: 310, binary: false });
    expect(read('{310+}\r\n', (input) => input.messageLiteral())).toEqual({ size: 310, binary: false });
    expect(read('~{5}\r\n', (input) => input.messageLiteral())).toEqual({ size: 5, binary: true });
    expect(() => parser('{1}\r\na').messageLiteral()).toThrow(BadSyntax);
    expect(() => parser('"text"').messageLiteral()).toThrow('a message as a literal');
  });
});

describe('looking ahead', () => {
  test('a keyword is a whole atom, in any case', () => {
    const input = parser('return (RETURNS');
    expect(input.keyword('RET')).toBe(false);
    expect(input.keyword('RETURN')).toBe(true);
    expect(input.sp().has('(')).toBe(true);
    expect(input.peek()).toBe('(');
    expect(input.take('(')).toBe(true);
    expect(input.keyword('RETURN')).toBe(false);
    expect(input.take('returns')).toBe(true);
    expect(input.peek()).toBe('');
    expect(input.atEnd()).toBe(true);
  });

  test('spaces at the end are passed over, elsewhere one is one', () => {
    expect(parser('  ').atEnd()).toBe(true);
    expect(() => parser('  a').sp().astring()).toThrow('Expected a string at octet 2, found a space');
    expect(() => parser(' a b').sp().end()).toThrow(BadSyntax);
  });

  test('a literal may end in spaces', () => {
    const input = parser('{3}\r\na  ');
    expect(input.atEnd()).toBe(false);
    expect(input.string()).toBe('a  ');
    expect(input.atEnd()).toBe(true);
  });

  test('errors count octets from the start of the command', () => {
    expect(() => parser(' x', { offset: 8 }).sp().number()).toThrow('Expected a number at octet 10, found "x"');
    expect(() => parser('').sp()).toThrow('Expected a space at octet 1, found the end of the command');
    expect(() => parser('\xff').atom()).toThrow('found the octet 0xFF');
  });

  test('a list has one space between its items', () => {
    expect(read('(a b)', (input) => input.list(() => input.atom()))).toEqual(['a', 'b']);
    for (const text of ['()', '(a', '(a  b)', '(a b', '( a)', '(a )', 'a']) {
      expect(() => read(text, (input) => input.list(() => input.atom())), text).toThrow(BadSyntax);
    }
  });
});

describe('numbers', () => {
  test('32 and 63 bits', () => {
    expect(read('4294967295', (input) => input.number())).toBe(4294967295);
    expect(read('0', (input) => input.number())).toBe(0);
    expect(read('1', (input) => input.nzNumber())).toBe(1);
    expect(read('9007199254740991', (input) => input.number64())).toBe(9007199254740991);
    // Above 2^53 - 1 all are the same to us.
    expect(read('9223372036854775807', (input) => input.modSeq())).toBe(Number.MAX_SAFE_INTEGER);
    expect(read('0', (input) => input.modSeqOrZero())).toBe(0);
  });

  test.each<[string, (input: Parser) => unknown]>([
    ['4294967296', (input) => input.number()],
    ['-1', (input) => input.number()],
    ['0', (input) => input.nzNumber()],
    ['01', (input) => input.nzNumber()],
    ['0', (input) => input.modSeq()],
    ['9223372036854775808', (input) => input.number64()],
    ['9'.repeat(50_000), (input) => input.number64()],
    ['9'.repeat(50_000), (input) => input.number()],
    ['', (input) => input.number()],
  ])('out of range: %.30j', (text, rule) => {
    expect(() => read(text, rule)).toThrow(BadSyntax);
  });
});

describe('sequence sets', () => {
  test.each([
    ['1', '1', sequence([1, 1])],
    ['*', '*', sequence(['*', '*'])],
    ['1:*', '1:*', sequence([1, '*'])],
    ['*:4,5:7', '*:4,5:7', sequence(['*', 4], [5, 7])],
    ['2,4:7,9,12:*', '2,4:7,9,12:*', sequence([2, 2], [4, 7], [9, 9], [12, '*'])],
    ['4:2', '4:2', sequence([4, 2])],
    ['1,2,3,5', '1:3,5', sequence([1, 3], [5, 5])],
    ['3,2,1', '3,2,1', sequence([3, 3], [2, 2], [1, 1])],
    ['4294967295', '4294967295', sequence([4294967295, 4294967295])],
    ['$', '$', { type: 'saved' }],
  ])('%s', (text, printed, value) => {
    const set = read(text, (input) => input.sequenceSet());
    expect(set).toEqual(value);
    expect(printSequenceSet(set)).toBe(printed);
    expect(read(printSequenceSet(set), (input) => input.sequenceSet())).toEqual(value);
  });

  test.each([
    '',
    '0',
    '0:3',
    '1:',
    ':1',
    '1,',
    ',1',
    '1:2:3',
    '1,,2',
    '4294967296',
    'a',
    '1-3',
    '$,1',
    '1,$',
    '-1',
    '01',
  ])('none: %j', (text) => {
    expect(() => read(text, (input) => input.sequenceSet())).toThrow(BadSyntax);
  });

  test('a million numbers are one range, or refused', () => {
    const numbers = Array.from({ length: 1_000_000 }, (_, i) => i + 1);
    const start = performance.now();
    expect(read(numbers.join(','), (input) => input.sequenceSet())).toEqual(sequence([1, 1_000_000]));
    const odd = numbers.map((number) => 2 * number - 1).join(',');
    expect(() => parser(odd).sequenceSet()).toThrow('no more than 100000 ranges');
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe('mailboxes', () => {
  test.each([
    ['Entw&APw-rfe', 'Entwürfe'],
    ['"Entw&APw-rfe"', 'Entwürfe'],
    ['~peter/mail/&U,BTFw-/&ZeVnLIqe-', '~peter/mail/台北/日本語'],
    ['AT&-T', 'AT&T'],
    ['&2D3cGQ-', '🐙'],
    ['inbox', 'INBOX'],
    ['"InBoX"', 'INBOX'],
    ['inbox/2026', 'INBOX/2026'],
    ['inboxes', 'inboxes'],
    ['""', ''],
    ['Cafe&AwE-', 'Café'],
  ])('%s', (text, value) => {
    expect(read(text, (input) => input.mailbox())).toBe(value);
    const printed = JSON.stringify(encodeMailboxName(value));
    expect(read(printed, (input) => input.mailbox())).toBe(value);
    expect(read(text, (input) => input.listMailbox())).toBe(value);
  });

  test.each(['"a&b"', 'a&', '&A-', '&AGE-', '&2D0-', '&U/BTFw-', '&APw'])('invalid modified UTF-7: %s', (text) => {
    expect(() => read(text, (input) => input.mailbox())).toThrow(Refusal);
    expect(read(text, (input) => input.listMailbox())).toBeUndefined();
    expect(read(`(${text} a)`, (input) => input.listPatterns())).toEqual(['a']);
  });

  test('a wildcard is no part of a name', () => {
    expect(() => read('&*-', (input) => input.mailbox())).toThrow(Refusal);
    expect(() => read('a*', (input) => input.mailbox())).toThrow(BadSyntax);
  });

  test('UTF-8, once it is enabled', () => {
    const name = `"${utf8('Entwürfe & mehr')}"`;
    expect(read(name, (input) => input.mailbox(), { utf8: true })).toBe('Entwürfe & mehr');
    expect(() => read(name, (input) => input.mailbox())).toThrow(BadSyntax);
  });

  test('patterns', () => {
    expect(read('*', (input) => input.listMailbox())).toBe('*');
    expect(read('inbox/%', (input) => input.listMailbox())).toBe('INBOX/%');
    expect(read('("a" b%)', (input) => input.listPatterns())).toEqual(['a', 'b%']);
    expect(read('*', (input) => input.listPatterns())).toEqual(['*']);
  });

  test.each([
    ['()', []],
    ['(STORAGE 512)', [{ name: 'STORAGE', limit: 512 }]],
    [
      '(storage 0 X-other 4294967296)',
      [
        { name: 'STORAGE', limit: 0 },
        { name: 'X-OTHER', limit: 4294967296 },
      ],
    ],
    ['(MESSAGE 9223372036854775807)', [{ name: 'MESSAGE', limit: Number.MAX_SAFE_INTEGER }]],
  ])('limits of quotas %s', (text, value) => {
    expect(read(text, (input) => input.setQuotaList())).toEqual(value);
  });

  test.each([
    'STORAGE 1',
    '(STORAGE)',
    '(STORAGE )',
    '(STORAGE -1)',
    '(STORAGE 1 2)',
    '(STORAGE 1  MESSAGE 2)',
    '("STORAGE" 1)',
    '( )',
    '(1',
    '(STORAGE 9223372036854775808)',
  ])('no limits of quotas: %s', (text) => {
    expect(() => read(text, (input) => input.setQuotaList())).toThrow(BadSyntax);
  });

  test.each([
    ['""', ''],
    ['#user/alice', '#user/alice'],
    ['"a\\\\b c"', 'a\\b c'],
    ['{4}\r\na"b!', 'a"b!'],
  ])('the quota root %s', (text, name) => {
    expect(read(text, (input) => input.quotaRootName())).toBe(name);
  });

  test('status items', () => {
    expect(read('(messages UIDNEXT MAILBOXID deleted-storage)', (input) => input.statusItems())).toEqual([
      'MESSAGES',
      'UIDNEXT',
      'MAILBOXID',
      'DELETED-STORAGE',
    ]);
    for (const text of ['()', 'MESSAGES', '(BOGUS)', '(MESSAGES,UNSEEN)']) {
      expect(() => read(text, (input) => input.statusItems()), text).toThrow(BadSyntax);
    }
  });

  test.each([
    ['', { condstore: false }],
    [' (CONDSTORE)', { condstore: true }],
    [' (QRESYNC (67890007 20))', { condstore: false, qresync: { uidValidity: 67890007, modSeq: 20 } }],
    [
      ' (QRESYNC (6 20 41:211,214) CONDSTORE)',
      { condstore: true, qresync: { uidValidity: 6, modSeq: 20, knownUids: sequence([41, 211], [214, 214]) } },
    ],
    [
      ' (QRESYNC (6 20 1:9 (1,3 5,7)))',
      {
        condstore: false,
        qresync: {
          uidValidity: 6,
          modSeq: 20,
          knownUids: sequence([1, 9]),
          match: { seqNums: sequence([1, 1], [3, 3]).ranges, uids: sequence([5, 5], [7, 7]).ranges },
        },
      },
    ],
    [
      ' (QRESYNC (6 20 (1 5)))',
      {
        condstore: false,
        qresync: {
          uidValidity: 6,
          modSeq: 20,
          match: { seqNums: sequence([1, 1]).ranges, uids: sequence([5, 5]).ranges },
        },
      },
    ],
  ])('select parameters%s', (text, value) => {
    expect(read(text, (input) => input.selectParameters())).toEqual(value);
  });

  test.each([' ()', ' (BOGUS)', ' (QRESYNC)', ' (QRESYNC (1))', ' (QRESYNC (1 1 1:*))', ' (QRESYNC (1 0))'])(
    'no select parameters: %j',
    (text) => {
      expect(() => read(text, (input) => input.selectParameters())).toThrow(BadSyntax);
    },
  );
});

describe('fetch', () => {
  test.each([
    ['ALL', [{ name: 'FLAGS' }, { name: 'INTERNALDATE' }, { name: 'RFC822.SIZE' }, { name: 'ENVELOPE' }]],
    ['fast', [{ name: 'FLAGS' }, { name: 'INTERNALDATE' }, { name: 'RFC822.SIZE' }]],
    [
      'FULL',
      [{ name: 'FLAGS' }, { name: 'INTERNALDATE' }, { name: 'RFC822.SIZE' }, { name: 'ENVELOPE' }, { name: 'BODY' }],
    ],
    ['flags', [{ name: 'FLAGS' }]],
    ['(UID RFC822)', [{ name: 'UID' }, { name: 'RFC822' }]],
    ['(RFC822.HEADER RFC822.TEXT)', [{ name: 'RFC822.HEADER' }, { name: 'RFC822.TEXT' }]],
    ['(BODY BODYSTRUCTURE)', [{ name: 'BODY' }, { name: 'BODYSTRUCTURE' }]],
    ['(MODSEQ EMAILID THREADID)', [{ name: 'MODSEQ' }, { name: 'EMAILID' }, { name: 'THREADID' }]],
    ['SAVEDATE', [{ name: 'SAVEDATE' }]],
    ['BODY[]', [{ name: 'BODY[]', peek: false, section: { path: [] } }]],
    ['BODY.PEEK[1.2]', [{ name: 'BODY[]', peek: true, section: { path: [1, 2] } }]],
    ['BODY[HEADER]', [{ name: 'BODY[]', peek: false, section: { path: [], text: { name: 'HEADER' } } }]],
    ['body[3.mime]', [{ name: 'BODY[]', peek: false, section: { path: [3], text: { name: 'MIME' } } }]],
    [
      'BODY.PEEK[HEADER.FIELDS (Date "From" {2}\r\nTo)]',
      [
        {
          name: 'BODY[]',
          peek: true,
          section: { path: [], text: { name: 'HEADER.FIELDS', fields: ['Date', 'From', 'To'] } },
        },
      ],
    ],
    [
      'BODY[4.1.HEADER.FIELDS.NOT (X)]<5.10>',
      [
        {
          name: 'BODY[]',
          peek: false,
          section: { path: [4, 1], text: { name: 'HEADER.FIELDS.NOT', fields: ['X'] } },
          partial: { offset: 5, count: 10 },
        },
      ],
    ],
    [
      'BODY[TEXT]<0.4294967296>',
      [
        {
          name: 'BODY[]',
          peek: false,
          section: { path: [], text: { name: 'TEXT' } },
          partial: { offset: 0, count: 4294967296 },
        },
      ],
    ],
    ['BINARY[1]', [{ name: 'BINARY[]', peek: false, path: [1] }]],
    ['BINARY.PEEK[]<0.1>', [{ name: 'BINARY[]', peek: true, path: [], partial: { offset: 0, count: 1 } }]],
    ['BINARY.SIZE[1.2]', [{ name: 'BINARY.SIZE', path: [1, 2] }]],
  ])('%j', (text, value) => {
    expect(read(text, (input) => input.fetchAttributes())).toEqual(value);
  });

  test.each([
    '',
    '()',
    '(FLAGS',
    '(FAST)',
    'FLAGSX',
    'BODY.PEEK',
    'BINARY',
    'BINARY.SIZE',
    'BINARY[TEXT]',
    'BODY[',
    'BODY[0]',
    'BODY[1.]',
    'BODY[.1]',
    'BODY[MIME]',
    'BODY[1 TEXT]',
    'BODY[HEADER.FIELDS]',
    'BODY[HEADER.FIELDS ()]',
    'BODY[TEXT]<0.0>',
    'BODY[TEXT]<0>',
    'BODY[TEXT]<-1.5>',
    'FLAGS UID',
    'RFC822.PEEK',
  ])('none: %j', (text) => {
    expect(() => read(text, (input) => input.fetchAttributes())).toThrow(BadSyntax);
  });

  test.each([
    ['', {}],
    [' (CHANGEDSINCE 12345)', { changedSince: 12345 }],
    [' (changedsince 1 VANISHED)', { changedSince: 1, vanished: true }],
  ])('modifiers%s', (text, value) => {
    expect(read(text, (input) => input.fetchModifiers())).toEqual(value);
  });

  test.each([' (CHANGEDSINCE 0)', ' ()', ' (CHANGEDSINCE)', ' (PARTIAL 1)', ' (PARTIAL 1:2 PARTIAL 1:2)'])(
    'no modifiers:%s',
    (text) => {
      expect(() => read(text, (input) => input.fetchModifiers())).toThrow(BadSyntax);
    },
  );
});

describe('store', () => {
  test.each([
    ['FLAGS ()', { mode: 'replace', silent: false, flags: [] }],
    ['+FLAGS (\\Deleted)', { mode: 'add', silent: false, flags: ['\\Deleted'] }],
    ['-flags.silent \\SEEN $Junk', { mode: 'remove', silent: true, flags: ['\\Seen', '$Junk'] }],
    [
      '(UNCHANGEDSINCE 320162338) +FLAGS.SILENT (\\Flagged)',
      { mode: 'add', silent: true, flags: ['\\Flagged'], unchangedSince: 320162338 },
    ],
    ['(UNCHANGEDSINCE 0) FLAGS a', { mode: 'replace', silent: false, flags: ['a'], unchangedSince: 0 }],
  ])('%s', (text, value) => {
    expect(read(text, (input) => input.storeArguments())).toEqual(value);
  });

  test.each([
    'FLAGS',
    'FLAGS ',
    '*FLAGS a',
    'FLAGS(a)',
    'FLAGS \\Recent',
    'FLAGS \\Bogus',
    'FLAGS \\*',
    'FLAGS (a',
    'FLAGS ((a))',
    'FLAGS.LOUD a',
    '() FLAGS a',
    '(UNCHANGEDSINCE -1) FLAGS a',
    'FLAGS a]b',
  ])('none: %j', (text) => {
    expect(() => read(text, (input) => input.storeArguments())).toThrow(BadSyntax);
  });
});

describe('dates', () => {
  test.each([
    ['"17-Jul-1996 02:44:25 -0700"', '1996-07-17T09:44:25.000Z'],
    ['" 1-jan-2026 00:00:00 +0000"', '2026-01-01T00:00:00.000Z'],
    ['"1-JAN-2026 00:00:00 +0130"', '2025-12-31T22:30:00.000Z'],
    ['"29-Feb-2024 23:59:59 +0000"', '2024-02-29T23:59:59.000Z'],
    ['" 5-Mar-0099 12:00:00 +0000"', '0099-03-05T12:00:00.000Z'],
  ])('date-time %s', (text, value) => {
    const date = read(text, (input) => input.dateTime());
    expect(date.toISOString()).toBe(value);
    expect(read(`"${dateTime(date)}"`, (input) => input.dateTime())).toEqual(date);
  });

  test.each([
    '"31-Feb-2026 00:00:00 +0000"',
    '"29-Feb-2026 00:00:00 +0000"',
    '"00-Jan-2026 00:00:00 +0000"',
    '"01-Foo-2026 00:00:00 +0000"',
    '"01-Jan-2026 24:00:00 +0000"',
    '"01-Jan-2026 00:60:00 +0000"',
    '"01-Jan-2026 00:00:00 +0060"',
    '"01-Jan-2026 00:00:00"',
    '01-Jan-2026',
    '"2026-01-01 00:00:00 +0000"',
    '"01-Jan-2026 00:00:00 +0000',
  ])('no date-time: %s', (text) => {
    expect(() => read(text, (input) => input.dateTime())).toThrow(BadSyntax);
  });

  test.each([
    ['1-Jan-1970', 0],
    ['"2-jan-1970"', 1],
    ['31-Dec-1969', -1],
    ['01-Feb-1994', 8797],
  ])('date %s', (text, day) => {
    expect(read(text, (input) => input.date())).toBe(day);
  });

  test.each(['1-Jan-70', '32-Jan-2026', '0-Jan-2026', '"1-Jan-2026', '1-Jan-2026"', 'yesterday'])(
    'no date: %s',
    (text) => {
      expect(() => read(text, (input) => input.date())).toThrow(BadSyntax);
    },
  );
});

describe('search', () => {
  const day = 8797; // 1-Feb-1994

  test.each<[string, SearchKey]>([
    ['ALL', { name: 'ALL' }],
    ['new', { name: 'NEW' }],
    ['OLD', { name: 'OLD' }],
    ['RECENT', { name: 'RECENT' }],
    ['SEEN', flag('\\Seen')],
    ['UNSEEN', flag('\\Seen', false)],
    ['UNANSWERED', flag('\\Answered', false)],
    ['DRAFT', flag('\\Draft')],
    ['KEYWORD $Junk', flag('$Junk')],
    ['UNKEYWORD a', flag('a', false)],
    ['FROM smith', { name: 'FROM', text: 'smith' }],
    ['TEXT ""', { name: 'TEXT', text: '' }],
    [`BODY "${utf8('grüße')}"`, { name: 'BODY', text: 'grüße' }],
    [`CHARSET UTF-8 SUBJECT {6}\r\n${utf8('тест').slice(0, 6)}`, { name: 'SUBJECT', text: 'тес' }],
    ['CHARSET iso-8859-1 TO "f\xfcr"', { name: 'TO', text: 'für' }],
    ['CHARSET "US-ASCII" CC x', { name: 'CC', text: 'x' }],
    ['HEADER Message-ID "<a@b>"', { name: 'HEADER', field: 'Message-ID', text: '<a@b>' }],
    ['SINCE 1-Feb-1994', { name: 'SINCE', day }],
    ['SENTBEFORE "1-Feb-1994"', { name: 'SENTBEFORE', day }],
    ['SAVEDON 1-Feb-1994', { name: 'SAVEDON', day }],
    ['SAVEDATESUPPORTED', { name: 'ALL' }],
    ['YOUNGER 3600', { name: 'YOUNGER', seconds: 3600 }],
    ['LARGER 10000000000', { name: 'LARGER', octets: 10_000_000_000 }],
    ['MODSEQ 620162338', { name: 'MODSEQ', since: 620162338 as never }],
    ['MODSEQ "/flags/\\\\draft" all 6', { name: 'MODSEQ', since: 6 as never }],
    ['UID 1:*', { name: 'UID', set: sequence([1, '*']) }],
    ['UIDAFTER 7', { name: 'UIDAFTER', uid: 7 }],
    ['uidbefore 4294967295', { name: 'UIDBEFORE', uid: 4_294_967_295 }],
    ['2:4', { name: 'SEQUENCE', set: sequence([2, 4]) }],
    ['$', { name: 'SEQUENCE', set: { type: 'saved' } }],
    ['EMAILID M6d99ac3275bb4e', { name: 'EMAILID', id: 'M6d99ac3275bb4e' }],
    ['NOT SEEN', { name: 'NOT', key: flag('\\Seen') }],
    ['OR SEEN NOT DRAFT', { name: 'OR', left: flag('\\Seen'), right: { name: 'NOT', key: flag('\\Draft') } }],
    ['(SEEN)', flag('\\Seen')],
    [
      '(SEEN DRAFT) 1',
      {
        name: 'AND',
        keys: [
          { name: 'AND', keys: [flag('\\Seen'), flag('\\Draft')] },
          { name: 'SEQUENCE', set: sequence([1, 1]) },
        ],
      },
    ],
  ])('%j', (text, key) => {
    expect(read(text, (input) => input.searchProgram())).toEqual({ returns: undefined, key });
  });

  test.each([
    ['RETURN () ALL', ['ALL']],
    ['RETURN (MIN MAX) ALL', ['MIN', 'MAX']],
    ['return (count save) CHARSET UTF-8 ALL', ['COUNT', 'SAVE']],
  ])('%s', (text, returns) => {
    expect(read(text, (input) => input.searchProgram())).toEqual({ returns, key: { name: 'ALL' } });
  });

  test.each([
    '',
    'BOGUS',
    'FROM',
    'FROM  a',
    'OR SEEN',
    'NOT',
    '()',
    '(SEEN',
    'SEEN DRAFT)',
    'SINCE yesterday',
    'LARGER -1',
    'YOUNGER 0',
    'KEYWORD \\Seen',
    'RETURN',
    'RETURN ALL',
    'RETURN (BOGUS) ALL',
    'RETURN (ALL)',
    'CHARSET UTF-8',
    'CHARSET US-ASCII BODY "f\xfcr"',
    'CHARSET ISO-2022-JP BODY "\x1b$B\xff\xff"',
    'MODSEQ "/flags/a" bogus 1',
    'EMAILID ""',
    'UID 0',
    'UIDAFTER',
    'UIDAFTER 0',
    'UIDAFTER *',
    'UIDBEFORE 1:2',
    'UIDBEFORE 4294967296',
  ])('none: %j', (text) => {
    expect(() => read(text, (input) => input.searchProgram())).toThrow(BadSyntax);
  });

  test('a text that is no UTF-8 is in a charset that was not named', () => {
    expect(() => read('BODY "f\xfcr"', (input) => input.searchProgram())).toThrow(BadCharset);
  });

  test('another charset is refused with a list of those that are known', () => {
    let refused: unknown;
    try {
      read('CHARSET X-KLINGON FROM a', (input) => input.searchProgram());
    } catch (error) {
      refused = error;
    }
    expect(refused).toBeInstanceOf(BadCharset);
    expect((refused as BadCharset).code).toMatch(/^BADCHARSET \(UTF-8 US-ASCII [A-Z0-9 -]+\)$/);
  });

  test('nesting has a limit', () => {
    expect(() => read(`${'NOT '.repeat(400)}SEEN`, (input) => input.searchProgram())).not.toThrow();
    for (const text of ['NOT '.repeat(10_000), '('.repeat(10_000), 'OR '.repeat(10_000), 'OR SEEN '.repeat(10_000)]) {
      expect(() => read(`${text}SEEN`, (input) => input.searchProgram())).toThrow('no more than 500 search keys');
    }
  });
});

describe('whatever comes', () => {
  const rules: readonly ((input: Parser) => unknown)[] = [
    (input) => input.astring(),
    (input) => input.nstring(),
    (input) => input.mailbox(),
    (input) => input.listPatterns(),
    (input) => input.sequenceSet(),
    (input) => input.storeArguments(),
    (input) => input.fetchAttributes(),
    (input) => input.fetchModifiers(),
    (input) => input.searchProgram(),
    (input) => input.statusItems(),
    (input) => input.setQuotaList(),
    (input) => input.selectParameters(),
    (input) => input.dateTime(),
    (input) => input.date(),
    (input) => input.idParameters(),
    (input) => input.initialResponse(),
    (input) => input.messageLiteral(),
    (input) => input.flagList(),
  ];
  const valid = [
    'RETURN (MIN ALL) CHARSET UTF-8 (OR FROM {3}\r\nabc NOT SEEN) 1:4,* HEADER a "b"',
    '(FLAGS BODY.PEEK[1.2.HEADER.FIELDS (a b)]<0.5> BODY[TEXT] BINARY.SIZE[1])',
    '(UNCHANGEDSINCE 12) +FLAGS.SILENT (\\Seen foo)',
    ' (QRESYNC (67890007 90060115194045000 41:211,214:541 (1,3 5,7)) CONDSTORE)',
    ' (CHANGEDSINCE 12 VANISHED)',
    '"17-Jul-1996 02:44:25 -0700"',
    '("name" "mutt" "version" NIL)',
    '&ZeVnLIqe-/Entw&APw-rfe',
    '2,4:7,9,12:*,$',
    '(MESSAGES UIDNEXT)',
    '~{4}\r\n\0abc',
    'AGFsaWNlAGdsYXNz',
  ];

  function parsesOrRefuses(octets: Uint8Array, utf8: boolean): void {
    for (const rule of rules) {
      try {
        const input = new Parser(octets, { utf8 });
        rule(input);
        input.end();
      } catch (error) {
        if (error instanceof BadSyntax || error instanceof Refusal) {
          // One line of ASCII: it goes into a response as it is.
          expect(error.message).toMatch(/^[\x20-\x7e]+$/);
        } else expect(error).toBeInstanceOf(BadCharset);
      }
    }
  }

  test('random octets are parsed or refused', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), parsesOrRefuses), { numRuns: 2000 });
  });

  test('commands with a few wrong octets are parsed or refused', () => {
    const mutation = fc.record({
      at: fc.nat(),
      remove: fc.nat({ max: 5 }),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 4 }),
        fc
          .constantFrom('(', ')', '"', '\\', '{3}\r\n', '{9999}\r\n', ' ', '*', '[', ']', '&', '-', '0', '\r\n', '<')
          .map((text) => Buffer.from(text)),
      ),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...valid),
        fc.array(mutation, { maxLength: 4 }),
        fc.boolean(),
        (text, mutations, utf8) => {
          let octets = Buffer.from(text, 'latin1');
          for (const { at, remove, insert } of mutations) {
            const position = at % (octets.length + 1);
            octets = Buffer.concat([octets.subarray(0, position), insert, octets.subarray(position + remove)]);
          }
          parsesOrRefuses(octets, utf8);
        },
      ),
      { numRuns: 3000 },
    );
  });

  test.each(['(', ')', '"', '\\', '{', '1,', '*:', '\\"', '&', '[1.', ' ', 'a ', 'NOT ', '(a '])(
    'a quarter of a million octets of %j take no long time',
    (piece) => {
      const octets = Buffer.from(piece.repeat(Math.ceil(262_144 / piece.length)), 'latin1');
      const start = performance.now();
      parsesOrRefuses(octets, false);
      expect(performance.now() - start).toBeLessThan(5000);
    },
  );
});
