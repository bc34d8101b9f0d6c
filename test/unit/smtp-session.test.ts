/** SMTP conversations above a store in memory: transactions, limits, TLS, logins, endings. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fc } from '../property.ts';
import { describe, expect, it } from 'vitest';
import { LoginThrottle } from '../../src/sasl/throttle.ts';
import { FakeStore } from './fake-store.ts';
import { startSmtp, type Client } from './smtp-harness.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('a transaction', () => {
  it('is stored with its envelope, its trace and its origin', async () => {
    await using smtp = await startSmtp();
    const client = await smtp.greet();
    await client.ask('MAIL FROM:<sender@else.test> SIZE=100 BODY=8BITMIME RET=HDRS ENVID=E1', /^250 /);
    await client.ask('RCPT TO:<alice@glass.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;al+2Bice@glass.test', /^250 /);
    await client.ask('DATA', /^354 /);
    client.send('Subject: hello\r\n\r\nbody\r\n.\r\n');
    await client.expect('250 2.0.0 Ok: queued as T000000000000000000001');
    const [stored] = smtp.store.transactions;
    expect(stored).toMatchObject({
      reversePath: 'sender@else.test',
      returnType: 'HDRS',
      envelopeId: 'E1',
      forwardPaths: [
        {
          address: 'alice@glass.test',
          notify: 'SUCCESS,DELAY',
          originalRecipient: 'rfc822;al+2Bice@glass.test',
        },
      ],
      deliveries: [{ account: 1, mailbox: 'INBOX' }],
      origin: { service: 'smtp', remoteAddress: '127.0.0.1', helo: 'client.test', login: undefined, tls: undefined },
    });
    expect(stored!.octets.toString()).toBe('Subject: hello\r\n\r\nbody\r\n');
    expect(Buffer.from(stored!.trace).toString()).toMatch(
      /^Return-Path: <sender@else\.test>\r\nReceived: from client\.test \(\[127\.0\.0\.1\]\)\r\n\tby mail\.glass\.test with ESMTP id [0-9a-z]+\.1\r\n\tfor <alice@glass\.test>;\r\n\t\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000\r\n$/,
    );
    expect(smtp.annotations()).toContainEqual({
      type: 'stored',
      emailId: '1',
      transactionId: 'T000000000000000000001',
      octets: 24,
      copies: [{ accountId: 1, mailboxId: 1, uid: 1 }],
      copyCount: 1,
      envelopeSeq: expect.any(Number) as number,
      dataSeq: expect.any(Number) as number,
    });
  });

  it('is acknowledged to a client that ends its side right behind it (nc -N)', async () => {
    const fake = new FakeStore('alice@glass.test');
    // The end comes before the commit.
    fake.commit = async () => {
      for (let turn = 0; turn < 100; turn++) await nextTurn();
    };
    await using smtp = await startSmtp({ fake });
    const socket = connect({ port: smtp.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.end(
      'EHLO c.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<alice@glass.test>\r\nDATA\r\nSubject: x\r\n\r\nhi\r\n.\r\nQUIT\r\n',
    );
    const replies = (await text(socket)).split('\r\n').slice(-4);
    expect(replies).toEqual([
      expect.stringMatching(/^354 /),
      '250 2.0.0 Ok: queued as T000000000000000000001',
      expect.stringMatching(/^221 /),
      '',
    ]);
  });

  it('is acknowledged only after the commit', async () => {
    const fake = new FakeStore('alice@glass.test');
    const order: string[] = [];
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const begun = Promise.withResolvers<undefined>();
    fake.commit = async () => {
      begun.resolve(undefined);
      await promise;
      order.push('committed');
    };
    await using smtp = await startSmtp({ fake });
    const client = await smtp.greet();
    const reply = client.deliver('a').then(() => order.push('acknowledged'));
    await begun.promise;
    await (await smtp.greet()).ask('NOOP', /^250 /);
    expect(order).toEqual([]);
    resolve(undefined);
    await reply;
    expect(order).toEqual(['committed', 'acknowledged']);
  });

  it('takes each recipient or refuses it by itself, and each account gets one copy', async () => {
    await using smtp = await startSmtp({ domains: ['glass.test'] });
    const client = await smtp.greet();
    client.send(
      'MAIL FROM:<a@else.test>\r\nRCPT TO:<alice@glass.test>\r\nRCPT TO:<nobody@glass.test>\r\n' +
        'RCPT TO:<ALICE@glass.test>\r\nRCPT TO:<alice+tag@glass.test>\r\nRCPT TO:<bob@glass.test>\r\nDATA\r\n',
    );
    for (const code of [/^250 /, /^250 /, /^550 5\.1\.1 /, /^250 /, /^250 /, /^250 /, /^354 /])
      await client.expect(code);
    await client.ask('.', /^250 /);
    const [stored] = smtp.store.transactions;
    expect(stored!.forwardPaths.map(({ address }) => address)).toEqual([
      'alice@glass.test',
      'alice+tag@glass.test',
      'bob@glass.test',
    ]);
    expect(stored!.deliveries.map(({ account }) => account)).toEqual([1, 2]);
    expect(Buffer.from(stored!.trace).toString()).not.toContain('for <');
  });

  it('of recipients who were all refused ends at DATA (RFC 2920 §3.1)', async () => {
    await using smtp = await startSmtp({ domains: ['glass.test'] });
    const client = await smtp.greet();
    client.send('MAIL FROM:<a@else.test>\r\nRCPT TO:<nobody@glass.test>\r\nDATA\r\nRSET\r\n');
    for (const code of [/^250 /, /^550 /, /^554 5\.5\.1 /, /^250 /]) await client.expect(code);
  });

  it('has as many recipients as are allowed; a duplicate is none more', async () => {
    await using smtp = await startSmtp({ maximumRecipients: 2 });
    const client = await smtp.greet();
    await client.ask('MAIL FROM:<a@else.test>', /^250 /);
    await client.ask('RCPT TO:<one@x.test>', /^250 /);
    await client.ask('RCPT TO:<two@x.test>', /^250 /);
    await client.ask('RCPT TO:<three@x.test>', '452 4.5.3 Too many recipients');
    await client.ask('RCPT TO:<One@x.test>', /^250 /);
    await client.ask('DATA', /^354 /);
    await client.ask('.', /^250 /);
    expect(smtp.store.transactions[0]!.forwardPaths).toHaveLength(2);
  });

  it('is forgotten by RSET and EHLO, and not nested', async () => {
    await using smtp = await startSmtp();
    const client = await smtp.greet();
    await client.ask('MAIL FROM:<a@else.test>', /^250 /);
    await client.ask('MAIL FROM:<b@else.test>', /^503 5\.5\.1 /);
    await client.ask('RSET', '250 2.0.0 Flushed');
    await client.ask('RCPT TO:<alice@glass.test>', /^503 /);
    await client.ask('MAIL FROM:<b@else.test>', /^250 /);
    await client.ask('EHLO again.test', /^250-/);
    await client.ask('DATA', /^503 /);
  });

  it('begins after HELO or EHLO alone', async () => {
    await using smtp = await startSmtp();
    const client = await smtp.connect();
    await client.expect(/^220 /);
    await client.ask('MAIL FROM:<a@else.test>', /^503 5\.5\.1 /);
    await client.ask('HELO old.test', /^250 /);
    expect(await client.deliver('a')).toMatch(/^250 /);
    expect(Buffer.from(smtp.store.transactions[0]!.trace).toString()).toContain(' with SMTP id ');
  });

  it('follows another in the same connection, however many', async () => {
    await using smtp = await startSmtp();
    const client = await smtp.greet();
    for (let i = 0; i < 50; i++) expect(await client.deliver(`${i}`)).toMatch(/^250 /);
    expect(smtp.store.transactions.map(({ octets }) => octets.toString())).toEqual(
      Array.from({ length: 50 }, (_, i) => `${i}\r\n`),
    );
  });

  it('makes the account of an unknown recipient at the commit, not at RCPT', async () => {
    await using smtp = await startSmtp({ defaultPasswordRecord: 'record' });
    const client = await smtp.greet();
    await client.ask('MAIL FROM:<a@else.test>', /^250 /);
    await client.ask('RCPT TO:<Carol@New.test>', /^250 /);
    expect(smtp.store.accounts.has('carol@new.test')).toBe(false);
    await client.ask('DATA', /^354 /);
    await client.ask('.', /^250 /);
    expect(smtp.store.passwords.get('carol@new.test')).toBe('record');
  });

  it('that fails by a fault of ours gets 451 and a line in the log, and the next one is served', async () => {
    const fake = new FakeStore('alice@glass.test');
    fake.commit = async () => {
      throw new TypeError('a bug');
    };
    await using smtp = await startSmtp({ fake });
    const client = await smtp.greet();
    expect(await client.deliver('a')).toBe('451 4.3.0 Local error in processing');
    expect(smtp.logged.join()).toMatch(/^error .*a command failed TypeError: a bug$/);
    fake.commit = async () => undefined;
    expect(await client.deliver('b')).toMatch(/^250 /);
    expect(fake.openSpools).toBe(0);
  });
});

describe('the size of a message', () => {
  it('is refused at MAIL when the client tells it', async () => {
    await using smtp = await startSmtp({ maximumMessageOctets: 1000 });
    const client = await smtp.greet();
    expect(await client.ask('EHLO x.test', /^250-/)).toContain('SIZE 1000');
    await client.ask('MAIL FROM:<a@else.test> SIZE=1001', /^552 5\.3\.4 /);
    await client.ask('MAIL FROM:<a@else.test> SIZE=99999999999999999999', /^552 5\.3\.4 /);
    await client.ask('MAIL FROM:<a@else.test> SIZE=1000', /^250 /);
  });

  it('is refused at its end when it grew past the limit, and the next message is taken', async () => {
    await using smtp = await startSmtp({ maximumMessageOctets: 1000 });
    const client = await smtp.greet();
    expect(await client.deliver('x'.repeat(998))).toMatch(/^250 /);
    expect(await client.deliver('x'.repeat(999))).toMatch(/^552 5\.3\.4 /);
    expect(await client.deliver('x'.repeat(3000))).toMatch(/^552 5\.3\.4 /);
    expect(await client.deliver('small')).toMatch(/^250 /);
    expect(smtp.store.transactions).toHaveLength(2);
    expect(smtp.store.openSpools).toBe(0);
  });

  it('ends the connection when there is no end of it', async () => {
    await using smtp = await startSmtp({ maximumMessageOctets: 1000 });
    const client = await smtp.greet();
    await client.ask('MAIL FROM:<a@else.test>', /^250 /);
    await client.ask('RCPT TO:<alice@glass.test>', /^250 /);
    await client.ask('DATA', /^354 /);
    client.send('x'.repeat(5000));
    await client.expect(/^552 5\.3\.4 /);
    await client.ended();
    expect(smtp.store.openSpools).toBe(0);
  });

  it('holds back who sends faster than the store takes', async () => {
    const fake = new FakeStore('alice@glass.test');
    let taken = 0;
    const gate = Promise.withResolvers<undefined>();
    fake.taken = async (octets) => {
      taken += octets;
      await gate.promise;
    };
    await using smtp = await startSmtp({ fake });
    const client = await smtp.greet();
    await client.ask('MAIL FROM:<a@else.test>', /^250 /);
    await client.ask('RCPT TO:<alice@glass.test>', /^250 /);
    await client.ask('DATA', /^354 /);
    const piece = Buffer.alloc(1 << 20, 'a line of seventy-six octets or so, which does not matter here at all\r\n');
    const sent = (async () => {
      for (let i = 0; i < 40; i++) await client.sendSlowly(piece);
    })();
    // Other sessions go on, and as many turns pass as they take.
    for (let i = 0; i < 20; i++) await (await smtp.greet()).ask('QUIT', /^221 /);
    expect(taken).toBeLessThan(1 << 20);
    gate.resolve(undefined);
    await sent;
    client.send('\r\n.\r\n');
    await client.expect(/^250 /);
    expect(fake.transactions[0]!.octets.length).toBe(40 * (1 << 20) + 2);
  });
});

describe('STARTTLS', () => {
  it('secures a submission: login, then mail, with the TLS clause of RFC 8314 §4.3', async () => {
    await using smtp = await startSmtp({ service: 'submission' });
    const client = await smtp.greet();
    await client.ask('STARTTLS now', /^501 5\.5\.4 /);
    await client.ask('STARTTLS', '220 2.0.0 Ready to start TLS');
    await client.startTls();
    await client.ask('MAIL FROM:<alice@glass.test>', /^503 5\.5\.1 /); // RFC 3207 §4.2: EHLO is forgotten
    const announced = await client.ask('EHLO client.test', /^250-/);
    expect(announced).not.toContain('STARTTLS');
    expect(announced).toContain('AUTH PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS');
    await client.ask('STARTTLS', /^503 5\.5\.1 /);
    await client.ask(`AUTH PLAIN ${base64('\0alice@glass.test\0glass')}`, '235 2.7.0 Authentication successful');
    expect(await client.deliver('a')).toMatch(/^250 /);
    const [{ trace, origin }] = smtp.store.transactions as [(typeof smtp.store.transactions)[0]];
    expect(Buffer.from(trace).toString()).toMatch(/ with ESMTPSA id .*\r\n\tfor <.*> \(TLSv1\.3\)\r\n\ttls TLS_\w+;/);
    expect(origin.tls).toMatch(/^TLSv1\.3 TLS_/);
    expect(origin.login).toBe('alice@glass.test');
  });

  it('acts on nothing that was sent in clear behind it', async () => {
    await using smtp = await startSmtp({ service: 'submission', auth: 'none' });
    const client = await smtp.greet();
    client.send('STARTTLS\r\nEHLO evil.test\r\nMAIL FROM:<evil@else.test>\r\nNOOP\r\nNO');
    await client.expect(/^220 /);
    await client.startTls();
    await client.ask('RCPT TO:<alice@glass.test>', /^503 /);
    await client.ask('EHLO good.test', /^250-mail\.glass\.test greets good\.test\n/);
    await client.ask('NOOP', '250 2.0.0 OK');
    expect(smtp.annotations()).toContainEqual(expect.objectContaining({ type: 'dropped' }));
  });

  it('forgets the login and the transaction of before', async () => {
    await using smtp = await startSmtp({ starttls: true });
    const client = await smtp.greet();
    await client.ask(`AUTH PLAIN ${base64('\0any\0thing')}`, /^235 /);
    await client.ask('MAIL FROM:<a@else.test>', /^250 /);
    await client.ask('RCPT TO:<alice@glass.test>', /^250 /);
    await client.ask('STARTTLS', /^220 /);
    await client.startTls();
    await client.ask('EHLO client.test', /^250-[^]*AUTH/);
    await client.ask('DATA', /^503 /);
  });

  it('ends the session when the client says something else, and others are served', async () => {
    await using smtp = await startSmtp({ service: 'submission' });
    const client = await smtp.greet();
    await client.ask('STARTTLS', /^220 /);
    client.say('EHLO in clear');
    await client.ended();
    await (await smtp.greet()).ask('NOOP', /^250 /);
    expect(smtp.logged).toEqual([]);
  });
});

describe('AUTH', () => {
  async function secured(options: Parameters<typeof startSmtp>[0] = {}) {
    const smtp = await startSmtp({ service: 'submissions', ...options });
    return { smtp, client: await smtp.greet(), [Symbol.asyncDispose]: () => smtp[Symbol.asyncDispose]() };
  }

  it('PLAIN in two steps, LOGIN in all its forms', async () => {
    const user = base64('alice@glass.test');
    const password = base64('glass');
    for (const steps of [
      [['AUTH PLAIN', '334 '], [base64('\0alice@glass.test\0glass')]],
      [['AUTH LOGIN', '334 VXNlcm5hbWU6'], [user, '334 UGFzc3dvcmQ6'], [password]],
      [[`AUTH LOGIN ${user}`, '334 UGFzc3dvcmQ6'], [password]],
      [[`auth login ${user}`, '334 UGFzc3dvcmQ6'], [password]],
    ]) {
      await using session = await secured();
      for (const [line, challenge = '235 2.7.0 Authentication successful'] of steps) {
        session.client.say(line!);
        expect(`${await session.client.reply()}${challenge === '334 ' ? ' ' : ''}`.trimEnd()).toBe(challenge.trimEnd());
      }
      await session.client.ask('AUTH PLAIN', '503 5.5.1 Already logged in');
      expect(await session.client.ask('EHLO again.test', /^250-/)).not.toContain('AUTH');
      expect(session.smtp.annotations()).toContainEqual({
        type: 'login',
        login: 'alice@glass.test',
        mechanism: steps[0]![0]!.split(' ')[1]!.toUpperCase(),
      });
    }
  });

  /** RFC 5802 §5: the client's side, up to the server's last challenge, or its refusal. */
  async function scram(client: Client, mechanism: string, gs2Header: string, binding: Uint8Array = Buffer.alloc(0)) {
    const bare = 'n=alice,r=nonce';
    const challenge = await client.ask(`AUTH ${mechanism} ${base64(`${gs2Header}${bare}`)}`, /^(334|535 5\.7\.8) /);
    if (challenge.startsWith('535')) return { said: challenge };
    const first = Buffer.from(challenge.slice(4), 'base64').toString();
    const [, nonce, salt, iterations] = /^r=(.*),s=(.*),i=(\d+)$/.exec(first)!;
    const salted = pbkdf2Sync('glass', Buffer.from(salt!, 'base64'), Number(iterations), 32, 'sha256');
    const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest();
    const clientKey = hmac(salted, 'Client Key');
    const withoutProof = `c=${Buffer.concat([Buffer.from(gs2Header), binding]).toString('base64')},r=${nonce}`;
    const exchange = `${bare},${first},${withoutProof}`;
    const signature = hmac(createHash('sha256').update(clientKey).digest(), exchange);
    const proof = Buffer.from(clientKey.map((octet, i) => octet ^ signature[i]!)).toString('base64');
    const last = await client.ask(base64(`${withoutProof},p=${proof}`), /^(334|535 5\.7\.8) /);
    if (last.startsWith('535')) return { said: last };
    return {
      said: Buffer.from(last.slice(4), 'base64').toString(),
      expected: `v=${hmac(hmac(salted, 'Server Key'), exchange).toString('base64')}`,
    };
  }

  it.each(['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'])('%s (RFC 7677), by local part alone', async (mechanism) => {
    await using session = await secured();
    const { client, smtp } = session;
    expect(await client.ask('EHLO again.test', /^250-/)).toMatch(new RegExp(` ${mechanism}(?: |$)`, 'm'));
    const { said, expected } = mechanism.endsWith('-PLUS')
      ? await scram(client, mechanism, 'p=tls-exporter,,', client.channelBinding())
      : await scram(client, mechanism, 'n,,');
    expect(said).toBe(expected);
    await client.ask('', '235 2.7.0 Authentication successful');
    await client.ask('MAIL FROM:<alice@glass.test>', /^250 /);
    expect(smtp.annotations()).toContainEqual({ type: 'login', login: 'alice@glass.test', mechanism, given: 'alice' });
  });

  it('shows when somebody sits between (RFC 5802 §6)', async () => {
    for (const [mechanism, header, binding, said] of [
      ['SCRAM-SHA-256-PLUS', 'p=tls-exporter,,', Buffer.alloc(32), '(channel-bindings-dont-match)'],
      ['SCRAM-SHA-256-PLUS', 'p=tls-unique,,', Buffer.alloc(0), '(unsupported-channel-binding-type)'],
      ['SCRAM-SHA-256', 'y,,', Buffer.alloc(0), '(server-does-support-channel-binding)'],
    ] as const) {
      await using session = await secured();
      expect((await scram(session.client, mechanism, header, binding)).said).toContain(said);
    }
  });

  it('offers no binding to a connection in clear', async () => {
    await using smtp = await startSmtp({ auth: 'required' });
    const client = await smtp.greet();
    expect(await client.ask('EHLO again.test', /^250-/)).toMatch(/ SCRAM-SHA-256$/m);
    await client.ask(`AUTH SCRAM-SHA-256-PLUS ${base64('p=tls-exporter,,n=alice,r=nonce')}`, /^504 /);
  });

  it.each([
    ['a wrong password', [`AUTH PLAIN ${base64('\0alice\0wrong')}`], /^535 5\.7\.8 /],
    ['an unknown name', [`AUTH PLAIN ${base64('\0nobody\0glass')}`], /^535 5\.7\.8 /],
    ['a cancelled exchange', ['AUTH PLAIN', '*'], /^501 5\.7\.0 Authentication cancelled/],
    ['no base64 at once', ['AUTH PLAIN !!!'], /^501 5\.5\.2 /],
    ['no base64 later', ['AUTH PLAIN', 'not base64!'], /^501 5\.5\.2 /],
    ['an empty response', ['AUTH PLAIN ='], /^501 5\.5\.2 /],
    ['a third word', ['AUTH PLAIN AAA= more'], /^501 5\.5\.4 /],
    ['an unknown mechanism', ['AUTH NTLM'], /^504 5\.5\.4 /],
    ['a wrong password in LOGIN', ['AUTH LOGIN', base64('alice'), base64('wrong')], /^535 5\.7\.8 /],
    ['an overlong response', ['AUTH LOGIN', 'x'.repeat(20_000)], /^500 5\.5\.2 /],
    ['NUL', ['AUTH LOGIN', '\0'], /^500 5\.5\.2 /],
    ['no SCRAM', ['AUTH SCRAM-SHA-256 bm8='], /^501 5\.5\.2 /],
  ])('with %s fails, and the session goes on', async (_name, lines, pattern) => {
    await using session = await secured();
    for (const line of lines.slice(0, -1)) await session.client.ask(line, /^334/);
    await session.client.ask(lines.at(-1)!, pattern);
    await session.client.ask('NOOP', '250 2.0.0 OK');
    await session.client.ask('MAIL FROM:<alice@glass.test>', /^530 /);
    expect(session.smtp.logged).toEqual([]);
  });

  it('is not taken in a transaction, and not before EHLO', async () => {
    await using smtp = await startSmtp();
    const client = await smtp.connect();
    await client.expect(/^220 /);
    await client.ask(`AUTH PLAIN ${base64('\0a\0b')}`, /^503 5\.5\.1 /);
    await client.ask('EHLO client.test', /^250-/);
    await client.ask('MAIL FROM:<a@else.test>', /^250 /);
    await client.ask(`AUTH PLAIN ${base64('\0a\0b')}`, /^503 5\.5\.1 /);
  });

  it('on the open port takes every name and password', async () => {
    await using smtp = await startSmtp();
    for (const line of [
      `AUTH PLAIN ${base64('\0whoever\0whatever')}`,
      `AUTH XOAUTH2 ${base64('user=whoever\x01auth=Bearer token\x01\x01')}`,
    ]) {
      const client = await smtp.greet();
      await client.ask(line, /^235 2\.7\.0 /);
      expect(await client.deliver('a')).toMatch(/^250 /);
      expect(smtp.store.transactions.at(-1)!.origin.login).toBe('whoever');
    }
  });

  it('waits as long as the throttle says', async () => {
    const loginThrottle = new LoginThrottle({ free: 1, firstMs: 60, longestMs: 60 });
    await using session = await secured({ loginThrottle });
    const wrong = `AUTH PLAIN ${base64('\0alice\0wrong')}`;
    await session.client.ask(wrong, /^535 /);
    await session.client.ask(wrong, /^535 /);
    const begin = performance.now();
    await session.client.ask(`AUTH PLAIN ${base64('\0alice\0glass')}`, /^235 /);
    expect(performance.now() - begin).toBeGreaterThan(50);
    expect(loginThrottle.delayMs('127.0.0.1')).toBe(0);
  });

  it('permits the own address as sender alone, where that is enforced', async () => {
    await using session = await secured({ enforceSender: true, domains: ['glass.test'] });
    const { client } = session;
    await client.ask(`AUTH PLAIN ${base64('\0alice\0glass')}`, /^235 /);
    await client.ask('MAIL FROM:<bob@glass.test>', /^553 5\.7\.1 /);
    for (const sender of ['alice@glass.test', 'Alice@GLASS.test', 'alice+shop@glass.test', '']) {
      await client.ask(`MAIL FROM:<${sender}>`, /^250 /);
      await client.ask('RSET', /^250 /);
    }
    await client.ask('MAIL FROM:<alice@glass.test>', /^250 /);
    await client.ask('RCPT TO:<carol@else.test>', /^550 5\.7\.1 /);
  });
});

