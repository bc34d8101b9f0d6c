import { fc } from '../property.ts';
import { describe, expect, test } from 'vitest';
import { isTimeZone, parseMoment, parseSearch, splitTerms } from '../../src/http/search-language.ts';
import type { SearchQuery } from '../../src/store/search-query.ts';

const header = (name: string, text: string): SearchQuery => ({ type: 'header', name, text });
const words = (text: string): SearchQuery => ({
  type: 'or',
  queries: [
    header('Subject', text),
    { type: 'any-address', text },
    { type: 'attachment-name', text },
    { type: 'body', text },
  ],
});
const not = (query: SearchQuery): SearchQuery => ({ type: 'not', query });
const nothing = not({ type: 'all' });

/** The envelope names x, To and Cc do not. */
const BLIND_COPY: SearchQuery = {
  type: 'and',
  queries: [
    { type: 'recipient', text: 'x' },
    {
      type: 'not',
      query: {
        type: 'or',
        queries: [
          { type: 'header', name: 'To', text: 'x' },
          { type: 'header', name: 'Cc', text: 'x' },
        ],
      },
    },
  ],
};

describe('the search language', () => {
  const table: readonly (readonly [text: string, query: SearchQuery])[] = [
    ['', { type: 'all' }],
    ['   ', { type: 'all' }],
    ['invoice', words('invoice')],
    ['"two words"', words('two words')],
    ['"open', words('open')],
    ['two words', { type: 'and', queries: [words('two'), words('words')] }],
    ['-spam', not(words('spam'))],
    ['!spam', not(words('spam'))],
    ['-', { type: 'all' }],
    ['to:alice@red.test', header('To', 'alice@red.test')],
    ['FROM:Bob', header('From', 'Bob')],
    ['cc:x', header('Cc', 'x')],
    ['bcc:x', { type: 'or', queries: [{ type: 'header', name: 'Bcc', text: 'x' }, BLIND_COPY] }],
    ['reply-to:x', header('Reply-To', 'x')],
    ['subject:"your code"', header('Subject', 'your code')],
    ['"subject:your code"', words('subject:your code')],
    ['-subject:"your code"', not(header('Subject', 'your code'))],
    ['subject:', { type: 'all' }],
    ['message-id:a@b', header('Message-ID', 'a@b')],
    [
      'addressed:x',
      {
        type: 'or',
        queries: [
          { type: 'any-address', text: 'x' },
          { type: 'recipient', text: 'x' },
        ],
      },
    ],
    ['tag:x', { type: 'tag', tag: 'x' }],
    ['-tag:x', not({ type: 'tag', tag: 'x' })],
    ['is:tagged', { type: 'tag', tag: undefined }],
    ['has:attachment', { type: 'has-attachment' }],
    ['has:attachments', { type: 'has-attachment' }],
    ['!has:inlines', not({ type: 'has-inline' })],
    ['larger:10', { type: 'larger', octets: 10 }],
    ['larger:2k', { type: 'larger', octets: 2048 }],
    ['smaller:1.5MB', { type: 'smaller', octets: 1_572_864 }],
    ['after:2026-03-01', { type: 'internal-date', since: Date.UTC(2026, 2, 1) }],
    ['before:"2026-03-01 12:30"', { type: 'internal-date', before: Date.UTC(2026, 2, 1, 12, 30) }],
    ['-before:2026-03-01', not({ type: 'internal-date', before: Date.UTC(2026, 2, 1) })],
    ['id:1234', { type: 'email', email: 1234 } as SearchQuery],
    ['http://x.test/a', words('http://x.test/a')],
    ['unknown:thing', words('unknown:thing')],
  ];
  test.each(table)('%s', (text, query) => {
    expect(parseSearch(text).query).toEqual(query);
    expect(parseSearch(text).problems).toEqual([]);
  });

  test('is:read and is:unread ask about the whole transaction', () => {
    expect(parseSearch('is:read')).toMatchObject({ read: true, query: { type: 'all' } });
    expect(parseSearch('-is:read')).toMatchObject({ read: false });
    expect(parseSearch('is:unread x')).toMatchObject({ read: false, query: words('x') });
    expect(parseSearch('is:read is:unread').query).toEqual(nothing);
  });

  test('an id of a transaction is left to the store', () => {
    const id = 'abcdefghijklmnopqrstu1';
    expect(parseSearch(`-id:${id}`)).toMatchObject({ ids: [{ id, negated: true }], query: { type: 'all' } });
  });

  test.each(['is:big', 'has:nothing', 'larger:many', 'before:yesterdayish', 'after:2026-02-31', 'id:*'])(
    '%s is named as what cannot be read, and the rest still counts',
    (term) => {
      const { problems, query } = parseSearch(`${term} x`);
      expect(problems).toHaveLength(1);
      expect(problems[0]!.term).toBe(term);
      expect(query).toEqual(words('x'));
    },
  );

  test('more terms than anybody writes are cut', () => {
    const { problems, query } = parseSearch('x '.repeat(1000));
    expect(problems).toHaveLength(1);
    expect(query.type === 'and' && query.queries.length).toBe(100);
  });

  test('no text makes it throw, and no term has a quote', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        parseSearch(text, { timeZone: 'Europe/Berlin' });
        for (const { value } of splitTerms(text)) expect(value).not.toContain('"');
      }),
    );
  });
});

describe('moments', () => {
  test.each([
    ['2026-01-31', 'UTC', Date.UTC(2026, 0, 31)],
    ['2026/01/31 08:09:10', 'UTC', Date.UTC(2026, 0, 31, 8, 9, 10)],
    ['2026-01-31T08:09:10.25Z', 'Asia/Tokyo', Date.UTC(2026, 0, 31, 8, 9, 10, 250)],
    ['2026-01-31 08:09+02:00', 'UTC', Date.UTC(2026, 0, 31, 6, 9)],
    ['2026-01-31', 'America/New_York', Date.UTC(2026, 0, 31, 5)],
    ['2026-07-31', 'America/New_York', Date.UTC(2026, 6, 31, 4)],
    // The hour in which the clocks went forward (02:00 to 03:00) and the days around it.
    ['2026-03-29', 'Europe/Berlin', Date.UTC(2026, 2, 28, 23)],
    ['2026-03-29 03:00', 'Europe/Berlin', Date.UTC(2026, 2, 29, 1)],
    ['2026-03-30', 'Europe/Berlin', Date.UTC(2026, 2, 29, 22)],
    ['31 Jan 2026', 'UTC', Date.UTC(2026, 0, 31)],
    ['Jan 31, 2026 14:00', 'Asia/Kolkata', Date.UTC(2026, 0, 31, 8, 30)],
    ['Sat, 31 Jan 2026 14:00:00 +0100', 'Asia/Kolkata', Date.UTC(2026, 0, 31, 13)],
  ])('%s in %s', (text, zone, at) => {
    expect(new Date(parseMoment(text, zone)!).toISOString()).toBe(new Date(at).toISOString());
  });

  test.each([
    '',
    'x',
    '2026',
    '2026-13-01',
    '2026-02-30',
    '2026-01-01 25:00',
    '99999999999999999',
    'Feb',
    '12 Foo 2026',
  ])('%s is none', (text) => {
    expect(parseMoment(text, 'UTC')).toBeUndefined();
  });

  test('a zone is one that the system knows', () => {
    expect(isTimeZone('Europe/Berlin')).toBe(true);
    expect(isTimeZone('Middle/Earth')).toBe(false);
    expect(isTimeZone('')).toBe(false);
  });
});
