import { once } from 'node:events';
import { createServer as createHttpServer, get } from 'node:http';
import { request as requestTls } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../../src/wire/connection.ts';
import { CannotListen, serveHttp } from '../../src/wire/listener.ts';
import { Recorder } from '../../src/wire/recorder.ts';
import { Peer, authorityPem, testListen, text } from './wire-peer.ts';

const REFUSALS = {
  tooMany: '* BYE too many\r\n',
  tooManyFromAddress: '* BYE too many from you\r\n',
  tlsExpected: '* BYE this port begins with TLS\r\n',
  http: 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n',
};

/** Greets, then echoes lines until `QUIT`. */
async function greet(connection: Connection): Promise<void> {
  await connection.write('* OK\r\n');
  for (;;) {
    const line = text((await connection.readLine(100)).octets);
    await connection.write(`${line}\r\n`);
    if (line === 'QUIT') return;
  }
}

const found = (recorder: Recorder): unknown[] =>
  recorder.list().flatMap((conversation) => conversation.annotations().map(({ annotation }) => annotation));

describe('binding', () => {
  it('takes the same free port on every host, and leaves out a host that is not here', async () => {
    const notices: string[] = [];
    await using server = await testListen(greet, {
      hosts: ['127.0.0.1', '127.0.0.2', '192.0.2.1'],
      onNotice: (notice) => notices.push(notice),
    });
    expect(server.listener.addresses).toEqual([
      { address: '127.0.0.1', port: server.port },
      { address: '127.0.0.2', port: server.port },
    ]);
    expect(notices).toEqual(['test: this machine has no address 192.0.2.1, left out']);
    for (const host of ['127.0.0.1', '127.0.0.2']) {
      using peer = await Peer.dial(server.port, host);
      expect(await peer.line()).toBe('* OK\r\n');
    }
  });

  it('says which port is taken and which option chooses another', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const refused = testListen(greet, {
      port,
      hosts: ['127.0.0.2', '127.0.0.1'],
      service: 'imaps',
      portOption: '--imaps-port',
    });
    await expect(refused).rejects.toBeInstanceOf(CannotListen);
    await expect(refused).rejects.toThrow(
      `imaps: cannot listen on 127.0.0.1 port ${port}: another program uses it; choose another port with --imaps-port`,
    );
    // What was bound before is free again.
    const again = createServer().listen(port, '127.0.0.2');
    await once(again, 'listening');
    again.close();
    other.close();
  });

  it('fails when this machine has none of the hosts', async () => {
    await expect(testListen(greet, { hosts: ['192.0.2.1'] })).rejects.toThrow(
      'test: this machine has none of the addresses 192.0.2.1',
    );
  });
});

describe('limits', () => {
  it('refuses more connections than there may be, in the words of the protocol, and serves others again later', async () => {
    await using server = await testListen(greet, { limits: { connections: 2, perAddress: 10 }, refusals: REFUSALS });
    using first = await Peer.dial(server.port);
    using second = await Peer.dial(server.port);
    expect([await first.line(), await second.line()]).toEqual(['* OK\r\n', '* OK\r\n']);
    using third = await Peer.dial(server.port);
    expect(await third.rest()).toBe('* BYE too many\r\n');
    first.send('still here\r\nQUIT\r\n');
    expect(await first.rest()).toBe('still here\r\nQUIT\r\n');
    first.socket.end();
    await once(first.socket, 'close');
    for (;;) {
      using next = await Peer.dial(server.port);
      if ((await next.line()) === '* OK\r\n') break;
    }
    expect(server.listener.accepted).toBeGreaterThan(3);
    expect(found(server.recorder)).toContainEqual({ type: 'limit', limit: 'connections' });
  });

  it('counts each address for itself', async () => {
    await using server = await testListen(greet, {
      limits: { connections: 10, perAddress: 1 },
      refusals: REFUSALS,
    });
    using first = await Peer.dial(server.port);
    using second = await Peer.dial(server.port);
    using other = await Peer.dial(server.port, '127.0.0.1', '127.0.0.2');
    expect(await first.line()).toBe('* OK\r\n');
    expect(await second.rest()).toBe('* BYE too many from you\r\n');
    expect(await other.line()).toBe('* OK\r\n');
  });

  it('refuses in TLS where the port begins with it', async () => {
    await using server = await testListen(greet, {
      tls: 'implicit',
      limits: { connections: 0, perAddress: 1 },
      refusals: REFUSALS,
    });
    using peer = await Peer.dialTls(server.port);
    expect(await peer.rest()).toBe('* BYE too many\r\n');
  });
});

