import { fc } from '../property.ts';
import { describe, expect, test } from 'vitest';
import { decodeMailboxName } from '../../src/imap/grammar/mailbox-name.ts';
import { bye, flagsChanged, no, ok, untaggedOk } from '../../src/imap/grammar/responses.ts';
import { hasStream, ResponseWriter } from '../../src/imap/grammar/writer.ts';
import type { Dialect, FetchItem, Response, SearchReturn } from '../../src/imap/grammar/syntax.ts';
import type { ModSeq, SeqNum, Uid, UidRange } from '../../src/store/change.ts';

const REV1: Dialect = { rev2: false, utf8: false, utf8Accept: false, condstore: false, qresync: false, uidOnly: false };
const REV2: Dialect = { rev2: true, utf8: true, utf8Accept: false, condstore: false, qresync: false, uidOnly: false };
const STORAGE = { name: 'STORAGE', usage: 0, limit: 1 } as const;
const QRESYNC: Dialect = { ...REV1, condstore: true, qresync: true };

function octetsOf(writer: ResponseWriter): Buffer {
  return Buffer.concat(writer.take());
}

/** As text, each octet one character. */
function print(response: Response, dialect: Dialect = REV1): string {
  const writer = new ResponseWriter(dialect);
  writer.response(response);
  return octetsOf(writer).toString('latin1');
}

function utf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function ranges(...pairs: [number, number][]): UidRange[] {
  return pairs.map(([first, last]) => ({ first: first as Uid, last: last as Uid }));
}

function fetch(items: readonly FetchItem[], seqNum = 1): Response {
  return { type: 'fetch', seqNum: seqNum as SeqNum, uid: 1 as Uid, items };
}

