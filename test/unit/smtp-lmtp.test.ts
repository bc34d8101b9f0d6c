/** LMTP (RFC 2033) above a store in memory. */
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../src/store/refusal.ts';
import { FakeStore } from './fake-store.ts';
import { startSmtp } from './smtp-harness.ts';

describe('LMTP', () => {
  it('greets with LHLO alone (RFC 2033 §4.1)', async () => {
    await using smtp = await startSmtp({ service: 'lmtp' });
    const client = await smtp.connect();
    await client.expect('220 mail.glass.test LMTP glassmail');
    await client.ask('MAIL FROM:<a@else.test>', /^503 5\.5\.1 .*LHLO/);
    await client.ask('EHLO client.test', /^500 /);
    await client.ask('HELO client.test', /^500 /);
    await client.ask('MAIL FROM:<a@else.test>', /^503 /);
    await client.ask('LHLO', '501 LHLO wants the name of the client, one word');
    const announced = await client.ask('LHLO client.test', /^250-/);
    expect(announced.split('\n')).toEqual([
      '250-mail.glass.test greets client.test',
      '250-PIPELINING',
      '250-SIZE 52428800',
      '250-8BITMIME',
      '250-SMTPUTF8',
      '250-ENHANCEDSTATUSCODES',
      '250-CHUNKING',
      '250-DSN',
      '250 LIMITS RCPTMAX=1000',
    ]);
    await client.ask('AUTH PLAIN', /^502 /);
  });

  it('and SMTP not', async () => {
    await using smtp = await startSmtp();
    const client = await smtp.connect();
    await client.expect(/^220 /);
    await client.ask('LHLO client.test', /^500 5\.5\.2 /);
    await client.ask('MAIL FROM:<a@else.test>', /^503 /);
  });

  it('replies for each RCPT that was accepted, in their order, repetitions too (§4.2)', async () => {
    await using smtp = await startSmtp({ service: 'lmtp', domains: ['glass.test'] });
    const client = await smtp.greet();
    client.send(
      'MAIL FROM:<a@else.test>\r\nRCPT TO:<bob@glass.test>\r\nRCPT TO:<nobody@glass.test>\r\n' +
        'RCPT TO:<alice@glass.test>\r\nRCPT TO:<BOB@glass.test>\r\nRCPT TO:<c@else.test>\r\nDATA\r\na\r\n.\r\nNOOP\r\n',
    );
    for (const code of [/^250 /, /^250 /, /^550 5\.1\.1 /, /^250 /, /^250 /, /^550 5\.7\.1 /, /^354 /])
      await client.expect(code);
    const queued = 'Ok: queued as T000000000000000000001';
    for (const address of ['bob@glass.test', 'alice@glass.test', 'BOB@glass.test'])
      await client.expect(`250 2.0.0 <${address}> ${queued}`);
    await client.expect('250 2.0.0 OK');
    const [stored] = smtp.store.transactions;
    expect(stored!.deliveries).toHaveLength(2);
    expect(stored!.origin).toMatchObject({ service: 'lmtp', helo: 'client.test' });
    expect(Buffer.from(stored!.trace).toString()).toMatch(/\tby mail\.glass\.test with LMTP id [0-9a-z]+\.1;/);
  });

  it('says to each recipient whether it had room; nothing of what was refused stays', async () => {
    const fake = new FakeStore('alice@glass.test', 'bob@glass.test');
    await using smtp = await startSmtp({ service: 'lmtp', fake });
    const client = await smtp.greet();
    client.send('MAIL FROM:<a@else.test>\r\nRCPT TO:<bob@glass.test>\r\nRCPT TO:<Alice@glass.test>\r\nDATA\r\n');
    for (const code of [/^250 /, /^250 /, /^250 /, /^354 /]) await client.expect(code);
    const full = { messages: 1, octets: 1, messageLimit: 1, octetLimit: undefined };
    fake.quotas.set('alice@glass.test', full);
    client.send('a\r\n.\r\n');
    await client.expect(/^250 2\.0\.0 <bob@glass\.test> /);
    await client.expect(/^452 4\.2\.2 <Alice@glass\.test> The mailboxes of alice@glass\.test have no room/);
    client.send('MAIL FROM:<a@else.test>\r\nRCPT TO:<bob@glass.test>\r\nDATA\r\n');
    for (const code of [/^250 /, /^250 /, /^354 /]) await client.expect(code);
    fake.quotas.set('bob@glass.test', full);
    client.send('a\r\n.\r\n');
    await client.expect(/^452 4\.2\.2 <bob@glass\.test> /);
    expect(smtp.store.transactions).toHaveLength(1);
    expect(smtp.store.openSpools).toBe(0);
    expect(smtp.logged).toEqual([]);
  });

  it('makes the accounts of unknown recipients where every domain is local', async () => {
    await using smtp = await startSmtp({ service: 'lmtp' });
    const client = await smtp.greet();
    client.send('MAIL FROM:<>\r\nRCPT TO:<Carol@New.test>\r\nBDAT 1 LAST\r\nx');
    for (const code of [/^250 /, /^250 /, /^250 2\.0\.0 <Carol@New\.test> Ok/]) await client.expect(code);
    expect(smtp.store.accounts.has('carol@new.test')).toBe(true);
  });

  it('replies once to a chunk, and for each recipient to the last one (§4.3)', async () => {
    await using smtp = await startSmtp({ service: 'lmtp' });
    const client = await smtp.greet();
    client.send(
      'MAIL FROM:<>\r\nRCPT TO:<alice@glass.test>\r\nRCPT TO:<bob@glass.test>\r\nBDAT 1\r\nxBDAT 1 LAST\r\ny',
    );
    for (const code of [
      /^250 /,
      /^250 /,
      /^250 /,
      /^250 2\.0\.0 1 octets/,
      /<alice@glass\.test> Ok/,
      /<bob@glass\.test> Ok/,
    ])
      await client.expect(code);
    await client.ask('NOOP', '250 2.0.0 OK');
    expect(smtp.store.transactions.map(({ octets }) => octets.toString())).toEqual(['xy']);
  });

  it.each([
    [new Refusal('DISKFULL', 'The disk is full'), '452 4.3.1', 'The disk is full'],
    [new TypeError('a bug'), '451 4.3.0', 'Local error in processing'],
  ])('tells each recipient of a failure that they share', async (error, code, text) => {
    const fake = new FakeStore('alice@glass.test', 'bob@glass.test');
    fake.commit = async () => {
      throw error;
    };
    await using smtp = await startSmtp({ service: 'lmtp', fake });
    const client = await smtp.greet();
    client.send('MAIL FROM:<>\r\nRCPT TO:<alice@glass.test>\r\nRCPT TO:<bob@glass.test>\r\nDATA\r\n.\r\n');
    for (const expected of [/^250 /, /^250 /, /^250 /, /^354 /]) await client.expect(expected);
    await client.expect(`${code} <alice@glass.test> ${text}`);
    await client.expect(`${code} <bob@glass.test> ${text}`);
    await client.ask('NOOP', '250 2.0.0 OK');
    expect(smtp.logged).toHaveLength(error instanceof Refusal ? 0 : 1);
    expect(fake.openSpools).toBe(0);
  });

  it('tells each recipient that the message is too large', async () => {
    await using smtp = await startSmtp({ service: 'lmtp', maximumMessageOctets: 1000 });
    const client = await smtp.greet();
    const recipients = 'RCPT TO:<alice@glass.test>\r\nRCPT TO:<bob@glass.test>\r\n';
    for (const message of [
      `DATA\r\n${'x'.repeat(2000)}\r\n.\r\n`,
      `BDAT 2000 LAST\r\n${'x'.repeat(2000)}`,
      `DATA\r\n${'x'.repeat(9000)}\r\n.\r\n`, // more than the patience of the server: the connection ends
    ]) {
      client.send(`MAIL FROM:<>\r\n${recipients}${message}`);
      for (let i = 0; i < 3; i++) await client.expect(/^250 /);
      if (message.startsWith('DATA')) await client.expect(/^354 /);
      await client.expect('552 5.3.4 <alice@glass.test> The message is larger than 1000 octets');
      await client.expect('552 5.3.4 <bob@glass.test> The message is larger than 1000 octets');
    }
    expect(await client.ended()).toBe('');
    expect(smtp.store.openSpools).toBe(0);
  });

  it.each(['DATA', 'BDAT 0 LAST'])('%s to nobody fails with 503 (§4.2)', async (line) => {
    await using smtp = await startSmtp({ service: 'lmtp', domains: ['glass.test'] });
    const client = await smtp.greet();
    await client.ask('MAIL FROM:<>', /^250 /);
    await client.ask('RCPT TO:<nobody@glass.test>', /^550 /);
    await client.ask(line, '503 5.5.1 No valid recipients');
    await client.ask('NOOP', '250 2.0.0 OK');
  });

  it('under TLS says so in the trace', async () => {
    await using smtp = await startSmtp({ service: 'lmtp', starttls: true });
    const client = await smtp.greet();
    await client.ask('STARTTLS', /^220 /);
    await client.startTls();
    expect(await client.ask('LHLO client.test', /^250-/)).toContain('REQUIRETLS');
    expect(await client.deliver('a')).toMatch(/^250 2\.0\.0 <alice@glass\.test> Ok/);
    expect(Buffer.from(smtp.store.transactions[0]!.trace).toString()).toContain(' with LMTPS id ');
  });
});
