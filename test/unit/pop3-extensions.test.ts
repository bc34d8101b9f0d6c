/** What the extensions of POP3 promise, where a dialogue with the real store cannot show it. */
import { describe, expect, it } from 'vitest';
import type { TokenVerdict } from '../../src/sasl/mechanism.ts';
import { LoginDelay } from '../../src/pop3/login-delay.ts';
import type { AccountId } from '../../src/store/change.ts';
import { FewMessages, start, type Peer } from './pop3-harness.ts';

async function capabilities(peer: Peer): Promise<string[]> {
  await peer.says('CAPA', '+OK');
  return (await peer.multiLine()).trimEnd().split('\r\n');
}

describe('LOGIN-DELAY (RFC 2449 §6.5)', () => {
  it('is announced, and holds for the account that was logged in to, however its login goes', async () => {
    let now = 1000;
    await using server = await start(new FewMessages('a\r\n'), { loginDelaySeconds: 60, now: () => now });
    const first = await server.connect();
    expect(await capabilities(first)).toContain('LOGIN-DELAY 60');
    await first.logIn();
    expect(await capabilities(first)).toContain('LOGIN-DELAY 60');
    await first.says('QUIT', '+OK');

    now += 59_999;
    const second = await server.connect();
    await second.says('USER alice', '+OK');
    // §8.1.1: nobody is told who has not proved the password.
    await second.says('PASS wrong', '-ERR [AUTH]');
    await second.says('USER ALICE@x.test', '+OK');
    await second.says('PASS glass', '-ERR [LOGIN-DELAY] Not yet: 60 seconds have to lie between two logins');
    await second.says('AUTH PLAIN AGFsaWNlAGdsYXNz', '-ERR [LOGIN-DELAY]');
    await second.says('STAT', '-ERR');
    expect(server.few.locked).toBe(false);
    // A refused login is none: it does not begin the time anew.
    now += 1;
    await second.logIn();
    await second.says('STAT', '+OK 1 3');
  });

  it('does not begin with a login that found the maildrop in use', async () => {
    await using server = await start(new FewMessages(), { loginDelaySeconds: 60, now: () => 0 });
    const lock = await server.few.store.lockMaildrop(1 as AccountId);
    const peer = await server.connect();
    await peer.says('USER alice', '+OK');
    await peer.says('PASS glass', '-ERR [IN-USE]');
    await lock![Symbol.asyncDispose]();
    await peer.logIn();
  });

  it('is not announced, and not there, unless it is configured', async () => {
    await using server = await start(new FewMessages());
    for (let logins = 0; logins < 3; logins++) {
      const peer = await server.session();
      expect((await capabilities(peer)).join()).not.toContain('LOGIN-DELAY');
      await peer.says('QUIT', '+OK');
    }
  });

  it('remembers no more than it needs', () => {
    const delay = new LoginDelay();
    for (let account = 0; account < 1000; account++) delay.loggedIn(account as AccountId, 5, account * 100);
    expect(delay.size).toBe(50);
    expect(delay.isDue(999 as AccountId, 5, 100_000)).toBe(false);
    expect(delay.isDue(1 as AccountId, 5, 100_000)).toBe(true);
  });
});

describe('EXPIRE (RFC 2449 §6.7)', () => {
  it.each([
    [undefined, 'EXPIRE NEVER'],
    [0, 'EXPIRE 0'],
    [30, 'EXPIRE 30'],
  ])('of %j days is announced as %s', async (expireDays, line) => {
    await using server = await start(new FewMessages(), { expireDays });
    expect(await capabilities(await server.connect())).toContain(line);
  });
});

