/** What both sides of TLS say first, in clear: RFC 8446 §4.1.2, §4.1.3, RFC 6066 §3, RFC 7301 §3.1. */

/** As far as it tells what the client wants. Numbers stand as on the wire: 0x0303 is TLS 1.2, 0x0304 TLS 1.3. */
export interface ClientHello {
  /** In the client's order, with those that mean nothing (RFC 8701). */
  readonly versions: readonly number[];
  /** How many cipher suites it offers. */
  readonly ciphers: number;
  /** The name by which the client calls this server (SNI). */
  readonly serverName: string | undefined;
  /** What it offers to speak under TLS (ALPN). */
  readonly protocols: readonly string[];
  /** Groups for which it has sent a key already. */
  readonly keyShares: readonly number[];
}

export interface ServerHello {
  readonly version: number;
  /** Whose key the server took; undefined: before TLS 1.3 this comes later. */
  readonly group: number | undefined;
}

const HANDSHAKE = 0x16;
const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
/** RFC 8446 §4.2 */
const EXTENSIONS = { serverName: 0, protocols: 16, versions: 43, keyShare: 51 } as const;
const HOST_NAME = 0;
const RANDOM_OCTETS = 32;

/** @param octets what the client sent first, records and all @returns undefined: it is none, or not all of it is there */
export function clientHello(octets: Uint8Array): ClientHello | undefined {
  return read(octets, CLIENT_HELLO, readClientHello);
}

/** @param octets what the server sent first, records and all @returns undefined: it is none, or not all of it is there */
export function serverHello(octets: Uint8Array): ServerHello | undefined {
  return read(octets, SERVER_HELLO, readServerHello);
}

/** The highest version that is offered and that there is: others keep servers from being picky (RFC 8701). */
export function highestVersion({ versions }: ClientHello): number {
  return Math.max(...versions.filter((each) => each >= 0x0300 && each <= 0x0304), 0x0300);
}

/** `TLS 1.2`; RFC 8446 §4.2.1, and the older ones' own numbers. */
export function versionName(version: number): string {
  return version === 0x0300 ? 'SSL 3.0' : `TLS 1.${version - 0x0301}`;
}

/** Octets of anybody: what does not fit is no hello. */
function read<Hello>(octets: Uint8Array, type: number, body: (hello: Reader) => Hello): Hello | undefined {
  try {
    const message = new Reader(firstMessage(Buffer.from(octets.buffer, octets.byteOffset, octets.length)));
    return message.number(1) === type ? body(message.vector(3)) : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The first message without its records: it may go over several (RFC 8446 §5.1). @throws RangeError */
function firstMessage(octets: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let length = 0;
  let wanted = Infinity;
  for (let at = 0; length < wanted;) {
    if (octets.readUInt8(at) !== HANDSHAKE) throw new RangeError('no handshake');
    const end = at + 5 + octets.readUInt16BE(at + 3);
    if (end > octets.length || end === at + 5) throw new RangeError('not all of it is there');
    pieces.push(octets.subarray(at + 5, end));
    length += end - at - 5;
    at = end;
    if (wanted === Infinity && length >= 4) wanted = 4 + Buffer.concat(pieces).readUIntBE(1, 3);
  }
  return Buffer.concat(pieces);
}

function readClientHello(hello: Reader): ClientHello {
  const legacyVersion = hello.number(2);
  hello.skip(RANDOM_OCTETS);
  hello.vector(1); // legacy_session_id
  const ciphers = hello.vector(2).left / 2;
  hello.vector(1); // legacy_compression_methods
  let serverName: string | undefined;
  const versions: number[] = [];
  const protocols: string[] = [];
  const keyShares: number[] = [];
  for (const { type, data } of extensionsOf(hello)) {
    if (type === EXTENSIONS.serverName) {
      for (const names = data.vector(2); names.left > 0;) {
        if (names.number(1) === HOST_NAME) serverName ??= names.vector(2).text();
        else names.vector(2);
      }
    } else if (type === EXTENSIONS.protocols) {
      for (const names = data.vector(2); names.left > 0;) protocols.push(names.vector(1).text());
    } else if (type === EXTENSIONS.versions) {
      for (const offered = data.vector(1); offered.left > 0;) versions.push(offered.number(2));
    } else if (type === EXTENSIONS.keyShare) {
      for (const shares = data.vector(2); shares.left > 0; shares.vector(2)) keyShares.push(shares.number(2));
    }
  }
  return { versions: versions.length > 0 ? versions : [legacyVersion], ciphers, serverName, protocols, keyShares };
}

function readServerHello(hello: Reader): ServerHello {
  let version = hello.number(2);
  hello.skip(RANDOM_OCTETS);
  hello.vector(1); // legacy_session_id_echo
  hello.skip(2); // cipher_suite
  hello.skip(1); // legacy_compression_method
  let group: number | undefined;
  for (const { type, data } of extensionsOf(hello)) {
    if (type === EXTENSIONS.versions) version = data.number(2);
    else if (type === EXTENSIONS.keyShare) group = data.number(2);
  }
  return { version, group };
}

function* extensionsOf(hello: Reader): Generator<{ readonly type: number; readonly data: Reader }> {
  if (hello.left === 0) return; // TLS 1.2 without any
  for (const extensions = hello.vector(2); extensions.left > 0;) {
    yield { type: extensions.number(2), data: extensions.vector(2) };
  }
}

/** Reads numbers and vectors (RFC 8446 §3.4) in order. What is beyond the end is a RangeError. */
class Reader {
  readonly #octets: Buffer;
  #at = 0;

  constructor(octets: Buffer) {
    this.#octets = octets;
  }

  get left(): number {
    return this.#octets.length - this.#at;
  }

  number(octets: 1 | 2 | 3): number {
    const value = this.#octets.readUIntBE(this.#at, octets);
    this.#at += octets;
    return value;
  }

  skip(octets: number): Buffer {
    if (octets > this.left) throw new RangeError('beyond the end');
    const skipped = this.#octets.subarray(this.#at, this.#at + octets);
    this.#at += octets;
    return skipped;
  }

  vector(lengthOctets: 1 | 2 | 3): Reader {
    return new Reader(this.skip(this.number(lengthOctets)));
  }

  /** What prints of it. */
  text(): string {
    return this.#octets.toString('latin1').replace(/[^\x21-\x7e]/g, '?');
  }
}
