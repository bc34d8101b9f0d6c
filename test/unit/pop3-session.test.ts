/**
 * POP3 sessions over loopback, above a store of a few lines that fails on demand: what a dialogue with the real store
 * cannot show. Ordinary dialogues lie in test/transcripts/pop3-*.md.
 */
import { fc } from '../property.ts';
import { describe, expect, it } from 'vitest';
import { LoginThrottle } from '../../src/sasl/throttle.ts';
import { Refusal } from '../../src/store/refusal.ts';
import { FewMessages, start, until } from './pop3-harness.ts';

describe('the sizes of LIST and STAT', () => {
  it('are those of what RETR sends, for any message, in any pieces', async () => {
    await using server = await start(new FewMessages());
    const part = fc.constantFrom('\r\n', '\n', '\r', '.', '\r\n.\r\n', '\n.\n', 'text', 'Subject: x\r\n', '\xff');
    const message = fc.array(part).map((parts) => Buffer.from(parts.join(''), 'latin1'));
    await fc.assert(
      fc.asyncProperty(
        fc.array(message, { maxLength: 5 }),
        fc.integer({ min: 0, max: 7 }),
        async (messages, pieces) => {
          const few = new FewMessages(...messages);
          few.pieces = pieces;
          await using one = await start(few);
          const peer = await one.connect();
          await peer.says('UTF8', '+OK');
          await peer.logIn();
          const stat = await peer.says('STAT', `+OK ${messages.length} `);
          await peer.says('LIST', '+OK');
          const sizes = (await peer.multiLine())
            .trimEnd()
            .split('\r\n')
            .filter(Boolean)
            .map((line) => Number(line.split(' ')[1]));
          const sent: string[] = [];
          for (const number of messages.keys()) {
            await peer.says(`RETR ${number + 1}`, `+OK ${sizes[number]!} octets`);
            sent.push(await peer.multiLine());
          }
          expect(sent.map((octets) => octets.length)).toEqual(sizes);
          expect(Number(stat.split(' ')[2])).toBe(sizes.reduce((sum, size) => sum + size, 0));
          for (const [i, octets] of messages.entries()) {
            const lines = octets.toString('latin1').replaceAll(/\r?\n/g, '\r\n');
            expect(sent[i]).toBe(lines === '' || lines.endsWith('\r\n') ? lines : `${lines}\r\n`);
          }
          await peer.says('QUIT', '+OK');
        },
      ),
      { numRuns: 40 },
    );
    expect(server.logged).toEqual([]);
  });
});

describe('a maildrop', () => {
  it('is one session’s alone, until that ends in whatever way', async () => {
    await using server = await start(new FewMessages('a\r\n'));
    const first = await server.session();
    const second = await server.connect();
    await second.says('USER alice', '+OK');
    await second.says('PASS glass', '-ERR [IN-USE]');
    await second.says('STAT', '-ERR');
    first.leave();
    await until(() => !server.few.locked);
    await second.says('USER alice', '+OK');
    await second.says('PASS glass', '+OK');
    await second.says('QUIT', '+OK');
    // Unlocked before the answer to QUIT.
    expect(server.few.locked).toBe(false);
  });

  it('loses nothing when a session dies', async () => {
    await using server = await start(new FewMessages('a\r\n', 'b\r\n'));
    const peer = await server.session();
    await peer.says('DELE 1', '+OK');
    peer.leave();
    await until(() => !server.few.locked);
    expect(server.few.messages.size).toBe(2);
  });

  it('loses nothing when a session falls silent, which ends without a word', async () => {
    await using server = await start(new FewMessages('a\r\n'), { idleMs: 30 });
    const peer = await server.session();
    peer.send('DELE 1\r\n');
    expect(await peer.line()).toMatch(/^\+OK/);
    expect(await peer.rest()).toBe('');
    await until(() => !server.few.locked);
    expect(server.few.messages.size).toBe(1);
  });

  it('loses nothing when the removal fails; the session ends all the same', async () => {
    await using server = await start(new FewMessages('a\r\n'));
    server.few.fault = { on: 'expunge', error: new Refusal('DISKFULL', 'The disk is full') };
    const peer = await server.session();
    await peer.says('DELE 1', '+OK');
    await peer.says('QUIT', '-ERR [SYS/TEMP] The disk is full; nothing was deleted');
    expect(await peer.rest()).toBe('');
    expect(server.few.messages.size).toBe(1);
    expect(server.few.locked).toBe(false);
  });

  it('loses what was marked with QUIT, in one go, and the watcher is told', async () => {
    await using server = await start(new FewMessages('a\r\n', 'b\r\n', 'c\r\n', 'd\r\n'));
    const peer = await server.session();
    for (const number of [1, 4, 2]) await peer.says(`DELE ${number}`, '+OK');
    await peer.says('QUIT', '+OK Good-bye; 3 messages deleted');
    expect([...server.few.messages.keys()]).toEqual([12]);
    expect(server.annotations).toContainEqual(expect.objectContaining({ type: 'expunged', uids: '10:11,13' }));
  });

  it('is unlocked when it cannot be read', async () => {
    await using server = await start(new FewMessages('a\r\n'));
    server.few.fault = { on: 'snapshot', error: new Refusal('UNAVAILABLE', 'Try later') };
    const peer = await server.connect();
    await peer.says('USER alice', '+OK');
    await peer.says('PASS glass', '-ERR [SYS/TEMP] Try later');
    expect(server.few.locked).toBe(false);
  });
});

