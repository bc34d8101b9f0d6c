/**
 * Every bound on what a POP3 client may do: kept at the bound, past it the protocol's own error, and all the while another
 * client is served.
 */
import { connect as connectTcp } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { LoginThrottle } from '../../src/sasl/throttle.ts';
import { FewMessages, start, until, type Peer, type Server } from './pop3-harness.ts';

/** The server that a test has started last, with a client that is served to its end. */
let served: { readonly server: Server; readonly other: Peer } | undefined;

async function begin(...[few = new FewMessages('a\r\n'), ...options]: Partial<Parameters<typeof start>>) {
  const server = await start(few, ...options);
  served = { server, other: await server.session() };
  return server;
}

afterEach(async () => {
  if (served === undefined) return;
  const { server, other } = served;
  served = undefined;
  await other.says('STAT', '+OK 1 3');
  await other.says('RETR 1', '+OK 3 octets');
  expect(await other.multiLine()).toBe('a\r\n');
  await other.says('QUIT', '+OK');
  expect(await other.rest()).toBe('');
  expect(server.logged).toEqual([]);
  await server.stop();
});

/** The client of `begin` has the maildrop: another login proves itself by that. */
const IN_USE = '-ERR [IN-USE]';
const TOO_LONG = '-ERR A command has 253 octets at most (RFC 2449)';

describe('a line', () => {
  it('has 255 octets with its end (RFC 2449 §4), the end being CRLF or LF', async () => {
    const server = await begin();
    const peer = await server.connect();
    for (const end of ['\r\n', '\n']) {
      peer.send(`USER ${'x'.repeat(248)}${end}`);
      expect(await peer.line()).toMatch(/^\+OK/);
      peer.send(`USER ${'x'.repeat(249)}${end}`);
      expect(await peer.line()).toBe(TOO_LONG);
    }
    await peer.says(`PASS ${'x'.repeat(248)}`, '-ERR [AUTH]');
    await peer.says(`PASS ${'x'.repeat(249)}`, TOO_LONG);
    await peer.says('N'.repeat(253), '-ERR Not a command');
    await peer.says('N'.repeat(254), TOO_LONG);
  });

  it('of AUTH has 12 KiB with its end', async () => {
    const server = await begin();
    const peer = await server.connect();
    // In fours, as base 64 comes; 12,286 less the command is no multiple, so blanks before it fill the line.
    const data = 'A'.repeat(12_272);
    const atLimit = `AUTH PLAIN   ${' '.repeat(12_286 - 13 - data.length)}${data}`;
    expect(atLimit.length).toBe(12_286);
    await peer.says(atLimit, '-ERR PLAIN wants');
    await peer.says(`AUTH ${atLimit.slice(4)}`, '-ERR A command has 12286 octets at most');
    await peer.says('N'.repeat(12_287), TOO_LONG);
    await peer.says('AUTH PLAIN AGFsaWNlAGdsYXNz', IN_USE);
  });

  it('that answers a challenge has 12 KiB with its end (RFC 5034 §4)', async () => {
    const server = await begin();
    const peer = await server.connect();
    await peer.says('AUTH PLAIN', '+ ');
    await peer.says('A'.repeat(12_284), '-ERR PLAIN wants');
    for (const octets of [12_287, 12_288, 500_000]) {
      await peer.says('AUTH PLAIN', '+ ');
      await peer.says('A'.repeat(octets), '-ERR A response has 12286 octets at most (RFC 5034)');
    }
    await peer.says('AUTH LOGIN', '+ ');
    await peer.says('A'.repeat(12_286), '-ERR The response is not base 64');
    await peer.says('AUTH PLAIN', '+ ');
    await peer.says('AGFsaWNlAGdsYXNz', IN_USE);
  });

  it('without an end is read on, not kept, and forgotten when the client leaves', async () => {
    const server = await begin();
    const peer = await server.connect();
    for (let i = 0; i < 64; i++) peer.send('x'.repeat(65_536));
    peer.send('\r\n');
    expect(await peer.line()).toBe(TOO_LONG);
    peer.send('x'.repeat(100_000));
    peer.leave();
    await until(() => server.open === 1);
  });

  it('with NUL or eight bits gets the error of its place', async () => {
    const server = await begin();
    const peer = await server.connect();
    await peer.says('NOOP\0', '-ERR Not a command: "NOOP\\u0000"');
    await peer.says('USER al\0ice', '-ERR The name is not UTF-8 text');
    await peer.says('\0', '-ERR Not a command');
    await peer.says('LANG e\0n', '-ERR Arguments are printable ASCII');
    await peer.says('AUTH PL\0AIN', '-ERR Arguments are printable ASCII');
    await peer.says('AUTH PLAIN AGFsaWNlAGdsYXNz\0', '-ERR Arguments are printable ASCII');
    await peer.says('AUTH PLAIN', '+ ');
    await peer.says('AGFsaWNlAGdsYXNz\0', '-ERR The response is not base 64');
    await peer.says('USER alice', '+OK');
    await peer.says('PASS glass\0', '-ERR [AUTH]');
    await peer.says('AUTH PLAIN AGFsaWNlAGdsYXNz', IN_USE);
  });
});

