/** What transcripts cannot show of a session: clear connections that permit no password, shutting down, silence, our own faults. */
import { describe, expect, test } from 'vitest';
import { IMAP_REFUSALS } from '../../src/imap/server.ts';
import { LoginThrottle } from '../../src/sasl/throttle.ts';
import type { SharedMailStore } from '../../src/store/mail-store.ts';
import { serve } from './imap-harness.ts';

describe('a clear connection that permits no password', () => {
  test('announces so, and refuses what was sent all the same', async () => {
    await using server = await serve(() => ({ permitsPlaintextLogin: () => false, canStartTls: true }));
    const client = await server.client();
    const capabilities = await client.command('CAPABILITY');
    expect(capabilities).toContain(' STARTTLS LOGINDISABLED AUTH=SCRAM-SHA-256 SASL-IR ');
    expect(capabilities).not.toContain('AUTH=PLAIN');
    expect(await client.command('LOGIN alice glass')).toMatch(/^x NO \[PRIVACYREQUIRED\]/);
    expect(await client.command('AUTHENTICATE PLAIN AGFsaWNlAGdsYXNz')).toMatch(/^x NO \[PRIVACYREQUIRED\]/);
    expect(await client.command('NOOP')).toMatch(/^x OK/);
  });
});

describe('failed logins', () => {
  test('are counted and held back by address, and end the connection', async () => {
    const calls: string[] = [];
    const loginThrottle = Object.assign(new LoginThrottle(), {
      delayMs: () => calls.push('delay') && 5,
      failed: (address: string) => calls.push(`failed ${address}`),
      succeeded: (address: string) => calls.push(`succeeded ${address}`),
    });
    await using server = await serve(() => ({ loginThrottle, mostFailedLogins: 2 }));
    const client = await server.client();
    const began = performance.now();
    expect(await client.command('LOGIN alice wrong')).toMatch(/AUTHENTICATIONFAILED/);
    expect(performance.now() - began).toBeGreaterThanOrEqual(4);
    expect(await client.command('LOGIN alice wrong')).toMatch(/AUTHENTICATIONFAILED/);
    expect(await client.rest()).toMatch(/^\* BYE/);
    const other = await server.client();
    expect(await other.command('LOGIN alice glass')).toMatch(/^x OK/);
    const failed = ['delay', 'failed 127.0.0.1'];
    expect(calls).toEqual([...failed, ...failed, 'delay', 'succeeded 127.0.0.1']);
    expect(server.annotations.filter(({ type }) => type === 'login-failed')).toHaveLength(2);
    expect(JSON.stringify(server.annotations)).not.toContain('wrong');
  });
});

describe('shutting down', () => {
  test('clients that rest or IDLE are told good-bye at once, one within a command when it has completed', async () => {
    await using server = await serve();
    const [resting, idling, busy] = [await server.client(), await server.client(), await server.client()];
    for (const client of [idling, busy]) await client.command('LOGIN alice glass');
    await idling.command('SELECT INBOX');
    idling.send('i IDLE\r\n');
    await idling.until(/\+ idling\r\n/);
    busy.send('b APPEND Drafts {5}\r\n');
    await busy.until(/\+ .*\r\n/);
    const stopped = server.listener.stop();
    expect(await resting.rest()).toBe('* BYE [UNAVAILABLE] The server is shutting down\r\n');
    expect(await idling.rest()).toBe('* BYE [UNAVAILABLE] The server is shutting down\r\n');
    busy.send('a: b\r\n\r\n');
    expect(await busy.rest()).toMatch(/^b OK \[APPENDUID \d+ \d+\] .*\r\n\* BYE \[UNAVAILABLE\] .*\r\n$/);
    await stopped;
    await Promise.all(server.sessions);
  });
});

describe('silence', () => {
  test('ends with BYE, before login and after it, in IDLE too', async () => {
    await using server = await serve(() => ({ idleBeforeLoginMs: 150, idleMs: 300 }));
    expect(await (await server.client()).rest()).toMatch(/^\* BYE/);
    const [silent, idling] = [await server.client(), await server.client()];
    await silent.command('LOGIN alice glass');
    await idling.command('LOGIN alice glass');
    idling.send('i IDLE\r\n');
    expect(await silent.rest()).toMatch(/^\* BYE/);
    expect(await idling.rest()).toMatch(/^\+ idling\r\n\* BYE/);
  });
});