describe('responses', () => {
  test.each<[string, Response, Dialect?]>([
    ['* OK Hello', untaggedOk('Hello')],
    ['* OK [UIDVALIDITY 3] UIDs are valid', untaggedOk('UIDs are valid', 'UIDVALIDITY 3')],
    ['* BYE [UNAVAILABLE] Later', bye('Later', 'UNAVAILABLE')],
    ['* BYE Good-bye', bye('Good-bye')],
    ['* CAPABILITY IMAP4rev1 IDLE', { type: 'capability', names: ['IMAP4rev1', 'IDLE'] }],
    ['* ENABLED', { type: 'enabled', names: [] }],
    ['* ENABLED CONDSTORE', { type: 'enabled', names: ['CONDSTORE'] }],
    ['* FLAGS (\\Seen $Junk)', { type: 'flags', flags: ['\\Seen', '$Junk'] }],
    ['* FLAGS ()', { type: 'flags', flags: [] }],
    ['* 3 EXISTS', { type: 'exists', count: 3 }],
    ['* 0 RECENT', { type: 'recent', count: 0 }],
    ['* VANISHED (EARLIER) 41,43:116', { type: 'vanished-earlier', uids: ranges([41, 41], [43, 116]) }],
    ['', { type: 'vanished-earlier', uids: [] }],
    ['* 3 EXPUNGE\r\n* 3 EXPUNGE', { type: 'expunged', seqNums: [3, 3] as SeqNum[], uids: ranges([7, 8]) }],
    ['* VANISHED 7:8', { type: 'expunged', seqNums: [3, 3] as SeqNum[], uids: ranges([7, 8]) }, QRESYNC],
    [
      '* LIST (\\HasNoChildren) "/" INBOX',
      { type: 'list', attributes: ['\\HasNoChildren'], name: 'INBOX', delimiter: '/' },
    ],
    ['* LIST (\\Noselect) NIL ""', { type: 'list', attributes: ['\\Noselect'], name: '', delimiter: null }],
    ['* LSUB () "\\\\" "a b"', { type: 'lsub', attributes: [], name: 'a b', delimiter: '\\' }],
    ['* LIST () "/" "NIL"', { type: 'list', attributes: [], name: 'NIL', delimiter: '/' }],
    ['* LIST () "/" "a\\"b\\\\c%"', { type: 'list', attributes: [], name: 'a"b\\c%', delimiter: '/' }],
    ['* LIST () "/" Entw&APw-rfe', { type: 'list', attributes: [], name: 'Entwürfe', delimiter: '/' }],
    [`* LIST () "/" "${utf8('Entwürfe')}"`, { type: 'list', attributes: [], name: 'Entwürfe', delimiter: '/' }, REV2],
    ['* LIST () "/" R&-D', { type: 'list', attributes: [], name: 'R&D', delimiter: '/' }],
    ['* LIST () "/" R&D', { type: 'list', attributes: [], name: 'R&D', delimiter: '/' }, REV2],
    [
      '* LIST () "/" a ("CHILDINFO" ("SUBSCRIBED"))',
      { type: 'list', attributes: [], name: 'a', delimiter: '/', extended: '("CHILDINFO" ("SUBSCRIBED"))' },
    ],
    [
      '* STATUS INBOX (MESSAGES 3 MAILBOXID (Fabc))',
      {
        type: 'mailbox-status',
        name: 'INBOX',
        items: [
          ['MESSAGES', 3],
          ['MAILBOXID', 'Fabc'],
        ],
      },
    ],
    [
      '* NAMESPACE (("" "/")) NIL (("Public/" "/")("Old/" "/"))',
      {
        type: 'namespace',
        personal: [['', '/']],
        others: [],
        shared: [
          ['Public/', '/'],
          ['Old/', '/'],
        ],
      },
    ],
    ['* QUOTA "" (MESSAGE 1 2)', { type: 'quota', root: '', resources: [{ name: 'MESSAGE', usage: 1, limit: 2 }] }],
    [
      '* QUOTA "alice@a.test" (STORAGE 10 512 MESSAGE 0 9007199254740991)',
      {
        type: 'quota',
        root: 'alice@a.test',
        resources: [
          { name: 'STORAGE', usage: 10, limit: 512 },
          { name: 'MESSAGE', usage: 0, limit: Number.MAX_SAFE_INTEGER },
        ],
      },
    ],
    [`* QUOTA {5}\r\n${utf8('für"')} (STORAGE 0 1)`, { type: 'quota', root: 'für"', resources: [STORAGE] }],
    [`* QUOTA "${utf8('für')}\\"" (STORAGE 0 1)`, { type: 'quota', root: 'für"', resources: [STORAGE] }, REV2],
    ['* QUOTAROOT "a b"', { type: 'quotaroot', mailbox: 'a b', roots: [] }],
    ['* QUOTAROOT Entw&APw-rfe "x" "y z"', { type: 'quotaroot', mailbox: 'Entwürfe', roots: ['x', 'y z'] }],
    ['* ID NIL', { type: 'id', parameters: null }],
    [
      '* ID ("name" "glassmail" "os" NIL)',
      {
        type: 'id',
        parameters: new Map([
          ['name', 'glassmail'],
          ['os', null],
        ]),
      },
    ],
    [`* ID ("name" {4}\r\n${utf8('für')})`, { type: 'id', parameters: new Map([['name', 'für']]) }],
    [`* ID ("name" "${utf8('für')}")`, { type: 'id', parameters: new Map([['name', 'für']]) }, REV2],
    ['* ID ("name" {4}\r\na\r\nb)', { type: 'id', parameters: new Map([['name', 'a\r\nb']]) }],
    ['* THREAD (1)(2)', { type: 'raw', text: 'THREAD (1)(2)' }],
    ['* METADATA "" (/shared/comment NIL)', { type: 'metadata', mailbox: '', values: [['/shared/comment', null]] }],
    [
      '* METADATA R&-D (/private/a "a \\"b\\" \\\\ c" "/private/b c" "")',
      {
        type: 'metadata',
        mailbox: 'R&D',
        values: [
          ['/private/a', Buffer.from('a "b" \\ c')],
          ['/private/b c', Buffer.alloc(0)],
        ],
      },
    ],
    [
      `* METADATA INBOX (/private/a {4}\r\na\r\nb /private/b {2}\r\n${utf8('ä')} /private/c ~{2}\r\n\0a)`,
      {
        type: 'metadata',
        mailbox: 'INBOX',
        values: [
          ['/private/a', Buffer.from('a\r\nb')],
          ['/private/b', Buffer.from('ä')],
          ['/private/c', Buffer.from('\0a')],
        ],
      },
    ],
    [
      `* METADATA INBOX (/private/a {2000}\r\n${'a'.repeat(2000)} /private/b "b")`,
      {
        type: 'metadata',
        mailbox: 'INBOX',
        values: [
          ['/private/a', Buffer.alloc(2000, 'a')],
          ['/private/b', Buffer.from('b')],
        ],
      },
    ],
    [
      `* METADATA INBOX (/private/a {20000}\r\n${'a'.repeat(20_000)} /private/b NIL)`,
      {
        type: 'metadata',
        mailbox: 'INBOX',
        values: [
          ['/private/a', Buffer.alloc(20_000, 'a')],
          ['/private/b', null],
        ],
      },
    ],
    [
      '* METADATA Entw&APw-rfe /shared/comment "/private/a b"',
      { type: 'metadata-changed', mailbox: 'Entwürfe', entries: ['/shared/comment', '/private/a b'] },
    ],
    [
      `* METADATA "${utf8('Entwürfe')}" /shared/comment`,
      { type: 'metadata-changed', mailbox: 'Entwürfe', entries: ['/shared/comment'] },
      REV2,
    ],
    ['* METADATA "" /shared/comment', { type: 'metadata-changed', mailbox: '', entries: ['/shared/comment'] }],
  ])('%j', (line, response, dialect) => {
    expect(print(response, dialect)).toBe(line === '' ? '' : `${line}\r\n`);
  });

  test('completions and continuations', () => {
    const writer = new ResponseWriter(REV1);
    writer.completion('a1', ok('COPY completed', 'COPYUID 5 1:3 7:9'));
    writer.completion('a2', no('There is no such mailbox', 'NONEXISTENT'));
    writer.continuation('idling');
    writer.continuation('');
    expect(octetsOf(writer).toString()).toBe(
      'a1 OK [COPYUID 5 1:3 7:9] COPY completed\r\na2 NO [NONEXISTENT] There is no such mailbox\r\n+ idling\r\n+ \r\n',
    );
  });

  test.each([
    ['a\r\n* BYE b', 'a * BYE b', 'a * BYE b'],
    ['[ALERT] fire', '(ALERT] fire', '(ALERT] fire'],
    ['a\0\x7fb', 'a b', 'a b'],
    ['für 🐙', 'f?r ?', utf8('für 🐙')],
    ['', 'Completed', 'Completed'],
  ])('a text is one line: %j', (text, rev1, rev2) => {
    expect(print(untaggedOk(text))).toBe(`* OK ${rev1}\r\n`);
    expect(print(untaggedOk(text), REV2)).toBe(`* OK ${rev2}\r\n`);
    expect(print(untaggedOk('x', `A${text}`)).split('\r\n')).toHaveLength(2);
  });
});

