import { describe, expect, test } from 'vitest';
import { flagSetFromText } from '../../src/store/sqlite/flag-sets.ts';
import { mailboxName, possibleName, sortedByName, superiorNames } from '../../src/store/sqlite/mailbox-name.ts';
import { newTransactionId } from '../../src/store/sqlite/ledger.ts';
import { ascending, runsToText, textToRanges, toRuns } from '../../src/store/sqlite/uid-ranges.ts';

describe('UIDs', () => {
  test.each([
    [[], []],
    [
      [1, 2, 3],
      [1, 2, 3],
    ],
    [
      [3, 1, 2, 3, 1],
      [1, 2, 3],
    ],
    [[0, 5], [5]],
    [[5, 0, 0], [5]],
    [
      [0xffff_ffff, 1],
      [1, 0xffff_ffff],
    ],
  ])('%j in order are %j', (given, expected) => {
    expect([...ascending(given)]).toEqual(expected);
    expect([...ascending(Uint32Array.from(given))]).toEqual(expected);
  });

  test('are not sorted where they came from', () => {
    const given = Uint32Array.of(3, 1);
    ascending(given);
    expect([...given]).toEqual([3, 1]);
  });

  test.each([
    [[], ''],
    [[7], '7'],
    [[1, 2, 3, 7, 9, 10], '1:3,7,9:10'],
  ])('%j are written %j, and read again', (uids, text) => {
    expect(runsToText(toRuns(uids))).toBe(text);
    const read = textToRanges(text).flatMap(({ first, last }) =>
      Array.from({ length: last - first + 1 }, (_, i) => first + i),
    );
    expect(read).toEqual(uids);
  });
});

describe('mailbox names', () => {
  test('have their superior names', () => {
    expect(superiorNames('a')).toEqual([]);
    expect(superiorNames('a/b/c')).toEqual(['a', 'a/b']);
  });

  test('are in order', () => {
    const names = ['b', 'INBOX/x', 'a0', 'a/b', 'INBOX', 'a', 'INBOXES'];
    expect(sortedByName(names, (name) => name)).toEqual(['INBOX', 'INBOX/x', 'INBOXES', 'a', 'a/b', 'a0', 'b']);
  });

  test('are made alike', () => {
    expect(mailboxName('iNbox/Inbox')).toBe('INBOX/Inbox');
    expect(mailboxName('e\u0301')).toBe('\u00e9');
    expect(possibleName('a//b')).toBeUndefined();
  });
});

test('flag sets know what is counted', () => {
  expect(flagSetFromText(1, '')).toMatchObject({ flags: [], seen: false, deleted: false });
  expect(flagSetFromText(2, '\\Deleted \\Seen x')).toMatchObject({
    flags: ['\\Deleted', '\\Seen', 'x'],
    seen: true,
    deleted: true,
  });
});

test('transaction ids have 22 letters and digits; later ones are greater', () => {
  const ids = Array.from({ length: 1000 }, (_, i) => newTransactionId(1_700_000_000_000 + i));
  for (const id of ids) expect(id).toMatch(/^[0-9A-Za-z]{22}$/);
  expect(new Set(ids).size).toBe(1000);
  expect(ids.toSorted()).toEqual(ids);
  expect(newTransactionId(0).slice(7)).not.toBe(newTransactionId(0).slice(7));
});
