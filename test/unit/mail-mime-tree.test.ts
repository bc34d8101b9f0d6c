import { fc } from '../property.ts';
import { describe, expect, it } from 'vitest';
import {
  decodeMimeTree,
  encodeMimeTree,
  findPart,
  MAX_DEPTH,
  MAX_PARTS,
  type MimePart,
  mediaType,
  parseMimeTree,
  partsOf,
} from '../../src/mail/mime-tree.ts';

const octets = (text: string) => Buffer.from(text, 'latin1');
const crlf = (text: string) => text.replaceAll('\n', '\r\n');
const header = (boundary: string, subtype = 'mixed') =>
  `Content-Type: multipart/${subtype}; boundary="${boundary}"\n\n`;

/** `subtype[…]` for multiparts, `rfc822(…)` for messages, the body in quotes for the rest. */
function shape(text: string, part = parseMimeTree(octets(text))): string {
  if (part.message) return `${part.subtype}(${shape(text, part.message)})`;
  if (part.type.toLowerCase() === 'multipart')
    return `${part.subtype}[${part.children.map((child) => shape(text, child)).join(' ')}]`;
  return JSON.stringify(text.slice(part.bodyStart, part.end));
}

describe('parseMimeTree', () => {
  it.each([
    ['one part', 'A: b\n\nbody\n', '"body\\n"'],
    ['no body', 'A: b\n', '""'],
    ['nothing', '', '""'],
    ['two parts', `${header('b')}pre\n--b\n\none\n--b\n\ntwo\n--b--\nepi\n`, 'mixed["one" "two"]'],
    ['CRLF before a boundary belongs to it', crlf(`${header('b')}--b\n\none\n\n--b--\n`), 'mixed["one\\r\\n"]'],
    ['no part', `${header('b')}nothing here\n`, 'mixed[]'],
    ['only the closing line', `${header('b')}--b--\n\nx`, 'mixed[]'],
    ['unclosed', `${header('b')}--b\n\none\n--b\n\ntwo\n`, 'mixed["one" "two\\n"]'],
    ['an end inside a boundary line', `${header('b')}--b\n\none\n--b`, 'mixed["one" ""]'],
    ['blanks after a boundary', `${header('b')}--b \t\n\none\n--b-- \n`, 'mixed["one"]'],
    ['more after a boundary: RFC 2046 §5.1.1', `${header('b')}--b and more\n\none\n--b--more\n`, 'mixed["one"]'],
    ['hyphens elsewhere', `${header('b')}--b\n\n--a\n x--b\n--\n--b--\n`, 'mixed["--a\\n x--b\\n--"]'],
    ['parts without headers', `${header('b')}--b\n\n\n--b\n\none\n--b--\n`, 'mixed["" "one"]'],
    ['parts without an empty line', `${header('b')}--b\nX: y\n--b\nX: y\n\none\n--b--\n`, 'mixed["" "one"]'],
    ['empty parts', `${header('b')}--b\n--b\n\n--b--\n`, 'mixed["" ""]'],
    [
      'nested',
      `${header('a')}--a\n${header('b', 'alternative')}--b\n\n1\n--b\n\n2\n--b--\n--a\n\n3\n--a--\n`,
      'mixed[alternative["1" "2"] "3"]',
    ],
    [
      'a nested one that is not closed',
      `${header('a')}--a\n${header('b', 'alternative')}--b\n\n1\n--a\n\n3\n--a--\n`,
      'mixed[alternative["1"] "3"]',
    ],
    [
      'an outer one closed first',
      `${header('a')}--a\n${header('b')}--b\n\n1\n--a--\n--b\n\n2\n--b--\n`,
      'mixed[mixed["1"]]',
    ],
    [
      'boundaries of which one begins the other',
      `${header('ab')}--ab\n${header('abc')}--abc\n\n1\n--abc--\n--ab\n\n2\n--ab--\n`,
      'mixed[mixed["1"] "2"]',
    ],
    [
      'the same the other way',
      `${header('abc')}--abc\n${header('ab')}--ab\n\n1\n--ab--\n--abc\n\n2\n--abc--\n`,
      'mixed[mixed["1"] "2"]',
    ],
    [
      'the same boundary twice',
      `${header('a')}--a\n${header('a')}--a\n\n1\n--a--\n--a\n\n2\n--a--\n`,
      'mixed[mixed["1"] "2"]',
    ],
    ['a boundary that ends with hyphens', `${header('a--')}--a--\n\n1\n--a----\n`, 'mixed["1"]'],
    [
      'a folded boundary',
      `Content-Type: multipart/mixed; boundary="foo\n bar"\n\n--foo bar\n\n1\n--foo bar--\n`,
      'mixed["1"]',
    ],
    ['an unquoted boundary', 'Content-Type: multipart/mixed; boundary=a=b;x=y\n\n--a=b\n\n1\n--a=b--\n', 'mixed["1"]'],
    ['an 8-bit boundary', 'Content-Type: multipart/mixed; boundary="\xe4"\n\n--\xe4\n\n1\n--\xe4--\n', 'mixed["1"]'],
    [
      'a comment in the field',
      'Content-Type: multipart/mixed (yes; it is); boundary=a (b)\n\n--a\n\n1\n--a--\n',
      'mixed["1"]',
    ],
    [
      'two boundaries: the first',
      'Content-Type: multipart/mixed; boundary=a; boundary=b\n\n--a\n\n1\n--b\n--a--\n',
      'mixed["1\\n--b"]',
    ],
    ['two fields: the first', `${header('a').trimEnd()}\nContent-Type: text/plain\n\n--a\n\n1\n--a--\n`, 'mixed["1"]'],
    ['no boundary: RFC 2045 §5.2', 'Content-Type: multipart/mixed\n\n--a\n\n1\n--a--\n', '"--a\\n\\n1\\n--a--\\n"'],
    ['an empty boundary', `${header('')}--\n\n1\n----\n`, '"--\\n\\n1\\n----\\n"'],
    ['a boundary line in the header of a part', `${header('b')}--b\nX: y\n--b--\n`, 'mixed[""]'],
    ['a boundary at once', `${header('b').slice(0, -1)}\n--b\n\n1\n--b--`, 'mixed["1"]'],
    ['a message', `Content-Type: message/rfc822\n\nSubject: inner\n\nbody`, 'rfc822("body")'],
    ['message/global', `Content-Type: message/global\n\nSubject: inner\n\nbody`, 'global("body")'],
    [
      'message/partial is not taken apart',
      `Content-Type: message/partial\n\nSubject: inner\n\nbody`,
      '"Subject: inner\\n\\nbody"',
    ],
    [
      'messages in messages',
      `Content-Type: message/rfc822\n\nContent-Type: message/rfc822\n\nA: b\n\nx`,
      'rfc822(rfc822("x"))',
    ],
    [
      'a multipart in a message in a multipart',
      `${header('a')}--a\nContent-Type: message/rfc822\n\n${header('b')}--b\n\n1\n--b--\n--a--\n`,
      'mixed[rfc822(mixed["1"])]',
    ],
    [
      'a message whose header the boundary ends',
      `${header('a')}--a\nContent-Type: message/rfc822\n\nA: b\n--a\n\n1\n--a--\n`,
      'mixed[rfc822("") "1"]',
    ],
    [
      'a digest',
      `${header('a', 'digest')}--a\n\nSubject: m1\n\nm1\n--a\nContent-Type: text/plain\n\nm2\n--a--\n`,
      'digest[rfc822("m1") "m2"]',
    ],
  ])('%s', (_, text, expected) => {
    expect(shape(text)).toBe(expected);
    if (!text.includes('\r')) expect(shape(crlf(text))).toBe(expected.replaceAll(/(?<!\\r)\\n/g, '\\r\\n'));
  });

  it('gives the fields of a part as written', () => {
    const part = parseMimeTree(
      octets(`Content-Type: Image/PNG (picture); NAME="a \\"b\\".png"; x=1
Content-ID: <id@x>
Content-Description: a
 picture
Content-Transfer-Encoding: BASE64 (really)
Content-MD5: Q2hlY2s=
Content-Disposition: Attachment; filename*0*=utf-8''%C3; filename*1*=%A4
Content-Language: en, de (too)
Content-Location: http://x.test/a
 b

xx`),
    );
    expect(part).toMatchObject({
      type: 'Image',
      subtype: 'PNG',
      parameters: [
        ['NAME', 'a "b".png'],
        ['x', '1'],
      ],
      id: '<id@x>',
      description: 'a picture',
      encoding: 'BASE64',
      md5: 'Q2hlY2s=',
      disposition: {
        type: 'Attachment',
        parameters: [
          ['filename*0*', "utf-8''%C3"],
          ['filename*1*', '%A4'],
        ],
      },
      language: ['en', 'de'],
      location: 'http://x.test/ab',
      lines: 0,
    });
    expect(mediaType(part)).toBe('image/png');
  });

  it('is text/plain in us-ascii by default', () => {
    expect(parseMimeTree(octets('\nx'))).toMatchObject({
      type: 'text',
      subtype: 'plain',
      parameters: [['charset', 'us-ascii']],
    });
    expect(parseMimeTree(octets('Content-Type: nonsense\n\nx'))).toMatchObject({ type: 'text', subtype: 'plain' });
  });

  it('counts the lines of texts and messages', () => {
    const inner = 'Subject: x\n\none\ntwo\n';
    const tree = parseMimeTree(
      octets(
        `${header('b')}--b\n\none\ntwo\n\n--b\nContent-Type: message/rfc822\n\n${inner}\n--b\nContent-Type: image/png\n\n\n\n\n--b--\n`,
      ),
    );
    expect(tree.children.map((part) => part.lines)).toEqual([2, 4, 0]);
    expect(tree.children[1]?.message?.lines).toBe(2);
  });

  it('keeps what is nested too deep in one piece', () => {
    const text = Array.from({ length: 10_000 }, (_, level) => `${header(`<${level}>`)}--<${level}>\n`).join('');
    let part: MimePart | undefined = parseMimeTree(octets(text));
    let depth = 0;
    for (; part.children[0]; part = part.children[0]) depth++;
    expect(depth).toBe(MAX_DEPTH);
    expect(part).toMatchObject({ type: 'application', subtype: 'octet-stream', end: text.length });
    const messages = parseMimeTree(octets('Content-Type: message/rfc822\n\n'.repeat(10_000)));
    expect([...partsOf(messages)].length).toBe(MAX_DEPTH + 1);
  });

  it('keeps what is beyond the number of parts in the last one', { timeout: 60_000 }, () => {
    const text = `${header('b')}${'--b\n\nx\n'.repeat(100_000)}--b--\n`;
    const tree = parseMimeTree(octets(text));
    expect(tree.children.length).toBe(MAX_PARTS - 1);
    expect(tree.children.at(-2)).toMatchObject({ lines: 0 });
    expect(tree.children.at(-1)?.end).toBe(text.length);
  });

  it('takes ten megabytes of look-alikes in linear time', { timeout: 60_000 }, () => {
    const nested = Array.from(
      { length: 99 },
      (_, level) => `${header('x'.repeat(60) + String(level))}--${'x'.repeat(60)}${level}\n`,
    );
    for (const lines of ['--\n', '\n', `--${'x'.repeat(60)}\n`, '--x']) {
      const body = lines.repeat(10_000_000 / lines.length);
      expect(parseMimeTree(octets(`${nested.join('')}\n${body}`)).end).toBeGreaterThan(9_000_000);
    }
  });
});

