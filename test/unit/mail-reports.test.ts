import { simpleParser } from 'mailparser';
import { describe, expect, test } from 'vitest';
import { decodePart } from '../../src/mail/decode.ts';
import { parseMimeTree } from '../../src/mail/mime-tree.ts';
import {
  type DeliveryReport,
  decodeXtext,
  deliveryReport,
  dispositionReport,
  feedbackReport,
} from '../../src/mail/reports.ts';

const MESSAGE = Buffer.from(
  'Return-Path: <alice@red.test>\r\nFrom: alice@red.test\r\nTo: bob@blue.test\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n' +
    'Message-ID: <m1@red.test>\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nfür Bob',
);

const FRAME = {
  from: { name: 'Mail Delivery System', address: 'MAILER-DAEMON@blue.test' },
  to: 'alice@red.test',
  reportingMta: 'mx.blue.test',
  date: new Date(Date.UTC(2026, 10, 3, 10, 0, 5)),
  messageId: '<r1@blue.test>',
  boundary: 'report-1',
  message: MESSAGE,
  returns: 'full',
} as const;

const FAILED: DeliveryReport = {
  ...FRAME,
  envelopeId: 'QQ314159+2B+3D',
  arrivedAt: new Date(Date.UTC(2026, 10, 3, 10)),
  recipients: [
    {
      address: 'bob@blue.test',
      originalRecipient: 'rfc822;Bob+2Bx@blue.test',
      action: 'failed',
      status: '5.1.1',
      diagnostic: '550 5.1.1 No such user',
      remoteMta: 'mx2.blue.test',
    },
    { address: 'carol@blue.test', action: 'delayed', status: '4.4.1', willRetryUntil: new Date(Date.UTC(2026, 10, 7)) },
  ],
};

/** The parts: their types, and their octets as they stand. */
function partsOf(report: Buffer): readonly (readonly [type: string, text: string])[] {
  const tree = parseMimeTree(report);
  return tree.children.map((part) => [
    `${part.type}/${part.subtype}`.toLowerCase(),
    Buffer.from(part.message ? report.subarray(part.bodyStart, part.end) : decodePart(report, part)).toString(),
  ]);
}

describe('a delivery status notification (RFC 3464)', () => {
  test('has three parts: for people, for programs, and the message unchanged', async () => {
    const report = deliveryReport(FAILED);
    const parts = partsOf(report);
    expect(parts.map(([type]) => type)).toEqual(['text/plain', 'message/delivery-status', 'message/rfc822']);
    expect(parts[1]![1]).toBe(
      [
        'Original-Envelope-Id: QQ314159+=',
        'Reporting-MTA: dns; mx.blue.test',
        'Arrival-Date: Tue, 03 Nov 2026 10:00:00 +0000',
        '',
        'Original-Recipient: rfc822; Bob+x@blue.test',
        'Final-Recipient: rfc822; bob@blue.test',
        'Action: failed',
        'Status: 5.1.1',
        'Remote-MTA: dns; mx2.blue.test',
        'Diagnostic-Code: smtp; 550 5.1.1 No such user',
        'Last-Attempt-Date: Tue, 03 Nov 2026 10:00:05 +0000',
        '',
        'Final-Recipient: rfc822; carol@blue.test',
        'Action: delayed',
        'Status: 4.4.1',
        'Last-Attempt-Date: Tue, 03 Nov 2026 10:00:05 +0000',
        'Will-Retry-Until: Sat, 07 Nov 2026 00:00:00 +0000',
        '',
      ].join('\r\n'),
    );
    expect(parts[2]![1]).toBe(MESSAGE.toString());
    const parsed = await simpleParser(report);
    expect(parsed.subject).toBe('Undelivered mail returned to sender');
    expect(parsed.from?.value).toEqual([{ name: 'Mail Delivery System', address: 'MAILER-DAEMON@blue.test' }]);
    expect([parsed.inReplyTo, parsed.messageId]).toEqual(['<m1@red.test>', '<r1@blue.test>']);
    expect(parsed.headers.get('auto-submitted')).toBe('auto-replied');
    expect(parsed.headers.get('content-type')).toMatchObject({
      value: 'multipart/report',
      params: { 'report-type': 'delivery-status' },
    });
    expect(parsed.text).toContain('<bob@blue.test>: 550 5.1.1 No such user');
    expect(parsed.text).toContain('<carol@blue.test>');
    // RFC 2045 §6.4: the message has octets above 127.
    expect(parsed.headers.get('content-transfer-encoding')).toBe('8bit');
  });

  test('returns the header alone', () => {
    const [, , returned] = partsOf(deliveryReport({ ...FAILED, returns: 'headers' }));
    expect(returned).toEqual(['text/rfc822-headers', MESSAGE.toString().replace('für Bob', '')]);
  });

  test('of addresses beyond ASCII is that of RFC 6533', () => {
    const recipients = [{ address: 'jürgen@blue.test', action: 'delivered', status: '2.1.5' } as const];
    const parts = partsOf(deliveryReport({ ...FAILED, recipients }));
    expect(parts.map(([type]) => type)).toEqual(['text/plain', 'message/global-delivery-status', 'message/global']);
    expect(parts[1]![1]).toContain('\r\nFinal-Recipient: utf-8; jürgen@blue.test\r\n');
  });

  test('lets nothing that others said begin a line of its own', () => {
    const diagnostic = '550 no\r\nAction: delivered\r\n\r\nFinal-Recipient: rfc822; x@y.test';
    const recipients = [{ ...FAILED.recipients[0]!, diagnostic, originalRecipient: 'rfc822;a+0D+0AStatus: 2.0.0' }];
    const fields = partsOf(deliveryReport({ ...FAILED, recipients, envelopeId: 'a+0D+0Ab' }))[1]![1];
    expect(fields.match(/^(?:Action|Status|Final-Recipient):.*$/gm)).toHaveLength(3);
    expect(fields).toContain('Original-Envelope-Id: a b\r\n');
  });

  test.each([
    ['a+2Bb', 'a+b'],
    ['+C3+BC', 'ü'],
    ['plain', 'plain'],
    ['+2', '+2'],
  ])('xtext %s is %s', (text, decoded) => expect(decodeXtext(text)).toBe(decoded));
});