describe('search', () => {
  const search = (
    returns: readonly SearchReturn[] | undefined,
    numbers: readonly number[],
    modSeq?: number,
  ): Response => ({
    type: 'search',
    tag: 'a"1',
    uid: true,
    returns,
    numbers: Uint32Array.from(numbers),
    ...(modSeq === undefined ? {} : { modSeq: modSeq as ModSeq }),
  });

  test.each<[string, Response, Dialect?]>([
    ['* SEARCH', search(undefined, [])],
    ['* SEARCH 2 84 882', search(undefined, [2, 84, 882])],
    ['* SEARCH 2 5 (MODSEQ 917162500)', search(undefined, [2, 5], 917162500)],
    ['* SEARCH', search(undefined, [], 5)],
    ['* ESEARCH (TAG "a\\"1") UID ALL 2,10:11', search(undefined, [2, 10, 11]), REV2],
    ['* ESEARCH (TAG "a\\"1") UID', search(undefined, []), REV2],
    [
      '* ESEARCH (TAG "a\\"1") UID MIN 2 MAX 11 COUNT 3 ALL 2,10:11 MODSEQ 9',
      search(['ALL', 'COUNT', 'MIN', 'MAX', 'SAVE'], [2, 10, 11], 9),
    ],
    ['* ESEARCH (TAG "a\\"1") UID COUNT 0', search(['ALL', 'COUNT', 'MIN'], [])],
    ['', search(['SAVE'], [1])],
  ])('%j', (line, response, dialect) => {
    expect(print(response, dialect)).toBe(line === '' ? '' : `${line}\r\n`);
  });

  test('many results', () => {
    const numbers = Array.from({ length: 20_000 }, (_, i) => i * 3 + 1);
    expect(print(search(undefined, numbers))).toBe(`* SEARCH ${numbers.join(' ')}\r\n`);
  });
});

