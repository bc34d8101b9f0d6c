/** PLAIN, LOGIN and XOAUTH2; which are offered; and what lies beneath them: base 64, SASLprep, secrets, login names. */
import { inspect } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { loginAddress } from '../../src/sasl/login-name.ts';
import { decodeBase64, mechanisms, startSasl, type Credentials } from '../../src/sasl/mechanism.ts';
import { saslprep } from '../../src/sasl/saslprep.ts';
import { makeScramRecord } from '../../src/sasl/scram-record.ts';
import { Secret } from '../../src/sasl/secret.ts';
import { verifyLogin } from '../../src/sasl/verify-login.ts';

let record = '';
const alice: Credentials = { findRecord: async (login) => (login.toLowerCase() === 'alice' ? record : undefined) };
const any: Credentials = { findRecord: async () => undefined, acceptAny: true };

beforeAll(async () => {
  record = await makeScramRecord('glass');
});

describe('which mechanisms are offered', () => {
  it.each([
    [alice, {}, ['PLAIN', 'LOGIN', 'SCRAM-SHA-256']],
    [alice, { plaintext: false }, ['SCRAM-SHA-256']],
    [alice, { channelBinding: new Uint8Array(32) }, ['PLAIN', 'LOGIN', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS']],
    [any, {}, ['PLAIN', 'LOGIN', 'XOAUTH2']],
    [any, { plaintext: false }, []],
    [{ ...alice, verifyToken: async () => true }, {}, ['PLAIN', 'LOGIN', 'XOAUTH2', 'SCRAM-SHA-256']],
  ])('%#', (credentials, options, names) => {
    expect(mechanisms(credentials, options)).toEqual(names);
    for (const name of ['PLAIN', 'LOGIN', 'XOAUTH2', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS', 'CRAM-MD5', '']) {
      expect(startSasl(name, credentials, options)?.mechanism).toBe(names.includes(name) ? name : undefined);
    }
  });
});

describe('PLAIN (RFC 4616)', () => {
  const plain = (message: string | Uint8Array, credentials = alice) =>
    startSasl('PLAIN', credentials)!.step(Buffer.from(message));

  it('asks for the response that was not sent at once', async () => {
    const exchange = startSasl('PLAIN', alice)!;
    expect(await exchange.step(undefined)).toEqual({ type: 'challenge', data: new Uint8Array(0) });
    expect(await exchange.step(Buffer.from('\0alice\0glass'))).toEqual({ type: 'success', login: 'alice' });
  });

  it.each([
    ['\0alice\0glass', { type: 'success', login: 'alice' }],
    ['ALICE\0alice\0glass', { type: 'success', login: 'alice', authorizationId: 'ALICE' }],
    ['bob\0alice\0glass', { type: 'failure', reason: 'authorization', login: 'alice' }],
    ['bob\0alice\0wrong', { type: 'failure', reason: 'invalid-credentials', login: 'alice' }],
    ['\0alice\0wrong', { type: 'failure', reason: 'invalid-credentials', login: 'alice' }],
    ['\0alice\0', { type: 'failure', reason: 'invalid-credentials' }],
    ['\0nobody\0glass', { type: 'failure', reason: 'invalid-credentials', login: 'nobody' }],
    ['\0\0glass', { type: 'failure', reason: 'malformed' }],
    ['alice\0glass', { type: 'failure', reason: 'malformed' }],
    ['\0alice\0glass\0', { type: 'failure', reason: 'malformed' }],
    ['', { type: 'failure', reason: 'malformed' }],
    [Buffer.from([0, 0x61, 0, 0xff]), { type: 'failure', reason: 'malformed' }],
    [`\0alice\0${'x'.repeat(2000)}`, { type: 'failure', reason: 'malformed' }],
  ])('%j', async (message, step) => {
    expect(await plain(message)).toMatchObject(step);
  });

  it('takes any password where the operator does', async () => {
    expect(await plain('\0anybody\0anything', any)).toEqual({ type: 'success', login: 'anybody' });
  });
});

describe('LOGIN (draft-murchison-sasl-login)', () => {
  it('asks for both, in the words that old clients want', async () => {
    const exchange = startSasl('LOGIN', alice)!;
    expect(await exchange.step(undefined)).toEqual({ type: 'challenge', data: Buffer.from('Username:') });
    expect(await exchange.step(Buffer.from('alice'))).toEqual({ type: 'challenge', data: Buffer.from('Password:') });
    expect(await exchange.step(Buffer.from('glass'))).toEqual({ type: 'success', login: 'alice' });
  });

  it('takes the name as the initial response', async () => {
    const exchange = startSasl('LOGIN', alice)!;
    expect(await exchange.step(Buffer.from('alice'))).toEqual({ type: 'challenge', data: Buffer.from('Password:') });
    expect(await exchange.step(Buffer.from('wrong'))).toMatchObject({ reason: 'invalid-credentials', login: 'alice' });
  });

  it('refuses what is empty, too long, or not text', async () => {
    for (const name of ['', 'a\0b', 'x'.repeat(2000)]) {
      expect(await startSasl('LOGIN', alice)!.step(Buffer.from(name))).toMatchObject({ reason: 'malformed' });
    }
  });
});

describe('XOAUTH2', () => {
  const response = Buffer.from('user=alice\x01auth=Bearer t0ken\x01\x01');

  it('takes any token where the operator takes any password', async () => {
    expect(await startSasl('XOAUTH2', any)!.step(response)).toEqual({ type: 'success', login: 'alice' });
  });

  it('says what is wrong with a token in a challenge, and fails after the answer', async () => {
    const credentials = { ...alice, verifyToken: async (_: string, token: string) => token === 'right' };
    const exchange = startSasl('XOAUTH2', credentials)!;
    const challenge = await exchange.step(response);
    expect(challenge.type === 'challenge' && JSON.parse(Buffer.from(challenge.data).toString())).toMatchObject({
      status: '401',
    });
    expect(await exchange.step(new Uint8Array(0))).toMatchObject({ reason: 'invalid-credentials', login: 'alice' });
    const right = Buffer.from('user=alice\x01auth=Bearer right\x01\x01');
    expect(await startSasl('XOAUTH2', credentials)!.step(right)).toEqual({ type: 'success', login: 'alice' });
  });

  it('refuses another form', async () => {
    expect(await startSasl('XOAUTH2', any)!.step(Buffer.from('user=alice'))).toMatchObject({ reason: 'malformed' });
  });
});

describe('a name and a password in clear', () => {
  it('are verified against the record', async () => {
    expect(await verifyLogin(alice, 'alice', new Secret('glass'))).toBe(true);
    expect(await verifyLogin(alice, 'alice', 'wrong')).toBe(false);
    expect(await verifyLogin(alice, 'nobody', 'glass')).toBe(false);
    expect(await verifyLogin(any, 'nobody', 'whatever')).toBe(true);
  });
});

describe('base 64', () => {
  it.each([
    ['', ''],
    ['=', ''],
    ['YQ==', 'a'],
    ['YWI=', 'ab'],
    ['YWJj', 'abc'],
  ])('%j', (text, octets) => {
    expect(Buffer.from(decodeBase64(text)!).toString()).toBe(octets);
  });

  it.each(['a', 'YQ', 'YQ=', 'YQ===', '==', 'YW Jj', 'YWJj\r\n', 'YW-_', '*'])('%j is none', (text) => {
    expect(decodeBase64(text)).toBeUndefined();
  });
});

describe('SASLprep', () => {
  // RFC 4013 §3, and one for each table.
  it.each([
    ['I\u00ADX', 'IX'],
    ['user', 'user'],
    ['USER', 'USER'],
    ['\u00AA', 'a'],
    ['\u2168', 'IX'],
    ['\u0007', undefined],
    ['\u06271', undefined],
    ['a\u00A0b', 'a b'],
    ['\u0627\u0628', '\u0627\u0628'],
    ['\u06271\u0628', '\u06271\u0628'],
    ['\u0627a\u0628', undefined],
    ['\uE000', undefined],
    ['\uD800', undefined],
    ['\uFFFE', undefined],
    ['\u{F0000}', undefined],
    ['\u200E', undefined],
    ['пароль🔑', 'пароль🔑'],
  ])('%j', (text, prepared) => {
    expect(saslprep(text)).toBe(prepared);
  });
});

describe('a Secret', () => {
  it('shows itself to whoever asks by name, and to nobody else', () => {
    const secret = new Secret(Buffer.from('pässword'));
    expect(secret.reveal()).toBe('pässword');
    const shown = [inspect({ secret }), JSON.stringify({ secret }), String(secret), secret.toString()];
    for (const text of shown) expect(text).not.toContain('word');
    expect(Object.keys(secret)).toEqual([]);
    expect(() => new Secret(Buffer.from([0xff]))).toThrow(TypeError);
  });
});

describe('login names', () => {
  it.each([
    ['alice', 'alice@glass.test'],
    ['Alice', 'alice@glass.test'],
    ['ALICE@Glass.TEST', 'alice@glass.test'],
    [' bob@red.test ', 'bob@red.test'],
    ['u\u0308@x.test', '\u00FC@x.test'],
  ])('%j', (login, address) => {
    expect(loginAddress(login, 'Glass.Test')).toBe(address);
  });
});
