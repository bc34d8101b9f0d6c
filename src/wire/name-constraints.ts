/**
 * The name constraints of a certificate authority: RFC 5280 §4.2.1.10, written and read. Only the kinds that a server's
 * certificate has: DNS names and IP addresses.
 */
import { BlockList, isIP } from 'node:net';

export interface PermittedNames {
  /** Each permits itself and its subdomains. */
  readonly dns: readonly string[];
  readonly addresses: BlockList;
}

const SEQUENCE = 0x30;
const PERMITTED_SUBTREES = 0xa0;
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;
const OCTET_STRING = 0x04;
const BOOLEAN = 0x01;

/** The OID 2.5.29.30, with its DER tag and length. */
const NAME_CONSTRAINTS = Buffer.from([0x06, 0x03, 0x55, 0x1d, 0x1e]);

/** @returns the extension's value in DER; `networks` in the form `10.0.0.0/8` */
export function nameConstraints(dns: readonly string[], networks: readonly string[]): Buffer {
  const subtrees = [
    ...dns.map((name) => der(SEQUENCE, der(DNS_NAME, Buffer.from(name, 'latin1')))),
    ...networks.map((network) => der(SEQUENCE, der(IP_ADDRESS, addressAndMask(network)))),
  ];
  return der(SEQUENCE, der(PERMITTED_SUBTREES, Buffer.concat(subtrees)));
}

/** What a certificate permits by DNS name and address; nothing, if it has no such extension. */
export function permittedNames(certificate: Uint8Array): PermittedNames {
  const octets = Buffer.from(certificate);
  const dns: string[] = [];
  const addresses = new BlockList();
  const at = octets.indexOf(NAME_CONSTRAINTS);
  if (at === -1) return { dns, addresses };
  let [value] = elements(octets.subarray(at + NAME_CONSTRAINTS.length));
  if (value?.tag === BOOLEAN) [, value] = elements(octets.subarray(at + NAME_CONSTRAINTS.length));
  if (value?.tag !== OCTET_STRING) return { dns, addresses };
  const [constraints] = elements(value.content);
  const permitted = [...elements(constraints?.content ?? Buffer.alloc(0))].find(
    ({ tag }) => tag === PERMITTED_SUBTREES,
  );
  for (const subtree of elements(permitted?.content ?? Buffer.alloc(0))) {
    const [base] = elements(subtree.content);
    if (base?.tag === DNS_NAME) dns.push(base.content.toString('latin1').toLowerCase());
    if (base?.tag === IP_ADDRESS) addNetwork(addresses, base.content);
  }
  return { dns, addresses };
}

/** Whether a certificate with this name or address would be valid under such an authority. */
export function permits(permitted: PermittedNames, name: string): boolean {
  const family = isIP(name);
  if (family !== 0) return permitted.addresses.check(name, family === 6 ? 'ipv6' : 'ipv4');
  return permitted.dns.some((suffix) => name === suffix || name.endsWith(`.${suffix}`));
}

function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const head =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

/** The elements that follow one another, as far as they are whole. */
function* elements(octets: Buffer): Generator<{ readonly tag: number; readonly content: Buffer }> {
  let at = 0;
  while (at + 2 <= octets.length) {
    const tag = octets[at]!;
    let length = octets[at + 1]!;
    at += 2;
    if (length >= 0x80) {
      const digits = length & 0x7f;
      if (digits === 0 || digits > 4 || at + digits > octets.length) return;
      length = octets.readUIntBE(at, digits);
      at += digits;
    }
    if (at + length > octets.length) return;
    yield { tag, content: octets.subarray(at, at + length) };
    at += length;
  }
}

/** Address and mask, 4 octets each for IPv4 and 16 for IPv6. */
function addressAndMask(network: string): Buffer {
  const [address, prefix] = network.split('/') as [string, string];
  const octets = addressOctets(address);
  const mask = Buffer.alloc(octets.length);
  for (let bit = 0; bit < Number(prefix); bit++) mask[bit >> 3]! |= 0x80 >> (bit & 7);
  return Buffer.concat([octets.map((octet, i) => octet & mask[i]!), mask]);
}

function addressOctets(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [before = '', after] = address.split('::');
  const groups = (text: string | undefined): number[] =>
    text === undefined || text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const head = groups(before);
  const tail = groups(after);
  const all = [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

function addNetwork(list: BlockList, octets: Buffer): void {
  const half = octets.length / 2;
  const mask = octets.subarray(half);
  const prefix = [...mask].reduce((bits, octet) => bits + (octet.toString(2).match(/1/g)?.length ?? 0), 0);
  if (half === 4) list.addSubnet([...octets.subarray(0, 4)].join('.'), prefix, 'ipv4');
  else if (half === 16) {
    const groups = octets.subarray(0, 16).toString('hex').match(/.{4}/g)!;
    list.addSubnet(groups.join(':'), prefix, 'ipv6');
  }
}