describe('UTF8 (RFC 6856 §2)', () => {
  const MESSAGE = 'From: a@x.test\r\nSubject: Grüße\r\n\r\nGrüße\r\n';
  const utf8 = (text: string): string => Buffer.from(text, 'latin1').toString();

  it('sends messages as they are; without it their headers are in ASCII, and LIST knows the size of either', async () => {
    await using server = await start(new FewMessages(Buffer.from(MESSAGE)));
    for (const pieces of [0, 3]) {
      server.few.pieces = pieces;
      const surrogate = MESSAGE.replace('Subject: Grüße', 'Subject: =?utf-8?B?R3LDvMOfZQ==?=');
      for (const [mode, expected] of [
        ['NOOP', surrogate],
        ['UTF8', MESSAGE],
      ] as const) {
        const peer = await server.connect();
        peer.send(`${mode}\r\n`);
        await peer.line();
        await peer.logIn();
        const octets = Buffer.byteLength(expected);
        await peer.says('LIST 1', `+OK 1 ${octets}`);
        await peer.says('STAT', `+OK 1 ${octets}`);
        await peer.says('RETR 1', `+OK ${octets} octets`);
        expect(utf8(await peer.multiLine())).toBe(expected);
        await peer.says('TOP 1 0', '+OK');
        expect(utf8(await peer.multiLine())).toBe(expected.slice(0, expected.indexOf('\r\n\r\n') + 4));
        await peer.says('QUIT', '+OK');
      }
    }
    expect(server.logged).toEqual([]);
  });

  it('is for before the login, without an argument, and is forgotten with TLS', async () => {
    await using server = await start(new FewMessages(Buffer.from(MESSAGE)));
    const peer = await server.connect();
    expect(await capabilities(peer)).toEqual(expect.arrayContaining(['UTF8 USER', 'LANG']));
    await peer.says('UTF8 USER', '-ERR That is an argument too many');
    await peer.says('UTF8', '+OK');
    await peer.says('utf8', '+OK');
    await peer.says('STLS', '+OK');
    await peer.startTls();
    await peer.logIn();
    await peer.says('UTF8', '-ERR UTF8 is for before the login');
    await peer.says('RETR 1', '+OK');
    expect(await peer.multiLine()).toContain('=?utf-8?B?');
  });

  it('takes names and passwords in UTF-8, prepared (§2.2), and refuses what is none', async () => {
    const asked: string[] = [];
    const findRecord = async (login: string): Promise<undefined> => void asked.push(login);
    await using server = await start(new FewMessages(), { credentials: { findRecord } });
    const peer = await server.connect();
    const name = Buffer.from('J\u00ADu\u0308rgen\u00A0\u2168').toString('latin1');
    await peer.says(`USER ${name}`, '+OK');
    await peer.says(`PASS ${name}`, '-ERR [AUTH]');
    expect(asked).toEqual(['Jürgen IX']);
    for (const wrong of ['\xff', 'a\0b', Buffer.from('a\u200Eb').toString('latin1'), '\x7f', '\xed\xa0\x80']) {
      await peer.says(`USER ${wrong}`, '-ERR The name is not UTF-8 text');
    }
    await peer.says('USER alice', '+OK');
    await peer.says('PASS \xff', '-ERR The password is not UTF-8 text');
  });

  it('has texts in ASCII until UTF-8 or a language is asked for', async () => {
    const address = 'jürgen@x.test';
    const few = new FewMessages();
    Object.assign(few.account, { address });
    const credentials = { findRecord: async () => undefined, acceptAny: true };
    await using server = await start(few, { credentials });
    const greeting = async (command: string): Promise<string> => {
      const peer = await server.connect();
      peer.send(`${command}\r\n`);
      await peer.line();
      peer.send(`USER ${Buffer.from(address).toString('latin1')}\r\nPASS x\r\n`);
      await peer.line();
      const line = utf8(await peer.line());
      await peer.says('QUIT', '+OK');
      return line;
    };
    expect(await greeting('NOOP')).toBe('+OK j?rgen@x.test: 0 messages');
    expect(await greeting('UTF8')).toBe('+OK jürgen@x.test: 0 messages');
    expect(await greeting('LANG en')).toBe('+OK jürgen@x.test: 0 messages');
    expect(await greeting('LANG de')).toBe('+OK j?rgen@x.test: 0 messages');
  });
});

