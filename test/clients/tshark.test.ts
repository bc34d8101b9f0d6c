/** tshark, Wireshark without its window, reads the files that conversations are exported as, and the TLS in them by their keys. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, type SecureVersion } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Service } from '../../src/config.ts';
import type { Conversation } from '../../src/wire/recorder.ts';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { makeHome, run } from './program.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack('--smtp-starttls');
});
afterAll(() => stack[Symbol.asyncDispose]());

/** Says each line once the answer to the one before has come, and waits for the end. */
async function talk(socket: Socket, lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    await once(socket, 'data');
    socket.write(line);
  }
  socket.resume();
  if (!socket.closed) await once(socket, 'close');
}

const conversationOf = (service: Service): Conversation => {
  const found = stack.recorder.list().findLast((each) => each.service === service);
  if (found === undefined) throw new Error(`There is no conversation of ${service}`);
  return found;
};

async function download(path: string): Promise<Buffer> {
  const response = await fetch(`http://127.0.0.1:${stack.port('http')}/api/glass/conversations${path}`);
  expect([path, response.status]).toEqual([path, 200]);
  return Buffer.from(await response.arrayBuffer());
}

async function tshark(octets: Buffer, ...args: string[]): Promise<string> {
  await using home = await makeHome();
  const file = join(home.path, 'conversation.pcapng');
  await writeFile(file, octets);
  const { code, stdout, stderr } = await run('tshark', ['-r', file, ...args], { home: home.path });
  expect([code, stderr.replace(/Running as user.*\n/g, '')]).toEqual([0, '']);
  return stdout;
}

/** The lines that one protocol's dissector has found. */
const decoded = (octets: Buffer, port: number, protocol: string, ...args: string[]): Promise<string> =>
  tshark(octets, '-d', `tcp.port==${port},${protocol}`, ...args);

const LOGIN = ['a LOGIN alice glass\r\n', 'b SELECT INBOX\r\n', 'c LOGOUT\r\n'];

test('a conversation in clear: whole packets, one stream, the words', async () => {
  await talk(connectTcp(stack.port('imap'), '127.0.0.1'), LOGIN);
  const { id } = conversationOf('imap');
  const octets = await download(`/${id}/export?as=pcapng`);
  expect(
    await tshark(
      octets,
      '-Y',
      '_ws.malformed || tcp.analysis.flags || tcp.checksum.status == 0',
      '-o',
      'tcp.check_checksum:TRUE',
    ),
  ).toBe('');
  const stream = await tshark(octets, '-q', '-z', 'follow,tcp,ascii,0');
  expect(stream).toMatch(/\* OK[^]*a LOGIN alice glass[^]*a OK[^]*b SELECT INBOX[^]*c LOGOUT/);
  const packets = await tshark(octets, '-T', 'fields', '-e', 'tcp.flags.str');
  expect(packets).toMatch(/S·/);
  expect(packets).toMatch(/F$/m);
});

test.each<readonly [SecureVersion, string]>([
  ['TLSv1.3', 'localhost'],
  ['TLSv1.3', 'another-name.test'],
  ['TLSv1.2', 'localhost'],
])('IMAP under %s, called %s: with the keys its commands, without them none', async (version, servername) => {
  const port = stack.port('imaps');
  const tls = {
    port,
    host: '127.0.0.1',
    servername,
    minVersion: version,
    maxVersion: version,
    rejectUnauthorized: false,
  };
  await talk(connectTls(tls), LOGIN);
  const { id } = conversationOf('imaps');
  const withKeys = await download(`/${id}/export?as=pcapng&keys=1`);
  const commands = await decoded(
    withKeys,
    port,
    'tls',
    '-d',
    `tls.port==${port},imap`,
    '-Y',
    'imap.request',
    '-T',
    'fields',
    '-e',
    'imap.request',
  );
  expect(commands.trim().split('\n')).toEqual(LOGIN.map((line) => line.trim()));
  expect(await decoded(withKeys, port, 'tls', '-Y', '_ws.malformed || tcp.analysis.flags')).toBe('');
  const without = await download(`/${id}/export?as=pcapng`);
  expect(await decoded(without, port, 'tls', '-d', `tls.port==${port},imap`, '-Y', 'imap')).toBe('');
  expect(without.includes('glass')).toBe(true); // the comment
  expect(without.includes('TRAFFIC_SECRET') || without.includes('CLIENT_RANDOM')).toBe(false);
  expect(await decoded(without, port, 'tls', '-Y', `tls.handshake.extensions_server_name == "${servername}"`)).not.toBe(
    '',
  );
});

test('SMTP that changes to TLS', async () => {
  const port = stack.port('smtp');
  const socket = connectTcp(port, '127.0.0.1');
  for (const line of ['EHLO client.test\r\n', 'STARTTLS\r\n']) {
    await once(socket, 'data');
    socket.write(line);
  }
  await once(socket, 'data');
  const secure = connectTls({ socket, servername: 'localhost', rejectUnauthorized: false });
  await once(secure, 'secureConnect');
  secure.write('EHLO hidden.test\r\n');
  await talk(secure, ['MAIL FROM:<a@example.test>\r\n', 'QUIT\r\n']);
  const octets = await download(`/${conversationOf('smtp').id}/export?as=pcapng&keys=1`);
  const lines = await decoded(octets, port, 'smtp', '-Y', 'smtp.req', '-T', 'fields', '-e', 'smtp.command_line');
  expect(lines).toMatch(/EHLO client\.test[^]*STARTTLS[^]*EHLO hidden\.test[^]*MAIL FROM:<a@example\.test>[^]*QUIT/);
});

test('several conversations are several streams of one file', async () => {
  await talk(connectTcp(stack.port('pop3'), '127.0.0.1'), ['USER alice\r\n', 'QUIT\r\n']);
  await talk(connectTcp(stack.port('pop3'), '127.0.0.1'), ['CAPA\r\n', 'QUIT\r\n']);
  const octets = await download('/export?as=pcapng&service=pop3');
  const streams = await tshark(octets, '-Y', 'tcp.len > 0', '-T', 'fields', '-e', 'tcp.stream');
  expect(new Set(streams.trim().split('\n'))).toEqual(new Set(['0', '1']));
});