describe('findPart', () => {
  // The message of RFC 9051 §6.4.5.1.
  const text = `${header('0')}--0

1
--0
Content-Type: application/octet-stream

2
--0
Content-Type: message/rfc822

Subject: 3
${header('3')}--3

3.1
--3
Content-Type: application/octet-stream

3.2
--3--
--0
${header('4')}--4
Content-Type: image/gif

4.1
--4
Content-Type: message/rfc822

Subject: 4.2
${header('42')}--42

4.2.1
--42
${header('422', 'alternative')}--422

4.2.2.1
--422
Content-Type: text/richtext

4.2.2.2
--422--
--42--
--4--
--0--
`;
  const tree = parseMimeTree(octets(text));
  const find = (path: string) => findPart(tree, path === '' ? [] : path.split('.').map(Number));
  const body = (path: string) => {
    const part = find(path);
    return part && text.slice(part.bodyStart, part.end);
  };

  it.each([['1'], ['2'], ['3.1'], ['3.2'], ['4.1'], ['4.2.1'], ['4.2.2.1'], ['4.2.2.2']])('%s', (path) => {
    expect(body(path)).toBe(path);
  });

  it.each([['0'], ['5'], ['1.1'], ['3.3'], ['3.1.1'], ['4.1.1'], ['4.2.2.3'], ['4.2.3'], ['-1'], ['1.5'], ['NaN']])(
    'no %s',
    (path) => {
      expect(find(path)).toBeUndefined();
    },
  );

  it('finds messages, whose HEADER and TEXT lie in `message`, and multiparts', () => {
    expect(find('')).toBe(tree);
    expect(find('3')?.message?.children.length).toBe(2);
    const message = find('4.2')!.message!;
    expect(text.slice(message.start, message.bodyStart)).toBe(`Subject: 4.2\n${header('42')}`);
    expect(mediaType(find('4')!)).toBe('multipart/mixed');
    expect(mediaType(find('4.2.2')!)).toBe('multipart/alternative');
    // 4.1.MIME
    expect(text.slice(find('4.1')!.start, find('4.1')!.bodyStart)).toBe('Content-Type: image/gif\n\n');
  });

  it('calls the body of a message that is no multipart part 1', () => {
    const single = parseMimeTree(octets('A: b\n\nbody'));
    expect(findPart(single, [1])).toBe(single);
    expect(findPart(single, [1, 1])).toBeUndefined();
    expect(findPart(single, [2])).toBeUndefined();
  });

  it('numbers messages within messages', () => {
    const outer = parseMimeTree(
      octets('A: 1\nContent-Type: message/rfc822\n\nA: 2\nContent-Type: message/rfc822\n\nA: 3\n\nbody'),
    );
    expect(findPart(outer, [1])).toBe(outer);
    expect(findPart(outer, [1, 1])).toBe(outer.message);
    expect(findPart(outer, [1, 1, 1])).toBe(outer.message?.message);
    expect(findPart(outer, [1, 1, 1, 1])).toBeUndefined();
    expect(findPart(outer, [1, 2])).toBeUndefined();
  });

  it('finds every part under the number that partsOf gives it', () => {
    const numbered = [...partsOf(tree)].map(({ part, path }) => {
      const found = findPart(tree, path);
      expect(found === part || found?.message === part).toBe(true);
      return path.join('.');
    });
    expect(numbered).toEqual([
      '',
      '1',
      '2',
      '3',
      '3',
      '3.1',
      '3.2',
      '4',
      '4.1',
      '4.2',
      '4.2',
      '4.2.1',
      '4.2.2',
      '4.2.2.1',
      '4.2.2.2',
    ]);
  });
});

