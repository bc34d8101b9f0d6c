/** What SEARCH and those that extend it are asked: RFC 5256 §5, RFC 5267 §5, RFC 6203 §7, RFC 7377 §4, RFC 9394 §4. */
import { describe, expect, test } from 'vitest';
import { BadSyntax } from '../../src/imap/grammar/bad-syntax.ts';
import { Parser } from '../../src/imap/grammar/parser.ts';
import {
  multisearchProgram,
  searchProgram,
  sortProgram,
  threadProgram,
} from '../../src/imap/grammar/search-programs.ts';
import type {
  FetchAttribute,
  FetchModifiers,
  SearchKey,
  SearchOptions,
  SearchSource,
  SortCriterion,
} from '../../src/imap/grammar/syntax.ts';

const ALL: SearchKey = { name: 'ALL' };

function read<T>(text: string, rule: (input: Parser) => T): T {
  const input = new Parser(Buffer.from(text, 'utf8'));
  const value = rule(input);
  input.end();
  return value;
}

describe('SEARCH', () => {
  test.each<[text: string, options: SearchOptions]>([
    ['ALL', { returns: undefined }],
    ['RETURN () ALL', { returns: ['ALL'] }],
    ['return (min Max COUNT) ALL', { returns: ['MIN', 'MAX', 'COUNT'] }],
    ['RETURN (CONTEXT UPDATE) ALL', { returns: ['CONTEXT', 'UPDATE'] }],
    ['RETURN (PARTIAL 1:500) ALL', { returns: ['PARTIAL'], partial: { first: 1, last: 500 } }],
    ['RETURN (PARTIAL 500:400 COUNT) ALL', { returns: ['PARTIAL', 'COUNT'], partial: { first: 500, last: 400 } }],
    ['RETURN (PARTIAL -1:-100) ALL', { returns: ['PARTIAL'], partial: { first: -1, last: -100 } }],
    ['RETURN (PARTIAL 4294967295:1) ALL', { returns: ['PARTIAL'], partial: { first: 4294967295, last: 1 } }],
  ])('%s', (text, options) => {
    expect(read(text, searchProgram)).toEqual({ program: { ...options, key: ALL } });
  });

  test.each<[text: string, key: SearchKey]>([
    ['FUZZY ALL', { name: 'FUZZY', key: ALL }],
    [
      'FUZZY (SUBJECT a FROM b)',
      {
        name: 'FUZZY',
        key: {
          name: 'AND',
          keys: [
            { name: 'SUBJECT', text: 'a' },
            { name: 'FROM', text: 'b' },
          ],
        },
      },
    ],
    ['NOT FUZZY SUBJECT a', { name: 'NOT', key: { name: 'FUZZY', key: { name: 'SUBJECT', text: 'a' } } }],
  ])('%s', (text, key) => {
    expect(read(text, searchProgram)).toEqual({ program: { returns: undefined, key } });
    // RFC 6203 §4: with FUZZY there is a relevancy.
    expect(read(`RETURN (RELEVANCY) ${text}`, searchProgram)).toEqual({ program: { returns: ['RELEVANCY'], key } });
  });

  test.each([
    '',
    'RETURN ALL',
    'RETURN (ALL)ALL',
    'RETURN (NONSENSE) ALL',
    'RETURN (PARTIAL) ALL',
    'RETURN (PARTIAL 1) ALL',
    'RETURN (PARTIAL 0:1) ALL',
    'RETURN (PARTIAL 1:*) ALL',
    'RETURN (PARTIAL -1:1) ALL',
    'RETURN (PARTIAL 1:-1) ALL',
    'RETURN (PARTIAL 01:2) ALL',
    'RETURN (PARTIAL 1:4294967296) ALL',
    'RETURN (PARTIAL 1:2 PARTIAL 3:4) ALL',
    'RETURN (PARTIAL 1:2 ALL) ALL',
    'RETURN (ALL PARTIAL 1:2) ALL',
    'RETURN (RELEVANCY) ALL',
    'FUZZY',
    'CHARSET UTF-8',
  ])('wrong: %s', (text) => {
    expect(() => read(text, searchProgram)).toThrow(BadSyntax);
  });

  test.each([
    ['CHARSET X-NONE TEXT x', searchProgram, false],
    ['RETURN (SAVE COUNT) CHARSET X-NONE TEXT "unread', searchProgram, true],
    ['(DATE) X-NONE ALL', sortProgram, false],
    ['RETURN (SAVE) (DATE) X-NONE ALL', sortProgram, true],
    ['REFERENCES X-NONE ALL', threadProgram, false],
    ['IN (personal) RETURN (COUNT) CHARSET X-NONE ALL', multisearchProgram, false],
  ])('a charset that is not known is no error of syntax: %s', (text, rule, saves) => {
    expect(read<object>(text, rule)).toMatchObject({ refused: { name: 'BadCharset' }, saves });
  });
});

