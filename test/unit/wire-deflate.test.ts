/** Compression as a layer (RFC 1951, RFC 4978 §3): what passes, and what a peer cannot do with it. */
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { constants, createDeflateRaw, createInflateRaw, deflateRawSync, inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ConnectionClosed } from '../../src/wire/connection.ts';
import type { Connection } from '../../src/wire/connection.ts';
import { Recorder } from '../../src/wire/recorder.ts';
import { Peer, testListen, text } from './wire-peer.ts';

const FLUSH = { finishFlush: constants.Z_SYNC_FLUSH };
const deflated = (octets: string | Buffer): Buffer => deflateRawSync(octets, FLUSH);

/** Compresses after the first line, then says each line back until it is QUIT; PLAIN ends the compression. */
async function compressing(connection: Connection): Promise<void> {
  await connection.readLine(100);
  await connection.write('now\r\n');
  await connection.startCompression();
  for (;;) {
    const line = text((await connection.readLine(100_000)).octets);
    await connection.write(`${line}\r\n`);
    if (line === 'PLAIN') await connection.endCompression();
    if (line === 'QUIT') return;
  }
}

async function started(port: number): Promise<Peer> {
  const peer = await Peer.dial(port);
  peer.send('compress\r\n');
  expect(await peer.line()).toBe('now\r\n');
  return peer;
}

describe('a compressed connection', () => {
  it('says in few octets what is long, each write at once', async () => {
    await using server = await testListen(compressing);
    using peer = await started(server.port);
    const long = 'all work and no play '.repeat(4000);
    const stream = createDeflateRaw();
    stream.on('data', (octets: Buffer) => peer.socket.write(octets));
    stream.write(`${long}\r\nQUIT\r\n`);
    stream.flush();
    const answer = Buffer.from(await peer.rest(), 'latin1');
    expect(inflateRawSync(answer).toString()).toBe(`${long}\r\nQUIT\r\n`);
    expect(answer.length).toBeLessThan(long.length / 50);
    expect(server.faults).toEqual([]);
  });

  it('is recorded as the ends say it, and as it passes the network', async () => {
    const recorder = new Recorder();
    await using server = await testListen(compressing, { recorder });
    using peer = await started(server.port);
    peer.send(deflated('hello hello hello hello\r\nQUIT\r\n'));
    await peer.rest();
    const events = recorder
      .list()[0]!
      .since(0)
      .events.filter((event) => event.type === 'octets');
    const said = events.filter(({ view, direction }) => view !== 'network' && direction === 'in');
    expect(said.map(({ octets }) => text(octets)).join('')).toBe('compress\r\nhello hello hello hello\r\nQUIT\r\n');
    const passed = Buffer.concat(
      events.filter(({ view, direction }) => view === 'network' && direction === 'in').map(({ octets }) => octets),
    );
    expect(passed).toEqual(deflated('hello hello hello hello\r\nQUIT\r\n'));
  });

  it('is recorded so from the first octet, which may come before we hear that our permission has left', async () => {
    const recorder = new Recorder({ capacity: 256 << 20, perConversation: 64 << 20 });
    const long = 'x'.repeat(16 << 20); // more than the sockets hold, so that it waits for the peer to read
    await using server = await testListen(
      async (connection) => {
        await connection.readLine(100);
        void connection.write(`${long}\r\nnow\r\n`);
        await connection.startCompression();
        await connection.write((await connection.readLine(100)).octets);
      },
      { recorder },
    );
    using peer = await Peer.dial(server.port);
    peer.socket.pause();
    peer.send('compress\r\n');
    const [conversation] = recorder.list();
    const hasCome = async (octets: number): Promise<void> => {
      for (let turn = 0; turn < 100_000 && conversation!.passed.networkIn < octets; turn++) await setImmediate();
    };
    await hasCome('compress\r\n'.length);
    const hello = deflated('hello hello hello hello\r\n');
    peer.socket.write(hello);
    await hasCome('compress\r\n'.length + hello.length);
    expect(conversation!.passed.networkIn).toBe('compress\r\n'.length + hello.length);
    peer.socket.resume();
    await peer.rest();
    const ends = (direction: 'in' | 'out'): string =>
      conversation!
        .since(0)
        .events.filter((event) => event.type === 'octets')
        .filter((event) => event.view !== 'network' && event.direction === direction)
        .map(({ octets }) => text(octets))
        .join('');
    expect(ends('in')).toBe('compress\r\nhello hello hello hello\r\n');
    expect(ends('out').slice(long.length)).toBe('\r\nnow\r\nhello hello hello hello');
    expect(server.faults).toEqual([]);
  });

  it.each([
    ['all at once', (peer: Peer, pieces: Buffer[]) => peer.socket.write(Buffer.concat(pieces))],
    [
      'octet by octet',
      (peer: Peer, pieces: Buffer[]) => Buffer.concat(pieces).forEach((octet) => peer.socket.write(Buffer.of(octet))),
    ],
  ])('goes on in clear after its end: %s', async (_, send) => {
    await using server = await testListen(compressing);
    using peer = await started(server.port);
    send(peer, [deflateRawSync('one\r\nPLAIN\r\n'), Buffer.from('two\r\nQUIT\r\n')]);
    const octets = Buffer.from(await peer.rest(), 'latin1');
    const inflate = createInflateRaw();
    const pieces: Buffer[] = [];
    inflate.on('data', (piece: Buffer) => pieces.push(piece));
    inflate.write(octets);
    await once(inflate, 'end');
    expect(Buffer.concat(pieces).toString()).toBe('one\r\nPLAIN\r\n');
    expect(octets.subarray(inflate.bytesWritten).toString()).toBe('two\r\nQUIT\r\n');
  });

  it('bears with a peer that does not end its stream', async () => {
    await using server = await testListen(compressing);
    using peer = await started(server.port);
    peer.send(deflated('PLAIN\r\n'));
    // The block that ends the server's own.
    const before = await peer.until('\x03\0');
    expect(inflateRawSync(Buffer.from(before, 'latin1')).toString()).toBe('PLAIN\r\n');
    peer.send('QUIT\r\n');
    expect(await peer.rest()).toBe('QUIT\r\n');
  });
});

describe('a peer that misuses it', () => {
  /** What the session ended with. */
  async function reads(send: (peer: Peer) => void): Promise<{ error: unknown; octets: number }> {
    const ended = Promise.withResolvers<{ error: unknown; octets: number }>();
    await using server = await testListen(async (connection) => {
      await connection.readLine(100);
      await connection.write('now\r\n');
      await connection.startCompression();
      let octets = 0;
      try {
        for await (const piece of connection.readPieces(1e12)) octets += piece.length;
      } catch (error) {
        ended.resolve({ error, octets });
      }
    });
    using peer = await started(server.port);
    peer.socket.on('error', () => undefined);
    send(peer);
    return await ended.promise;
  }

  it('is ended when it sends what is no DEFLATE', async () => {
    const { error, octets } = await reads((peer) => peer.send('a2 NOOP\r\na3 NOOP\r\n'));
    expect(error).toBeInstanceOf(ConnectionClosed);
    expect(octets).toBeLessThan(100);
  });

  it('is ended when its few octets become too many', async () => {
    const bomb = deflated(Buffer.alloc(128 * 1024 * 1024));
    const { error, octets } = await reads((peer) => peer.send(bomb));
    expect(error).toBeInstanceOf(ConnectionClosed);
    expect(octets).toBeLessThan(64 * 1024 * 1024 + bomb.length * 100);
    expect(octets).toBeGreaterThan(32 * 1024 * 1024);
  });
});
