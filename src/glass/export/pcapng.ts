/**
 * Conversations as a file for Wireshark and its like: pcapng (draft-ietf-opsawg-pcapng), with the keys of TLS beside the
 * packets if they are wanted. The octets and their times were recorded above TCP, so the packets are made: real addresses,
 * ports, octets and times, and as much of TCP (RFC 9293) as it takes to put them together again. Octets that were not kept
 * are missing in the packets too, as a segment that was not captured.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { Conversation, Direction, RecordedEvent } from '../../wire/recorder.ts';

/** Block types. */
const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE = 1;
const ENHANCED_PACKET = 6;
const DECRYPTION_SECRETS = 10;
/** The secrets of a block are a key log of TLS: `TLSK`. */
const TLS_KEY_LOG = 0x544c534b;
/** Packets begin with their IP header. */
const LINKTYPE_RAW = 101;

const OPTION_COMMENT = 1;
const OPTION_TIME_RESOLUTION = 9;
const MICROSECONDS = 6;

/** RFC 9293 §3.1 */
const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const PSH = 0x08;
const ACK = 0x10;
const PROTOCOL_TCP = 6;
/** What an Ethernet carries: how the network really cut the octets is not known. */
const SEGMENT = 1460;
/** Sequence numbers of the two sides begin here. */
const FIRST_SEQUENCE: Readonly<Record<Direction, number>> = { in: 1_000_000, out: 2_000_000 };

interface Packet {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly octets: Buffer;
  readonly comment: string | undefined;
}

/** @param withKeys the TLS of these conversations can be read with the file */
export function pcapng(conversations: readonly Conversation[], withKeys: boolean): Buffer {
  const comment = 'Made by glassmail from the octets that it recorded: the TCP headers are its own.';
  const blocks = [sectionHeader(comment), interfaceBlock()];
  const keys = withKeys ? conversations.flatMap(({ keyLog }) => keyLog) : [];
  if (keys.length > 0) blocks.push(secretsBlock(`${keys.join('\n')}\n`));
  const packets = conversations.flatMap((conversation) => [...packetsOf(conversation)]);
  packets.sort((a, b) => a.at - b.at);
  for (const packet of packets) blocks.push(packetBlock(packet));
  return Buffer.concat(blocks);
}

// -------------------------------------------------------------------------------------------------------- packets

function* packetsOf(conversation: Conversation): Generator<Packet> {
  const { events } = conversation.since(0);
  const stream = new Stream(conversation);
  yield* stream.opens();
  for (const event of events) yield* stream.passes(event);
}

class Stream {
  readonly #conversation: Conversation;
  /** How many octets each side has sent, as far as is known. */
  readonly #sent: Record<Direction, number> = { in: 0, out: 0 };
  #identification = 0;

  constructor(conversation: Conversation) {
    this.#conversation = conversation;
  }

  /** RFC 9293 §3.5: who dialled begins. */
  *opens(): Generator<Packet> {
    const dialler: Direction = this.#conversation.role === 'server' ? 'in' : 'out';
    const other: Direction = dialler === 'in' ? 'out' : 'in';
    const { service, id } = this.#conversation;
    yield this.#packet(0, dialler, SYN, -1, undefined, `glassmail conversation ${id}, ${service}`);
    yield this.#packet(0, other, SYN | ACK, -1);
    yield this.#packet(0, dialler, ACK, 0);
  }

  *passes(event: RecordedEvent): Generator<Packet> {
    if (event.type === 'closed') {
      const by: Direction = event.by === 'peer' ? 'in' : 'out';
      const isOrderly = event.how === 'fin' || event.how === 'timeout';
      yield this.#packet(event.at, by, isOrderly ? FIN | ACK : RST | ACK, this.#sent[by]);
      return;
    }
    if (event.type !== 'octets' || event.view === 'ends') return;
    const { direction, position, at } = event;
    const missing = position - this.#sent[direction];
    const octets = Buffer.from(event.octets.buffer, event.octets.byteOffset, event.octets.length);
    for (let from = 0; from < octets.length; from += SEGMENT) {
      const piece = octets.subarray(from, from + SEGMENT);
      const flags = from + SEGMENT >= octets.length ? PSH | ACK : ACK;
      const comment = missing > 0 && from === 0 ? `${missing} octets before these were not kept` : undefined;
      yield this.#packet(at, direction, flags, position + from, piece, comment);
    }
    this.#sent[direction] = position + octets.length;
  }

