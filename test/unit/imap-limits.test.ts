/**
 * Bounds on what an IMAP client may do: kept at the bound, past it the protocol's own answer, and another client is
 * served all the while. Those of framing are in `imap-framing.test.ts`, those of the store in the contract.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LoginThrottle } from '../../src/sasl/throttle.ts';
import { Parser } from '../../src/imap/grammar/parser.ts';
import { serve, type ImapClient, type ImapServer } from './imap-harness.ts';

let server: ImapServer;
let other: ImapClient;

beforeAll(async () => {
  server = await serve(() => ({ loginThrottle: new LoginThrottle({ free: Infinity }) }));
  other = await server.selected();
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(async () => {
  expect(await other.command('NOOP')).toMatch(/^x OK/m);
  expect(server.logged).toEqual([]);
});

describe('commands that are wrong', () => {
  test('end the connection before login when three come in a row', async () => {
    const client = await server.client();
    for (let i = 0; i < 2; i++) expect(await client.command('NONSENSE')).toMatch(/^x BAD/);
    expect(await client.command('NOOP')).toMatch(/^x OK/);
    for (let i = 0; i < 3; i++) expect(await client.command('NONSENSE')).toMatch(/^x BAD/);
    expect(await client.rest()).toBe('* BYE Too many commands that are not IMAP\r\n');
  });

  test('end it after login when twenty come in a row', async () => {
    const client = await server.selected();
    for (let i = 0; i < 19; i++) expect(await client.command('NONSENSE')).toMatch(/^x BAD/);
    expect(await client.command('NOOP')).toMatch(/^x OK/);
    for (let i = 0; i < 20; i++) expect(await client.command('NONSENSE')).toMatch(/^x BAD/);
    expect(await client.rest()).toBe('* BYE Too many commands that are not IMAP\r\n');
  });
});

test('failed logins are five', async () => {
  const client = await server.client();
  for (let i = 0; i < 5; i++) expect(await client.command('LOGIN alice wrong')).toMatch(/^x NO/);
  expect(await client.rest()).toBe('* BYE Too many failed logins\r\n');
  const patient = await server.client();
  for (let i = 0; i < 4; i++) expect(await patient.command('LOGIN alice wrong')).toMatch(/^x NO/);
  expect(await patient.command('LOGIN alice glass')).toMatch(/^x OK/m);
});

test('a line has 64 KiB after login and 40 KiB before', async () => {
  const before = await server.client();
  const line = (octets: number): string => `ID ("x" "${'y'.repeat(octets - 'x ID ("x" "")'.length)}")`;
  expect(await before.command(line(40 * 1024 + 1))).toMatch(/^x BAD Line too long: 40960 /);
  expect(await before.command(line(40 * 1024))).not.toMatch(/too long: 40960/);
  const after = await server.selected();
  const search = (octets: number): string => `SEARCH ${'1 '.repeat((octets - 10) / 2)}1`;
  expect(await after.command(search(64 * 1024 + 2))).toMatch(/^x BAD Line too long: 65536 /);
  expect(await after.command(search(64 * 1024))).not.toMatch(/too long/);
});

describe('what SEARCH takes', () => {
  test('is 500 keys within one another', () => {
    const program = (keys: number): unknown => new Parser(Buffer.from(`${'NOT '.repeat(keys)}ALL`)).searchProgram();
    expect(() => program(500)).not.toThrow();
    expect(() => program(501)).toThrow('no more than 500 search keys');
  });

  test('is 100,000 ranges', () => {
    const set = (ranges: number): unknown =>
      new Parser(Buffer.from(Array.from({ length: ranges }, (_, i) => 2 * i + 1).join(','))).sequenceSet();
    expect(() => set(100_000)).not.toThrow();
    expect(() => set(100_001)).toThrow('no more than 100000 ranges');
  });

  test('is 16 results that are kept up', async () => {
    const client = await server.selected();
    for (let i = 0; i < 16; i++) {
      client.send(`u${i} UID SEARCH RETURN (UPDATE) ALL\r\n`);
      expect(await client.until(new RegExp(`^u${i} .*\\r\\n`, 'm'))).not.toContain('NOUPDATE');
    }
    expect(await client.command('UID SEARCH RETURN (UPDATE) ALL')).toContain('[NOUPDATE "x"]');
  });
});

test('LIST takes 200 patterns, those with wildcards of 4,000 characters together', async () => {
  const client = await server.selected();
  const list = (...patterns: string[]): Promise<string> => client.command(`LIST "" (${patterns.join(' ')})`);
  expect(await list(...Array<string>(200).fill('INBOX'))).toMatch(/^x OK/m);
  expect(await list(...Array<string>(201).fill('INBOX'))).toMatch(/^x BAD No more than 200 patterns/m);
  expect(await list('*'.repeat(1000), '%'.repeat(3000), 'y'.repeat(900))).toMatch(/^x OK/m);
  expect(await list('*'.repeat(1000), '%'.repeat(3001))).toMatch(/^x BAD Patterns with wildcards may have 4000/m);
  expect(await client.command(`LSUB "" ${'*'.repeat(4000)}`)).toMatch(/^x OK/m);
  expect(await client.command(`LSUB "" ${'*'.repeat(4001)}`)).toMatch(/^x BAD Patterns/m);
});

test('APPEND takes 1,000 messages', async () => {
  const client = await server.selected();
  await client.command('CREATE Many');
  const append = (messages: number): Promise<string> =>
    client.command(`APPEND Many${' {6+}\r\na: b\r\n'.repeat(messages)}`);
  expect(await append(1001)).toMatch(/^x NO \[LIMIT\] One command takes 1000 messages at most/m);
  expect(await append(1000)).toMatch(/^x OK \[APPENDUID \d+ 1:1000\]/m);
});