describe('fetch', () => {
  test.each<[string, Response]>([
    ['* 12 FETCH (UID 99 FLAGS (\\Seen))', flagsChanged(12 as SeqNum, 99 as Uid, ['\\Seen'])],
    ['* 12 FETCH (UID 99 FLAGS () MODSEQ (65402))', flagsChanged(12 as SeqNum, 99 as Uid, [], 65402 as ModSeq)],
    [
      '* 1 FETCH (INTERNALDATE " 7-Jul-1996 02:04:05 +0000")',
      fetch([{ type: 'date', name: 'INTERNALDATE', date: new Date('1996-07-07T02:04:05Z') }]),
    ],
    [
      '* 1 FETCH (SAVEDATE "31-Dec-1969 23:59:59 +0000")',
      fetch([{ type: 'date', name: 'SAVEDATE', date: new Date(-1000) }]),
    ],
    [
      '* 1 FETCH (BODY[] {5}\r\na\r\n\xffb)',
      fetch([{ type: 'octets', name: 'BODY[]', octets: Buffer.from('a\r\n\xffb', 'latin1') }]),
    ],
    [
      '* 1 FETCH (BINARY[1] ~{2}\r\n\0a)',
      fetch([{ type: 'octets', name: 'BINARY[1]', octets: Buffer.from('\0a'), binary: true }]),
    ],
    // CHAR8 has no NUL (RFC 9051 §9): a message that was delivered with one.
    [
      '* 1 FETCH (BODY[] {3}\r\na\x80b)',
      fetch([{ type: 'octets', name: 'BODY[]', octets: Buffer.from('a\0b'), binary: false }]),
    ],
    [
      '* 1 FETCH (BODY[9] NIL BODY[8] {0}\r\n)',
      fetch([
        { type: 'octets', name: 'BODY[9]', octets: undefined },
        { type: 'octets', name: 'BODY[8]', octets: Buffer.alloc(0) },
      ]),
    ],
    [
      '* 1 FETCH (ENVELOPE (NIL "a") BODY ("TEXT"))',
      fetch([
        { type: 'text', name: 'ENVELOPE', text: Buffer.from('(NIL "a")') },
        { type: 'text', name: 'BODY', text: '("TEXT")' },
      ]),
    ],
  ])('%j', (line, response) => {
    expect(print(response)).toBe(`${line}\r\n`);
  });

  test('large octets are passed on as they are, in their place', () => {
    const large = Buffer.alloc(20_000, 'x');
    const writer = new ResponseWriter(REV1);
    writer.response(
      fetch([
        { type: 'octets', name: 'BODY[1]', octets: large },
        { type: 'flags', flags: [] },
      ]),
    );
    expect(writer.pending).toBe('* 1 FETCH (BODY[1] {20000}\r\n'.length + 20_000 + ' FLAGS ())\r\n'.length);
    const pieces = writer.take();
    expect(pieces[1]).toBe(large);
    expect(Buffer.concat([pieces[0]!, pieces[2]!]).toString()).toBe('* 1 FETCH (BODY[1] {20000}\r\n FLAGS ())\r\n');
    expect(writer.pending).toBe(0);
  });

  test('what was handed out is not written to again', () => {
    const writer = new ResponseWriter(REV1);
    const kept: { pieces: Uint8Array[]; copy: Buffer }[] = [];
    for (let i = 0; i < 5000; i++) {
      writer.response(
        fetch(
          [
            { type: 'number', name: 'UID', value: i },
            { type: 'text', name: 'ENVELOPE', text: Buffer.alloc(i % 300, 'e') },
          ],
          i,
        ),
      );
      if (i % 7 === 0) {
        const pieces = writer.take();
        kept.push({ pieces, copy: Buffer.concat(pieces) });
      }
    }
    for (const { pieces, copy } of kept) expect(Buffer.concat(pieces).equals(copy)).toBe(true);
  });

  test('streams come in their place', async () => {
    const response = fetch([
      { type: 'number', name: 'UID', value: 4 },
      { type: 'stream', name: 'BODY[]', size: 6, octets: piecesOf('abc', 'def') },
      { type: 'flags', flags: ['\\Seen'] },
    ]);
    const writer = new ResponseWriter(REV1);
    writer.response({ type: 'exists', count: 1 });
    expect(hasStream(response)).toBe(true);
    expect(() => new ResponseWriter(REV1).response(response)).toThrow(Error);
    const pieces = [];
    for await (const piece of writer.streaming(response)) pieces.push(piece);
    expect(Buffer.concat(pieces).toString()).toBe(
      '* 1 EXISTS\r\n* 1 FETCH (UID 4 BODY[] {6}\r\nabcdef FLAGS (\\Seen))\r\n',
    );
    expect(writer.pending).toBe(0);
  });

  test.each([3, 9])('a stream of 6 octets that announced %d ends in an error', async (size) => {
    const writer = new ResponseWriter(REV1);
    const printing = async () => {
      let total = 0;
      const response = fetch([{ type: 'stream', name: 'BODY[]', size, octets: piecesOf('abc', 'def') }]);
      for await (const piece of writer.streaming(response)) total += piece.length;
      return total;
    };
    await expect(printing()).rejects.toThrow(`${size} octets were announced`);
  });

  test('a hundred thousand short responses take well under a second', () => {
    const sets = [['\\Seen'], ['\\Seen', '\\Answered'], []];
    const writer = new ResponseWriter(REV1);
    let total = 0;
    const start = performance.now();
    for (let i = 1; i <= 100_000; i++) {
      writer.response(
        fetch(
          [
            { type: 'number', name: 'UID', value: i },
            { type: 'flags', flags: sets[i % 3]! },
          ],
          i,
        ),
      );
      if (writer.pending >= 65_536) for (const piece of writer.take()) total += piece.length;
    }
    for (const piece of writer.take()) total += piece.length;
    // 15 ms on an idle machine.
    expect(performance.now() - start).toBeLessThan(1000);
    expect(total).toBeGreaterThan(3_000_000);
  });
});

