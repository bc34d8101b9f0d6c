/** What an eavesdropper sees of a TLS handshake: what passed in clear before the keys were agreed on (RFC 8446 §4, RFC 5246 §7.4). */
import type { Conversation, Direction, RecordedEvent } from '../wire/recorder.ts';

export interface Handshake {
  /** Octets of all that the client sent before the server's first answer, and of that answer up to the client's next words. */
  readonly clientOctets: number;
  readonly serverOctets: number;
  /** The name that the client asked for, readable by everybody. */
  readonly serverName: string | null;
  /** Highest first, as the client offers them: `TLSv1.3`. */
  readonly versions: readonly string[];
  /** Protocols that the client offers to speak under TLS (RFC 7301). */
  readonly alpn: readonly string[];
  /** How many cipher suites it offers. */
  readonly ciphers: number;
  /** Groups for which it has sent a key already: `X25519`. */
  readonly keyShares: readonly string[];
  /** The one that the server took; null: TLS 1.2, or none yet. */
  readonly group: string | null;
  /** From TLS 1.3 on the certificate is hidden from everybody else. */
  readonly certificateHidden: boolean | null;
}

const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const HANDSHAKE = 0x16;
/** RFC 8446 §4.2 */
const SERVER_NAME = 0;
const ALPN = 16;
const SUPPORTED_VERSIONS = 43;
const KEY_SHARE = 51;
const VERSIONS: Readonly<Record<number, string>> = {
  0x0304: 'TLSv1.3',
  0x0303: 'TLSv1.2',
  0x0302: 'TLSv1.1',
  0x0301: 'TLSv1',
};
/** RFC 8446 §4.2.7, draft-ietf-tls-ecdhe-mlkem */
const GROUPS: Readonly<Record<number, string>> = {
  0x0017: 'P-256',
  0x0018: 'P-384',
  0x0019: 'P-521',
  0x001d: 'X25519',
  0x001e: 'X448',
  0x0100: 'ffdhe2048',
  0x0101: 'ffdhe3072',
  0x11eb: 'SecP256r1MLKEM768',
  0x11ec: 'X25519MLKEM768',
};
/** More than a handshake's first words ever are. */
const MOST_OCTETS = 65_536;

const known = new WeakMap<Conversation, Handshake>();

/** @returns null: there was none, or its start is not kept */
export function handshakeOf(conversation: Conversation): Handshake | null {
  const before = known.get(conversation);
  if (before !== undefined) return before;
  const client: Direction = conversation.role === 'server' ? 'in' : 'out';
  const flights = flightsOf(conversation.since(0).events, client);
  const hello = flights && helloOf(flights.client, CLIENT_HELLO);
  if (flights === undefined || hello === undefined) return null;
  const answer = helloOf(flights.server, SERVER_HELLO);
  const handshake = handshakeFrom(hello, answer, flights);
  if (flights.isComplete) known.set(conversation, handshake);
  return handshake;
}

interface Flights {
  readonly client: Buffer;
  readonly server: Buffer;
  readonly isComplete: boolean;
}

/** What each side sent first, once TLS began. */
function flightsOf(events: readonly RecordedEvent[], client: Direction): Flights | undefined {
  const from = events.findIndex((event) => event.type === 'tls' && event.tls.step === 'start');
  if (from === -1) return undefined;
  const pieces: Record<'client' | 'server', Uint8Array[]> = { client: [], server: [] };
  let isComplete = false;
  for (const event of events) {
    // On a port that begins with TLS the client's first octets come before the step is noted.
    if (event.type !== 'octets' || event.view !== 'network') continue;
    if (event.direction === client) {
      isComplete = pieces.server.length > 0;
      if (isComplete) break;
      pieces.client.push(event.octets);
    } else pieces.server.push(event.octets);
  }
  return { client: Buffer.concat(pieces.client), server: Buffer.concat(pieces.server), isComplete };
}

interface Hello {
  readonly version: number;
  readonly ciphers: number;
  readonly extensions: ReadonlyMap<number, Buffer>;
}

