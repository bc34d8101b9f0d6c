/**
 * What smtp-server would do by itself and must not do here: each of these dialogues fails with the bare library.
 */
import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../src/store/refusal.ts';
import { FakeStore } from './fake-store.ts';
import { startSmtp } from './smtp-harness.ts';

describe('replies', () => {
  it('go out with the codes that they were given', async () => {
    const fake = new FakeStore('alice@glass.test');
    fake.commit = async () => {
      throw new Refusal('DISKFULL', 'The disk is full');
    };
    await using smtp = await startSmtp({ domains: ['glass.test'], fake });
    const client = await smtp.greet();
    await client.ask('MAIL FROM:<a@else.test>', '250 2.1.0 Sender ok');
    await client.ask('RCPT TO:<b@else.test>', /^550 5\.7\.1 else\.test /);
    await client.ask('RCPT TO:<nobody@glass.test>', /^550 5\.1\.1 /);
    await client.ask('RCPT TO:<alice@glass.test>', '250 2.1.5 Recipient ok');
    await client.ask('DATA', '354 End data with <CR><LF>.<CR><LF>');
    await client.ask('.', '452 4.3.1 The disk is full');
    await client.ask('QUIT', '221 2.0.0 Bye');
    expect(smtp.logged).toEqual([]);
  });

  it.each([
    ['MAIL_FROM_OK', /^500 5\.5\.2 /],
    ['WIZ', /^500 5\.5\.2 /],
    ['WIZ pardon', /^500 5\.5\.2 /],
    ['SHELL', /^500 5\.5\.2 /],
    ['KILL', /^500 5\.5\.2 /],
    ['DEBUG', /^500 5\.5\.2 /],
    ['XCLIENT ADDR=1.2.3.4', /^500 5\.5\.2 /],
    ['XFORWARD ADDR=1.2.3.4', /^500 5\.5\.2 /],
    ['__proto__', /^500 5\.5\.2 /],
    ['', /^500 5\.5\.2 /],
    ['EXPN staff', /^502 5\.5\.1 /],
    ['ETRN glass.test', /^502 5\.5\.1 /],
    ['TURN', /^502 5\.5\.1 /],
    ['VRFY alice', /^252 2\.1\.5 /],
    ['VRFY', /^501 5\.5\.4 /],
    ['HELP', /^214 2\.0\.0 /],
    ['HELP MAIL', /^214 2\.0\.0 /],
    ['NOOP', /^250 2\.0\.0 /],
    ['NOOP whatever', /^250 2\.0\.0 /],
    ['noop', /^250 2\.0\.0 /],
    ['RSET', /^250 2\.0\.0 /],
    ['RCPT TO:<a@b.test>', /^503 5\.5\.1 /],
    ['DATA', /^503 5\.5\.1 /],
    ['DATA now', /^501 5\.5\.4 /],
    ['MAIL FROM', /^501 5\.5\.4 /],
    ['MAIL TO:<a@b.test>', /^501 5\.5\.4 /],
    ['MAIL FROM:a@b.test', /^501 5\.1\.7 /],
    ['EHLO', /^501 EHLO wants/],
    ['EHLO two words', /^501 EHLO wants/],
    ['AUTH', /^501 5\.5\.4 /],
    ['AUTH CRAM-MD5', /^504 5\.5\.4 /],
    ['STARTTLS', /^502 5\.5\.1 /],
    ['NOOP \0', /^500 5\.5\.2 /],
    ['NOOP \x1b[2J', /^500 5\.5\.2 /],
  ])('to %j', async (line, pattern) => {
    await using smtp = await startSmtp();
    const client = await smtp.greet();
    await client.ask(line, pattern);
    await client.ask('NOOP', /^250 2\.0\.0 /);
  });

  it('have no status codes in the greeting and after HELO and EHLO (RFC 2034 §4)', async () => {
    await using smtp = await startSmtp();
    const client = await smtp.connect();
    await client.expect('220 mail.glass.test ESMTP glassmail');
    await client.ask('HELO client.test', '250 mail.glass.test greets client.test');
    const announced = await client.ask('EHLO client.test', /^250-/);
    expect(announced.split('\n')).toEqual([
      '250-mail.glass.test greets client.test',
      '250-PIPELINING',
      '250-SIZE 52428800',
      '250-8BITMIME',
      '250-SMTPUTF8',
      '250-ENHANCEDSTATUSCODES',
      '250-CHUNKING',
      '250-DSN',
      '250-LIMITS RCPTMAX=1000',
      '250 AUTH PLAIN LOGIN XOAUTH2',
    ]);
  });
});