test('a disposition notification (RFC 8098)', async () => {
  const report = dispositionReport({
    ...FRAME,
    from: { name: '', address: 'bob@blue.test' },
    returns: 'headers',
    disposition: 'displayed',
    recipient: 'bob@blue.test',
    originalRecipient: 'rfc822;robert@blue.test',
    product: 'glassmail',
  });
  expect(partsOf(report).map(([type]) => type)).toEqual([
    'text/plain',
    'message/disposition-notification',
    'text/rfc822-headers',
  ]);
  expect(partsOf(report)[1]![1]).toBe(
    [
      'Reporting-UA: mx.blue.test; glassmail',
      'Original-Recipient: rfc822; robert@blue.test',
      'Final-Recipient: rfc822; bob@blue.test',
      'Original-Message-ID: <m1@red.test>',
      'Disposition: manual-action/MDN-sent-manually; displayed',
      '',
    ].join('\r\n'),
  );
  const parsed = await simpleParser(report);
  expect(parsed.subject).toBe('Displayed: Grüße');
  expect(parsed.from?.text).toBe('bob@blue.test');
});

test('a feedback report (RFC 5965)', async () => {
  const report = feedbackReport({
    ...FRAME,
    feedback: 'abuse',
    reversePath: 'alice@red.test',
    recipients: ['bob@blue.test'],
    arrivedAt: new Date(Date.UTC(2026, 10, 3, 10)),
    sourceAddress: '192.0.2.1',
    product: 'glassmail/1.2.3',
  });
  expect(partsOf(report).map(([type]) => type)).toEqual(['text/plain', 'message/feedback-report', 'message/rfc822']);
  expect(partsOf(report)[1]![1]).toBe(
    [
      'Feedback-Type: abuse',
      'User-Agent: glassmail/1.2.3',
      'Version: 1',
      'Original-Mail-From: <alice@red.test>',
      'Original-Rcpt-To: <bob@blue.test>',
      'Arrival-Date: Tue, 03 Nov 2026 10:00:00 +0000',
      'Reporting-MTA: dns; mx.blue.test',
      'Source-IP: 192.0.2.1',
      'Reported-Domain: red.test',
      '',
    ].join('\r\n'),
  );
  expect((await simpleParser(report)).subject).toBe('FW: Grüße');
});
