/** What the pages compute before anything is drawn. */
import { describe, expect, test } from 'vitest';
import type { ConversationEvent, ConversationItem } from '../../src/http/schemas/conversations.ts';
import type { MailNews } from '../../src/http/schemas/feed.ts';
import type { MessageList, MessageSummary } from '../../src/http/schemas/messages.ts';
import type { Spoken } from '../../src/http/schemas/reading.ts';
import { filterOf } from '../../src/ui/conversation-filter.ts';
import { reconciled, replaced, withNews } from '../../src/ui/mail-list.ts';
import { receivedHops } from '../../src/ui/received.ts';
import type { ListState } from '../../src/ui/state.ts';
import { visibleLine, visibleName, visibleText } from '../../src/ui/visible-text.ts';
import { WireLog } from '../../src/ui/wire-log.ts';
import { base64Words, octetsOf } from '../../src/ui/wire-octets.ts';
import { type WireRow, rowAt, wireRows } from '../../src/ui/wire-rows.ts';

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
  tagged: [],
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

describe('what is known of a conversation', () => {
  const unit = (seq: number, side: 'client' | 'server', text: string, more: Partial<Spoken> = {}): Spoken => ({
    ...{ seq, lastSeq: seq, at: seq, side, position: 100 * seq, octets: text.length + 2, text, charset: 'utf-8' },
    ...{ end: 'crlf', secret: false, role: side === 'client' ? 'command' : 'reply', name: '', tag: null },
    ...{ answers: null, meaning: null },
    ...more,
  });
  const said = (seq: number, direction: 'in' | 'out', more: object = {}): ConversationEvent => ({
    ...{ type: 'text', seq, at: seq, direction, view: 'both', position: 0, octets: 9, secrets: [] },
    ...{ text: '', charset: 'utf-8', ...more },
  });
  const OPTIONS = { lens: 'server', ours: 'server', diagnoses: [], open: new Set<string>() } as const;
  const texts = (rows: readonly WireRow[]) =>
    rows.map((row) => (row.type === 'entry' && row.entry.type === 'unit' ? row.entry.unit.text : row.type));

  test('grows: a unit that goes on replaces itself, and a reply knows what it answers', () => {
    const log = new WireLog('in');
    log.add({ events: [said(1, 'out')], spoken: [unit(1, 'server', '220 hi')] });
    log.add({ events: [said(2, 'in')], spoken: [unit(2, 'client', 'EH', { end: 'none' })] });
    log.add({ events: [said(3, 'in')], spoken: [unit(2, 'client', 'EHLO me', { lastSeq: 3 })] });
    const answers = { answers: 200 };
    log.add({
      events: [said(9, 'out')],
      spoken: [unit(9, 'server', '250-me', answers), unit(9, 'server', '250 OK', { ...answers, position: 950 })],
    });
    const { entries } = log;
    expect(entries.map(({ id }) => id)).toEqual(['e1', 'e2', 'm4', 'e9', 'e9-2']);
    expect(entries[1]).toMatchObject({ unit: { text: 'EHLO me' }, lastSeq: 3 });
    expect(entries[2]).toMatchObject({ type: 'missed', events: 5, by: 'feed' });
    expect(entries[3]).toMatchObject({ answers: undefined });
    expect(entries[4]).toMatchObject({ answers: { id: 'e2', ms: 7 } });
  });

  test('has a limit, and says what it put away', () => {
    const log = new WireLog('in');
    for (let seq = 1; seq <= 30_000; seq += 1000) {
      const seqs = Array.from({ length: 1000 }, (_, index) => seq + index);
      log.add({
        events: seqs.map((each) => said(each, 'in')),
        spoken: seqs.map((each) => unit(each, 'client', `${each}`)),
      });
    }
    expect(log.entries.length).toBeLessThanOrEqual(20_000);
    const gap = log.entries.findIndex(({ type }) => type === 'missed');
    expect(log.entries[gap - 1]).toMatchObject({ seq: 500 });
    const [missed, next] = [log.entries[gap]!, log.entries[gap + 1]!];
    expect(missed).toMatchObject({ type: 'missed', by: 'page', seq: 501, events: next.seq - 501 });
    expect(log.entries.filter(({ type }) => type === 'missed')).toHaveLength(1);
    // What is at the end can still grow, and so can what is at the start.
    log.add({ events: [said(30_001, 'in')], spoken: [unit(30_000, 'client', 'more', { lastSeq: 30_001 })] });
    log.add({ events: [said(30_002, 'in')], spoken: [unit(7, 'client', 'seven', { lastSeq: 30_002 })] });
    expect(log.entries.at(-1)).toMatchObject({ unit: { text: 'more' } });
    expect(log.entries[6]).toMatchObject({ id: 'e7', unit: { text: 'seven' } });
  });

  test('folds what is long, and opens it; silence is measured', () => {
    const log = new WireLog('in');
    const seqs = Array.from({ length: 20 }, (_, index) => index + 1);
    log.add({ events: seqs.map((seq) => said(seq, 'in')), spoken: seqs.map((seq) => unit(seq, 'client', `${seq}`)) });
    log.add({ events: [said(21, 'out', { at: 5000 })], spoken: [unit(21, 'server', 'ok', { at: 5000 })] });
    const rows = wireRows(log.entries, OPTIONS);
    expect(texts(rows)).toEqual(['1', '2', '3', 'fold', 'silence', 'ok']);
    expect(rows[3]).toMatchObject({ id: 'fold-e4', lines: 17, seq: 4, lastSeq: 20 });
    expect(rowAt(rows, 'e12')).toBe(3);
    const open = wireRows(log.entries, { ...OPTIONS, open: new Set(['fold-e4']) });
    expect(texts(open)).toEqual(['1', '2', '3', 'fold', ...seqs.slice(3).map(String), 'silence', 'ok']);
    expect(open[rowAt(open, 'e12')]).toMatchObject({ id: 'e12' });
    expect(rowAt(open, 'e99')).toBe(open.length - 1);
    expect(rowAt(open, 'x')).toBe(-1);
  });

  test('puts a diagnosis behind what shows it', () => {
    const log = new WireLog('in');
    log.add({ events: [said(1, 'in'), said(2, 'out')], spoken: [unit(1, 'client', 'a'), unit(2, 'server', 'b')] });
    const diagnosis = { id: 'D06', severity: 'problem', title: '', sentence: '', remedy: '', evidence: [] } as const;
    const diagnoses = [{ ...diagnosis, evidence: [{ seq: 1, shows: 'x' }] }];
    expect(texts(wireRows(log.entries, { ...OPTIONS, diagnoses }))).toEqual(['a', 'diagnosis', 'b']);
    expect(texts(wireRows(log.entries, { ...OPTIONS, diagnoses, lens: 'eavesdropper' }))).toEqual(['a', 'b']);
  });

  const record = (type: number, length: number): number[] => [
    type,
    3,
    3,
    length >> 8,
    length & 255,
    ...Array<number>(length).fill(7),
  ];
  const binary = (seq: number, direction: 'in' | 'out', position: number, octets: readonly number[]) =>
    said(seq, direction, {
      ...{ type: 'binary', view: 'network', position, octets: octets.length },
      base64: btoa(String.fromCharCode(...octets)),
    });

  test('shows an eavesdropper the records of TLS, cut as they may be', () => {
    const stream = [...record(22, 300), ...record(23, 1000), ...record(23, 20)];
    const cuts = [0, 3, 7, 306, 309, 700, stream.length];
    const events = cuts
      .slice(1)
      .map((end, index) => binary(index + 1, 'in', cuts[index]!, stream.slice(cuts[index], end)));
    const log = new WireLog('in');
    log.add({ events: [...events, said(90, 'in', { view: 'ends' })], spoken: [unit(90, 'client', 'LOGIN')] });
    const rows = wireRows(log.entries, { ...OPTIONS, lens: 'eavesdropper' });
    expect(rows.map((row) => row.type === 'entry' && row.entry)).toMatchObject([
      { type: 'network', content: 'handshake', octets: 305, records: [305] },
      { type: 'network', content: 'encrypted', octets: 1030, records: [1005, 25], recordCount: 2 },
      { type: 'missed' },
    ]);
    expect(texts(wireRows(log.entries, OPTIONS))).toEqual(['entry', 'LOGIN']);
    // After a gap nobody can tell.
    const late = new WireLog('in');
    late.add({ events: [events[0]!, ...events.slice(2)], spoken: [] });
    expect(late.entries.at(-1)).toMatchObject({ content: 'opaque' });
  });

  test('puts side by side what was said and what carried it, whoever began', () => {
    const log = new WireLog('in');
    const ends = { view: 'ends' };
    log.add({
      events: [
        binary(1, 'in', 0, record(23, 40)),
        said(2, 'in', ends),
        said(3, 'out', ends),
        binary(4, 'out', 0, record(23, 60)),
        said(5, 'out', ends),
        binary(6, 'out', 65, record(23, 70)),
      ],
      spoken: [
        unit(2, 'client', 'a'),
        unit(3, 'server', 'b'),
        unit(3, 'server', 'c', { position: 350 }),
        unit(5, 'server', 'd'),
      ],
    });
    const rows = wireRows(log.entries, { ...OPTIONS, lens: 'both' });
    expect(texts(rows)).toEqual(['a', 'b', 'c', 'd']);
    expect(rows.map((row) => row.type === 'entry' && row.carrier?.octets)).toEqual([45, 65, undefined, 75]);
  });
});

