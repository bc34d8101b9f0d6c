/** What the pages compute before anything is drawn. */
import { describe, expect, test } from 'vitest';
import type { ConversationEvent } from '../../src/http/schemas/conversations.ts';
import type { MailNews } from '../../src/http/schemas/feed.ts';
import type { MessageList, MessageSummary } from '../../src/http/schemas/messages.ts';
import { reconciled, replaced, withNews } from '../../src/ui/mail-list.ts';
import { receivedHops } from '../../src/ui/received.ts';
import type { ListState } from '../../src/ui/state.ts';
import { visibleLine, visibleName, visibleText } from '../../src/ui/visible-text.ts';
import { wireRows } from '../../src/ui/wire-rows.ts';

const message = (number: number, account = 'a@x.test', read = false): MessageSummary =>
  ({ id: `m${number}`, emailId: String(number), read, copies: [{ account }] }) as MessageSummary;

const answer = (...messages: MessageSummary[]): MessageList => ({
  total: messages.length,
  unread: messages.length,
  matches: messages.length,
  unreadMatches: messages.length,
  start: 0,
  messages,
  cursor: '00000000.1.1',
});

const news = (change: Partial<MailNews>): MailNews => ({
  type: 'mail',
  cursor: 'c',
  tooOld: false,
  arrived: [],
  read: [],
  deleted: [],
  total: 0,
  unread: 0,
  ...change,
});

function listOf(wish: Partial<ListState['wish'] & object>, ...messages: MessageSummary[]): ListState {
  const empty: ListState = {
    wish: { query: '', account: undefined, page: 1, ...wish },
    phase: 'loading',
    problem: undefined,
    rows: [],
    matches: 0,
    unreadMatches: 0,
    waiting: new Set(),
    selected: new Set(),
    everything: false,
  };
  return replaced(empty, answer(...messages));
}

const ids = (list: ListState): string[] => list.rows.map(({ id }) => id);

describe('news of mail', () => {
  const list = listOf({}, message(2), message(1));

  test('come on top in the order of the server, each once', () => {
    const next = withNews(list, news({ arrived: [message(3), message(4), message(2)], total: 4 }), { atTop: true });
    expect(ids(next)).toEqual(['m4', 'm3', 'm2', 'm1']);
    expect(next.matches).toBe(4);
  });

  test('wait while the reader is elsewhere, and a waiting one can go again', () => {
    const waiting = withNews(list, news({ arrived: [message(3), message(4)] }), { atTop: false });
    expect(ids(waiting)).toEqual(['m2', 'm1']);
    expect([...waiting.waiting]).toEqual(['m3', 'm4']);
    expect([...withNews(waiting, news({ deleted: ['m3'] }), { atTop: false }).waiting]).toEqual(['m4']);
  });

  test('of other accounts are not for this list, and with a search only the server knows', () => {
    const arrived = news({ arrived: [message(3, 'b@x.test')] });
    expect(ids(withNews(listOf({ account: 'a@x.test' }, message(1)), arrived, { atTop: true }))).toEqual(['m1']);
    expect(ids(withNews(listOf({ query: 'x' }, message(1)), arrived, { atTop: true }))).toEqual(['m1']);
  });

  test('mark and remove rows, and what was selected of them', () => {
    const selected = { ...list, selected: new Set(['m1', 'm2']) };
    const next = withNews(selected, news({ read: [{ id: 'm2', read: true }], deleted: ['m1'] }), { atTop: false });
    expect(next.rows.map(({ id, read }) => [id, read])).toEqual([['m2', true]]);
    expect([...next.selected]).toEqual(['m2']);
  });

  test('a later answer adds what is missing below and lets the new wait', () => {
    const next = reconciled(list, answer(message(4), message(3), message(2), message(1), message(0)), { atTop: false });
    expect(ids(next)).toEqual(['m2', 'm1', 'm0']);
    expect([...next.waiting]).toEqual(['m4', 'm3']);
  });
});