describe('our own faults', () => {
  test('are answered with NO [SERVERBUG] and logged with their cause; the session goes on', async () => {
    const fault = new TypeError('something is undefined');
    const broken = (store: SharedMailStore): SharedMailStore =>
      new Proxy(store, {
        get: (target, name) => {
          if (name === 'listMailboxes') return () => Promise.reject(fault);
          const value: unknown = Reflect.get(target, name);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
    await using server = await serve((store) => ({ store: broken(store) }));
    const client = await server.client();
    await client.command('LOGIN alice glass');
    const answer = await client.command('LIST "" *');
    expect(answer).toMatch(/^x NO \[SERVERBUG\]/);
    expect(answer).not.toContain('undefined');
    expect(server.logged).toEqual(['IMAP LIST failed', fault]);
    expect(await client.command('SELECT INBOX')).toMatch(/x OK/);
  });
});

describe('a client that pipelines without end', () => {
  /** As many as the network brings at once. */
  const COUNT = 2_000;

  test.each(['NOOP', 'FETCH 1 (UID FLAGS)', 'FETCH 1 BODY.PEEK[]'])(
    '%s: others are served meanwhile',
    async (command) => {
      await using server = await serve();
      await server.deliver('Subject: one\r\n\r\nHello.\r\n');
      const [flooding, other] = [await server.selected(), await server.selected()];
      let answered = 0;
      flooding.socket.on('data', (octets: Buffer) => {
        const tags = octets.toString('latin1').matchAll(/^x(\d+) OK/gm);
        answered = Number([...tags].at(-1)?.[1] ?? answered);
      });
      flooding.send(Array.from({ length: COUNT }, (_, i) => `x${i} ${command}\r\n`).join(''));
      await flooding.until(/^x0 OK .*\r\n/m);
      await other.command('NOOP');
      expect(answered).toBeLessThan(COUNT / 2);
      const answers = await flooding.until(new RegExp(`^x${COUNT - 1} OK .*\r\n`, 'm'));
      const tags = [...answers.matchAll(/^x(\d+) OK/gm)].map(([, tag]) => Number(tag));
      expect(tags).toEqual(Array.from({ length: COUNT - 1 }, (_, i) => i + 1));
    },
  );
});

describe('a client that leaves', () => {
  test('in the middle of anything ends its own session and is no fault', async () => {
    await using server = await serve();
    await server.deliver(Buffer.alloc(3_000_000, 'line of text\r\n'));
    for (const last of ['x FETCH 1:* BODY.PEEK[]\r\n', 'x IDLE\r\n', 'x APPEND Drafts {100}\r\nabc', 'x LOGIN "', '']) {
      const client = await server.selected();
      client.send(last);
      if (last.includes('IDLE')) await client.until(/idling/);
      client.socket.resetAndDestroy();
      await server.sessions.at(-1);
    }
    expect(server.logged).toEqual([]);
    expect(await (await server.client()).command('NOOP')).toMatch(/^x OK/);
  });
});

describe('a message too large to be held in memory', () => {
  test('comes whole, in sections and in parts of them', async () => {
    await using server = await serve();
    const head = 'Subject: large\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n';
    const large = Buffer.alloc(1_500_000, 'a line of a large part\r\n').toString('latin1');
    const body = `--b\r\nContent-Type: text/plain\r\n\r\n${large}\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nside\r\n--b--\r\n`;
    const uid = await server.deliver(Buffer.from(head + body));
    const client = await server.selected();
    const section = async (what: string): Promise<string> => {
      const answer = await client.command(`UID FETCH ${uid} (${what})`);
      const [start, size] = /\{(\d+)\}\r\n/.exec(answer) ?? ['', '0'];
      const from = answer.indexOf(start) + start.length;
      return answer.slice(from, from + Number(size));
    };
    expect(await section('BODY.PEEK[]')).toBe(head + body);
    expect(await section('BODY.PEEK[HEADER]')).toBe(head);
    expect(await section('BODY.PEEK[HEADER.FIELDS (Subject)]')).toBe('Subject: large\r\n\r\n');
    expect(await section('BODY.PEEK[TEXT]')).toBe(body);
    expect(await section('BODY.PEEK[1]')).toBe(large);
    expect(await section('BINARY.PEEK[1]')).toBe(large);
    expect(await section('BODY.PEEK[]<1000000.20>')).toBe((head + body).slice(1_000_000, 1_000_020));
    expect(await section('BODY.PEEK[2.HEADER.FIELDS (Subject)]')).toBe('Subject: in\r\n\r\n');
    expect(await section('BODY.PEEK[2.TEXT]')).toBe('side');
    const answer = await client.command(`UID FETCH ${uid} (BODY[2.TEXT] FLAGS)`);
    expect(answer).toContain('FLAGS (\\Seen');
  });
});

describe('what is said to those who watch', () => {
  test('login, mailbox, and what was read, flagged, removed and put there', async () => {
    await using server = await serve();
    const uid = await server.deliver(Buffer.from('Subject: watched\r\n\r\nHello.\r\n'));
    const client = await server.selected();
    await client.command(`UID FETCH ${uid} BODY.PEEK[HEADER]`);
    await client.command(`UID FETCH ${uid} BODY[]`);
    await client.command(`UID STORE ${uid} +FLAGS.SILENT (\\Deleted)`);
    await client.command(`UID EXPUNGE ${uid}`);
    await client.command('APPEND Sent {2+}\r\nhi');
    await client.command('ID ("name" "mutt" "version" "2")');
    const told = { mailbox: 'INBOX', mailboxId: expect.any(Number) as number, uids: String(uid) };
    const modSeq = expect.any(Number) as number;
    expect(server.annotations).toEqual([
      { type: 'login', login: 'alice@glass.localhost', mechanism: 'LOGIN', given: 'alice' },
      { type: 'selected', mailbox: 'INBOX' },
      { type: 'looked', ...told, items: 'BODY[HEADER]' },
      { type: 'flags', ...told, mode: 'add', flags: '\\Seen', modSeq },
      { type: 'read', ...told, items: 'BODY[]' },
      { type: 'flags', ...told, mode: 'add', flags: '\\Deleted', modSeq },
      { type: 'expunged', ...told },
      { type: 'appended', ...told, mailbox: 'Sent', uids: '1', sent: true },
      { type: 'client', name: 'mutt', version: '2' },
    ]);
  });
});

test('refusals are whole lines', () => {
  for (const refusal of Object.values(IMAP_REFUSALS)) expect(refusal).toMatch(/^\* BYE [^\r\n]+\r\n$/);
});
