/** Paths and parameters of MAIL and RCPT, a table for each rule. */
import { fc } from '../property.ts';
import { describe, expect, it } from 'vitest';
import { BadSyntax } from '../../src/smtp/grammar/bad-syntax.ts';
import { chunk } from '../../src/smtp/grammar/chunk.ts';
import { mailParameters, rcptParameters } from '../../src/smtp/grammar/parameters.ts';
import { forwardPath, reversePath } from '../../src/smtp/grammar/path.ts';

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof BadSyntax) return `${error.code} ${error.status}`;
    throw error;
  }
  return 'taken';
}

describe('paths', () => {
  it.each([
    ['<a@b.test>', 'a@b.test', ''],
    ['<a@b.test> SIZE=1', 'a@b.test', ' SIZE=1'],
    ['<a.b.c@b.test>', 'a.b.c@b.test', ''],
    ['<"a b"@b.test>', '"a b"@b.test', ''],
    ['<"a@b"@b.test>', '"a@b"@b.test', ''],
    ['<"\\\\\\""@b.test>', '"\\\\\\""@b.test', ''],
    ['<"<>"@b.test>', '"<>"@b.test', ''],
    ['<@r.test:a@b.test>', 'a@b.test', ''],
    ['<@r.test,@[192.0.2.1],@s.test:a@b.test>', 'a@b.test', ''],
    ['<a@[192.0.2.1]>', 'a@[192.0.2.1]', ''],
    ['<a@[IPv6:::1]>', 'a@[IPv6:::1]', ''],
    ['<a@[ipv6:2001:DB8::1]>', 'a@[ipv6:2001:DB8::1]', ''],
    ['<a@[tag:content]>', 'a@[tag:content]', ''],
    ['<a@host_name.test>', 'a@host_name.test', ''],
    ['<a@b-c.test>', 'a@b-c.test', ''],
    ['<a@1.2.3.4>', 'a@1.2.3.4', ''],
    ['<\u00fc@\u00fc.test>', '\u00fc@\u00fc.test', ''],
    ['<\u{1f600}@b.test>', '\u{1f600}@b.test', ''],
    ['<"\u00fc \u00fc"@b.test>', '"\u00fc \u00fc"@b.test', ''],
  ])('%s', (text, address, rest) => {
    expect(reversePath(text)).toEqual({ address, rest });
    expect(forwardPath(text)).toEqual({ address, rest });
  });

  it.each([
    '',
    '<',
    'a@b.test',
    '<a@b.test',
    '<a@b.test>SIZE=1',
    '< a@b.test>',
    '<a>',
    '<a@>',
    '<@b.test>',
    '<.a@b.test>',
    '<a.@b.test>',
    '<a..b@b.test>',
    '<a b@b.test>',
    '<a@b@c.test>',
    '<a@b..test>',
    '<a@.test>',
    '<a@b.test.>',
    '<a@-b.test>',
    '<a@b-.test>',
    '<a@[300.0.0.1]>',
    '<a@[IPv6:xyz]>',
    '<a@[192.0.2.1>',
    '<a@[]>',
    '<""@b.test>',
    '<"a@b.test>',
    '<"a"b@b.test>',
    '<a"b"@b.test>',
    '<@r.test,a@b.test>',
    '<a@b.test>>',
    '<<a@b.test>>',
    '<a@b!c.test>',
    `<${'a'.repeat(600)}@b.test>`,
  ])('%j is refused', (text) => {
    expect(refusal(() => reversePath(text))).toBe('501 5.1.7');
    expect(refusal(() => forwardPath(text))).toBe('501 5.1.3');
  });

  it('<> is a reverse-path alone, <postmaster> a forward-path alone', () => {
    expect(reversePath('<>')).toEqual({ address: '', rest: '' });
    expect(refusal(() => forwardPath('<>'))).toBe('501 5.1.3');
    expect(forwardPath('<PostMaster> NOTIFY=NEVER')).toEqual({ address: 'PostMaster', rest: ' NOTIFY=NEVER' });
    expect(refusal(() => reversePath('<postmaster>'))).toBe('501 5.1.7');
  });

  it('whatever comes is taken or refused, in time', () => {
    const alphabet = fc.constantFrom(
      '<',
      '>',
      '@',
      '"',
      '\\',
      '.',
      ',',
      ':',
      '[',
      ']',
      'a',
      '-',
      ' ',
      '\u00e9',
      '\ud83d',
      '\0',
    );
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 60 }), (parts) => {
        expect(refusal(() => forwardPath(parts.join('')))).toMatch(/^(?:taken|501 5\.1\.3)$/);
      }),
      { numRuns: 2000 },
    );
    for (const text of [
      '<"'.padEnd(8000, 'a'),
      '<'.padEnd(8000, 'a.'),
      '<a@'.padEnd(8000, '-a'),
      '<@a'.padEnd(8000, ',@a'),
    ]) {
      const begin = performance.now();
      expect(refusal(() => forwardPath(text))).toBe('501 5.1.3');
      expect(performance.now() - begin).toBeLessThan(500);
    }
  });
});

