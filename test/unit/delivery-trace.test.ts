/** Trace fields: RFC 5321 §4.4. */
import { describe, expect, it } from 'vitest';
import { traceFields, type Received, type TraceFields } from '../../src/delivery/trace.ts';

const RECEIVED: Received = { id: 'c1.1', protocol: 'ESMTP', smtpUtf8: false, tls: undefined };
const FIELDS: TraceFields = {
  reversePath: 'a@b.test',
  forwardPaths: [{ address: 'c@d.test' }],
  receivedAt: new Date('2026-11-22T13:05:09Z'),
  helo: 'client.test',
  remoteAddress: '192.0.2.1',
  login: undefined,
  serverName: 'mail.glass.test',
  received: RECEIVED,
};
const TLS = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' };

const trace = (fields: Partial<TraceFields> = {}): string => traceFields({ ...FIELDS, ...fields }).toString();

describe('trace fields', () => {
  it('in clear, for one recipient', () => {
    expect(trace()).toBe(
      'Return-Path: <a@b.test>\r\n' +
        'Received: from client.test ([192.0.2.1])\r\n' +
        '\tby mail.glass.test with ESMTP id c1.1\r\n' +
        '\tfor <c@d.test>;\r\n' +
        '\tSun, 22 Nov 2026 13:05:09 +0000\r\n',
    );
  });

  it('in TLS, for several recipients, of the null reverse-path', () => {
    const forwardPaths = [{ address: 'c@d.test' }, { address: 'secret@d.test' }];
    expect(trace({ reversePath: '', forwardPaths, received: { ...RECEIVED, tls: TLS } })).toBe(
      'Return-Path: <>\r\n' +
        'Received: from client.test ([192.0.2.1])\r\n' +
        '\tby mail.glass.test with ESMTPS id c1.1 (TLSv1.3)\r\n' +
        '\ttls TLS_AES_256_GCM_SHA384;\r\n' +
        '\tSun, 22 Nov 2026 13:05:09 +0000\r\n',
    );
  });

  it('none of Received where no mail protocol was spoken', () => {
    expect(trace({ received: undefined })).toBe('Return-Path: <a@b.test>\r\n');
  });

  it.each([
    ['SMTP', false, undefined, undefined, 'SMTP'],
    ['SMTP', false, TLS, 'alice', 'SMTP'],
    ['ESMTP', false, undefined, undefined, 'ESMTP'],
    ['ESMTP', false, undefined, 'alice', 'ESMTPA'],
    ['ESMTP', false, TLS, undefined, 'ESMTPS'],
    ['ESMTP', false, TLS, 'alice', 'ESMTPSA'],
    ['ESMTP', true, undefined, undefined, 'UTF8SMTP'],
    ['ESMTP', true, TLS, 'alice', 'UTF8SMTPSA'],
    ['LMTP', false, TLS, undefined, 'LMTPS'],
    ['LMTP', true, undefined, undefined, 'UTF8LMTP'],
  ] as const)('%s, SMTPUTF8 %s, TLS %o, login %s: with %s', (protocol, smtpUtf8, tls, login, expected) => {
    expect(trace({ login, received: { id: 'x', protocol, smtpUtf8, tls } })).toContain(` with ${expected} id x`);
  });

  it.each([
    ['client.test', '2001:db8::1', 'client.test ([IPv6:2001:db8::1])'],
    ['[192.0.2.7]', '192.0.2.1', '[192.0.2.7] ([192.0.2.1])'],
    ['my_host', '192.0.2.1', 'my_host ([192.0.2.1])'],
    ['b\u00fccher.test', '192.0.2.1', 'b\u00fccher.test ([192.0.2.1])'],
    ['evil);x=(y', '192.0.2.1', '[192.0.2.1] ([192.0.2.1])'],
    ['<script>', '192.0.2.1', '[192.0.2.1] ([192.0.2.1])'],
    [undefined, '192.0.2.1', '[192.0.2.1] ([192.0.2.1])'],
    [undefined, undefined, 'unknown'],
    ['client.test', undefined, 'client.test'],
  ])('a client that calls itself %s at %s is written as %s', (helo, remoteAddress, expected) => {
    expect(trace({ helo, remoteAddress })).toContain(`Received: from ${expected}\r\n`);
  });
});