test('the octets of a line, hidden ones too', () => {
  const line = { text: 'é ••', charset: 'utf-8', secret: true, end: 'crlf' } as const;
  expect(octetsOf(line).map(({ value }) => value)).toEqual([0xc3, 0xa9, 0x20, undefined, undefined, 13, 10]);
  expect(octetsOf(line).map(({ character }) => character)).toEqual([0, 0, 1, 2, 3, 4, 4]);
  const bullet = { text: '•', charset: 'utf-8', secret: false, end: 'none' } as const;
  expect(octetsOf(bullet).map(({ value }) => value)).toEqual([0xe2, 0x80, 0xa2]);
  expect(octetsOf({ text: '\xe9', charset: 'octets', secret: false, end: 'lf' })).toHaveLength(2);
  expect(base64Words('334 VXNlcm5hbWU6')).toEqual([{ start: 4, end: 16, says: 'Username:' }]);
  expect(base64Words('AUTH PLAIN')).toEqual([]);
});

test('the filter of conversations', () => {
  const item = {
    ...{ id: 'a1', service: 'imaps', protocol: 'imap', local: { address: '127.0.0.1', port: 1993 } },
    ...{ remote: { address: '127.0.0.1', port: 50_000 }, tls: { version: 'TLSv1.3', cipher: 'X', handshakeMs: 1 } },
    ...{ login: 'alice@glass.localhost', problem: null, closed: null },
    diagnoses: [{ id: 'D08', severity: 'problem', title: 'Unknown authority', sentence: '', remedy: '', evidence: [] }],
  } as unknown as ConversationItem;
  const passes = (filter: string): boolean => filterOf(filter).passes(item);
  for (const filter of [
    '',
    'imap',
    'user:alice port:1993',
    'has:tls is:open',
    'problem:d08',
    'problem:"unknown auth"',
    '-smtp',
    'user:',
    'has:problem',
  ])
    expect([filter, passes(filter)]).toEqual([filter, true]);
  for (const filter of ['smtp', 'imap smtp', 'user:bob', 'port:25', '-has:tls', 'is:closed', 'problem:D01', '-imap'])
    expect([filter, passes(filter)]).toEqual([filter, false]);
  expect(filterOf('imap text:"A1 LOGIN"').text).toBe('A1 LOGIN');
  expect(filterOf('imap').text).toBeUndefined();
  expect(filterOf('text:').text).toBeUndefined();
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