describe('the end', () => {
  it('QUIT, and what is pipelined behind it does not run', async () => {
    await using smtp = await startSmtp();
    const client = await smtp.greet();
    client.send('QUIT\r\nNOOP\r\n');
    await client.expect('221 2.0.0 Bye');
    expect(await client.ended()).toBe('');
  });

  it('a client that sends all it has and then FIN gets all its answers', async () => {
    const fake = new FakeStore('alice@glass.test');
    await using smtp = await startSmtp({ fake });
    const client = await smtp.connect();
    client.send(
      'EHLO client.test\r\nMAIL FROM:<a@else.test>\r\nRCPT TO:<alice@glass.test>\r\nDATA\r\nhello\r\n.\r\nNOOP\r\nQUI',
    );
    client.finish();
    for (const code of [/^220 /, /^250-/, /^250 /, /^250 /, /^354 /, /^250 2\.0\.0 Ok/, /^250 2\.0\.0 OK/]) {
      await client.expect(code);
    }
    expect(await client.ended()).toBe('');
    expect(fake.transactions).toHaveLength(1);
  });

  it('in the middle of a message keeps nothing', async () => {
    await using smtp = await startSmtp();
    for (const leave of ['finish', 'destroy'] satisfies (keyof Client)[]) {
      const client = await smtp.greet();
      await client.ask('MAIL FROM:<a@else.test>', /^250 /);
      await client.ask('RCPT TO:<alice@glass.test>', /^250 /);
      await client.ask('DATA', /^354 /);
      client.send('half a mess');
      client[leave]();
    }
    await smtp.stop();
    expect(smtp.store.transactions).toEqual([]);
    expect(smtp.store.openSpools).toBe(0);
    expect(smtp.logged).toEqual([]);
  });

  it('after a message that was handed over whole keeps it', async () => {
    const fake = new FakeStore('alice@glass.test');
    const gate = Promise.withResolvers<undefined>();
    const begun = Promise.withResolvers<undefined>();
    fake.commit = async () => {
      begun.resolve(undefined);
      await gate.promise;
    };
    await using smtp = await startSmtp({ fake });
    const client = await smtp.greet();
    client.deliver('a').catch(() => undefined);
    await begun.promise;
    client.destroy();
    gate.resolve(undefined);
    await smtp.stop();
    expect(fake.transactions).toHaveLength(1);
    expect(smtp.logged).toEqual([]);
  });

  it('of the server: idle sessions are told at once, a busy one after its command', async () => {
    const fake = new FakeStore('alice@glass.test');
    const gate = Promise.withResolvers<undefined>();
    const begun = Promise.withResolvers<undefined>();
    fake.commit = async () => {
      begun.resolve(undefined);
      await gate.promise;
    };
    await using smtp = await startSmtp({ fake });
    const idle = await smtp.greet();
    const busy = await smtp.greet();
    const reply = busy.deliver('a');
    await begun.promise;
    const stopped = smtp.stop();
    await idle.expect('421 4.3.2 Service shutting down');
    expect(await idle.ended()).toBe('');
    gate.resolve(undefined);
    expect(await reply).toMatch(/^250 /);
    await busy.expect('421 4.3.2 Service shutting down');
    await stopped;
  });

  it('of the server waits for a message that is on its way', async () => {
    await using smtp = await startSmtp();
    const client = await smtp.greet();
    await client.ask('MAIL FROM:<a@else.test>', /^250 /);
    await client.ask('RCPT TO:<alice@glass.test>', /^250 /);
    await client.ask('DATA', /^354 /);
    client.send('half');
    const stopped = smtp.stop();
    client.send('\r\nand half\r\n.\r\n');
    await client.expect(/^250 2\.0\.0 Ok/);
    await client.expect(/^421 4\.3\.2 /);
    await stopped;
  });
});

