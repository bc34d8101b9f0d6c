/** PLAIN, LOGIN, XOAUTH2 and OAUTHBEARER; which are offered; and what lies beneath them: base 64, SASLprep, secrets, login names. */
import { inspect } from 'node:util';
import { fc } from '../property.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import { loginAddress } from '../../src/sasl/login-name.ts';
import {
  decodeBase64,
  mechanisms,
  startSasl,
  type Credentials,
  type SaslStep,
  type TokenVerdict,
} from '../../src/sasl/mechanism.ts';
import { saslprep } from '../../src/sasl/saslprep.ts';
import { makeScramRecord } from '../../src/sasl/scram-record.ts';
import { Secret } from '../../src/sasl/secret.ts';
import { verifyLogin } from '../../src/sasl/verify-login.ts';

let record = '';
const valid: TokenVerdict = { type: 'valid', login: 'alice@x.test' };
const refused = (error: 'invalid_token' | 'insufficient_scope'): TokenVerdict => ({ type: 'refused', error });
/** Two tokens of alice; one of them is for another service. */
const verifyToken = async (login: string | undefined, token: string): Promise<TokenVerdict> => {
  if (login !== undefined && login !== 'alice') return refused('invalid_token');
  if (token === 'other.service') return refused('insufficient_scope');
  return token === 'right=' ? valid : refused('invalid_token');
};
const alice: Credentials = { findRecord: async (login) => (login.toLowerCase() === 'alice' ? record : undefined) };
const any: Credentials = { findRecord: async () => undefined, acceptAny: true };

beforeAll(async () => {
  record = await makeScramRecord('glass');
});

