import { expect, test } from 'vitest';
import { Chaos, triggerFault } from '../../src/faults/chaos.ts';

test('strikes as often as it is asked to, and rests again', () => {
  let value = 0;
  const chaos = new Chaos(() => value);
  expect(chaos.strike('sender')).toBeUndefined();
  chaos.set({ sender: { code: 421, probability: 30 }, recipient: { probability: 100 } });
  expect(chaos.triggers).toEqual({
    sender: { code: 421, probability: 30 },
    recipient: { code: 451, probability: 100 },
    authentication: { code: 535, probability: 0 },
  });
  for (const [random, code] of [
    [0, 421],
    [0.299, 421],
    [0.3, undefined],
    [0.999, undefined],
  ] as const) {
    value = random;
    expect([random, chaos.strike('sender')]).toEqual([random, code]);
    expect(chaos.strike('recipient')).toBe(451);
    expect(chaos.strike('authentication')).toBeUndefined();
  }
  chaos.set({ authentication: { probability: 100 } });
  expect([chaos.strike('sender'), chaos.strike('authentication')]).toEqual([undefined, 535]);
});

test.each([
  [{ code: 399 }, 'error code'],
  [{ code: 600 }, 'error code'],
  [{ code: NaN }, 'error code'],
  [{ probability: 101 }, 'probability'],
  [{ probability: -1 }, 'probability'],
  [{ probability: 0.5 }, 'probability'],
])('%j is no trigger', (trigger, fault) => {
  expect(triggerFault(trigger)).toContain(fault);
});

test('whole numbers within bounds are', () => {
  expect(triggerFault({ code: 400, probability: 0 })).toBeUndefined();
  expect(triggerFault({ code: 599, probability: 100 })).toBeUndefined();
  expect(triggerFault({})).toBeUndefined();
});