describe('refusals before a session', () => {
  it('a client in clear on the port that begins with TLS is told so', async () => {
    await using smtp = await startSmtp({ service: 'submissions' });
    const { connect } = await import('node:net');
    const socket = connect({ port: smtp.port, host: '127.0.0.1' });
    socket.write('EHLO clear.test\r\n');
    let heard = '';
    for await (const octets of socket) heard += String(octets);
    expect(heard).toMatch(/^554 5\.7\.0 This port begins with TLS; .*\r\n$/);
  });
});

describe('whatever is sent', () => {
  it('no order of commands and no octets make a fault, and others are served', async () => {
    const words = fc.constantFrom(
      'EHLO a.test\r\n',
      'HELO\r\n',
      'MAIL FROM:<a@b.test>\r\n',
      'MAIL FROM:<> SIZE=1\r\n',
      'RCPT TO:<alice@glass.test>\r\n',
      'RCPT TO:<"\r\n',
      'DATA\r\n',
      'text\r\n',
      '.\r\n',
      '..\r\n',
      'AUTH PLAIN\r\n',
      'AUTH LOGIN\r\n',
      '*\r\n',
      'AGEAYg==\r\n',
      'RSET\r\n',
      'NOOP\n',
      'LHLO a.test\r\n',
      'BDAT 4\r\n',
      'BDAT 0 LAST\r\n',
      'BDAT 90 LAST\r\n',
      'BDAT 500\r\n',
      'BDAT x\r\n',
      '\0\r\n',
      '\xff\xfe\r\n',
      'x'.repeat(20_000),
      '\r\n',
    );
    await using smtp = await startSmtp({ maximumMessageOctets: 100 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(words, { maxLength: 8 }), { maxLength: 8 }), async (writes) => {
        const client = await smtp.connect();
        for (const write of writes) client.send(Buffer.from(write.join(''), 'latin1'));
        client.finish();
        for (const line of (await client.ended()).trimEnd().split('\r\n')) {
          expect(line).toMatch(
            /^(?:220 |250[- ]|334|354 |[45]\d\d [45]\.\d+\.\d+ |501 (?:EHLO|HELO) |2\d\d 2\.\d+\.\d+ )/,
          );
        }
      }),
      { numRuns: 200 },
    );
    expect(smtp.logged).toEqual([]);
    expect(smtp.store.openSpools).toBe(0);
    await (await smtp.greet()).ask('NOOP', '250 2.0.0 OK');
  });
});