describe('RETR', () => {
  it('has read a message whole when the session ends, however it does, and says so at once', async () => {
    await using server = await start(new FewMessages('a\r\n', 'b\r\n', 'c\r\n'));
    server.few.seen.add(12);
    const peer = await server.session();
    await peer.says('RETR 2', '+OK 3 octets');
    expect(await peer.multiLine()).toBe('b\r\n');
    await peer.says('TOP 1 5', '+OK');
    await peer.multiLine();
    expect(server.annotations).toContainEqual(expect.objectContaining({ type: 'read', uids: '11', items: 'RETR' }));
    expect(server.few.seen.has(11)).toBe(false);
    peer.leave();
    await until(() => !server.few.locked);
    expect([...server.few.seen]).toEqual([12, 11]);
  });

  it('of a message that another session has expunged is refused, and the session goes on', async () => {
    await using server = await start(new FewMessages('a\r\n', 'b\r\n'));
    const peer = await server.session();
    server.few.messages.delete(10);
    await peer.says('RETR 1', '-ERR Message 1 has been deleted by another session');
    await peer.says('TOP 1 1', '-ERR');
    await peer.says('LIST', '+OK 2 messages');
    await peer.multiLine();
    await peer.says('RETR 2', '+OK');
    expect(await peer.multiLine()).toBe('b\r\n');
    await peer.says('DELE 1', '+OK');
    await peer.says('QUIT', '+OK Good-bye; 0 messages deleted');
  });

  it('that breaks off half-way ends the connection without the full stop', async () => {
    await using server = await start(new FewMessages('a'.repeat(100)));
    const peer = await server.session();
    server.few.pieces = 10;
    await peer.says('STAT', '+OK 1 102');
    server.few.fault = { on: 'read', error: new Error('the disk is gone') };
    peer.send('RETR 1\r\n');
    expect(await peer.rest()).not.toMatch(/\r\n\.\r\n$/);
    await until(() => server.logged.length > 0);
    expect(server.logged.join()).toContain('the disk is gone');
    const next = await server.session();
    await next.says('QUIT', '+OK');
    expect(server.few.seen.size).toBe(0);
  });
});

describe('a fault of the server', () => {
  it('is said, logged and survived', async () => {
    await using server = await start(new FewMessages('a\r\n'));
    server.few.fault = { on: 'lockMaildrop', error: new Error('a bug') };
    const peer = await server.connect();
    await peer.says('USER alice', '+OK');
    await peer.says('PASS glass', '-ERR [SYS/TEMP] That is a fault of the server');
    expect(server.logged.join()).toMatch(/PASS failed .*a bug/);
    server.few.fault = undefined;
    await peer.says('USER alice', '+OK');
    await peer.says('PASS glass', '+OK');
  });

  it('in marking as read does not hold the good-bye back', async () => {
    await using server = await start(new FewMessages('a\r\n'));
    server.few.fault = { on: 'storeFlags', error: new Error('a bug') };
    const peer = await server.session();
    await peer.says('RETR 1', '+OK');
    await peer.multiLine();
    await peer.says('QUIT', '+OK');
    expect(server.logged.join()).toContain('a bug');
  });
});

describe('TLS (RFC 2595 §4)', () => {
  it('forgets what was said in clear before, and drops what was sent with it', async () => {
    await using server = await start(new FewMessages('a\r\n'));
    const peer = await server.connect();
    await peer.says('USER alice', '+OK');
    peer.send('STLS\r\nPASS glass\r\n');
    expect(await peer.line()).toMatch(/^\+OK/);
    await peer.startTls();
    await peer.says('CAPA', '+OK');
    expect(await peer.multiLine()).not.toContain('STLS');
    await peer.says('PASS glass', '-ERR USER comes first');
    await peer.says('STLS', '-ERR TLS is on already');
    await peer.says('USER alice', '+OK');
    await peer.says('PASS glass', '+OK');
    await peer.says('STLS', '-ERR');
    await peer.says('QUIT', '+OK');
  });
});