/** Octets of anybody: what does not fit ends the reading. */
function helloOf(flight: Buffer, type: number): Hello | undefined {
  try {
    const message = firstMessage(flight.subarray(0, MOST_OCTETS));
    if (message[0] !== type) return undefined;
    let at = 4 + 2 + 32;
    at += 1 + message.readUInt8(at);
    const ciphers = type === CLIENT_HELLO ? message.readUInt16BE(at) / 2 : 1;
    at += type === CLIENT_HELLO ? 2 + 2 * ciphers : 2;
    at += type === CLIENT_HELLO ? 1 + message.readUInt8(at) : 1;
    const extensions = new Map<number, Buffer>();
    const end = at + 2 + message.readUInt16BE(at);
    for (at += 2; at + 4 <= end;) {
      const length = message.readUInt16BE(at + 2);
      extensions.set(message.readUInt16BE(at), message.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    return { version: message.readUInt16BE(4), ciphers, extensions };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The first message of a handshake, put together from the records that it lies in (RFC 8446 §5.1). */
function firstMessage(flight: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at + 5 <= flight.length && flight[at] === HANDSHAKE;) {
    const length = flight.readUInt16BE(at + 3);
    pieces.push(flight.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  const all = Buffer.concat(pieces);
  return all.subarray(0, 4 + all.readUIntBE(1, 3));
}

function handshakeFrom(hello: Hello, answer: Hello | undefined, flights: Flights): Handshake {
  const chosen = answer && numbersOf(answer.extensions.get(SUPPORTED_VERSIONS), 0)[0];
  const share = answer?.extensions.get(KEY_SHARE);
  const offered = numbersOf(hello.extensions.get(SUPPORTED_VERSIONS), 1);
  return {
    clientOctets: flights.client.length,
    serverOctets: flights.server.length,
    serverName: serverNameOf(hello.extensions.get(SERVER_NAME)),
    versions: (offered.length > 0 ? offered : [hello.version]).flatMap((version) => VERSIONS[version] ?? []),
    alpn: alpnOf(hello.extensions.get(ALPN)),
    ciphers: hello.ciphers,
    keyShares: keySharesOf(hello.extensions.get(KEY_SHARE)),
    group: share === undefined || share.length < 2 ? null : groupName(share.readUInt16BE(0)),
    certificateHidden: answer === undefined ? null : chosen === 0x0304,
  };
}

function numbersOf(octets: Buffer | undefined, from: number): number[] {
  const found: number[] = [];
  for (let at = from; octets !== undefined && at + 2 <= octets.length; at += 2) found.push(octets.readUInt16BE(at));
  return found;
}

/** RFC 6066 §3 */
function serverNameOf(octets: Buffer | undefined): string | null {
  if (octets === undefined || octets.length < 5) return null;
  return octets.toString('latin1', 5, 5 + octets.readUInt16BE(3)).replace(/[^\x21-\x7e]/g, '?');
}

/** RFC 7301 §3.1 */
function alpnOf(octets: Buffer | undefined): string[] {
  const found: string[] = [];
  for (let at = 2; octets !== undefined && at < octets.length;) {
    const length = octets[at]!;
    found.push(octets.toString('latin1', at + 1, at + 1 + length).replace(/[^\x21-\x7e]/g, '?'));
    at += 1 + length;
  }
  return found;
}

/** RFC 8446 §4.2.8 */
function keySharesOf(octets: Buffer | undefined): string[] {
  const found: string[] = [];
  for (let at = 2; octets !== undefined && at + 4 <= octets.length;) {
    const group = octets.readUInt16BE(at);
    // RFC 8701: numbers that mean nothing, so that nobody grows used to known ones.
    if ((group & 0x0f0f) !== 0x0a0a) found.push(groupName(group));
    at += 4 + octets.readUInt16BE(at + 2);
  }
  return found;
}

function groupName(group: number): string {
  return GROUPS[group] ?? `0x${group.toString(16).padStart(4, '0')}`;
}