describe('implicit TLS', () => {
  it('begins with the handshake', async () => {
    await using server = await testListen(greet, { tls: 'implicit' });
    using peer = await Peer.dialTls(server.port);
    expect(await peer.line()).toBe('* OK\r\n');
    expect(server.recorder.list()[0]!.tls).toMatchObject({ version: 'TLSv1.3', serverName: 'localhost' });
  });

  it('tells a silent client, who waits for a greeting', async () => {
    await using server = await testListen(greet, { tls: 'implicit', refusals: REFUSALS, silenceMs: 30 });
    using peer = await Peer.dial(server.port);
    expect(await peer.rest()).toBe('* BYE this port begins with TLS\r\n');
    expect(found(server.recorder)).toEqual([{ type: 'wrong-port', found: 'silence' }]);
  });

  it.each([
    ['a LOGIN alice hunter2\r\n', '* BYE this port begins with TLS\r\n', 'plaintext'],
    ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', REFUSALS.http, 'http'],
  ])('tells a client that begins with %j', async (said, answer, what) => {
    await using server = await testListen(greet, { tls: 'implicit', refusals: REFUSALS });
    using peer = await Peer.dial(server.port);
    peer.send(said);
    expect(await peer.rest()).toBe(answer);
    expect(found(server.recorder)).toEqual([{ type: 'wrong-port', found: what }]);
    // What came in clear is in both views, so that the veil looks at it.
    expect(server.recorder.list()[0]!.since(0).events[0]).toMatchObject({ type: 'octets', view: 'both' });
  });

  it('tells a browser, too', async () => {
    await using server = await testListen(greet, { tls: 'implicit', refusals: REFUSALS });
    using peer = await Peer.dialTls(server.port);
    peer.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await peer.rest()).toBe(`* OK\r\n${REFUSALS.http}`);
  });
});

describe('a mistaken port', () => {
  it('answers a ClientHello in clear with an alert', async () => {
    await using server = await testListen(greet, { refusals: REFUSALS });
    using peer = await Peer.dial(server.port);
    peer.send(Buffer.from('16', 'hex'));
    expect(await peer.line()).toBe('* OK\r\n');
    peer.send(Buffer.from('0301020001', 'hex'));
    expect(Buffer.from(await peer.rest(), 'latin1').toString('hex')).toBe('15030100020246');
    expect(found(server.recorder)).toEqual([{ type: 'wrong-port', found: 'tls' }]);
  });

  it('makes a real TLS client fail at once', async () => {
    await using server = await testListen(greet, { refusals: REFUSALS });
    await expect(Peer.dialTls(server.port)).rejects.toThrow();
  });

  it('answers HTTP with HTTP, and acts on nothing of it', async () => {
    const seen: string[] = [];
    await using server = await testListen(
      async (connection) => {
        await connection.write('* OK\r\n');
        for (;;) seen.push(text((await connection.readLine(100)).octets));
      },
      { refusals: REFUSALS },
    );
    using peer = await Peer.dial(server.port);
    peer.send('POST /x');
    peer.send(' HTTP/1.1\r\n\r\na DELETE INBOX\r\n');
    expect(await peer.rest()).toBe(`* OK\r\n${REFUSALS.http}`);
    expect(seen).toEqual([]);
    expect(found(server.recorder)).toEqual([{ type: 'wrong-port', found: 'http' }]);
  });

  it.each(['G', 'GET', 'GETACL INBOX', 'get LOGIN a b', 'PUT', 'HEADER', 'O'])(
    'does not mistake the line %j',
    async (line) => {
      await using server = await testListen(greet, { refusals: REFUSALS });
      using peer = await Peer.dial(server.port);
      await peer.line();
      for (const character of `${line}\r\nQUIT\r\n`) peer.send(character);
      expect(await peer.rest()).toBe(`${line}\r\nQUIT\r\n`);
      expect(found(server.recorder)).toEqual([]);
    },
  );
});

