/** The runner of transcripts, against a server that says what it is told to say. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { readTranscripts } from '../transcripts/read.ts';
import { runTranscript, type TranscriptServer } from '../transcripts/run.ts';

/** What the server says on accepting, and after each line. */
type Script = (line: string) => string;

async function run(dialogue: string, script: Script, setup = '', patienceMs?: number): Promise<string[]> {
  const received: string[] = [];
  const server = createServer((socket) => {
    let text = '';
    socket.write(script('accept'));
    socket.on('data', (octets) => {
      text += octets.toString('latin1');
      for (let end = text.indexOf('\r\n'); end !== -1; end = text.indexOf('\r\n')) {
        const line = text.slice(0, end);
        text = text.slice(end + 2);
        received.push(line);
        const answer = script(line);
        if (answer === 'bye') socket.end();
        else socket.write(answer);
      }
    });
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const markdown = `# Title\n\n\`\`\`message hello\nSubject: hi\n\nFür dich\n\`\`\`\n\n\`\`\`setup\n${setup}\n\`\`\`\n\nProse.\n\n\`\`\`\n${dialogue}\n\`\`\`\n`;
  const [transcript] = readTranscripts('x.md', markdown);
  const done: string[] = [];
  try {
    const target: TranscriptServer = {
      port: () => (server.address() as AddressInfo).port,
      createMailbox: async (account, name) => void done.push(`mailbox ${account} ${name}`),
      deliver: async ({ account, mailbox, flags, at }, octets) =>
        void done.push(`deliver ${account} ${mailbox} ${flags.join('+')} ${at?.toISOString() ?? ''} ${octets.length}`),
    };
    await runTranscript(transcript!, target, patienceMs);
  } finally {
    server.close();
  }
  return [...done, ...received];
}

const NOOP: Script = (line) => (line === 'accept' ? '* OK hi\r\n' : `${line.split(' ')[0]!} OK done\r\n`);

describe('what passes', () => {
  test('lines as they stand', async () => {
    expect(await run('S: * OK hi\n# a remark\nC: a NOOP\nS: a OK done', NOOP)).toEqual(['a NOOP']);
  });

  test('two clients', async () => {
    expect(
      await run('1S: * OK hi\n2S: * OK hi\n2C: b NOOP\n1C: a NOOP\n1S: a OK done\n2S: b OK done', NOOP),
    ).toHaveLength(2);
  });

  test('names recur, in what is sent too', async () => {
    const script: Script = (line) => (line === 'accept' ? '* 7 of 7\r\n' : `ok ${line}\r\n`);
    expect(await run('S: * {n} of {n}\nC: {n}\nS: ok {...}\nC: x\nS: ok {other}', script)).toEqual(['7', 'x']);
  });

  test('lines in any order', async () => {
    const script: Script = () => 'two\r\none\r\nthree\r\n';
    await run('S~: one\nS~: {name}o\nS: three', script);
  });

  test('any lines up to one', async () => {
    await run('S: ...\nS: three\nS: ...\nS: four', () => 'one\r\ntwo\r\nthree\r\nfour\r\n');
  });

  test('messages, as what is sent and received', async () => {
    const message = 'Subject: hi\r\n\r\nF\xc3\xbcr dich\r\n';
    const script: Script = (line) => (line === 'accept' ? `{${message.length}}\r\n` : '');
    const raw = Buffer.from(message, 'latin1').toString('utf8');
    await run('S: {|hello|}\nS: <hello>\nS: )', (line) => (line === 'accept' ? `${script(line)}${raw})\r\n` : ''));
    expect(await run('C: <hello>\nC: (x) {|hello|}', () => '')).toEqual([
      'Subject: hi',
      '',
      'F\xc3\xbcr dich',
      '(x) {26}',
    ]);
  });

  test('the end of the connection', async () => {
    const script: Script = (line) => (line === 'accept' ? 'hi\r\n' : 'bye');
    await run('S: hi\nC: quit\nS: <closed>', script);
    await run('S: hi\nC: <close>', script);
  });

  test('the setup and deliveries', async () => {
    const setup =
      'mailbox: bob A b\nmailbox: C\ndeliver: hello with \\Seen \\Flagged at 2026-07-01T12:00:00Z\nlogin: 1 alice';
    const script: Script = (line) => (line === 'accept' ? '* OK hi\r\n' : '* CAPABILITY x\r\nlogin OK in\r\n');
    expect(await run('deliver: hello to bob in A b\nC: x\nS: * CAPABILITY x\nS: login OK in', script, setup)).toEqual([
      'mailbox bob A b',
      'mailbox alice C',
      'deliver alice INBOX \\Seen+\\Flagged 2026-07-01T12:00:00.000Z 26',
      'deliver bob A b   26',
      'login LOGIN alice glass',
      'x',
    ]);
  });
});

describe('what fails', () => {
  test.each<[string, string, Script, string]>([
    ['another line', 'S: * OK hi\nC: a NOOP\nS: a OK did', NOOP, 'x.md:18: expected a OK did\nreceived a OK done'],
    [
      'an unexpected line before',
      'S: * OK hi\nC: a\nS: a OK done',
      (line) => (line === 'accept' ? '* OK hi\r\n' : '* 1 EXISTS\r\na OK done\r\n'),
      'received * 1 EXISTS',
    ],
    [
      'an unexpected line at the end',
      'S: * OK hi\nC: a\nS: a OK done',
      (line) => (line === 'accept' ? '* OK hi\r\n' : 'a OK done\r\n* 1 EXISTS\r\n'),
      'client 1 received more than the transcript says: "* 1 EXISTS',
    ],
    [
      'a value that does not recur',
      'S: {n}\nC: a\nS: {n}',
      (line) => (line === 'accept' ? '1\r\n' : '2\r\n'),
      'received 2',
    ],
    ['a name without a value', 'S: * OK hi\nC: {n}', NOOP, '{n} has not been received yet'],
    ['a bare LF', 'S: hi', () => 'hi\n', 'expected CRLF'],
    [
      'the end of the connection',
      'S: * OK hi\nC: a\nS: b',
      (line) => (line === 'accept' ? '* OK hi\r\n' : 'bye'),
      'received nothing and the end of the connection',
    ],
    ['more of a line', 'S: * OK', NOOP, 'received * OK hi'],
    ['one too few in any order', 'S~: two\nS~: two', () => 'two\r\none\r\n', 'received one'],
  ])('%s', async (_, dialogue, script, message) => {
    await expect(run(dialogue, script)).rejects.toThrow(message);
  });

  test.each([
    ['S: a line\nwithout a side', 'x.md:17: without a side is no line'],
    ['deliver: nothing', 'is no delivery of a known message'],
    ['C~: a', 'is no line of a dialogue'],
  ])('what cannot be read: %j', async (dialogue, message) => {
    await expect(run(dialogue, NOOP)).rejects.toThrow(message);
  });

  test('nothing at all', async () => {
    await expect(run('S: * OK hi\nS: more', NOOP, '', 100)).rejects.toThrow('received nothing in 0.1 seconds');
  });

  test('a setting that there is not', async () => {
    await expect(run('S: * OK hi', NOOP, 'sevrice: imap')).rejects.toThrow('sevrice: imap is no setting');
  });
});
