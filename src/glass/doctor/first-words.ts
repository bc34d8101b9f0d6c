/** What else than mail may knock: protocols told by the first octets that a client says. */

const SIGNS: readonly (readonly [name: string, RegExp])[] = [
  ['SSH', /^SSH-[12]/],
  ['SOCKS 5', /^\x05[\x01-\x09]/],
  ['SOCKS 4', /^\x04[\x01\x02]/],
  ['RDP', /^\x03\x00\x00/],
  ['an HTTP proxy', /^CONNECT \S+:\d/i],
  ['SIP', /^(?:OPTIONS|REGISTER|INVITE) sips?:/i],
  ['RTSP', /^(?:OPTIONS|DESCRIBE) rtsp:/i],
  ['HTTP/2', /^PRI \* HTTP\/2/],
  ['PostgreSQL', /^\x00\x00\x00\x08\x04\xd2\x16\x2f/],
  ['MQTT', /^\x10.\x00\x04MQTT/s],
  ['LDAP', /^0[\x0c-\x84].{0,4}\x02\x01[\x00-\x0f]\x60/s],
  ['SMB', /^\x00\x00.{2}[\xfe\xff]SMB/s],
];

/** @returns the protocol's name; undefined: none of those */
export function strangeFirstWords(octets: Uint8Array): string | undefined {
  const start = Buffer.from(octets.subarray(0, 32)).toString('latin1');
  return SIGNS.find(([, sign]) => sign.test(start))?.[0];
}
