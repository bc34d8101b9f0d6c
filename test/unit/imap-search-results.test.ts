/** How results of searches are printed: RFC 4731, RFC 5256 §4, RFC 5267 §4.3, RFC 6203 §7, RFC 7377 §2.1, RFC 9394. */
import { describe, expect, test } from 'vitest';
import { orderedSet, placesOf } from '../../src/imap/grammar/search-results.ts';
import type { ListChange, Response, SearchResult } from '../../src/imap/grammar/syntax.ts';
import { ResponseWriter } from '../../src/imap/grammar/writer.ts';

const REV1 = { rev2: false, utf8: false, utf8Accept: false, condstore: false, qresync: false, uidOnly: false };

function print(response: Response, dialect: Partial<typeof REV1> = {}): string {
  const writer = new ResponseWriter({ ...REV1, ...dialect });
  writer.response(response);
  return Buffer.concat(writer.take()).toString('latin1');
}

function search(result: Partial<SearchResult>): Response {
  return { type: 'search', tag: 'a1', uid: false, returns: undefined, numbers: [], ...result };
}

test.each<[numbers: number[], set: string]>([
  [[], ''],
  [[5], '5'],
  [[1, 2, 3, 7], '1:3,7'],
  [[3, 2, 1], '3,2,1'],
  [[10, 11, 9, 12, 13], '10:11,9,12:13'],
  [[5, 5], '5,5'],
])('numbers %j in this order are %j', (numbers, set) => {
  expect(orderedSet(numbers)).toBe(set);
});

test.each<[first: number, last: number, count: number, places: [number, number]]>([
  [1, 5, 10, [0, 5]],
  [5, 1, 10, [0, 5]],
  [8, 20, 10, [7, 10]],
  [11, 20, 10, [10, 10]],
  [-1, -3, 10, [7, 10]],
  [-3, -1, 10, [7, 10]],
  [-8, -20, 10, [0, 3]],
  [-11, -20, 10, [0, 0]],
  [1, 1, 0, [0, 0]],
  [-1, -1, 0, [0, 0]],
])('%i:%i of results', (first, last, count, places) => {
  expect(placesOf({ first, last }, count)).toEqual(places);
});

describe('results', () => {
  test.each<[line: string, response: Response]>([
    ['* SORT', search({ sorted: true })],
    ['* SORT 5 3 4 1 2', search({ sorted: true, numbers: [5, 3, 4, 1, 2] })],
    ['* SORT 5 3 (MODSEQ 9)', search({ sorted: true, numbers: [5, 3], modSeq: 9 as never })],
    [
      '* ESEARCH (TAG "a1") UID MIN 5 MAX 2 COUNT 5 ALL 5,3:4,1:2',
      search({ sorted: true, uid: true, returns: ['ALL', 'MIN', 'MAX', 'COUNT'], numbers: [5, 3, 4, 1, 2] }),
    ],
    [
      '* ESEARCH (TAG "a1") PARTIAL (1:2 5,3)',
      search({ sorted: true, returns: ['PARTIAL'], partial: { first: 1, last: 2 }, numbers: [5, 3, 4] }),
    ],
    [
      '* ESEARCH (TAG "a1") COUNT 3 PARTIAL (-1:-2 3:4) MODSEQ 7',
      search({
        returns: ['PARTIAL', 'COUNT'],
        partial: { first: -1, last: -2 },
        numbers: Uint32Array.of(1, 3, 4),
        modSeq: 7 as never,
      }),
    ],
    [
      '* ESEARCH (TAG "a1") PARTIAL (24000:24500 NIL)',
      search({ returns: ['PARTIAL'], partial: { first: 24000, last: 24500 }, numbers: [1] }),
    ],
    ['* ESEARCH (TAG "a1") PARTIAL (1:2 NIL)', search({ returns: ['PARTIAL'], partial: { first: 1, last: 2 } })],
    [
      '* ESEARCH (TAG "a1") ALL 1,5,10 RELEVANCY (4 99 42)',
      search({ returns: ['RELEVANCY', 'ALL'], numbers: [1, 5, 10], scores: [4, 99, 42] }),
    ],
    [
      '* ESEARCH (TAG "a1") PARTIAL (2:3 5,10) RELEVANCY (99 42)',
      search({
        returns: ['RELEVANCY', 'PARTIAL'],
        partial: { first: 2, last: 3 },
        numbers: [1, 5, 10],
        scores: Uint8Array.of(4, 99, 42),
      }),
    ],
    ['* ESEARCH (TAG "a1")', search({ returns: ['RELEVANCY', 'ALL'], scores: [] })],
    ['* ESEARCH (TAG "a1")', search({ returns: ['UPDATE'], numbers: [1] })],
    [
      '* ESEARCH (TAG "a1" MAILBOX folder1 UIDVALIDITY 1) UID ALL 4001,4003',
      search({ uid: true, mailbox: { name: 'folder1', uidValidity: 1 }, returns: ['ALL'], numbers: [4001, 4003] }),
    ],
    [
      '* ESEARCH (TAG "a1" MAILBOX "Gr&APw-n und" UIDVALIDITY 7) UID COUNT 1',
      search({ uid: true, mailbox: { name: 'Grün und', uidValidity: 7 }, returns: ['COUNT'], numbers: [1] }),
    ],
  ])('%s', (line, response) => {
    expect(print(response)).toBe(`${line}\r\n`);
  });

  test('SORT stays SORT after ENABLE IMAP4rev2', () => {
    expect(print(search({ sorted: true, numbers: [2, 1] }), { rev2: true })).toBe('* SORT 2 1\r\n');
  });
});

describe('updates', () => {
  const update = (...changes: [type: ListChange['type'], position: number, numbers: number[]][]): Response => ({
    type: 'search-update',
    tag: 'B01',
    uid: true,
    changes: changes.map(([type, position, numbers]) => ({ type, position, numbers })),
  });

  test.each<[line: string, response: Response]>([
    ['* ESEARCH (TAG "B01") UID ADDTO (0 32768:32769)', update(['ADDTO', 0, [32768, 32769]])],
    ['* ESEARCH (TAG "B01") UID ADDTO (1 2733 1 2731:2732)', update(['ADDTO', 1, [2733]], ['ADDTO', 1, [2731, 2732]])],
    [
      '* ESEARCH (TAG "B01") UID REMOVEFROM (5 8 1 3,2) ADDTO (2 9)',
      update(['REMOVEFROM', 5, [8]], ['REMOVEFROM', 1, [3, 2]], ['ADDTO', 2, [9]]),
    ],
  ])('%s', (line, response) => {
    expect(print(response)).toBe(`${line}\r\n`);
  });
});

test.each<[line: string, text: string | undefined, utf8: boolean]>([
  ['PREVIEW NIL', undefined, false],
  ['PREVIEW ""', '', false],
  ['PREVIEW "a \\"b\\""', 'a "b"', false],
  ['PREVIEW {7}\r\nGr\xc3\xbc\xc3\x9fe', 'Grüße', false],
  ['PREVIEW "Gr\xc3\xbc\xc3\x9fe"', 'Grüße', true],
])('%s', (line, text, utf8) => {
  const items = [{ type: 'nstring', name: 'PREVIEW', text }] as const;
  expect(print({ type: 'fetch', seqNum: 1 as never, uid: 1 as never, items }, { utf8 })).toBe(
    `* 1 FETCH (${line})\r\n`,
  );
});

test('THREAD without threads', () => {
  const forest = { numbers: [], roots: [], firstChild: new Int32Array(0), nextSibling: new Int32Array(0) };
  expect(print({ type: 'thread', forest })).toBe('* THREAD\r\n');
});
