import { describe, expect, it } from 'vitest';
import { createSecureContext } from 'node:tls';
import type { Connection } from '../../src/wire/connection.ts';
import { dial } from '../../src/wire/dial.ts';
import type { DialOptions } from '../../src/wire/dial.ts';
import { Recorder } from '../../src/wire/recorder.ts';
import { authorityPem, testListen, text } from './wire-peer.ts';

const clientTls = { serverName: 'localhost', secureContext: createSecureContext({ ca: authorityPem }), verify: true };

const make = (port: number, options: Partial<DialOptions> = {}): DialOptions => ({
  service: 'check',
  protocol: 'imap',
  host: '127.0.0.1',
  port,
  tls: 'none',
  recorder: new Recorder(),
  idleMs: 5_000,
  ...options,
});

async function serve(connection: Connection): Promise<void> {
  await connection.write('* OK\r\n');
  for (;;) {
    const line = text((await connection.readLine(100)).octets);
    await connection.write(`${line}\r\n`);
    if (line === 'STARTTLS') await connection.startTls();
    if (line === 'QUIT') return;
  }
}

const line = async (connection: Connection): Promise<string> => text((await connection.readLine(100)).octets);

describe('dialling', () => {
  it('speaks in clear, and is recorded as the client', async () => {
    await using server = await testListen(serve);
    const recorder = new Recorder();
    await using connection = await dial(make(server.port, { recorder }));
    expect(await line(connection)).toBe('* OK');
    await connection.write('QUIT\r\n');
    expect(await line(connection)).toBe('QUIT');
    await expect(connection.readLine(10)).rejects.toThrow();
    const [conversation] = recorder.list();
    expect(conversation).toMatchObject({
      role: 'client',
      service: 'check',
      remote: { address: '127.0.0.1', port: server.port },
    });
    expect(conversation!.passed).toMatchObject({ endsIn: 12, endsOut: 6 });
  });

  it('speaks TLS from the start', async () => {
    await using server = await testListen(serve, { tls: 'implicit' });
    await using connection = await dial(make(server.port, { tls: 'implicit', clientTls }));
    expect(await line(connection)).toBe('* OK');
    expect(connection.tls).toMatchObject({ version: 'TLSv1.3' });
    await connection.write(Buffer.alloc(300_000, 'x'));
    await connection.write('\r\n');
    expect(await line(connection)).toBe('x'.repeat(100));
  });

  it('starts TLS later, and drops what a server slips in before', async () => {
    await using server = await testListen(async (connection) => {
      await connection.readLine(100);
      await connection.write('go\r\ninjected\r\n');
      await connection.startTls();
      await serve(connection);
    });
    const recorder = new Recorder();
    await using connection = await dial(make(server.port, { tls: 'starttls', clientTls, recorder }));
    await connection.write('STARTTLS\r\n');
    expect(await line(connection)).toBe('go');
    await connection.startTls();
    expect(await line(connection)).toBe('* OK');
    expect(
      recorder
        .list()[0]!
        .annotations()
        .map(({ annotation }) => annotation),
    ).toEqual([{ type: 'dropped', octets: 10 }]);
  });

  it('refuses a certificate that is not for the server, unless told otherwise', async () => {
    await using server = await testListen(serve, { tls: 'implicit' });
    const recorder = new Recorder();
    await expect(
      dial(make(server.port, { tls: 'implicit', recorder, clientTls: { ...clientTls, serverName: 'mx.example' } })),
    ).rejects.toMatchObject({ name: 'TlsFailed', code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    expect(recorder.list()[0]!.closedAt).toBeDefined();
    await expect(dial(make(server.port, { tls: 'implicit' }))).rejects.toMatchObject({ name: 'TlsFailed' });
    await using connection = await dial(
      make(server.port, { tls: 'implicit', clientTls: { serverName: '127.0.0.1', verify: false } }),
    );
    expect(await line(connection)).toBe('* OK');
  });

  it('verifies an address where there is no name', async () => {
    await using server = await testListen(serve, { tls: 'implicit' });
    await using connection = await dial(
      make(server.port, { tls: 'implicit', clientTls: { ...clientTls, serverName: '127.0.0.1' } }),
    );
    expect(await line(connection)).toBe('* OK');
  });

  it('fails as the system says, and as it is told', async () => {
    const server = await testListen(serve);
    const { port } = server;
    await server.listener.stop();
    await expect(dial(make(port))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    const reason = new Error('changed my mind');
    await expect(dial(make(port, { signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
  });

  it('ends when its signal is aborted', async () => {
    await using server = await testListen(serve);
    const controller = new AbortController();
    const connection = await dial(make(server.port, { signal: controller.signal }));
    await line(connection);
    const read = connection.readLine(10);
    controller.abort();
    await expect(read).rejects.toThrow();
    expect(connection.signal.aborted).toBe(true);
  });
});