describe('a connection in clear that takes no passwords', () => {
  it('offers no way of sending one, and refuses it', async () => {
    await using server = await start(new FewMessages(), { permitsPlaintextLogin: () => false });
    const peer = await server.connect();
    await peer.says('CAPA', '+OK');
    const capabilities = (await peer.multiLine()).split('\r\n');
    expect(capabilities).not.toContain('USER');
    expect(capabilities).toContain('SASL SCRAM-SHA-256');
    expect(capabilities).toContain('STLS');
    await peer.says('USER alice', '-ERR [AUTH] Passwords are not taken in clear');
    await peer.says('PASS glass', '-ERR [AUTH] Passwords are not taken in clear');
    await peer.says('AUTH PLAIN AGFsaWNlAGdsYXNz', '-ERR [AUTH] Passwords are not taken in clear');
    await peer.says('STLS', '+OK');
    await peer.startTls();
    await peer.says('CAPA', '+OK');
    expect((await peer.multiLine()).split('\r\n')).toEqual(
      expect.arrayContaining(['USER', 'SASL PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS']),
    );
    await peer.says('AUTH PLAIN AGFsaWNlAGdsYXNz', '+OK');
  });
});

describe('failed logins', () => {
  it('are told to the watcher without the password, and hold the next answer back', async () => {
    const loginThrottle = new LoginThrottle({ free: 1, firstMs: 60, longestMs: 60 });
    await using server = await start(new FewMessages(), { loginThrottle });
    const peer = await server.connect();
    for (const login of ['alice', 'nobody']) {
      await peer.says(`USER ${login}`, '+OK');
      await peer.says('PASS s3cret', '-ERR [AUTH] The name or the password is wrong');
    }
    const before = performance.now();
    await peer.says('USER alice', '+OK');
    await peer.says('PASS glass', '+OK');
    expect(performance.now() - before).toBeGreaterThan(50);
    expect(loginThrottle.delayMs('127.0.0.1')).toBe(0);
    const annotations = server.annotations;
    expect(annotations).toContainEqual(
      expect.objectContaining({ type: 'login-failed', login: 'nobody', mechanism: 'USER' }),
    );
    expect(annotations).toContainEqual({ type: 'login', login: 'alice@x.test', mechanism: 'USER', given: 'alice' });
    expect(JSON.stringify(annotations)).not.toContain('s3cret');
  });
});

describe('limits', () => {
  it('end a session after ten commands that failed in a row', async () => {
    await using server = await start(new FewMessages());
    const peer = await server.connect();
    for (let i = 0; i < 9; i++) await peer.says('JUNK', '-ERR');
    await peer.says('CAPA', '+OK');
    await peer.multiLine();
    for (let i = 0; i < 10; i++) await peer.says('JUNK', '-ERR');
    expect(await peer.line()).toBe('-ERR [SYS/TEMP] Too many commands failed; good-bye');
    expect(await peer.rest()).toBe('');
    await (await server.session()).says('QUIT', '+OK');
  });

  it('refuse long lines and go on', async () => {
    await using server = await start(new FewMessages());
    const peer = await server.connect();
    await peer.says(`USER ${'x'.repeat(248)}`, '+OK');
    await peer.says(`USER ${'x'.repeat(249)}`, '-ERR A command has 253 octets at most');
    await peer.says('x'.repeat(100_000), '-ERR');
    await peer.says(`AUTH PLAIN ${Buffer.alloc(5000).toString('base64')}`, '-ERR PLAIN wants');
    await peer.says('AUTH PLAIN', '+ ');
    await peer.says('A'.repeat(20_000), '-ERR A response has');
    await peer.says('QUIT', '+OK');
  });

  it('serve on whatever comes', async () => {
    await using server = await start(new FewMessages('a\r\n'));
    const word = fc.constantFrom(
      'USER',
      'PASS',
      'AUTH',
      'PLAIN',
      'LOGIN',
      'SCRAM-SHA-256',
      'LIST',
      'RETR',
      '1',
      '=',
      '*',
      ' ',
      '\0',
      '\n',
      '\r',
      '\xff',
      'AAAA',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.array(word).map((words) => words.join('')),
          { maxLength: 6 },
        ),
        async (lines) => {
          const peer = await server.connect();
          peer.send(`${lines.join('\r\n')}\r\n*\r\nQUIT\r\nQUIT\r\n`);
          expect(await peer.rest()).toMatch(/\+OK Good-bye|-ERR \[SYS\/TEMP\] Too many commands failed/);
        },
      ),
      { numRuns: 40 },
    );
    expect(server.logged).toEqual([]);
    await (await server.session()).says('QUIT', '+OK');
  });
});

describe('when the server stops', () => {
  it('an idle session ends without a word, which deletes nothing', async () => {
    await using server = await start(new FewMessages('a\r\n'));
    const peer = await server.session();
    await peer.says('DELE 1', '+OK');
    await server.stop();
    expect(await peer.rest()).toBe('');
    expect(server.few.messages.size).toBe(1);
    expect(server.few.locked).toBe(false);
  });
});
