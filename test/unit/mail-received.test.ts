import { describe, expect, test } from 'vitest';
import { parseReceived } from '../../src/mail/received.ts';

describe('a Received field', () => {
  test.each([
    [
      'from app.test ([192.0.2.1])\tby mx.blue.test with ESMTPS id abc.1\tfor <alice@blue.test> (TLSv1.3)\ttls TLS_AES_256_GCM_SHA384;\tTue, 3 Nov 2026 10:00:00 +0100',
      {
        from: 'app.test',
        seen: '[192.0.2.1]',
        by: 'mx.blue.test',
        with: 'ESMTPS',
        id: 'abc.1',
        for: 'alice@blue.test',
        tls: 'TLS_AES_256_GCM_SHA384',
        date: new Date('2026-11-03T09:00:00Z'),
      },
    ],
    // What lies in comments is no clause.
    ['from a (by evil with SMTP (id x)) by b; nonsense', { from: 'a', by: 'b', with: undefined, id: undefined }],
    ['by glass.localhost; Tue, 3 Nov 2026 10:00:00 +0000', { from: undefined, seen: undefined, by: 'glass.localhost' }],
    ['(qmail 123 invoked by uid 0); 3 Nov 2026 10:00:00 -0000', { from: undefined, by: undefined }],
    ['', { from: undefined, by: undefined, date: undefined }],
    ['from ; ; ;', { from: undefined, date: undefined }],
  ])('%j', (text, wanted) => {
    expect(parseReceived(text)).toMatchObject(wanted);
  });

  test('of any length is looked at in little time', () => {
    const started = performance.now();
    parseReceived(`from ${'('.repeat(500_000)} by x`);
    parseReceived(`${' from'.repeat(200_000)}; x`);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