describe('parameters of MAIL', () => {
  it.each([
    ['', {}],
    [' SIZE=1000', { size: 1000 }],
    [' size=0 body=8bitmime', { size: 0 }],
    [' BODY=7BIT', {}],
    [' SMTPUTF8', { smtpUtf8: true }],
    [' requiretls SIZE=5', { requireTls: true, size: 5 }],
    [' RET=hdrs ENVID=QQ314159', { returnType: 'HDRS', envelopeId: 'QQ314159' }],
    [' ENVID=a+2Bb+3Dc', { envelopeId: 'a+2Bb+3Dc' }],
    [' AUTH=<>', {}],
    [' AUTH=e+3Dmc2@example.com', {}],
    ['  SIZE=5  ', { size: 5 }],
  ])('%j', (text, expected) => {
    const none = { size: undefined, smtpUtf8: false, requireTls: false, returnType: undefined, envelopeId: undefined };
    expect(mailParameters(text)).toEqual({ ...none, ...expected });
  });

  it.each([
    [' SIZE', '501 5.5.4'],
    [' SIZE=', '501 5.5.4'],
    [' SIZE=1K', '501 5.5.4'],
    [` SIZE=${'9'.repeat(21)}`, '501 5.5.4'],
    [' SIZE=1 SIZE=2', '501 5.5.4'],
    [' BODY=BINARYMIME', '501 5.5.4'],
    [' BODY', '501 5.5.4'],
    [' SMTPUTF8=yes', '501 5.5.4'],
    [' RET=ALL', '501 5.5.4'],
    [' ENVID=a+2bb', '501 5.5.4'],
    [' ENVID=a+', '501 5.5.4'],
    [` ENVID=${'a'.repeat(101)}`, '501 5.5.4'],
    [' AUTH', '501 5.5.4'],
    [' =5', '501 5.5.4'],
    [' -A=5', '501 5.5.4'],
    [' NOTIFY=NEVER', '555 5.5.4'],
    [' REQUIRETLS=yes', '501 5.5.4'],
    [' TLSREQUIRED', '555 5.5.4'],
    [' __proto__=1', '501 5.5.4'],
    [' constructor', '555 5.5.4'],
  ])('%j is refused with %s', (text, expected) => {
    expect(refusal(() => mailParameters(text))).toBe(expected);
  });
});

describe('parameters of RCPT', () => {
  it.each([
    ['', {}],
    [' NOTIFY=never', { notify: 'NEVER' }],
    [' NOTIFY=SUCCESS,FAILURE,DELAY', { notify: 'SUCCESS,FAILURE,DELAY' }],
    [' ORCPT=rfc822;Bob+2Btag@else.test', { originalRecipient: 'rfc822;Bob+2Btag@else.test' }],
    [' ORCPT=utf-8;\u00fc@else.test NOTIFY=DELAY', { originalRecipient: 'utf-8;\u00fc@else.test', notify: 'DELAY' }],
  ])('%j', (text, expected) => {
    expect(rcptParameters(text)).toEqual({ notify: undefined, originalRecipient: undefined, ...expected });
  });

  it.each([
    [' NOTIFY', '501 5.5.4'],
    [' NOTIFY=NEVER,FAILURE', '501 5.5.4'],
    [' NOTIFY=SOMETIMES', '501 5.5.4'],
    [' NOTIFY=SUCCESS,', '501 5.5.4'],
    [' ORCPT=bob@else.test', '501 5.5.4'],
    [' ORCPT=rfc822;', '501 5.5.4'],
    [' ORCPT=rfc822;a+zz', '501 5.5.4'],
    [' SIZE=5', '555 5.5.4'],
  ])('%j is refused with %s', (text, expected) => {
    expect(refusal(() => rcptParameters(text))).toBe(expected);
  });
});

describe('arguments of BDAT', () => {
  it.each([
    ['0', 0, false],
    ['86 LAST', 86, true],
    ['007  last', 7, true],
    ['9007199254740991', Number.MAX_SAFE_INTEGER, false],
    ['9'.repeat(400), Infinity, false],
  ])('%s', (text, octets, isLast) => {
    expect(chunk(text)).toEqual({ octets, isLast });
  });

  it.each(['', 'LAST', '5 LOST', '5 LAST LAST', '5LAST', '-1', '+1', '1.5', '0x10', '1e3', '\u0665', '5 6'])(
    '%j is refused',
    (text) => {
      expect(refusal(() => chunk(text))).toBe('501 5.5.4');
    },
  );
});
