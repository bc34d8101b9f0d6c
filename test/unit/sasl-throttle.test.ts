import { describe, expect, it } from 'vitest';
import { LoginThrottle } from '../../src/sasl/throttle.ts';

function throttle(options: { free?: number; addresses?: number } = {}) {
  const clock = { now: 0 };
  return {
    clock,
    throttle: new LoginThrottle({ free: 2, firstMs: 100, longestMs: 1000, now: () => clock.now, ...options }),
  };
}

function delaysAfter(throttle: LoginThrottle, address: string, failures: number): number[] {
  return Array.from({ length: failures }, () => {
    throttle.failed(address);
    return throttle.delayMs(address);
  });
}

describe('the throttle of failed logins', () => {
  it('forgives a few, then doubles up to a limit', () => {
    expect(delaysAfter(throttle().throttle, '192.0.2.1', 8)).toEqual([0, 0, 100, 200, 400, 800, 1000, 1000]);
  });

  it('stays finite after very many', () => {
    expect(delaysAfter(throttle().throttle, '192.0.2.1', 5000).at(-1)).toBe(1000);
  });

  it('begins anew after a success, and after a quarter of an hour', () => {
    const { throttle: it, clock } = throttle();
    delaysAfter(it, '192.0.2.1', 4);
    it.succeeded('192.0.2.1');
    expect(it.delayMs('192.0.2.1')).toBe(0);
    delaysAfter(it, '192.0.2.1', 4);
    clock.now += 15 * 60_000;
    expect(it.delayMs('192.0.2.1')).toBe(200);
    clock.now += 1;
    expect(it.delayMs('192.0.2.1')).toBe(0);
    expect(delaysAfter(it, '192.0.2.1', 1)).toEqual([0]);
  });

  it('slows nobody else, but all of an IPv6 network', () => {
    const { throttle: it } = throttle();
    delaysAfter(it, '2001:db8:1:2::1', 4);
    expect(it.delayMs('2001:DB8:1:2:aaaa:bbbb:cccc:dddd')).toBe(200);
    expect(it.delayMs('2001:db8:1:3::1')).toBe(0);
    expect(it.delayMs('192.0.2.1')).toBe(0);
    delaysAfter(it, '::1', 4);
    expect(it.delayMs('::2')).toBe(0);
    expect(it.delayMs('::1')).toBe(200);
    delaysAfter(it, 'fe80::1%eth0', 4);
    expect(it.delayMs('fe80::2')).toBe(200);
  });

  it('remembers a bounded number of addresses, the latest', () => {
    const { throttle: it } = throttle({ free: 0, addresses: 3 });
    for (const last of [1, 2, 3, 1, 4]) it.failed(`192.0.2.${last}`);
    expect([1, 2, 3, 4].map((last) => it.delayMs(`192.0.2.${last}`))).toEqual([200, 0, 100, 100]);
  });
});