const ALL = ['PLAIN', 'LOGIN', 'XOAUTH2', 'OAUTHBEARER', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'];

describe('which mechanisms are offered', () => {
  it.each([
    [alice, {}, ['PLAIN', 'LOGIN', 'SCRAM-SHA-256']],
    [alice, { plaintext: false }, ['SCRAM-SHA-256']],
    [alice, { channelBinding: new Uint8Array(32) }, ['PLAIN', 'LOGIN', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS']],
    [any, {}, ['PLAIN', 'LOGIN', 'XOAUTH2']],
    [any, { plaintext: false }, []],
    [{ ...alice, verifyToken }, {}, ['PLAIN', 'LOGIN', 'XOAUTH2', 'OAUTHBEARER', 'SCRAM-SHA-256']],
    [{ ...alice, verifyToken }, { plaintext: false }, ['SCRAM-SHA-256']],
    [{ ...alice, verifyToken, offersTokens: () => false }, {}, ['PLAIN', 'LOGIN', 'SCRAM-SHA-256']],
    [{ ...any, verifyToken, offersTokens: () => false }, {}, ['PLAIN', 'LOGIN', 'XOAUTH2']],
    [{ ...any, verifyToken }, {}, ['PLAIN', 'LOGIN', 'XOAUTH2', 'OAUTHBEARER']],
  ])('%#', (credentials, options, names) => {
    expect(mechanisms(credentials, options)).toEqual(names);
    for (const name of [...ALL, 'CRAM-MD5', '']) {
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

  const credentials = { ...alice, verifyToken };
  const say = (text: string, who: Credentials = credentials) => startSasl('XOAUTH2', who)!.step(Buffer.from(text));

  it('takes a token of the account, in any case of the scheme, with a challenge first or not', async () => {
    expect(await say('user=alice\x01auth=Bearer right=\x01\x01')).toEqual({ type: 'success', login: 'alice' });
    const exchange = startSasl('xoauth2', credentials)!;
    expect(await exchange.step(undefined)).toEqual({ type: 'challenge', data: new Uint8Array(0) });
    const outcome = await exchange.step(Buffer.from('user=alice\x01auth=bearer right=\x01\x01'));
    expect(outcome).toEqual({ type: 'success', login: 'alice' });
  });

  it.each([
    ['user=alice\x01auth=Bearer wrong\x01\x01', '401'],
    ['user=bob\x01auth=Bearer right=\x01\x01', '401'],
    ['user=alice\x01auth=Bearer \x01\x01', '401'],
    ['user=alice\x01auth=Bearer other.service\x01\x01', '403'],
  ])('says what is wrong with %j in a challenge, and fails after the answer', async (text, status) => {
    const exchange = startSasl('XOAUTH2', credentials)!;
    const challenge = await exchange.step(Buffer.from(text));
    expect(jsonOf(challenge)).toEqual({ status, schemes: 'bearer', scope: 'mail' });
    const failure = { type: 'failure', reason: 'invalid-credentials', login: /=(\w+)/.exec(text)![1] };
    expect(await exchange.step(new Uint8Array(0))).toMatchObject(failure);
    expect(await exchange.step(Buffer.from('user=alice\x01auth=Bearer right=\x01\x01'))).toMatchObject(failure);
  });

  it.each([
    '',
    'user=alice',
    'user=\x01auth=Bearer right=\x01\x01',
    'user=alice\x01auth=Basic right=\x01\x01',
    'user=alice\x01auth=Bearer right=\x01',
    'user=al\0ice\x01auth=Bearer right=\x01\x01',
    `user=alice\x01auth=Bearer ${'x'.repeat(8192)}\x01\x01`,
    '\xff',
  ])('refuses %j', async (text) => {
    const step = await startSasl('XOAUTH2', credentials)!.step(Buffer.from(text, 'latin1'));
    expect(step).toMatchObject({ type: 'failure', reason: 'malformed' });
  });
});

const jsonOf = (step: SaslStep): unknown =>
  step.type === 'challenge' ? JSON.parse(Buffer.from(step.data).toString()) : step;

describe('OAUTHBEARER (RFC 7628)', () => {
  const credentials = { ...alice, verifyToken };
  const exchange = (who: Credentials = credentials) => startSasl('OAUTHBEARER', who)!;
  const say = (text: string, who?: Credentials) => exchange(who).step(Buffer.from(text));

  it.each([
    ['n,a=alice,\x01host=localhost\x01port=993\x01auth=Bearer right=\x01\x01', 'alice', 'alice'],
    ['y,a=alice,\x01auth=bEaReR   right=\x01\x01', 'alice', 'alice'],
    ['n,,\x01auth=Bearer right=\x01\x01', 'alice@x.test', undefined],
    ['n,,\x01unknown=x\r\n\ty\x01auth=Bearer right=\x01auth=Bearer wrong\x01\x01', 'alice@x.test', undefined],
  ])('takes %j', async (text, login, authorizationId) => {
    expect(await say(text)).toEqual({ type: 'success', login, ...(authorizationId && { authorizationId }) });
  });

  it('asks for the response that was not sent at once', async () => {
    const started = exchange();
    expect(await started.step(undefined)).toEqual({ type: 'challenge', data: new Uint8Array(0) });
    expect((await started.step(Buffer.from('n,,\x01auth=Bearer right=\x01\x01'))).type).toBe('success');
  });

  it('decodes the name', async () => {
    let asked: string | undefined;
    const asking = { ...alice, verifyToken: async (login: string | undefined) => ((asked = login), valid) };
    expect((await say('n,a=a=2Cb=3Dc,\x01auth=Bearer right=\x01\x01', asking)).type).toBe('success');
    expect(asked).toBe('a,b=c');
  });

  it.each([
    ['n,a=alice,\x01auth=Bearer wrong\x01\x01', 'invalid_token'],
    ['n,a=bob,\x01auth=Bearer right=\x01\x01', 'invalid_token'],
    ['n,a=alice,\x01auth=Bearer other.service\x01\x01', 'insufficient_scope'],
    // §4.3: a client that asks which scope it needs.
    ['n,a=alice,\x01host=x\x01port=143\x01auth=\x01\x01', 'invalid_token'],
    ['n,a=alice,\x01auth=Basic YTpi\x01\x01', 'invalid_token'],
    ['n,a=alice,\x01auth=Bearer ri ght\x01\x01', 'invalid_token'],
    ['n,a=alice,\x01\x01', 'invalid_request'],
    ['n,a=alice,\x01host=\x01auth=Bearer right=\x01\x01', 'invalid_request'],
    ['n,a=alice,\x01port=0993\x01auth=Bearer right=\x01\x01', 'invalid_request'],
    ['n,a=alice,\x01port=65536\x01auth=Bearer right=\x01\x01', 'invalid_request'],
  ])('says what is wrong with %j, and fails whatever the client answers', async (text, status) => {
    for (const answer of ['\x01', '', 'n,a=alice,\x01auth=Bearer right=\x01\x01']) {
      const started = exchange();
      expect(jsonOf(await started.step(Buffer.from(text)))).toEqual({ status, scope: 'mail' });
      const reason = status === 'invalid_request' ? 'malformed' : 'invalid-credentials';
      const login = /a=(\w+)/.exec(text)![1];
      expect(await started.step(Buffer.from(answer))).toMatchObject({ type: 'failure', reason, login });
    }
  });

  it.each([
    '',
    '\x01',
    'auth=Bearer right=\x01\x01',
    'n,a=,\x01auth=Bearer right=\x01\x01',
    'n,a=a=b,\x01auth=Bearer right=\x01\x01',
    'p=tls-exporter,,\x01auth=Bearer right=\x01\x01',
    'n,,auth=Bearer right=\x01\x01',
    'n,,\x01auth=Bearer right=\x01',
    'n,,\x01auth\x01\x01',
    'n,,\x01au1h=Bearer right=\x01\x01',
    'n,,\x01auth=Bearer r\u00EFght\x01\x01',
    `n,,\x01auth=Bearer ${'x'.repeat(8192)}\x01\x01`,
  ])('refuses %j, which is no client response', async (text) => {
    expect(await say(text)).toMatchObject({ type: 'failure', reason: 'malformed' });
  });

  it('wants a name where every token is taken', async () => {
    const credentials = { ...any, verifyToken };
    expect(await say('n,a=who,\x01auth=Bearer x\x01\x01', credentials)).toMatchObject({ login: 'who' });
    expect(jsonOf(await say('n,,\x01auth=Bearer x\x01\x01', credentials))).toMatchObject({ status: 'invalid_request' });
  });

  it('ends in its own errors whatever comes', async () => {
    const part = fc.constantFrom(
      'n,',
      'y,',
      'p=x,',
      'a=b',
      ',',
      '\x01',
      'auth=',
      'Bearer ',
      'x',
      'host=',
      '\0',
      '\xff',
    );
    const message = fc.array(part, { maxLength: 12 }).map((parts) => Buffer.from(parts.join(''), 'latin1'));
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 3 }), async (messages) => {
        const started = exchange();
        for (const octets of messages) expect((await started.step(octets)).type).not.toBe('success');
      }),
    );
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