  /** @param position of its first octet; -1 for a SYN, which takes a number itself */
  #packet(
    at: number,
    direction: Direction,
    flags: number,
    position: number,
    octets: Buffer = Buffer.alloc(0),
    comment?: string,
  ): Packet {
    const { local, remote, openedAt } = this.#conversation;
    const [from, to] = direction === 'in' ? [remote, local] : [local, remote];
    const other: Direction = direction === 'in' ? 'out' : 'in';
    const acknowledged = (flags & ACK) === 0 ? 0 : FIRST_SEQUENCE[other] + 1 + this.#sent[other];
    const segment = Buffer.alloc(20 + octets.length);
    segment.writeUInt16BE(from.port, 0);
    segment.writeUInt16BE(to.port, 2);
    segment.writeUInt32BE((FIRST_SEQUENCE[direction] + 1 + position) >>> 0, 4);
    segment.writeUInt32BE(acknowledged >>> 0, 8);
    segment[12] = 5 << 4;
    segment[13] = flags;
    segment.writeUInt16BE(0xffff, 14);
    octets.copy(segment, 20);
    const [source, destination] = addresses(from.address, to.address);
    const pseudo = pseudoHeader(source, destination, segment.length);
    segment.writeUInt16BE(checksum(Buffer.concat([pseudo, segment])), 16);
    const header =
      source.length === 4 ? this.#ipv4(source, destination, segment.length) : ipv6(source, destination, segment.length);
    return { at: openedAt + at, octets: Buffer.concat([header, segment]), comment };
  }

  /** RFC 791 §3.1 */
  #ipv4(source: Buffer, destination: Buffer, length: number): Buffer {
    const header = Buffer.alloc(20);
    header[0] = 0x45;
    header.writeUInt16BE(20 + length, 2);
    header.writeUInt16BE(this.#identification++ & 0xffff, 4);
    header.writeUInt16BE(0x4000, 6); // it is not to be cut
    header[8] = 64;
    header[9] = PROTOCOL_TCP;
    source.copy(header, 12);
    destination.copy(header, 16);
    header.writeUInt16BE(checksum(header), 10);
    return header;
  }
}

/** RFC 8200 §3 */
function ipv6(source: Buffer, destination: Buffer, length: number): Buffer {
  const header = Buffer.alloc(40);
  header[0] = 0x60;
  header.writeUInt16BE(length, 4);
  header[6] = PROTOCOL_TCP;
  header[7] = 64;
  source.copy(header, 8);
  destination.copy(header, 24);
  return header;
}

/** RFC 9293 §3.1, RFC 8200 §8.1 */
function pseudoHeader(source: Buffer, destination: Buffer, length: number): Buffer {
  const rest = Buffer.alloc(source.length === 4 ? 4 : 8);
  if (source.length === 4) {
    rest[1] = PROTOCOL_TCP;
    rest.writeUInt16BE(length, 2);
  } else {
    rest.writeUInt32BE(length, 0);
    rest[7] = PROTOCOL_TCP;
  }
  return Buffer.concat([source, destination, rest]);
}

