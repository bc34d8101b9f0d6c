/** What an eavesdropper sees of a TLS handshake: what passed in clear before the keys were agreed on (RFC 8446 §4, RFC 5246 §7.4). */
import { type ClientHello, type ServerHello, clientHello, serverHello } from './hello.ts';
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
  const hello = flights && clientHello(flights.client.subarray(0, MOST_OCTETS));
  if (flights === undefined || hello === undefined) return null;
  const answer = serverHello(flights.server.subarray(0, MOST_OCTETS));
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

function handshakeFrom(hello: ClientHello, answer: ServerHello | undefined, flights: Flights): Handshake {
  return {
    clientOctets: flights.client.length,
    serverOctets: flights.server.length,
    serverName: hello.serverName ?? null,
    versions: hello.versions.flatMap((version) => VERSIONS[version] ?? []),
    alpn: hello.protocols,
    ciphers: hello.ciphers,
    // RFC 8701: numbers that mean nothing, so that nobody grows used to known ones.
    keyShares: hello.keyShares.filter((group) => (group & 0x0f0f) !== 0x0a0a).map(groupName),
    group: answer?.group === undefined ? null : groupName(answer.group),
    certificateHidden: answer === undefined ? null : answer.version === 0x0304,
  };
}

function groupName(group: number): string {
  return GROUPS[group] ?? `0x${group.toString(16).padStart(4, '0')}`;
}