describe('the rows of a conversation', () => {
  const text = (seq: number, direction: 'in' | 'out', words: string, more: object = {}): ConversationEvent => ({
    ...{ type: 'text', seq, at: seq, direction, view: 'both', position: 0, octets: words.length, secrets: [] },
    ...{ text: words, charset: 'utf-8' },
    ...more,
  });

  test('are lines, however they came', () => {
    const rows = wireRows(
      [text(1, 'out', '220 hi\r\n'), text(2, 'in', 'EH'), text(3, 'in', 'LO me\r'), text(4, 'in', '\nQUIT\n')],
      'server',
      'in',
    );
    expect(rows).toMatchObject([
      { side: 'server', text: '220 hi', end: 'crlf' },
      { side: 'client', text: 'EHLO me', end: 'crlf', octets: 9, seq: 2 },
      { side: 'client', text: 'QUIT', end: 'lf' },
    ]);
  });

  test('fold what is long, and tell silence', () => {
    const body = Array.from({ length: 40 }, (_, index) => `line ${index}\r\n`).join('');
    const rows = wireRows(
      [text(1, 'in', 'DATA\r\n'), text(2, 'out', '354\r\n'), text(3, 'in', body), text(5000, 'out', '250\r\n')],
      'server',
      'in',
    );
    expect(rows.map(({ type }) => type)).toEqual(['line', 'line', 'line', 'line', 'line', 'fold', 'silence', 'line']);
    expect(rows[5]).toMatchObject({ octets: body.length - 'line 0\r\nline 1\r\nline 2\r\n'.length });
  });

  test('a mark is a secret only where something is hidden', () => {
    const secrets = [{ offset: 5, octets: 3 }];
    const rows = wireRows([text(1, 'in', 'PASS •••\r\n', { secrets }), text(2, 'in', 'a • b\r\n')], 'server', 'in');
    expect(rows).toMatchObject([
      { hasSecret: true, octets: 10 },
      { hasSecret: false, octets: 9 },
    ]);
  });

  test('show an eavesdropper the records of TLS, cut as they may be', () => {
    const record = (type: number, length: number): number[] => [
      type,
      3,
      3,
      length >> 8,
      length & 255,
      ...Array<number>(length).fill(7),
    ];
    const stream = [...record(22, 300), ...record(23, 1000)];
    const cuts = [0, 3, 7, 306, 309, 700, stream.length];
    const events = cuts.slice(1).map((end, index) => {
      const piece = stream.slice(cuts[index], end);
      const base64 = btoa(String.fromCharCode(...piece));
      return {
        type: 'binary',
        seq: index,
        at: index,
        direction: 'in',
        view: 'network',
        position: cuts[index],
        octets: piece.length,
        secrets: [],
        base64,
      } as unknown as ConversationEvent;
    });
    expect(wireRows([...events, text(90, 'in', 'LOGIN\r\n', { view: 'ends' })], 'eavesdropper', 'in')).toMatchObject([
      { type: 'octets', content: 'handshake', octets: 305 },
      { type: 'octets', content: 'encrypted', octets: 1005 },
    ]);
    expect(wireRows(events, 'server', 'in')).toEqual([]);
    // After a gap nobody can tell.
    expect(wireRows(events.slice(2), 'eavesdropper', 'in')).toMatchObject([{ content: 'opaque' }]);
  });
});

test('the way of a message, in the order of time', () => {
  const hops = receivedHops([
    'from b.test (b.test [1.2.3.4]) by c.test with ESMTPS id 2 for <x@c.test>; Sun, 22 Nov 2026 13:00:05 +0100 (CET)',
    'from a.test by b.test with SMTP id 1; Sun, 22 Nov 2026 12:00:02 +0000',
    'by a.test; no date',
  ]);
  expect(hops).toMatchObject([
    { by: 'a.test', at: undefined, delay: undefined },
    { from: 'a.test', by: 'b.test', with: 'SMTP', delay: undefined },
    { from: 'b.test', by: 'c.test', with: 'ESMTPS', delay: 3000 },
  ]);
});

test('what is invisible becomes visible', () => {
  expect(visibleText('a\u202Eb\tc\n')).toBe('a[U+202E]b\tc\n');
  expect(visibleText('שלום\u200f')).toBe('שלום\u200f');
  expect(visibleName('pay\u200bpal.test\u202e')).toBe('pay[U+200B]pal.test[U+202E]');
  expect(visibleLine('a\0b\u001b', false)).toBe('a␀b␛');
  expect(visibleLine('caf\u00e9 •', true)).toBe('caf\\xE9 •');
});
