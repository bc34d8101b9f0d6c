/** Octets that are slowed, held and cut: counted exactly. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Shaping } from '../../src/wire/shaping.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Sends `waiting` octets through, as a connection does. */
function sender(waiting: number) {
  const portions: number[] = [];
  const done: string[] = [];
  const send = (): void => {
    while (waiting > 0 && done.length === 0) {
      const room = shaping.room('out', waiting);
      if (room === 0) return;
      portions.push(room);
      waiting -= room;
      shaping.moved('out', room);
    }
  };
  const shaping = new Shaping({ send, read: () => undefined, cut: (how) => done.push(how) });
  return { shaping, send, portions, done };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

describe('what is said', () => {
  test('is cut after exactly so many octets', () => {
    const { shaping, send, portions, done } = sender(100);
    shaping.cutAfter(30, 'rst');
    send();
    expect([portions, done]).toEqual([[30], ['rst']]);
  });

  test('is cut in its middle, or before its first octet', () => {
    const half = sender(101);
    half.shaping.cutAfter('half', 'fin');
    half.send();
    expect([half.portions, half.done]).toEqual([[50], ['fin']]);
    const none = sender(100);
    none.shaping.cutAfter(0, 'fin');
    none.send();
    expect([none.portions, none.done]).toEqual([[], ['fin']]);
  });

  test('passes at a rate', () => {
    const { shaping, send, portions } = sender(1000);
    shaping.slow(200);
    send();
    vi.advanceTimersByTime(1000);
    expect(sum(portions)).toBeGreaterThan(150);
    expect(sum(portions)).toBeLessThan(250);
    vi.advanceTimersByTime(5000);
    expect(sum(portions)).toBe(1000);
  });

  test('one octet in many seconds', () => {
    const { shaping, send, portions } = sender(3);
    shaping.slow(1);
    send();
    expect(portions).toEqual([1]);
    vi.advanceTimersByTime(900);
    expect(portions).toEqual([1]);
    vi.advanceTimersByTime(1200);
    expect(portions).toEqual([1, 1, 1]);
  });

  test('is held for a time', () => {
    const { shaping, send, portions } = sender(10);
    shaping.hold(500);
    send();
    vi.advanceTimersByTime(490);
    expect(portions).toEqual([]);
    vi.advanceTimersByTime(20);
    expect(portions).toEqual([10]);
  });
});

test('marks are reached once, each way for itself', () => {
  const reached: string[] = [];
  const { shaping, send, portions } = sender(100);
  shaping.mark({ direction: 'out', octets: 40, reached: () => reached.push('out 40') });
  shaping.mark({ direction: 'in', octets: 5, reached: () => reached.push('in 5') });
  shaping.mark({ direction: 'out', octets: 0, reached: () => reached.push('out 0') });
  send();
  expect([portions, reached]).toEqual([
    [40, 60],
    ['out 0', 'out 40'],
  ]);
  shaping.moved('in', 4);
  expect(shaping.room('in', 10)).toBe(1);
  shaping.moved('in', 1);
  shaping.moved('in', 10);
  expect(reached).toEqual(['out 0', 'out 40', 'in 5']);
});