describe('a number', () => {
  it('has ten digits', async () => {
    const server = await start(new FewMessages('a\r\n'));
    const peer = await server.session();
    await peer.says('RETR 9999999999', '-ERR No message 9999999999: there are 1');
    await peer.says('RETR 10000000000', '-ERR A number is wanted here');
    await peer.says('TOP 1 9999999999', '+OK');
    expect(await peer.multiLine()).toBe('a\r\n');
    await peer.says('TOP 1 10000000000', '-ERR A number is wanted here');
    await server.stop();
  });
});

describe('commands', () => {
  it('that fail in a row are ten', async () => {
    const server = await begin();
    const peer = await server.connect();
    for (let i = 0; i < 9; i++) await peer.says('JUNK', '-ERR');
    await peer.says('UTF8', '+OK');
    for (let i = 0; i < 10; i++) await peer.says('JUNK', '-ERR');
    expect(await peer.rest()).toBe('-ERR [SYS/TEMP] Too many commands failed; good-bye\r\n');
  });

  it('before a login are 200', async () => {
    const server = await begin();
    const patient = await server.connect();
    for (let i = 0; i < 199; i++) await patient.says('USER alice', '+OK');
    await patient.says('PASS glass', IN_USE);
    expect(await patient.rest()).toBe('-ERR [SYS/TEMP] Too many commands without a login; good-bye\r\n');
    expect(server.annotations).toContainEqual({ type: 'limit', limit: '200 commands without a login' });
  });

  it('before a login that succeeds late, and after it, are not counted', async () => {
    await using server = await start(new FewMessages('a\r\n'));
    const peer = await server.connect();
    for (let i = 0; i < 198; i++) await peer.says('USER alice', '+OK');
    await peer.logIn();
    for (let i = 0; i < 500; i++) await peer.says('NOOP', '+OK');
  });

  it('that fail logins are five, with a name and a password or with a mechanism', async () => {
    const loginThrottle = new LoginThrottle({ free: 100 });
    const server = await begin(undefined, { loginThrottle });
    const failing = async (peer: Peer, i: number): Promise<string> => {
      if (i % 2 === 0) return peer.says('AUTH PLAIN AGFsaWNlAHdyb25n', '-ERR [AUTH]');
      await peer.says('USER alice', '+OK');
      return peer.says('PASS wrong', '-ERR [AUTH]');
    };
    const peer = await server.connect();
    for (let i = 0; i < 4; i++) await failing(peer, i);
    await peer.says('AUTH PLAIN AGFsaWNlAGdsYXNz', IN_USE);
    await failing(peer, 4);
    expect(await peer.rest()).toBe('');
    expect(server.annotations).toContainEqual({ type: 'limit', limit: '5 failed logins' });
  });

  it('that come by the ten thousand are answered in order, and others have their turn', async () => {
    const server = await begin();
    const { other } = served!;
    const flooding = await server.connect();
    const before = server.annotations.length;
    // One write: it waits in the connection as a whole.
    flooding.send('USER alice\r\n'.repeat(150) + 'PASS wrong\r\n');
    flooding.send('NOOP\r\n'.repeat(20_000));
    await other.says('NOOP', '+OK Still here');
    const answers = (await flooding.rest()).split('\r\n').filter((line) => line !== '');
    expect(answers.slice(0, 150).every((line) => line === '+OK Now the password, with PASS')).toBe(true);
    expect(answers[150]).toMatch(/^-ERR \[AUTH\]/);
    expect(answers.at(-1)).toMatch(/^-ERR \[SYS\/TEMP\] Too many commands failed/);
    expect(answers.length).toBeLessThan(165);
    expect(server.annotations.length).toBeGreaterThan(before);
  });

  it('of a session that is logged in may come by the ten thousand too', async () => {
    await using server = await start(new FewMessages('a\r\n'));
    const flooding = await server.connect();
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    // They wait in the connection until the login is there, and then no read has to wait for the network.
    flooding.send(`USER alice\r\nPASS glass\r\n${'NOOP\r\n'.repeat(40_000)}QUIT\r\n`);
    expect(await flooding.line()).toMatch(/^\+OK/);
    setImmediate(count);
    const answers = (await flooding.rest()).split('\r\n');
    isOver = true;
    expect(answers.slice(1, 40_001).every((line) => line === '+OK Still here')).toBe(true);
    expect(answers.slice(40_001)).toEqual(['+OK Good-bye; 0 messages deleted', '']);
    // Whoever else waits for the loop has had it again and again.
    expect(turns).toBeGreaterThan(40_000 / 100);
  });
});