describe('sessions', () => {
  it('that fail are reported, and others are served', async () => {
    const fault = new Error('a fault of ours');
    await using server = await testListen(async (connection) => {
      if (text((await connection.readLine(100)).octets) === 'fail') throw fault;
      await connection.write('fine\r\n');
    });
    using failing = await Peer.dial(server.port);
    using other = await Peer.dial(server.port);
    failing.send('fail\r\n');
    await failing.rest();
    other.send('x\r\n');
    expect(await other.rest()).toBe('fine\r\n');
    expect(server.faults).toEqual([fault]);
  });

  it('that throw before their first wait are reported, too', async () => {
    const fault = new Error('at once');
    await using server = await testListen(() => {
      throw fault;
    });
    // The reset may come before the client has seen that it is connected.
    const peer = await Peer.dial(server.port).catch(() => undefined);
    await peer?.rest();
    expect(server.faults).toEqual([fault]);
  });
});

describe('stopping', () => {
  it('lets sessions say good-bye', async () => {
    const server = await testListen(async (connection) => {
      await connection.write('* OK\r\n');
      await connection.waitReadable(connection.draining).catch(() => undefined);
      await connection.write(connection.draining.aborted ? '* BYE\r\n' : '?\r\n');
    });
    using peer = await Peer.dial(server.port);
    await peer.line();
    const stopped = server.listener.stop();
    expect(await peer.rest()).toBe('* BYE\r\n');
    await stopped;
    expect(server.listener.connections).toBe(0);
    await expect(Peer.dial(server.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await server.listener.stop();
  });

  it('ends those that go on for too long', async () => {
    const server = await testListen(greet, { drainMs: 30 });
    using peer = await Peer.dial(server.port);
    await peer.line();
    await server.listener.stop();
    await peer.rest();
    expect(server.recorder.list()[0]).toMatchObject({ closedBy: 'us', closedHow: 'reset' });
  });
});

describe('HTTP', () => {
  const web = createHttpServer((request, response) => {
    const { encrypted } = request.socket as unknown as { encrypted: boolean };
    let octets = 0;
    request.on('data', (piece: Buffer) => (octets += piece.length));
    request.on('end', () => response.end(`${request.url} ${request.socket.remoteAddress} ${encrypted} ${octets}`));
  });

  const answer = async (request: ReturnType<typeof get>): Promise<string> => {
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return (await response.toArray()).join('');
  };

  it("is served by Node's server, over our TLS too, and recorded", async () => {
    const recorder = new Recorder();
    const options = { protocol: 'http', recorder } as const;
    await using plain = await testListen(serveHttp(web), { ...options, tls: 'none' });
    await using secure = await testListen(serveHttp(web), { ...options, tls: 'implicit' });
    expect(await answer(get({ port: plain.port, host: '127.0.0.1', path: '/a', agent: false }))).toBe(
      '/a 127.0.0.1 false 0',
    );
    const request = requestTls({
      port: secure.port,
      host: '127.0.0.1',
      path: '/b',
      ca: authorityPem,
      method: 'POST',
      agent: false,
    });
    request.end(Buffer.alloc(1_000_000));
    expect(await answer(request)).toBe('/b 127.0.0.1 true 1000000');
    await plain.listener.stop();
    await secure.listener.stop();
    const [first, second] = recorder.list();
    const ends = (conversation: typeof first): string =>
      conversation!
        .since(0)
        .events.map((event) => (event.type === 'octets' && event.view !== 'network' ? text(event.octets) : ''))
        .join('');
    expect(ends(first)).toMatch(/^GET \/a HTTP\/1\.1\r\n[^]*\/a 127\.0\.0\.1 false 0/);
    expect(ends(second)).toMatch(/^POST \/b HTTP\/1\.1\r\n[^]*\/b 127\.0\.0\.1 true 1000000/);
  });
});
