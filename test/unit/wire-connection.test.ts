import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { ConnectionClosed, TimedOut } from '../../src/wire/connection.ts';
import type { Annotation, Connection, TlsInfo } from '../../src/wire/connection.ts';
import { Recorder } from '../../src/wire/recorder.ts';
import { Peer, authorityPem, testListen, text } from './wire-peer.ts';

/** What a session found, for the test to await. */
function outcome<T>() {
  return Promise.withResolvers<T>();
}

const annotations = (recorder: Recorder): Annotation[] =>
  recorder.list().flatMap((conversation) => conversation.annotations().map(({ annotation }) => annotation));

/** Says `echo`, the line and its marks, until `QUIT`. */
async function echo(connection: Connection): Promise<void> {
  for (;;) {
    const { octets, bare, overlong } = await connection.readLine(20);
    await connection.write(`echo ${text(octets)}${bare ? ' bare' : ''}${overlong ? ' overlong' : ''}\r\n`);
    if (text(octets) === 'QUIT') return;
  }
}

/** The first record of a TLS client. */
function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({ read: () => undefined, write: (octets: Buffer) => resolve(octets) });
    connectTls({ socket: wire, servername: 'localhost' }).on('error', () => undefined);
  });
}

describe('reading', () => {
  it('gives lines, and discards those over the limit', async () => {
    await using server = await testListen(echo);
    using peer = await Peer.dial(server.port);
    peer.send('hello\r\nhi\n');
    expect(await peer.line()).toBe('echo hello\r\n');
    expect(await peer.line()).toBe('echo hi bare\r\n');
    peer.send(`${'x'.repeat(500_000)}\r\nQUIT\r\n`);
    expect(await peer.rest()).toBe(`echo ${'x'.repeat(20)} overlong\r\necho QUIT\r\n`);
    expect(server.faults).toEqual([]);
  });

  it('gives counted octets whole and in pieces', async () => {
    const found = outcome<[string, number]>();
    await using server = await testListen(async (connection) => {
      const whole = text(await connection.read(5));
      let pieces = 0;
      for await (const piece of connection.readPieces(1_000_000)) pieces += piece.length;
      expect(text((await connection.readLine(10)).octets)).toBe('end');
      found.resolve([whole, pieces]);
    });
    using peer = await Peer.dial(server.port);
    peer.send('he');
    peer.send(`llo${'x'.repeat(1_000_000)}end\r\n`);
    expect(await found.promise).toEqual(['hello', 1_000_000]);
  });

  it('times out, and says so', async () => {
    const found = outcome<unknown>();
    await using server = await testListen(async (connection) => {
      await connection.readLine(10, 20).catch(found.resolve);
      await connection.write('too late\r\n');
    });
    using peer = await Peer.dial(server.port);
    expect(await found.promise).toBeInstanceOf(TimedOut);
    expect(await peer.rest()).toBe('too late\r\n');
    await server.listener.stop();
    expect(server.recorder.list()[0]).toMatchObject({ closedBy: 'us', closedHow: 'timeout' });
  });

  it('keeps a deadline for each line, although the timer underneath is shared', async () => {
    await using server = await testListen(async (connection) => {
      await connection.readLine(10, 5_000);
      const started = performance.now();
      await connection.readLine(10, 30).catch(() => undefined);
      await connection.write(performance.now() - started < 4_000 ? 'in time\r\n' : 'too late\r\n');
    });
    using peer = await Peer.dial(server.port);
    peer.send('a\r\n');
    expect(await peer.rest()).toBe('in time\r\n');
  });

  it('waits for octets without taking them, until a signal', async () => {
    const found = outcome<unknown[]>();
    const give = new AbortController();
    await using server = await testListen(async (connection) => {
      const reason = await connection.waitReadable(give.signal).catch((error: unknown) => error);
      await connection.write('waiting\r\n');
      await connection.waitReadable();
      found.resolve([reason, connection.buffered, text((await connection.readLine(10)).octets)]);
    });
    using peer = await Peer.dial(server.port);
    const reason = new Error('news');
    give.abort(reason);
    expect(await peer.line()).toBe('waiting\r\n');
    peer.send('DONE\r\n');
    expect(await found.promise).toEqual([reason, 6, 'DONE']);
  });

  it('answers what came before a FIN, and then finds the end', async () => {
    const found = outcome<[unknown, boolean]>();
    await using server = await testListen(async (connection) => {
      const { signal } = connection;
      await connection.readLine(10);
      const before = signal.aborted;
      await connection.write('answer\r\n');
      const error = await connection.readLine(10).catch((reason: unknown) => reason);
      found.resolve([error, !before && signal.aborted]);
    });
    using peer = await Peer.dial(server.port);
    peer.socket.end('hello\r\n');
    expect(await peer.rest()).toBe('answer\r\n');
    const [error, aborted] = await found.promise;
    expect(error).toBeInstanceOf(ConnectionClosed);
    expect(aborted).toBe(true);
    await server.listener.stop();
    expect(server.recorder.list()[0]).toMatchObject({ closedBy: 'peer', closedHow: 'fin' });
  });

  it('survives a reset', async () => {
    const found = outcome<unknown>();
    await using server = await testListen(async (connection) => {
      await connection.write('hello\r\n');
      await connection.readLine(10).catch(found.resolve);
      await expect(connection.write('too late')).rejects.toBeInstanceOf(ConnectionClosed);
      void connection.write('nobody awaits this');
    });
    const peer = await Peer.dial(server.port);
    await peer.line();
    peer.socket.resetAndDestroy();
    expect(await found.promise).toBeInstanceOf(ConnectionClosed);
    await server.listener.stop();
    expect(server.recorder.list()[0]).toMatchObject({ closedBy: 'peer', closedHow: 'reset' });
    expect(server.faults).toEqual([]);
  });

  it('holds a peer back whose octets nobody reads', async () => {
    const go = outcome<undefined>();
    const found = outcome<number>();
    await using server = await testListen(async (connection) => {
      await go.promise;
      const waiting = connection.buffered;
      for await (const _piece of connection.readPieces(8_000_000));
      found.resolve(waiting);
    });
    using peer = await Peer.dial(server.port);
    peer.socket.write(Buffer.alloc(8_000_000));
    // Nothing moves any more once the kernel's buffers are full on both sides.
    for (let before = -1; before !== peer.socket.bytesWritten - peer.socket.writableLength;) {
      before = peer.socket.bytesWritten - peer.socket.writableLength;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    go.resolve(undefined);
    expect(await found.promise).toBeLessThan(400_000);
  });
});

describe('writing', () => {
  it('sends several writes of one turn together', async () => {
    await using server = await testListen(async (connection) => {
      await connection.write('one ');
      await connection.write(Buffer.from('two '));
      await connection.write('drei ü\r\n');
    });
    using peer = await Peer.dial(server.port);
    expect(await peer.rest()).toBe('one two drei Ã¼\r\n');
    await server.listener.stop();
    const sent = server.recorder
      .list()[0]!
      .since(0)
      .events.filter(({ type }) => type === 'octets');
    expect(sent).toHaveLength(1);
  });

  it('sends much in order, in any mixture', async () => {
    const pieces = Array.from({ length: 3000 }, (_, i) =>
      i % 3 === 0 ? `text ${i}\r\n` : Buffer.alloc(i % 997, 65 + (i % 26)),
    );
    const expected = pieces.map((piece) => (typeof piece === 'string' ? piece : piece.toString('latin1'))).join('');
    await using server = await testListen(async (connection) => {
      for (const piece of pieces) await connection.write(piece);
      await connection.write(Buffer.alloc(700_000, 'z'));
      await connection.flush();
    });
    using peer = await Peer.dial(server.port);
    const all = await peer.rest();
    expect(all.length).toBe(expected.length + 700_000);
    expect(all.startsWith(expected)).toBe(true);
    expect(all.endsWith('z'.repeat(700_000))).toBe(true);
  });

  it('makes the writer wait when the peer stops reading, and goes on when it reads again', async () => {
    const stuck = outcome<number>();
    const sent = outcome<number>();
    await using server = await testListen(async (connection) => {
      let count = 0;
      for (; count < 1000; count++) {
        const written = connection.write(Buffer.alloc(64 * 1024));
        const waits = await Promise.race([
          written.then(() => false),
          new Promise((resolve) => setTimeout(resolve, 200, true)),
        ]);
        if (waits) stuck.resolve(count);
        await written;
      }
      await connection.flush();
      sent.resolve(count);
    });
    using peer = await Peer.dial(server.port);
    peer.socket.pause();
    // The kernel takes some megabytes, this side one more.
    expect(await stuck.promise).toBeLessThan(400);
    peer.socket.resume();
    expect(await sent.promise).toBe(1000);
  });

  it('ends a peer that takes nothing', async () => {
    const found = outcome<unknown>();
    await using server = await testListen(
      async (connection) => {
        for (;;)
          await connection.write(Buffer.alloc(256 * 1024)).catch((error: unknown) => {
            found.resolve(error);
            throw error;
          });
      },
      { idleMs: 100 },
    );
    using peer = await Peer.dial(server.port);
    peer.socket.pause();
    expect(await found.promise).toBeInstanceOf(TimedOut);
    await server.listener.stop();
    expect(server.recorder.list()[0]).toMatchObject({ closedBy: 'us', closedHow: 'timeout' });
  });
});

describe('TLS', () => {
  it.each([
    ['recorded', undefined],
    ['not recorded, so that Node passes the octets', new Recorder({ capacity: 0 })],
  ])('starts in the middle, %s', async (_, recorder) => {
    const found = outcome<TlsInfo>();
    await using server = await testListen(async (connection) => {
      expect(connection.channelBinding()).toBeUndefined();
      await connection.readLine(20);
      await connection.write('go on\r\n');
      found.resolve(await connection.startTls());
      await connection.write(
        `${String(connection.secure)} ${Buffer.from(connection.channelBinding()!).toString('hex')}\r\n`,
      );
      await echo(connection);
    }, recorder && { recorder });
    using plain = await Peer.dial(server.port);
    plain.send('STARTTLS\r\n');
    expect(await plain.line()).toBe('go on\r\n');
    using peer = await plain.startTls();
    const binding = (peer.socket as unknown as { exportKeyingMaterial: (n: number, l: string, c: Buffer) => Buffer })
      .exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
      .toString('hex');
    expect(await peer.line()).toBe(`true ${binding}\r\n`);
    peer.send(`${'x'.repeat(300_000)}\r\nQUIT\r\n`);
    expect(await peer.rest()).toBe(`echo ${'x'.repeat(20)} overlong\r\necho QUIT\r\n`);
    expect(await found.promise).toMatchObject({
      version: 'TLSv1.3',
      serverName: 'localhost',
      cipher: expect.stringMatching(/^TLS_/) as string,
    });
    expect((await found.promise).handshakeMs).toBeGreaterThan(0);
    expect(server.faults).toEqual([]);
  });

  it('drops what was injected before the handshake', async () => {
    await using server = await testListen(async (connection) => {
      await connection.readLine(20);
      await connection.write('go on\r\n');
      await connection.startTls();
      await echo(connection);
    });
    using plain = await Peer.dial(server.port);
    plain.send('STARTTLS\r\ninjected\r\n');
    expect(await plain.line()).toBe('go on\r\n');
    using peer = await plain.startTls();
    peer.send('QUIT\r\n');
    expect(await peer.rest()).toBe('echo QUIT\r\n');
    expect(annotations(server.recorder)).toEqual([{ type: 'dropped', octets: 10 }]);
  });

  it('takes a handshake that came before the session asked for it', async () => {
    const asked = outcome<undefined>();
    await using server = await testListen(async (connection) => {
      await connection.readLine(20);
      await connection.write('go on\r\n');
      await connection.flush();
      await connection.waitReadable();
      asked.resolve(undefined);
      await connection.startTls();
      await echo(connection);
    });
    using plain = await Peer.dial(server.port);
    plain.send('STARTTLS\r\n');
    expect(await plain.line()).toBe('go on\r\n');
    using peer = await plain.startTls();
    await asked.promise;
    peer.send('QUIT\r\n');
    expect(await peer.rest()).toBe('echo QUIT\r\n');
    expect(annotations(server.recorder)).toEqual([]);
  });

  it('records both views, and only one while there is no TLS', async () => {
    await using server = await testListen(async (connection) => {
      await connection.readLine(20);
      await connection.write('go on\r\n');
      await connection.startTls();
      await echo(connection);
    });
    using plain = await Peer.dial(server.port);
    plain.send('STARTTLS\r\n');
    await plain.line();
    using peer = await plain.startTls();
    peer.send('QUIT\r\n');
    await peer.rest();
    await server.listener.stop();
    const { events } = server.recorder.list()[0]!.since(0);
    const said = events.flatMap((event) => (event.type === 'octets' ? [event] : []));
    const ends = said.filter(({ view }) => view !== 'network');
    expect(ends.map(({ view, direction, octets }) => [view, direction, text(octets)])).toEqual([
      ['both', 'in', 'STARTTLS\r\n'],
      ['both', 'out', 'go on\r\n'],
      ['ends', 'in', 'QUIT\r\n'],
      ['ends', 'out', 'echo QUIT\r\n'],
    ]);
    expect(ends.map(({ position }) => position)).toEqual([0, 0, 10, 7]);
    const network = said.filter(({ view }) => view === 'network');
    expect(network.length).toBeGreaterThan(3);
    expect(
      network.every(({ octets }) => !text(octets).includes('QUIT') && octets[0]! >= 0x14 && octets[0]! <= 0x17),
    ).toBe(true);
    expect(events.flatMap((event) => (event.type === 'tls' ? [event.tls.step] : []))).toEqual(['start', 'end']);
  });

  it('tells which alert a peer sent that does not trust the certificate', async () => {
    const found = outcome<unknown>();
    await using server = await testListen(async (connection) => {
      await connection.readLine(20);
      await connection.write('go on\r\n');
      await connection.startTls().catch((error: unknown) => {
        found.resolve(error);
        throw error;
      });
    });
    using plain = await Peer.dial(server.port);
    plain.send('STARTTLS\r\n');
    await plain.line();
    plain.send(await clientHello());
    // What OpenSSL sends in clear when it does not know the authority: unknown_ca.
    plain.send(Buffer.from('15030300020230', 'hex'));
    expect(await found.promise).toMatchObject({ name: 'TlsFailed', alert: 48 });
    await server.listener.stop();
    const { events } = server.recorder.list()[0]!.since(0);
    expect(events).toContainEqual(
      expect.objectContaining({ tls: expect.objectContaining({ step: 'failed', alert: 48 }) as object }),
    );
    expect(server.faults).toEqual([]);
  });

  it('does not start on a connection that has ended', async () => {
    const found = outcome<unknown>();
    await using server = await testListen(async (connection) => {
      await connection.readLine(20);
      connection.destroy();
      await connection.startTls().catch(found.resolve);
    });
    using peer = await Peer.dial(server.port);
    peer.send('STARTTLS\r\n');
    expect(await found.promise).toBeInstanceOf(ConnectionClosed);
  });

  it('sees that a peer left whose end came together with the end of its handshake', async () => {
    const found = outcome<unknown>();
    await using server = await testListen(
      (connection) => connection.readLine(20).then(() => undefined, found.resolve),
      { tls: 'implicit' },
    );
    // With TLS 1.3 the client is done first: Finished and close_notify leave in one segment.
    const client = connectTls({ port: server.port, host: '127.0.0.1', ca: authorityPem, servername: 'localhost' });
    await once(client, 'secureConnect');
    client.resume().end();
    expect(await found.promise).toBeInstanceOf(ConnectionClosed);
    await once(client, 'close');
    await server.listener.stop();
    expect(server.recorder.list()[0]).toMatchObject({ closedBy: 'peer', closedHow: 'fin' });
  });

  it('fails in order when a peer goes on in clear, or leaves', async () => {
    await using server = await testListen(async (connection) => {
      await connection.readLine(20);
      await connection.write('go on\r\n');
      await connection.startTls();
    });
    for (const then of ['a LOGIN x y\r\n', undefined]) {
      using plain = await Peer.dial(server.port);
      plain.send('STARTTLS\r\n');
      await plain.line();
      if (then === undefined) plain.socket.end();
      else plain.send(then);
      await plain.rest();
    }
    await server.listener.stop();
    for (const conversation of server.recorder.list()) {
      expect(conversation.since(0).events).toContainEqual(
        expect.objectContaining({ tls: expect.objectContaining({ step: 'failed' }) as object }),
      );
      expect(conversation.closedAt).toBeDefined();
    }
    expect(server.faults).toEqual([]);
  });
});

describe('the stream for libraries', () => {
  it('carries octets both ways, with the properties of a socket', async () => {
    const found = outcome<unknown[]>();
    await using server = await testListen((connection) => {
      const stream = connection.duplex();
      found.resolve([stream.remoteAddress, stream.localPort, stream.readyState, stream.encrypted, stream.getCipher()]);
      stream.pipe(stream);
      return undefined;
    });
    using peer = await Peer.dial(server.port);
    expect(await found.promise).toEqual(['127.0.0.1', server.port, 'open', false, undefined]);
    const much = Buffer.alloc(3_000_000, 'abcdefg');
    peer.socket.end(much);
    expect((await peer.rest()) === much.toString()).toBe(true);
  });

  it('is given anew after STARTTLS, and what was not read of the old one is dropped', async () => {
    const asked = outcome<undefined>();
    await using server = await testListen((connection) => {
      const plain = connection.duplex();
      plain.once('data', () => {
        plain.pause();
        asked.resolve(undefined);
        plain.once('readable', () => {
          plain.write('ready\r\n');
          void connection.startTls().then(() => {
            const stream = connection.duplex();
            plain.write('nobody sees this');
            plain.destroy();
            stream.write(
              `${plain.readyState} ${String(stream.encrypted)} ${stream.servername} ${stream.getCipher()?.name}\r\n`,
            );
            stream.pipe(stream);
          });
        });
      });
      return undefined;
    });
    using plain = await Peer.dial(server.port);
    plain.send('STARTTLS\r\n');
    await asked.promise;
    plain.send('injected\r\n');
    expect(await plain.line()).toBe('ready\r\n');
    using peer = await plain.startTls();
    expect(await peer.line()).toMatch(/^closed true localhost TLS_/);
    peer.socket.end('hello');
    expect(await peer.rest()).toBe('hello');
    expect(annotations(server.recorder)).toEqual([{ type: 'dropped', octets: 10 }]);
  });

  it('times out without traffic, and not with it', async () => {
    const found = outcome<number>();
    await using server = await testListen((connection) => {
      const stream = connection.duplex();
      let last = -Infinity;
      stream.on('data', () => (last = performance.now()));
      stream.setTimeout(60, () => {
        found.resolve(performance.now() - last);
        stream.end('idle\r\n');
      });
      return undefined;
    });
    using peer = await Peer.dial(server.port);
    for (let i = 0; i < 5; i++) {
      peer.send('x');
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    // From the first octet it would be 30 at most, however late all of this comes.
    expect(await found.promise).toBeGreaterThan(40);
    expect(await peer.rest()).toBe('idle\r\n');
  });

  it('holds its writer back', async () => {
    const found = outcome<boolean>();
    await using server = await testListen((connection) => {
      const stream = connection.duplex();
      let calls = 0;
      while (stream.write(Buffer.alloc(65_536)) && calls < 1000) calls++;
      found.resolve(calls < 1000);
      stream.once('drain', () => stream.end());
      return undefined;
    });
    using peer = await Peer.dial(server.port);
    expect(await found.promise).toBe(true);
    await peer.rest();
  });

  it('is destroyed with the connection, without an uncaught error', async () => {
    const closed = outcome<undefined>();
    await using server = await testListen((connection) => {
      const stream = connection.duplex();
      stream.on('close', () => closed.resolve(undefined));
      stream.write('hello\r\n');
      return undefined;
    });
    using peer = await Peer.dial(server.port);
    await peer.line();
    peer.socket.resetAndDestroy();
    await closed.promise;
    await server.listener.stop();
    expect(server.recorder.list()[0]).toMatchObject({ closedBy: 'peer', closedHow: 'reset' });
  });

  it('ends the connection when it is destroyed', async () => {
    await using server = await testListen((connection) => {
      connection.duplex().destroy();
      return undefined;
    });
    using peer = await Peer.dial(server.port);
    await peer.rest();
    await once(peer.socket, 'close');
  });
});

describe('the end', () => {
  it('sends what waits, and leaves a peer time to read it although more is coming from it', async () => {
    await using server = await testListen(async (connection) => {
      await connection.readLine(20);
      await connection.write('* BYE\r\n');
      await connection.end();
      await connection.end();
      expect(connection.signal.aborted).toBe(true);
    });
    using peer = await Peer.dial(server.port);
    peer.send(`LOGOUT\r\n${'more\r\n'.repeat(50_000)}`);
    expect(await peer.rest()).toBe('* BYE\r\n');
  });

  it('comes at once when asked for, with a reset', async () => {
    await using server = await testListen(async (connection) => {
      await connection.readLine(20);
      connection.destroy();
      connection.destroy();
    });
    using peer = await Peer.dial(server.port);
    const error = new Promise((resolve) => peer.socket.once('error', resolve));
    peer.send('x\r\n');
    expect(await error).toMatchObject({ code: 'ECONNRESET' });
    await server.listener.stop();
    expect(server.recorder.list()[0]).toMatchObject({ closedBy: 'us', closedHow: 'reset' });
  });

  it.each(['after', 'in'] as const)('comes at once %s a TLS handshake that is not recorded', async (when) => {
    const recorder = new Recorder({ capacity: 0 });
    await using server = await testListen(
      async (connection) => {
        const started = connection.startTls();
        if (when === 'after') await started;
        void connection.write(Buffer.alloc(3_000_000)).catch(() => undefined);
        connection.destroy();
        await expect(connection.write('x')).rejects.toThrow(ConnectionClosed);
        await started;
      },
      { recorder },
    );
    for (let i = 0; i < 20; i++) {
      const socket = connectTls({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false });
      socket.on('error', () => undefined).resume();
      await new Promise((resolve) => socket.once('close', resolve));
    }
    await server.listener.stop();
    expect(server.faults).toEqual([]);
  });

  it('is forgotten when nothing of it is to be recorded', async () => {
    await using server = await testListen(async (connection) => {
      connection.unrecord();
      await echo(connection);
    });
    using peer = await Peer.dial(server.port);
    peer.send('QUIT\r\n');
    expect(await peer.rest()).toBe('echo QUIT\r\n');
    expect(server.recorder.list()).toEqual([]);
  });
});