describe('octets', () => {
  it.each([
    ['a dot after a bare LF', 'a\n..\r\nb', 'a\n..\r\nb\r\n'],
    ['a dot after a bare CR', 'a\r..\r\nb', 'a\r..\r\nb\r\n'],
    ['a stuffed dot', 'a\r\n..b', 'a\r\n.b\r\n'],
    ['a dot that was not stuffed', 'a\r\n.b', 'a\r\nb\r\n'],
    ['a first line with a stuffed dot', '..', '.\r\n'],
    ['LF.CRLF', 'a\n.\r\nb', 'a\n.\r\nb\r\n'],
    ['CR.CRLF', 'a\r.\r\nb', 'a\r.\r\nb\r\n'],
    ['LF.LF', 'a\n.\nb', 'a\n.\nb\r\n'],
    ['CR.CR', 'a\r.\rb', 'a\r.\rb\r\n'],
    ['CRLF.LF', 'a\r\n.\nb', 'a\r\n\nb\r\n'],
    ['CRLF.CR', 'a\r\n.\rb', 'a\r\n\rb\r\n'],
    ['LF.CR', 'a\n.\rb', 'a\n.\rb\r\n'],
    ['NUL', 'a\0b', 'a\0b\r\n'],
    ['octets over 127', 'gr\u00fc\u00df \u20ac', 'gr\u00fc\u00df \u20ac\r\n'],
  ])('of %s are kept exactly', async (_name, sent, stored) => {
    await using smtp = await startSmtp();
    const client = await smtp.greet();
    expect(await client.deliver(Buffer.from(sent))).toMatch(/^250 2\.0\.0 Ok: queued as \w{22}$/);
    expect(smtp.store.transactions.map(({ octets }) => octets.toString())).toEqual([stored]);
  });

  it.each(['\n.\r\n', '\r.\r\n', '\n.\n', '\r.\r', '\r\n.\n', '\r\n.\r', '\n.\r', '\r\n\0.\r\n'])(
    'smuggle no second message past %j',
    async (falseEnd) => {
      await using smtp = await startSmtp();
      const client = await smtp.greet();
      const smuggled = 'MAIL FROM:<admin@glass.test>\r\nRCPT TO:<bob@glass.test>\r\nDATA\r\nsmuggled';
      expect(await client.deliver(`Subject: a\r\n\r\nb${falseEnd}${smuggled}`)).toMatch(/^250 /);
      await client.ask('NOOP', '250 2.0.0 OK');
      expect(smtp.store.transactions).toHaveLength(1);
      expect(smtp.store.transactions[0]!.octets.toString()).toContain('smuggled\r\n');
    },
  );
});

