/** BDAT (RFC 3030) above a store in memory: chunks of counted octets, their limits, and what may not be mixed with them. */
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../src/store/refusal.ts';
import { FakeStore } from './fake-store.ts';
import { startSmtp, type Client, type Harness } from './smtp-harness.ts';

const OPENING = 'MAIL FROM:<a@else.test>\r\nRCPT TO:<alice@glass.test>\r\n';

async function open(smtp: Harness): Promise<Client> {
  const client = await smtp.greet();
  client.send(OPENING);
  await client.expect(/^250 2\.1\.0 /);
  await client.expect(/^250 2\.1\.5 /);
  return client;
}

const stored = (smtp: Harness): string[] => smtp.store.transactions.map(({ octets }) => octets.toString('latin1'));

describe('chunks', () => {
  it('are put together, octet for octet: no dots, no line ends, NUL', async () => {
    await using smtp = await startSmtp();
    const client = await open(smtp);
    const chunks = ['Subject: dots\r\n\r\n.\r\n..\r\n', '\r\n.\r\n', '\0\xff\r', '\n.', 'no end of line'];
    for (const chunk of chunks) {
      client.send(Buffer.from(`BDAT ${chunk.length}\r\n${chunk}`, 'latin1'));
      await client.expect(`250 2.0.0 ${chunk.length} octets received`);
    }
    await client.ask('BDAT 0 LAST', /^250 2\.0\.0 Ok: queued as /);
    expect(stored(smtp)).toEqual([chunks.join('')]);
    await client.ask('NOOP', '250 2.0.0 OK');
  });

  it('may be pipelined whole, and so may what follows', async () => {
    await using smtp = await startSmtp();
    const client = await smtp.greet();
    client.send(`${OPENING}BDAT 6\r\none\r\n.BDAT 3\r\n\r\nQBDAT 3 LAST\r\nend${OPENING}BDAT 1 LAST\r\nxQUIT\r\n`);
    for (const code of [/^250 /, /^250 /, '250 2.0.0 6 octets received', '250 2.0.0 3 octets received', /queued/])
      await client.expect(code);
    for (const code of [/^250 /, /^250 /, /queued/, /^221 /]) await client.expect(code);
    expect(stored(smtp)).toEqual(['one\r\n.\r\nQend', 'x']);
  });

  it('may come octet by octet, and be large', async () => {
    await using smtp = await startSmtp();
    const slow = await open(smtp);
    for (const octet of Buffer.from('BDAT 10 LAST\r\n0123456789NOOP\r\n')) slow.send(Buffer.from([octet]));
    await slow.expect(/queued/);
    await slow.expect(/^250 2\.0\.0 OK/);
    const large = await open(smtp);
    const octets = Buffer.alloc(3_000_000, 'line\r\n.\r\n');
    large.say(`BDAT ${octets.length} LAST`);
    await large.sendSlowly(octets);
    await large.expect(/queued/);
    expect(smtp.store.transactions[1]!.octets.equals(octets)).toBe(true);
  });

  it('of no octets at all make an empty message', async () => {
    await using smtp = await startSmtp();
    const client = await open(smtp);
    await client.ask('BDAT 0', '250 2.0.0 0 octets received');
    await client.ask('bdat 0 last', /queued/);
    expect(stored(smtp)).toEqual(['']);
  });

  it('keep the envelope that they came with', async () => {
    await using smtp = await startSmtp();
    const client = await smtp.greet();
    await client.ask('MAIL FROM:<a@else.test> RET=FULL ENVID=E2', /^250 /);
    await client.ask('RCPT TO:<alice@glass.test> NOTIFY=NEVER ORCPT=rfc822;x@y.test', /^250 /);
    client.send('BDAT 1 LAST\r\nx');
    await client.expect(/queued/);
    expect(smtp.store.transactions[0]).toMatchObject({
      returnType: 'FULL',
      envelopeId: 'E2',
      forwardPaths: [{ address: 'alice@glass.test', notify: 'NEVER', originalRecipient: 'rfc822;x@y.test' }],
    });
  });
});

