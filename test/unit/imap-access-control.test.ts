/** Identifiers and rights on the wire (RFC 4314 §2, §3, §7), and what rights come to. */
import { fc } from '../property.ts';
import { describe, expect, test } from 'vitest';
import { identifier, modRights, printRights } from '../../src/imap/grammar/access-control.ts';
import { BadSyntax } from '../../src/imap/grammar/bad-syntax.ts';
import { Parser } from '../../src/imap/grammar/parser.ts';
import { ResponseWriter } from '../../src/imap/grammar/writer.ts';
import type { Response } from '../../src/imap/grammar/syntax.ts';
import { isOthersName, othersName, parseOthersName } from '../../src/store/other-users.ts';
import {
  ALL_RIGHTS,
  changeRights,
  effectiveRights,
  permittedChange,
  permittedFlags,
  toRights,
} from '../../src/store/rights.ts';

function read<T>(text: string, rule: (input: Parser) => T): T {
  const input = new Parser(Buffer.from(text));
  const value = rule(input);
  input.end();
  return value;
}

describe('mod-rights', () => {
  test.each([
    ['lrs', 'replace', 'lrs'],
    ['srl', 'replace', 'lrs'],
    ['""', 'replace', ''],
    ['+w', 'add', 'w'],
    ['"+"', 'add', ''],
    ['-te', 'remove', 'te'],
    ['c', 'replace', 'kx'],
    ['-d', 'remove', 'te'],
    ['lrswida', 'replace', 'lrswitea'],
    ['dte', 'replace', 'te'],
    ['lrswipkxtecda', 'replace', ALL_RIGHTS],
    ['{2}\r\nlr', 'replace', 'lr'],
  ])('%j', (text, mode, rights) => {
    expect(read(text, modRights)).toEqual({ mode, rights });
  });

  test.each(['lrQ', 'lrq', 'lr0', '+l+r', 'l-r', '"l r"', 'é', '++', '""x', ''])('no rights: %j', (text) => {
    expect(() => read(text, modRights)).toThrow(BadSyntax);
  });
});

describe('identifier', () => {
  test.each([
    ['bob', 'bob', false],
    ['"bob@glass.test"', 'bob@glass.test', false],
    ['-bob', 'bob', true],
    ['--bob', '-bob', true],
    ['anyone', 'anyone', false],
    ['-ANYONE', 'anyone', true],
    ['"gr\u00fc\u00dfe"', 'gr\u00fc\u00dfe', false],
    // SASLprep (§3): what is mapped to nothing goes, compatibility characters are replaced.
    ['"b\u00adob"', 'bob', false],
    ['"\u2168"', 'IX', false],
  ])('%j', (text, name, negative) => {
    expect(read(text, identifier)).toMatchObject({ name, negative });
  });

  test('is kept as it was given', () => {
    expect(read('"-b\u00adob"', identifier).given).toBe('-b\u00adob');
  });

  test.each(['""', '-', '" "', '"\u00ad"', '"a\u0007"', '"\u0627\u0031"'])('no identifier: %j', (text) => {
    expect(() => read(text, identifier)).toThrow(BadSyntax);
  });
});

test('rights are printed with the ones of RFC 2086 of which there is a part', () => {
  expect(printRights('')).toBe('');
  expect(printRights('lrs')).toBe('lrs');
  expect(printRights('k')).toBe('kc');
  expect(printRights('xe')).toBe('xecd');
  expect(printRights('lta')).toBe('ltda');
  expect(printRights(ALL_RIGHTS)).toBe('lrswipkxtecda');
});

test('what is printed is read back, but for what `c` and `d` add', () => {
  fc.assert(
    fc.property(fc.subarray(Array.from(ALL_RIGHTS)), (letters) => {
      const rights = letters.join('');
      const printed = printRights(rights).replace(/[cd]/g, '');
      expect(read(printed || '""', modRights).rights).toBe(rights);
    }),
  );
});

