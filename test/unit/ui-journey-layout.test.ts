import { describe, expect, test } from 'vitest';
import type { JourneyParticipant, JourneyStep } from '../../src/http/schemas/journey.ts';
import { columnsOf, foldOf, rowsOf } from '../../src/ui/journey/layout.ts';

const participant = (id: string, kind: JourneyParticipant['kind']): JourneyParticipant => ({
  ...{ id, kind, service: null, port: null, program: null, account: null, mailbox: null, address: null, count: 1 },
});

const step = (from: string, to: string, deed: JourneyStep['deed'], ms = 0): JourneyStep => ({
  ...{ at: '2026-11-03T10:00:00.000Z', ms, from, to, line: null, place: null, deed },
});

const READ = { type: 'read', items: 'RETR', request: null } as const;

describe('columns', () => {
  test('few readers have one each; of many the later ones share one', () => {
    const few = [participant('sender', 'sender'), ...['a', 'b', 'c', 'd'].map((id) => participant(id, 'reader'))];
    expect(columnsOf(few).map(({ id }) => id)).toEqual(['sender', 'a', 'b', 'c', 'd']);
    const many = columnsOf([...few, participant('e', 'reader')]);
    expect(many.map(({ id }) => id)).toEqual(['sender', 'a', 'b', 'c', 'readers']);
    expect(many[4]!.participants.map(({ id }) => id)).toEqual(['d', 'e']);
    const [row] = rowsOf({ steps: [step('e', 'sender', READ)] }, many);
    expect(row).toMatchObject({ from: 4, to: 0 });
  });
});

describe('rows', () => {
  const columns = columnsOf([participant('m', 'mailbox'), participant('r', 'reader')]);

  test('what is alike and follows itself is one; another thing in between divides it', () => {
    const steps = [
      step('m', 'r', READ),
      step('m', 'r', READ, 5),
      step('m', 'r', { ...READ, items: 'TOP 0' }, 6),
      step('m', 'r', READ, 7),
      step('r', 'm', { type: 'flags', mode: 'add', flags: ['\\Seen'], modSeq: 4, request: null }, 8),
      step('r', 'm', { type: 'flags', mode: 'add', flags: ['\\Seen'], modSeq: 5, request: null }, 9),
      step('r', 'm', { type: 'flags', mode: 'remove', flags: ['\\Seen'], modSeq: 6, request: null }, 9),
    ];
    expect(rowsOf({ steps }, columns).map((row) => row.steps.length)).toEqual([2, 1, 1, 2, 1]);
  });

  test('keep their keys while more come', () => {
    const steps = [step('m', 'r', READ), step('r', 'm', { type: 'marked' }), step('m', 'r', READ)];
    const before = rowsOf({ steps }, columns).map(({ key }) => key);
    const after = rowsOf({ steps: [...steps, step('m', 'r', READ), step('r', 'm', { type: 'marked' })] }, columns);
    expect(after.map(({ key }) => key).slice(0, 3)).toEqual(before);
  });

  test('a break is told, and what failed', () => {
    const steps = [
      step('m', 'r', READ),
      step('r', 'm', { type: 'refused', recipient: 'x', reply: '550' }, 1_999),
      step('m', 'r', READ, 4_000),
    ];
    expect(rowsOf({ steps }, columns).map(({ pause, failed }) => [pause, failed])).toEqual([
      [undefined, false],
      [undefined, true],
      [2_001, false],
    ]);
  });

  test.each([
    [0, 0, 0],
    [60, 60, 60],
    [61, 30, 31],
    [600, 30, 570],
  ])('of %i, those from %i to before %i are folded', (rows, from, to) => {
    expect(foldOf(rows)).toEqual({ from, to });
  });
});