describe('SORT', () => {
  const by = (key: SortCriterion['key'], reverse = false): SortCriterion => ({ key, reverse });

  test.each<[text: string, criteria: SortCriterion[]]>([
    ['(DATE) UTF-8 ALL', [by('DATE')]],
    ['(subject reverse date) "utf-8" ALL', [by('SUBJECT'), by('DATE', true)]],
    [
      '(ARRIVAL CC DATE FROM SIZE SUBJECT TO DISPLAYFROM DISPLAYTO) US-ASCII ALL',
      (['ARRIVAL', 'CC', 'DATE', 'FROM', 'SIZE', 'SUBJECT', 'TO', 'DISPLAYFROM', 'DISPLAYTO'] as const).map((key) =>
        by(key),
      ),
    ],
    ['(REVERSE SIZE REVERSE SIZE) UTF-8 ALL', [by('SIZE', true), by('SIZE', true)]],
  ])('%s', (text, criteria) => {
    expect(read(text, sortProgram)).toEqual({ program: { returns: undefined, criteria, key: ALL } });
  });

  test('with return options, and keys in the charset', () => {
    expect(read('RETURN (PARTIAL 1:2) (DATE) KOI8-R SEEN SUBJECT a', sortProgram)).toEqual({
      program: {
        returns: ['PARTIAL'],
        partial: { first: 1, last: 2 },
        criteria: [by('DATE')],
        key: {
          name: 'AND',
          keys: [
            { name: 'FLAG', flag: '\\Seen', set: true },
            { name: 'SUBJECT', text: 'a' },
          ],
        },
      },
    });
  });

  test.each([
    'DATE UTF-8 ALL',
    '() UTF-8 ALL',
    '(DATE) ALL',
    '(DATE) UTF-8',
    '(REVERSE) UTF-8 ALL',
    '(REVERSE REVERSE DATE) UTF-8 ALL',
    '(NONSENSE) UTF-8 ALL',
    '(DATE)UTF-8 ALL',
    '(RELEVANCY) UTF-8 ALL', // RFC 6203 §6
    'RETURN () UTF-8 ALL',
  ])('wrong: %s', (text) => {
    // `ALL` is read as a charset first.
    const program = () => read(text, sortProgram);
    if (text === '(DATE) ALL') expect(program()).toHaveProperty('refused');
    else expect(program).toThrow(BadSyntax);
  });

  test('RELEVANCY with a key that has one', () => {
    expect(read('(REVERSE RELEVANCY) UTF-8 FUZZY SUBJECT a', sortProgram)).toMatchObject({
      program: { criteria: [by('RELEVANCY', true)] },
    });
  });
});

describe('THREAD', () => {
  test.each(['ORDEREDSUBJECT', 'REFERENCES'])('%s', (algorithm) => {
    const program = { returns: undefined, algorithm, key: ALL };
    expect(read(`${algorithm} UTF-8 ALL`, threadProgram)).toEqual({ program });
    expect(read(`${algorithm.toLowerCase()} US-ASCII ALL`, threadProgram)).toEqual({ program });
  });

  test.each([
    'REFS UTF-8 ALL',
    'REFERENCES',
    'REFERENCES UTF-8',
    '(REFERENCES) UTF-8 ALL',
    'RETURN () REFERENCES UTF-8 ALL',
  ])('wrong: %s', (text) => {
    expect(() => read(text, threadProgram)).toThrow(BadSyntax);
  });
});