describe('a reader of its own reads what is printed', () => {
  const name = fc.stringMatching(/^[A-Z][A-Z0-9.]{0,10}$/);
  const anyText = fc.string({ unit: 'binary', maxLength: 30 });
  const item: fc.Arbitrary<FetchItem> = fc.oneof(
    fc.record({ type: fc.constant('number' as const), name, value: fc.nat() }),
    fc.record({
      type: fc.constant('flags' as const),
      flags: fc.array(fc.stringMatching(/^\\?[A-Za-z$]{1,8}$/), { maxLength: 4 }),
    }),
    fc.record({
      type: fc.constant('octets' as const),
      name,
      octets: fc.oneof(fc.uint8Array({ maxLength: 50 }), fc.constant(Buffer.alloc(9000, 'z'))),
      binary: fc.boolean(),
    }),
    fc.record({ type: fc.constant('octets' as const), name, octets: fc.constant(undefined) }),
  );

  test('fetch', () => {
    fc.assert(
      fc.property(fc.array(fc.array(item, { minLength: 1, maxLength: 5 }), { maxLength: 10 }), (messages) => {
        const writer = new ResponseWriter(REV1);
        messages.forEach((items, i) => writer.response(fetch(items, i + 1)));
        const read = readResponses(octetsOf(writer));
        expect(read).toEqual(messages.map((items, i) => ['*', String(i + 1), 'FETCH', items.flatMap(expected)]));
      }),
    );
  });

  test('mailbox names and strings, in each dialect', () => {
    fc.assert(
      fc.property(anyText, anyText, fc.boolean(), (text, value, rev2) => {
        fc.pre(!text.includes('\0') && !value.includes('\0'));
        const dialect = rev2 ? REV2 : REV1;
        const [list] = readResponses(
          Buffer.from(print({ type: 'list', attributes: [], name: text, delimiter: '/' }, dialect), 'latin1'),
        );
        const printed = list![4];
        if (!rev2) expect(string(printed)).toMatch(/^[\x20-\x7e]*$/);
        expect(rev2 ? string(printed) : decodeMailboxName(string(printed))).toBe(text);
        const parameters = new Map([['x', value]]);
        const [id] = readResponses(Buffer.from(print({ type: 'id', parameters }, dialect), 'latin1'));
        expect((id![2] as unknown[]).map(string)).toEqual(['x', value]);
      }),
    );
  });

  function expected(one: FetchItem): unknown[] {
    switch (one.type) {
      case 'number':
        return [one.name, String(one.value)];
      case 'flags':
        return ['FLAGS', one.flags];
      case 'octets':
        if (one.octets === undefined) return [one.name, 'NIL'];
        return [one.name, Buffer.from(one.binary ? one.octets : one.octets.map((octet) => octet || 0x80))];
      case 'text':
      case 'date':
      case 'mod-seq':
      case 'nstring':
      case 'stream':
        throw new Error('not among the items above');
    }
  }
});