describe('addresses', () => {
  it.each([
    ['"john doe"@else.test', '"john doe"@else.test'],
    ['"john@work"@else.test', '"john@work"@else.test'],
    ['"a\\"b>"@else.test', '"a\\"b>"@else.test'],
    ['@one.test,@two.test:john@else.test', 'john@else.test'],
    ['john@[192.0.2.1]', 'john@[192.0.2.1]'],
    ['john@[IPv6:2001:db8::1]', 'john@[IPv6:2001:db8::1]'],
    ["o'neill+!#$%&*/=?^_`{|}~-@else.test", "o'neill+!#$%&*/=?^_`{|}~-@else.test"],
    ['a@localhost', 'a@localhost'],
    ['A.B@Else.TEST', 'A.B@Else.TEST'],
    [`${'l'.repeat(64)}@${'d'.repeat(63)}.test`, `${'l'.repeat(64)}@${'d'.repeat(63)}.test`],
  ])('%s is taken', async (given, kept) => {
    await using smtp = await startSmtp();
    const client = await smtp.greet();
    await client.ask(`MAIL FROM:<${given}>`, '250 2.1.0 Sender ok');
    await client.ask(`RCPT TO:<${given}>`, '250 2.1.5 Recipient ok');
    await client.ask('DATA', /^354 /);
    await client.ask('.', /^250 /);
    const [{ reversePath, forwardPaths }] = smtp.store.transactions as [(typeof smtp.store.transactions)[0]];
    expect(reversePath).toBe(kept);
    expect(forwardPaths).toEqual([{ address: kept }]);
  });

  it('the null reverse-path and postmaster without a domain are taken', async () => {
    await using smtp = await startSmtp();
    const client = await smtp.greet();
    await client.ask('MAIL FROM:<>', '250 2.1.0 Sender ok');
    await client.ask('RCPT TO:<Postmaster>', '250 2.1.5 Recipient ok');
    await client.ask('DATA', /^354 /);
    await client.ask('.', /^250 /);
    expect(smtp.store.transactions[0]!.reversePath).toBe('');
    expect([...smtp.store.accounts.keys()]).toContain('postmaster@glass.test');
  });

  it('letters beyond ASCII come with SMTPUTF8, and only with it', async () => {
    await using smtp = await startSmtp();
    const client = await smtp.greet();
    await client.ask('MAIL FROM:<g\u00fcnter@b\u00fccher.test>', /^553 5\.6\.7 /);
    await client.ask('MAIL FROM:<a@else.test>', /^250 /);
    await client.ask('RCPT TO:<g\u00fcnter@b\u00fccher.test>', /^553 5\.6\.7 /);
    await client.ask('RSET', /^250 /);
    await client.ask('MAIL FROM:<g\u00fcnter@b\u00fccher.test> SMTPUTF8', /^250 /);
    await client.ask('RCPT TO:<\u7528\u6237@\u4f8b\u5b50.test>', /^250 /);
    await client.ask('DATA', /^354 /);
    await client.ask('.', /^250 /);
    const { reversePath, forwardPaths, trace } = smtp.store.transactions[0]!;
    expect(reversePath).toBe('g\u00fcnter@b\u00fccher.test');
    expect(forwardPaths).toEqual([{ address: '\u7528\u6237@\u4f8b\u5b50.test' }]);
    expect(Buffer.from(trace).toString()).toContain('with UTF8SMTP id ');
    expect([...smtp.store.accounts.keys()]).toContain('\u7528\u6237@xn--fsqu00a.test');
  });

  it('octets that are no UTF-8 are refused', async () => {
    await using smtp = await startSmtp();
    const client = await smtp.greet();
    client.send(Buffer.from('MAIL FROM:<g\xfcnter@else.test> SMTPUTF8\r\n', 'latin1'));
    await client.expect(/^500 5\.5\.2 /);
    await client.ask('NOOP', /^250 /);
  });
});

describe('AUTH', () => {
  it('is not announced where it is refused', async () => {
    await using smtp = await startSmtp({ service: 'submission' });
    const client = await smtp.greet();
    const announced = await client.ask('EHLO client.test', /^250-/);
    expect(announced).not.toContain('AUTH');
    expect(announced).toContain('STARTTLS');
    await client.ask('AUTH PLAIN AGFsaWNlAGdsYXNz', /^538 5\.7\.11 /);
  });

  it('missing, submission in clear takes no MAIL', async () => {
    await using smtp = await startSmtp({ service: 'submission' });
    const client = await smtp.greet();
    await client.ask('MAIL FROM:<alice@glass.test>', '530 5.7.0 Must issue a STARTTLS command first');
    await client.ask('RCPT TO:<bob@glass.test>', /^503 5\.5\.1 /);
    await client.ask('DATA', /^503 5\.5\.1 /);
  });

  it('missing, submission in TLS takes no MAIL', async () => {
    await using smtp = await startSmtp({ service: 'submissions' });
    const client = await smtp.greet();
    await client.ask('MAIL FROM:<alice@glass.test>', '530 5.7.0 Authentication required');
  });

  it('that is switched off is neither announced nor taken, and mail is', async () => {
    await using smtp = await startSmtp({ auth: 'none' });
    const client = await smtp.greet();
    expect(await client.ask('EHLO client.test', /^250-/)).not.toContain('AUTH');
    await client.ask('AUTH PLAIN AGFsaWNlAGdsYXNz', /^502 5\.5\.1 /);
    await client.ask('MAIL FROM:<alice@glass.test>', /^250 /);
  });
});