describe('a chunk that is refused is thrown away first', () => {
  it.each([
    ['without MAIL', '', /^503 5\.5\.1 MAIL comes first/],
    ['without a recipient', 'MAIL FROM:<a@else.test>\r\n', /^554 5\.5\.1 No valid recipients/],
  ])('%s', async (_name, before, pattern) => {
    await using smtp = await startSmtp();
    const client = await smtp.greet();
    client.send(`${before}BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n`);
    if (before !== '') await client.expect(/^250 /);
    await client.expect(pattern);
    await client.expect('250 2.0.0 OK');
    expect(smtp.store.transactions).toEqual([]);
    expect(smtp.store.openSpools).toBe(0);
  });

  it('without a login on submission', async () => {
    await using smtp = await startSmtp({ service: 'submissions' });
    const client = await smtp.greet();
    client.send('BDAT 6 LAST\r\nQUIT\r\n');
    await client.expect(/^503 /);
    await client.ask('NOOP', /^250 /);
  });

  it('after the last one', async () => {
    await using smtp = await startSmtp();
    const client = await open(smtp);
    client.send('BDAT 3 LAST\r\nendBDAT 6\r\nQUIT\r\nBDAT 0 LAST\r\n');
    await client.expect(/queued/);
    await client.expect(/^503 5\.5\.1 /);
    await client.expect(/^503 5\.5\.1 /);
    expect(stored(smtp)).toEqual(['end']);
  });
});

describe('in the middle of a message', () => {
  it.each([
    ['DATA', '503 5.5.1 The message comes by BDAT: go on with that, or RSET'],
    ['MAIL FROM:<b@else.test>', '503 5.5.1 A transaction is open already: RSET first'],
    ['RCPT TO:<bob@glass.test>', '503 5.5.1 The message has begun: go on with BDAT, or RSET'],
    ['NOOP', '250 2.0.0 OK'],
  ])('%s is answered, and the message goes on', async (line, expected) => {
    await using smtp = await startSmtp();
    const client = await open(smtp);
    client.send('BDAT 3\r\none');
    await client.expect(/^250 /);
    await client.ask(line, expected);
    client.send('BDAT 3 LAST\r\ntwo');
    await client.expect(/queued/);
    expect(stored(smtp)).toEqual(['onetwo']);
    expect(smtp.store.transactions[0]!.forwardPaths).toHaveLength(1);
  });

  it.each(['RSET', 'EHLO again.test'])('%s throws it away', async (line) => {
    await using smtp = await startSmtp();
    const client = await open(smtp);
    client.send('BDAT 3\r\none');
    await client.expect(/^250 /);
    await client.ask(line, /^250/);
    await client.ask('BDAT 0 LAST', /^503 /);
    client.send(`${OPENING}DATA\r\n`);
    for (const code of [/^250 /, /^250 /, /^354 /]) await client.expect(code);
    await client.ask('two\r\n.', /queued/);
    expect(stored(smtp)).toEqual(['two\r\n']);
    expect(smtp.store.openSpools).toBe(0);
  });

  it('STARTTLS throws it away', async () => {
    await using smtp = await startSmtp({ starttls: true });
    const client = await open(smtp);
    client.send('BDAT 3\r\none');
    await client.expect(/^250 /);
    await client.ask('STARTTLS', /^220 /);
    await client.startTls();
    await client.ask('EHLO again.test', /^250-/);
    await client.ask('BDAT 0 LAST', /^503 /);
    expect(smtp.store.openSpools).toBe(0);
  });

  it('a client that leaves leaves nothing', async () => {
    await using smtp = await startSmtp();
    for (const sent of ['BDAT 3\r\none', 'BDAT 3\r\noneBDAT 10 LAST\r\ntwo']) {
      const client = await open(smtp);
      client.send(sent);
      await client.expect(/^250 /);
      client.finish();
      await client.ended();
    }
    await smtp.stop();
    expect(smtp.store.transactions).toEqual([]);
    expect(smtp.store.openSpools).toBe(0);
    expect(smtp.logged).toEqual([]);
  });

  it('silence ends the connection, between chunks and within one', async () => {
    await using smtp = await startSmtp({ idleMs: 250 });
    for (const sent of ['BDAT 3\r\none', 'BDAT 3\r\noneBDAT 10 LAST\r\ntwo']) {
      const client = await open(smtp);
      client.send(sent);
      await client.expect(/^250 /);
      await client.expect(/^421 4\.4\.2 /);
      await client.ended();
      client.destroy();
    }
    await smtp.stop();
    expect(smtp.store.openSpools).toBe(0);
  });

  it('the end of the server waits for it', async () => {
    await using smtp = await startSmtp();
    const client = await open(smtp);
    client.send('BDAT 3\r\none');
    await client.expect(/^250 /);
    const stopped = smtp.stop();
    client.send('BDAT 3 LAST\r\ntwo');
    await client.expect(/queued/);
    await client.expect(/^421 4\.3\.2 /);
    await stopped;
    expect(stored(smtp)).toEqual(['onetwo']);
  });
});

