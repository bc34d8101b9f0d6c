/** What a TLS client says first, as far as it tells what the client wants: RFC 8446 §4.1.2, RFC 6066 §3, RFC 7301 §3.1. */

export interface ClientHello {
  /** The highest version that is offered, as it stands on the wire: 0x0303 is TLS 1.2, 0x0304 TLS 1.3. */
  readonly version: number;
  /** The name by which the client calls this server (SNI). */
  readonly serverName: string | undefined;
  readonly protocols: readonly string[];
}

const HANDSHAKE = 0x16;
const CLIENT_HELLO = 1;
const EXTENSIONS = { serverName: 0, protocols: 16, versions: 43 } as const;
const HOST_NAME = 0;

/** @param octets what the client sent first, records and all @returns undefined: it is none, or not all of it is there */
export function clientHello(octets: Uint8Array): ClientHello | undefined {
  try {
    return read(new Reader(handshake(Buffer.from(octets))));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** `TLS 1.2`; RFC 8446 §4.2.1, and the older ones' own numbers. */
export function versionName(version: number): string {
  return version === 0x0300 ? 'SSL 3.0' : `TLS 1.${version - 0x0301}`;
}

/** The message without its records: it may go over several (RFC 8446 §5.1). @throws RangeError */
function handshake(octets: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let length = 0;
  for (let at = 0; length < 4 || length < 4 + Buffer.concat(pieces).readUIntBE(1, 3);) {
    if (octets.readUInt8(at) !== HANDSHAKE) throw new RangeError('no handshake');
    const end = at + 5 + octets.readUInt16BE(at + 3);
    if (end > octets.length || end === at + 5) throw new RangeError('not all of it is there');
    pieces.push(octets.subarray(at + 5, end));
    length += end - at - 5;
    at = end;
  }
  return Buffer.concat(pieces);
}

function read(message: Reader): ClientHello {
  if (message.number(1) !== CLIENT_HELLO) throw new RangeError('another message');
  const hello = message.vector(3);
  let version = hello.number(2);
  hello.skip(32); // random
  hello.vector(1); // legacy_session_id
  hello.vector(2); // cipher_suites
  hello.vector(1); // legacy_compression_methods
  let serverName: string | undefined;
  const protocols: string[] = [];
  const extensions = hello.left > 0 ? hello.vector(2) : undefined;
  while (extensions !== undefined && extensions.left > 0) {
    const type = extensions.number(2);
    const data = extensions.vector(2);
    if (type === EXTENSIONS.serverName) {
      for (const names = data.vector(2); names.left > 0;) {
        if (names.number(1) === HOST_NAME) serverName ??= names.vector(2).text();
        else names.vector(2);
      }
    } else if (type === EXTENSIONS.protocols) {
      for (const names = data.vector(2); names.left > 0;) protocols.push(names.vector(1).text());
    } else if (type === EXTENSIONS.versions) {
      const offered: number[] = [];
      for (const versions = data.vector(1); versions.left > 0;) offered.push(versions.number(2));
      // Others are there to keep servers from being picky (RFC 8701).
      version = Math.max(...offered.filter((each) => each >= 0x0300 && each <= 0x0304), 0x0300);
    }
  }
  return { version, serverName, protocols };
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

  text(): string {
    return this.#octets.toString('latin1');
  }
}
