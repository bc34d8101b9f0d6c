/** The server explains itself to clients that come to the wrong port, or the wrong way. */
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack[Symbol.asyncDispose]());

/** Sends octets and takes all that comes until the server ends the connection. */
function exchange(port: number, octets: string | Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(octets));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks)));
  });
}

describe('plaintext on a port that begins with TLS', () => {
  test.each([
    ['imaps', 'a1 CAPABILITY\r\n', /^\* BYE .*TLS/],
    ['pop3s', 'CAPA\r\n', /^-ERR .*TLS/],
    ['submissions', 'EHLO me\r\n', /^554 5\.7\.0 .*TLS/],
    ['https', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', /^HTTP\/1\.1 400 .*https:\/\//s],
  ] as const)('%s says so in its own protocol', async (service, octets, answer) => {
    expect((await exchange(stack.port(service), octets)).toString()).toMatch(answer);
  });

  test.each(['imaps', 'pop3s', 'submissions'] as const)(
    '%s says so to a client that waits for a greeting',
    async (service) => {
      expect((await exchange(stack.port(service), '')).toString()).toMatch(/TLS/);
    },
  );
});

describe('on a port that begins in clear', () => {
  test.each(['smtp', 'submission', 'imap', 'pop3'] as const)(
    '%s answers a browser with a page that has the right address',
    async (service) => {
      const answer = (await exchange(stack.port(service), 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')).toString();
      expect(answer).toContain('HTTP/1.1 400 Bad Request');
      expect(answer).toContain(`http://localhost:${stack.port('http')}/`);
    },
  );

  test.each(['smtp', 'imap', 'pop3'] as const)(
    '%s answers a TLS handshake with an alert, so that the client fails at once',
    async (service) => {
      const failure = await new Promise<Error>((resolve, reject) => {
        const socket = connectTls({ port: stack.port(service), host: '127.0.0.1', rejectUnauthorized: false }, () =>
          reject(new Error('the handshake succeeded')),
        );
        socket.on('error', resolve);
      });
      expect(failure.message).toMatch(
        /wrong version number|alert protocol version|packet length too long|unsupported protocol/i,
      );
    },
  );
});

test('the certificate verifies under the authority that lies in the data folder', async () => {
  const ca = readFileSync(stack.authorityFile!);
  for (const service of ['imaps', 'pop3s', 'submissions', 'https'] as const) {
    const socket = connectTls({ port: stack.port(service), host: '127.0.0.1', servername: 'localhost', ca });
    await new Promise<void>((resolve, reject) => socket.on('secureConnect', resolve).on('error', reject));
    expect(socket.authorized).toBe(true);
    socket.destroy();
  }
});

test('others are still served, and nothing of this was a fault of ours', async () => {
  expect((await fetch(`http://127.0.0.1:${stack.port('http')}/livez`)).status).toBe(200);
  expect(stack.logged).toEqual([]);
});