describe('limits', () => {
  it('a message over the limit is refused at the chunk that passes it, and whatever follows too', async () => {
    await using smtp = await startSmtp({ maximumMessageOctets: 10 });
    const client = await open(smtp);
    client.send('BDAT 6\r\n123456BDAT 6\r\n123456BDAT 6\r\nQUIT\r\nBDAT 0 LAST\r\n');
    await client.expect('250 2.0.0 6 octets received');
    for (let i = 0; i < 3; i++) await client.expect(/^552 5\.3\.4 /);
    expect(smtp.store.openSpools).toBe(0);
    client.send(`${OPENING}BDAT 10 LAST\r\n1234567890`);
    for (const code of [/^250 /, /^250 /, /queued/]) await client.expect(code);
    expect(stored(smtp)).toEqual(['1234567890']);
  });

  it('a chunk that is much too large is not even heard', async () => {
    await using smtp = await startSmtp({ maximumMessageOctets: 1000 });
    for (const [before, code] of [
      [OPENING, /^552 5\.3\.4 /],
      ['', /^503 5\.5\.1 /],
    ] as const) {
      const client = await smtp.greet();
      client.send(`${before}BDAT ${'9'.repeat(30)}\r\n`);
      if (before !== '') for (let i = 0; i < 2; i++) await client.expect(/^250 /);
      await client.expect(code);
      expect(await client.ended()).toBe('');
    }
    expect(smtp.store.openSpools).toBe(0);
    expect(smtp.logged).toEqual([]);
  });

  it('many chunks that are too large together end the connection', async () => {
    await using smtp = await startSmtp({ maximumMessageOctets: 10 });
    const client = await open(smtp);
    client.send('BDAT 30\r\n'.padEnd(30 + 9, 'x'));
    await client.expect(/^552 /);
    client.send('BDAT 30\r\n'.padEnd(30 + 9, 'x'));
    await client.expect(/^552 /);
    expect(await client.ended()).toBe('');
  });

  it('a count that cannot be read ends the connection: what follows may be a message', async () => {
    await using smtp = await startSmtp();
    const client = await open(smtp);
    client.send(`BDAT six\r\n${OPENING}`);
    await client.expect('501 5.5.4 Syntax: BDAT octets [LAST]');
    expect(await client.ended()).toBe('');
    await (await smtp.greet()).ask('NOOP', /^250 /);
  });

  it('a disk that fills up is told at the end of its chunk', async () => {
    const fake = new FakeStore('alice@glass.test');
    fake.taken = async () => {
      throw new Refusal('DISKFULL', 'The disk is full');
    };
    await using smtp = await startSmtp({ fake });
    const client = await open(smtp);
    client.send('BDAT 6\r\n123456BDAT 6 LAST\r\nQUIT\r\n');
    await client.expect('452 4.3.1 The disk is full');
    await client.expect('452 4.3.1 The disk is full');
    await client.ask('NOOP', '250 2.0.0 OK');
    expect(fake.openSpools).toBe(0);
    expect(smtp.logged).toEqual([]);
  });
});