test.each<[string, Response]>([
  ['* ACL INBOX', { type: 'acl', name: 'INBOX', entries: [] }],
  [
    '* ACL "a b" alice@x.test lr -bob ""',
    {
      type: 'acl',
      name: 'a b',
      entries: [
        ['alice@x.test', 'lr'],
        ['-bob', ''],
      ],
    },
  ],
  [
    '* LISTRIGHTS INBOX "a b" "" l r',
    { type: 'list-rights', name: 'INBOX', identifier: 'a b', required: '', optional: ['l', 'r'] },
  ],
  [
    '* LISTRIGHTS INBOX {3}\r\n\xc3\xbcx la',
    { type: 'list-rights', name: 'INBOX', identifier: '\u00fcx', required: 'la', optional: [] },
  ],
  ['* MYRIGHTS Entw&APw-rfe lr', { type: 'my-rights', name: 'Entw\u00fcrfe', rights: 'lr' }],
])('%s', (line, response) => {
  const dialect = { rev2: false, utf8: false, utf8Accept: false, condstore: false, qresync: false, uidOnly: false };
  const writer = new ResponseWriter(dialect);
  writer.response(response);
  expect(Buffer.concat(writer.take()).toString('latin1')).toBe(`${line}\r\n`);
});

describe('rights', () => {
  test('come to what is given, without what is taken', () => {
    const entry = (rights: string, negative = false) => ({ rights, negative });
    expect(effectiveRights([])).toBe('');
    expect(effectiveRights([entry('sl'), entry('rl')])).toBe('lrs');
    expect(effectiveRights([entry('lrsw'), entry('ws', true), entry('i'), entry('a', true)])).toBe('lri');
  });

  test('are added, removed and replaced', () => {
    expect(changeRights('lr', { mode: 'add', rights: 'rw' })).toBe('lrw');
    expect(changeRights('lr', { mode: 'remove', rights: 'rw' })).toBe('l');
    expect(changeRights('lr', { mode: 'replace', rights: 'aw' })).toBe('wa');
    expect(toRights('zzaal')).toBe('la');
  });

  test('decide about flags', () => {
    const flags = ['\\SEEN', '\\Deleted', '\\Flagged', 'Work'];
    expect(permittedFlags(flags, 's')).toEqual(['\\SEEN']);
    expect(permittedFlags(flags, 'tw')).toEqual(['\\Deleted', '\\Flagged', 'Work']);
    expect(permittedChange({ mode: 'add', flags }, ALL_RIGHTS)).toEqual({ mode: 'add', flags });
    expect(permittedChange({ mode: 'add', flags }, 'lrt')).toEqual({ mode: 'add', flags: ['\\Deleted'] });
    expect(permittedChange({ mode: 'remove', flags }, 'lri')).toBeUndefined();
    expect(permittedChange({ mode: 'replace', flags: [] }, 'lrs')).toEqual({ mode: 'replace', flags: [], only: 'lrs' });
    expect(permittedChange({ mode: 'replace', flags }, 'lr')).toBeUndefined();
  });
});

describe('names of others', () => {
  test('hold any address and any name', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (address, name) => {
        const canonical = address.normalize('NFC');
        expect(parseOthersName(othersName(address, name))).toEqual({ address: canonical, name });
      }),
    );
  });

  test.each(['Other Users', 'Other Users/', 'Other Users/bob@x.test', 'Other Users//INBOX', 'Other Users/bob@x.test/'])(
    '%s is no mailbox',
    (name) => {
      expect(isOthersName(name)).toBe(true);
      expect(parseOthersName(name)).toBeUndefined();
    },
  );

  test.each(['INBOX', 'Other', 'Other Users 2/x', 'other users/x/y', 'x/Other Users/y/z'])('%s is my own', (name) => {
    expect(isOthersName(name)).toBe(false);
  });
});