/** Messages made of the pieces that a MIME parser stumbles over. */
const torture = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...['\n', '\r\n', '\r', '--a', '--b', '--a--', '--ab', '--', 'x', 'x\n', ' ', 'X: y\n', '\n\n', '"', ';', '('],
        ...['a', 'b', 'ab', ''].map((boundary) => `Content-Type: multipart/mixed; boundary="${boundary}"\n\n`),
        'Content-Type: multipart/digest; boundary=b\n\n',
        'Content-Type: message/rfc822\n\n',
        'Content-Disposition: attachment; filename*0=a; filename*2*=%ZZ\n',
        'Content-Type: text/html; charset=x\n',
      ),
      fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    ),
    { maxLength: 60 },
  )
  .map((pieces) => octets(pieces.join('')));

describe('any octets', () => {
  it('have parts that lie within their own, in order and apart', () => {
    const check = (part: MimePart, from: number, to: number) => {
      expect(from).toBeLessThanOrEqual(part.start);
      expect(part.start).toBeLessThanOrEqual(part.bodyStart);
      expect(part.bodyStart).toBeLessThanOrEqual(part.end);
      expect(part.end).toBeLessThanOrEqual(to);
      if (part.message) {
        expect([part.message.start, part.message.end]).toEqual([part.bodyStart, part.end]);
        check(part.message, part.bodyStart, part.end);
      }
      let position = part.bodyStart;
      for (const child of part.children) {
        check(child, position, part.end);
        position = child.end;
      }
    };
    fc.assert(
      fc.property(torture, (message) => {
        const tree = parseMimeTree(message);
        expect([tree.start, tree.end]).toEqual([0, message.length]);
        check(tree, 0, message.length);
      }),
      { numRuns: 2000 },
    );
  });

  it('are parsed the same a few at a time', () => {
    fc.assert(
      fc.property(torture, fc.integer({ min: 1, max: 300 }), (message, stretch) => {
        const held = Buffer.alloc(message.length);
        const from = (start: number, least: number): Buffer => {
          held.fill('\n--a\n'); // what was handed out before holds no longer
          const end = message.copy(held, 0, start, start + Math.max(least, stretch));
          return held.subarray(0, end);
        };
        expect(parseMimeTree({ length: message.length, from })).toEqual(parseMimeTree(message));
      }),
      { numRuns: 2000 },
    );
  });

  it('are parsed the same with LF and with CRLF', () => {
    fc.assert(
      fc.property(torture, (message) => {
        const text = message.toString('latin1').replaceAll('\r', '');
        const shapes = (text: string) => shape(text).replaceAll('\\r', '');
        expect(shapes(crlf(text))).toBe(shapes(text));
      }),
    );
  });

  it('give a tree that is the same after encoding and decoding', () => {
    fc.assert(
      fc.property(torture, (message) => {
        const tree = parseMimeTree(message);
        expect(decodeMimeTree(encodeMimeTree(tree))).toEqual(tree);
      }),
    );
  });
});

it('refuses a tree of another version', () => {
  expect(() => decodeMimeTree(octets('[2,[]]'))).toThrow('version 2');
});