describe('a client', () => {
  it('that has said all and closed its side gets its answers', async () => {
    const server = await begin();
    const socket = connectTcp({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
    let said = '';
    socket.setEncoding('latin1').on('data', (text: string) => (said += text));
    const ended = new Promise((resolve) => socket.once('end', resolve));
    socket.end('CAPA\r\nQUIT\r\n');
    await ended;
    expect(said).toMatch(/IMPLEMENTATION glassmail-1\.2\.3\r\n\.\r\n\+OK Good-bye\r\n$/);
    await until(() => server.open === 1);
  });

  it('that closes its side within a command or an exchange is gone', async () => {
    const server = await begin();
    for (const said of ['', 'QUI', 'AUTH PLAIN\r\n', 'AUTH PLAIN\r\nAGFs', 'USER alice\r\nPASS gla']) {
      const peer = await server.connect();
      peer.send(said);
      peer.finish();
      await peer.rest();
      await until(() => server.open === 1);
    }
  });

  it('that says nothing is let go, at its login or within an exchange', async () => {
    const silent = await start(new FewMessages('a\r\n'), { idleMs: 40 });
    for (const said of ['', 'USER alice\r\n', 'AUTH LOGIN\r\n', 'US']) {
      const peer = await silent.connect();
      peer.send(said);
      await peer.rest();
    }
    await until(() => silent.open === 0);
    expect(silent.logged).toEqual([]);
    await silent.stop();
  });

  it('that takes nothing of what it asked for is let go, and gives the maildrop back', async () => {
    const message = `${'x'.repeat(70)}\r\n`.repeat(60_000);
    await using server = await start(new FewMessages(message), {}, { idleMs: 150 });
    const greedy = await server.session();
    greedy.stopReading();
    greedy.send('RETR 1\r\n'.repeat(20));
    const other = await server.connect();
    await until(() => !server.few.locked);
    await other.says('USER alice', '+OK');
    await other.says('PASS glass', '+OK');
    await other.says('QUIT', '+OK');
    expect(server.few.seen.size).toBeLessThanOrEqual(1);
    expect(server.logged).toEqual([]);
  });

  it('of too many gets a refusal, and the others stay', async () => {
    const { POP3_REFUSALS } = await import('../../src/pop3/server.ts');
    const refusals = { tooMany: POP3_REFUSALS.tooManyConnections };
    const server = await begin(undefined, {}, { limits: { connections: 3, perAddress: 3 }, refusals });
    const [first] = [await server.connect(), await server.connect()];
    const refused = server.dial();
    expect(await refused.rest()).toBe('-ERR [SYS/TEMP] Too many connections; try again later\r\n');
    first.leave();
    await until(() => server.open === 2);
    await (await server.connect()).says('QUIT', '+OK');
  });
});