describe('the greeting', () => {
  it('does not wait', async () => {
    await using smtp = await startSmtp();
    let fastest = Infinity;
    for (let i = 0; i < 20; i++) {
      const begin = performance.now();
      const client = await smtp.connect();
      await client.expect(/^220 /);
      fastest = Math.min(fastest, performance.now() - begin);
      await client.ask('QUIT', '221 2.0.0 Bye');
    }
    // The library waits 100 ms each time.
    expect(fastest).toBeLessThan(95);
  });

  it('waits where that is asked for, and who speaks first is sent away', async () => {
    await using smtp = await startSmtp({ earlyTalkerMs: 60_000 });
    const early = await smtp.connect();
    early.say('EHLO spam.test');
    await early.expect(/^554 /);
    expect(await early.ended()).toBe('');
    expect(smtp.annotations()).toContainEqual({ type: 'limit', limit: 'spoke before the greeting' });
  });

  it('comes in the end to who waits for it', async () => {
    await using smtp = await startSmtp({ earlyTalkerMs: 5 });
    const client = await smtp.greet();
    expect(await client.deliver('a')).toMatch(/^250 /);
  });
});

describe('limits', () => {
  it('silence ends the connection', async () => {
    await using smtp = await startSmtp({ idleMs: 30 });
    const client = await smtp.connect();
    await client.expect(/^220 /);
    await client.expect(/^421 4\.4\.2 /);
    expect(await client.ended()).toBe('');
  });

  it('silence while the server stores does not', async () => {
    const fake = new FakeStore('alice@glass.test');
    const waiting = Promise.withResolvers<undefined>();
    fake.commit = async () => {
      await waiting.promise;
    };
    await using smtp = await startSmtp({ fake, idleMs: 40 });
    const client = await smtp.greet();
    await client.ask('MAIL FROM:<a@else.test>', /^250 /);
    await client.ask('RCPT TO:<alice@glass.test>', /^250 /);
    await client.ask('DATA', /^354 /);
    client.say('.');
    // Another session goes through its idle time meanwhile.
    const other = await smtp.connect();
    await other.expect(/^220 /);
    await other.expect(/^421 /);
    waiting.resolve(undefined);
    await client.expect(/^250 2\.0\.0 Ok: queued as /);
  });

  it('a line of 8 KiB is heard, a longer one is refused and the next command heard', async () => {
    await using smtp = await startSmtp();
    const client = await smtp.greet();
    await client.ask(`NOOP ${'x'.repeat(8192 - 5)}`, '250 2.0.0 OK');
    await client.ask(`NOOP ${'x'.repeat(8193 - 5)}`, /^500 5\.5\.2 The line is too long/);
    await client.ask(`NOOP ${'x'.repeat(1_000_000)}`, /^500 5\.5\.2 The line is too long/);
    await client.ask('NOOP', '250 2.0.0 OK');
  });

  it('too many errors end the connection, and others are served', async () => {
    await using smtp = await startSmtp();
    const other = await smtp.greet();
    const client = await smtp.greet();
    for (let i = 1; i < 20; i++) await client.ask('NONSENSE', /^500 5\.5\.2 /);
    await client.ask('NONSENSE', /^500 5\.5\.2 /);
    await client.expect(/^421 4\.7\.0 Too many errors/);
    expect(await client.ended()).toBe('');
    expect(smtp.annotations()).toContainEqual({ type: 'limit', limit: 'errors' });
    await other.ask('NOOP', '250 2.0.0 OK');
  });

  it('so do too many commands without a message', async () => {
    await using smtp = await startSmtp({ maximumRecipients: 5 });
    const client = await smtp.greet();
    client.send('NOOP\r\n'.repeat(1004));
    for (let i = 0; i < 1004; i++) await client.expect('250 2.0.0 OK');
    await client.ask('NOOP', /^421 4\.7\.0 Too many commands/);
  });

  it('so do too many failed logins', async () => {
    await using smtp = await startSmtp({ service: 'submissions' });
    const client = await smtp.greet();
    const wrong = Buffer.from('\0alice\0wrong').toString('base64');
    for (let i = 1; i < 5; i++) await client.ask(`AUTH PLAIN ${wrong}`, /^535 5\.7\.8 /);
    await client.ask(`AUTH PLAIN ${wrong}`, /^421 4\.7\.0 Too many failed logins/);
    expect(await client.ended()).toBe('');
  });
});