describe('LANG (RFC 6856 §3)', () => {
  it.each([
    ['en', '+OK en Texts are in English'],
    ['EN', '+OK en '],
    ['en-GB', '+OK en '],
    ['en-GB-oed', '+OK en '],
    ['*', '+OK en '],
    ['i-default', '+OK i-default '],
    ['i-DEFAULT-x', '+OK i-default '],
    ['i', '-ERR There is no language "i"; there are en and i-default'],
    ['de', '-ERR '],
    ['eng', '-ERR '],
    ['-', '-ERR '],
    ['en de', '-ERR That is an argument too many'],
    ['\xfc', '-ERR Arguments are printable ASCII characters'],
  ])('%j', async (range, answer) => {
    await using server = await start(new FewMessages());
    await (await server.connect()).says(`LANG ${range}`, answer);
    await (await server.session()).says(`LANG ${range}`, answer);
  });

  it('lists what there is', async () => {
    await using server = await start(new FewMessages());
    const peer = await server.connect();
    await peer.says('LANG', '+OK');
    expect(await peer.multiLine()).toBe('en English\r\ni-default English, for everybody\r\n');
  });
});

describe('bearer tokens', () => {
  const verifyToken = async (login: string | undefined, token: string): Promise<TokenVerdict> =>
    token === 'right' && (login ?? 'alice') === 'alice'
      ? { type: 'valid', login: 'alice@x.test' }
      : { type: 'refused', error: 'invalid_token' };
  const base64 = (text: string): string => Buffer.from(text).toString('base64');

  it('are offered while there are any, and not in clear where passwords are not taken', async () => {
    let tokens = 0;
    const credentials = { findRecord: async () => undefined, verifyToken, offersTokens: () => tokens > 0 };
    let permitted = true;
    await using server = await start(new FewMessages(), { credentials, permitsPlaintextLogin: () => permitted });
    const peer = await server.connect();
    const right = base64('n,,\x01auth=Bearer right\x01\x01');
    expect(await capabilities(peer)).toContain('SASL PLAIN LOGIN SCRAM-SHA-256');
    await peer.says(`AUTH OAUTHBEARER ${right}`, '-ERR "OAUTHBEARER" is not offered');
    tokens = 1;
    expect(await capabilities(peer)).toContain('SASL PLAIN LOGIN XOAUTH2 OAUTHBEARER SCRAM-SHA-256');
    permitted = false;
    expect(await capabilities(peer)).toContain('SASL SCRAM-SHA-256');
    await peer.says(`AUTH OAUTHBEARER ${right}`, '-ERR [AUTH] Passwords are not taken in clear');
    await peer.says('STLS', '+OK');
    await peer.startTls();
    await peer.says(`AUTH OAUTHBEARER ${right}`, '+OK alice@x.test');
    expect(JSON.stringify(server.annotations)).not.toContain(right);
  });

  it('that are wrong count as failed logins, and the client may cancel after the error', async () => {
    const credentials = { findRecord: async () => undefined, verifyToken };
    await using server = await start(new FewMessages(), { credentials });
    const peer = await server.connect();
    await peer.says(`AUTH OAUTHBEARER ${base64('n,a=alice,\x01auth=Bearer wrong\x01\x01')}`, '+ ');
    await peer.says(base64('\x01'), '-ERR [AUTH] The token is not valid');
    await peer.says(`AUTH XOAUTH2 ${base64('user=bob\x01auth=Bearer right\x01\x01')}`, '+ ');
    await peer.says('', '-ERR [AUTH]');
    await peer.says('AUTH XOAUTH2', '+ ');
    await peer.says(base64('user=bob\x01auth=Bearer right\x01\x01'), '+ ');
    await peer.says('*', '-ERR Cancelled, as you asked');
    const failed = server.annotations.filter((annotation) => (annotation as { type: string }).type === 'login-failed');
    expect(failed).toHaveLength(2);
    await peer.says(`AUTH xoauth2 ${base64('user=alice\x01auth=Bearer right\x01\x01')}`, '+OK');
  });
});