/** RFC 1071 */
function checksum(octets: Buffer): number {
  let sum = 0;
  for (let at = 0; at < octets.length; at += 2) sum += (octets[at]! << 8) | (octets[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** Both of one kind, as a packet has them; what is no address is all zeros. */
function addresses(source: string, destination: string): readonly [Buffer, Buffer] {
  const isOld = (address: string): boolean => isIPv4(address) || !isIPv6(bare(address));
  const octets = isOld(source) && isOld(destination) ? ipv4Octets : ipv6Octets;
  return [octets(source), octets(destination)];
}

/** Without the zone of a link-local address: RFC 4007 §11. */
function bare(address: string): string {
  return address.split('%', 1)[0]!;
}

function ipv4Octets(address: string): Buffer {
  return Buffer.from(isIPv4(address) ? address.split('.').map(Number) : [0, 0, 0, 0]);
}

function ipv6Octets(address: string): Buffer {
  const octets = Buffer.alloc(16);
  const plain = bare(address);
  if (isIPv4(plain)) {
    octets.fill(0xff, 10, 12);
    ipv4Octets(plain).copy(octets, 12);
    return octets;
  }
  if (!isIPv6(plain)) return octets;
  // The last two groups may be written as an IPv4 address: RFC 4291 §2.2.
  const written = plain.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a: string, b: string, c: string, d: string) => {
    const group = (high: string, low: string): string => ((Number(high) << 8) | Number(low)).toString(16);
    return `${group(a, b)}:${group(c, d)}`;
  });
  const [head = '', tail] = written.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  groups(head).forEach((group, i) => octets.writeUInt16BE(Number.parseInt(group, 16), 2 * i));
  const last = groups(tail ?? '');
  last.forEach((group, i) => octets.writeUInt16BE(Number.parseInt(group, 16), 16 - 2 * (last.length - i)));
  return octets;
}

// --------------------------------------------------------------------------------------------------------- blocks

function block(type: number, body: Buffer): Buffer {
  const padded = padded32(body);
  const length = 12 + padded.length;
  const head = Buffer.alloc(8);
  head.writeUInt32LE(type, 0);
  head.writeUInt32LE(length, 4);
  const end = Buffer.alloc(4);
  end.writeUInt32LE(length, 0);
  return Buffer.concat([head, padded, end]);
}

function padded32(octets: Buffer): Buffer {
  const missing = (4 - (octets.length % 4)) % 4;
  return missing === 0 ? octets : Buffer.concat([octets, Buffer.alloc(missing)]);
}

function option(code: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(code, 0);
  head.writeUInt16LE(value.length, 2);
  return Buffer.concat([head, padded32(value)]);
}

const END_OF_OPTIONS = Buffer.alloc(4);

function sectionHeader(comment: string): Buffer {
  const body = Buffer.alloc(16);
  body.writeUInt32LE(0x1a2b3c4d, 0); // in which order the octets of numbers are
  body.writeUInt16LE(1, 4);
  body.writeBigInt64LE(-1n, 8); // the section's length is not said
  return block(SECTION_HEADER, Buffer.concat([body, option(OPTION_COMMENT, Buffer.from(comment)), END_OF_OPTIONS]));
}

function interfaceBlock(): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt16LE(LINKTYPE_RAW, 0);
  const resolution = option(OPTION_TIME_RESOLUTION, Buffer.from([MICROSECONDS]));
  return block(INTERFACE, Buffer.concat([body, resolution, END_OF_OPTIONS]));
}

function secretsBlock(keyLog: string): Buffer {
  const octets = Buffer.from(keyLog, 'latin1');
  const body = Buffer.alloc(8);
  body.writeUInt32LE(TLS_KEY_LOG, 0);
  body.writeUInt32LE(octets.length, 4);
  return block(DECRYPTION_SECRETS, Buffer.concat([body, octets]));
}

function packetBlock({ at, octets, comment }: Packet): Buffer {
  const body = Buffer.alloc(20);
  const microseconds = BigInt(Math.round(at * 1000));
  body.writeUInt32LE(Number(microseconds >> 32n), 4);
  body.writeUInt32LE(Number(microseconds & 0xffffffffn), 8);
  body.writeUInt32LE(octets.length, 12);
  body.writeUInt32LE(octets.length, 16);
  const options =
    comment === undefined
      ? Buffer.alloc(0)
      : Buffer.concat([option(OPTION_COMMENT, Buffer.from(comment)), END_OF_OPTIONS]);
  return block(ENHANCED_PACKET, Buffer.concat([body, padded32(octets), options]));
}