describe('ESEARCH', () => {
  test.each<[text: string, sources: SearchSource[]]>([
    ['ALL', [{ name: 'selected' }]],
    ['IN (selected) ALL', [{ name: 'selected' }]],
    ['in (Personal INBOXES subscribed) ALL', [{ name: 'personal' }, { name: 'inboxes' }, { name: 'subscribed' }]],
    ['IN (mailboxes inbox) ALL', [{ name: 'mailboxes', mailboxes: ['INBOX'] }]],
    ['IN (mailboxes ("a b" c)) ALL', [{ name: 'mailboxes', mailboxes: ['a b', 'c'] }]],
    [
      'IN (mailboxes "folder1" subtree "folder2") ALL',
      [
        { name: 'mailboxes', mailboxes: ['folder1'] },
        { name: 'subtree', mailboxes: ['folder2'] },
      ],
    ],
    ['IN (subtree-one (a b) selected) ALL', [{ name: 'subtree-one', mailboxes: ['a', 'b'] }, { name: 'selected' }]],
    ['IN (mailboxes Entw&APw-rfe) ALL', [{ name: 'mailboxes', mailboxes: ['Entwürfe'] }]],
  ])('%s', (text, sources) => {
    expect(read(text, multisearchProgram)).toEqual({ program: { returns: undefined, sources, key: ALL } });
  });

  test('with return options and a charset', () => {
    expect(read('IN (personal) RETURN (COUNT) CHARSET UTF-8 ALL', multisearchProgram)).toEqual({
      program: { returns: ['COUNT'], sources: [{ name: 'personal' }], key: ALL },
    });
  });

  test.each([
    'IN personal ALL',
    'IN () ALL',
    'IN (nonsense) ALL',
    'IN (selected-delayed) ALL', // RFC 7377 §2.2
    'IN (mailboxes) ALL',
    'IN (mailboxes ()) ALL',
    'IN (personal)',
    'IN (personal) RETURN (COUNT)',
    'IN (personal (scope)) ALL',
  ])('wrong: %s', (text) => {
    expect(() => read(text, multisearchProgram)).toThrow(BadSyntax);
  });
});

describe('FETCH', () => {
  test.each<[text: string, attributes: FetchAttribute[]]>([
    ['PREVIEW', [{ name: 'PREVIEW', lazy: false }]],
    ['(preview)', [{ name: 'PREVIEW', lazy: false }]],
    ['PREVIEW (LAZY)', [{ name: 'PREVIEW', lazy: true }]],
    ['(UID PREVIEW (lazy) FLAGS)', [{ name: 'UID' }, { name: 'PREVIEW', lazy: true }, { name: 'FLAGS' }]],
  ])('%s', (text, attributes) => {
    expect(read(text, (input) => input.fetchAttributes())).toEqual(attributes);
  });

  test.each(['PREVIEW (FUZZY)', 'PREVIEW ()', 'PREVIEW(LAZY)', 'PREVIEW[]'])('wrong: %s', (text) => {
    expect(() => read(text, (input) => input.fetchAttributes())).toThrow(BadSyntax);
  });

  test.each<[text: string, modifiers: FetchModifiers]>([
    [' (PARTIAL 1:5)', { partial: { first: 1, last: 5 } }],
    [' (PARTIAL -1:-30 CHANGEDSINCE 98305)', { partial: { first: -1, last: -30 }, changedSince: 98305 as never }],
    [' (CHANGEDSINCE 98305 PARTIAL -1:-30)', { partial: { first: -1, last: -30 }, changedSince: 98305 as never }],
  ])('%s', (text, modifiers) => {
    expect(read(text, (input) => input.fetchModifiers())).toEqual(modifiers);
  });
});