async function* piecesOf(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

function string(value: unknown): string {
  return Buffer.isBuffer(value) ? value.toString('utf8') : String(value);
}

/** Lines of atoms (as strings), strings (as Buffers) and lists (as arrays): RFC 9051 §4, written without the parser's help. */
function readResponses(octets: Buffer): unknown[][] {
  let at = 0;
  const next = () => String.fromCharCode(octets[at]!);
  const skip = (text: string) => {
    if (octets.toString('latin1', at, at + text.length) !== text)
      throw new Error(`no ${JSON.stringify(text)} at ${at}`);
    at += text.length;
  };
  const value = (): unknown => {
    if (next() === '(') {
      skip('(');
      const list: unknown[] = [];
      while (next() !== ')') {
        if (list.length > 0) skip(' ');
        list.push(value());
      }
      skip(')');
      return list;
    }
    if (next() === '"') {
      skip('"');
      const characters: number[] = [];
      while (next() !== '"') {
        if (next() === '\\') at++;
        if (next() === '\r' || next() === '\n') throw new Error('a line end in a quoted string');
        characters.push(octets[at++]!);
      }
      skip('"');
      return Buffer.from(characters);
    }
    if (next() === '~' && octets[at + 1] === 0x7b) at++;
    if (next() === '{') {
      const end = octets.indexOf('}', at);
      const size = Number(octets.toString('latin1', at + 1, end));
      at = end + 1;
      skip('\r\n');
      at += size;
      return octets.subarray(at - size, at);
    }
    const start = at;
    while (!' ()\r'.includes(next())) at++;
    if (at === start) throw new Error(`nothing at ${at}`);
    return octets.toString('latin1', start, at);
  };
  const lines: unknown[][] = [];
  while (at < octets.length) {
    const line = [value()];
    while (next() === ' ') {
      skip(' ');
      line.push(value());
    }
    skip('\r\n');
    lines.push(line);
  }
  return lines;
}
