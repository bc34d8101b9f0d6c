/** What both sides of TLS say first. */
import { describe, expect, it } from 'vitest';
import { clientHello, highestVersion, serverHello, versionName } from '../../src/glass/hello.ts';
import { clientHello as realHello } from '../client-hello.ts';
import { fc } from '../property.ts';

const octets = (hex: string): Buffer => Buffer.from(hex.replace(/\s/g, ''), 'hex');

/** A handshake message in one record. */
function message(type: number, body: Buffer): Buffer {
  const lengths = [body.length + 4, body.length].map((length) => length.toString(16).padStart(6, '0'));
  return Buffer.concat([octets(`160303${lengths[0]!.slice(2)} 0${type}${lengths[1]}`), body]);
}

const RANDOM = '00'.repeat(32);

describe('a ClientHello', () => {
  it('is read from a real ClientHello, in one record or several', async () => {
    const whole = await realHello();
    expect(clientHello(whole)).toMatchObject({ serverName: undefined, protocols: [] });
    expect(highestVersion(clientHello(whole)!)).toBe(0x0304);
    const body = whole.subarray(5);
    const record = (part: Buffer): Buffer =>
      Buffer.concat([Buffer.from([0x16, 3, 1, part.length >> 8, part.length & 255]), part]);
    const parts = Buffer.concat([record(body.subarray(0, 3)), record(body.subarray(3, 50)), record(body.subarray(50))]);
    expect(clientHello(parts)).toEqual(clientHello(whole));
    for (let length = 0; length < whole.length; length += 7)
      expect(clientHello(whole.subarray(0, length))).toBeUndefined();
  });

  it('says by what name the server is called, what is offered, and for which groups there are keys', () => {
    const extensions = octets(`
      0000 000b 0009 00 0006 612e74657374
      0010 0007 0005 04 696d6170
      002b 0005 04 1a1a 0303
      0033 000a 0008 0a0a 0000 001d 0000`);
    const body = Buffer.concat([
      octets(`0303 ${RANDOM} 00 0004 1301 1302 01 00 ${extensions.length.toString(16).padStart(4, '0')}`),
      extensions,
    ]);
    const hello = clientHello(message(1, body))!;
    expect(hello).toEqual({
      versions: [0x1a1a, 0x0303],
      ciphers: 2,
      serverName: 'a.test',
      protocols: ['imap'],
      keyShares: [0x0a0a, 0x001d],
    });
    expect(highestVersion(hello)).toBe(0x0303);
  });

  it('without extensions is one all the same', () => {
    const hello = clientHello(message(1, octets(`0301 ${RANDOM} 00 0002 002f 01 00`)));
    expect(hello).toEqual({ versions: [0x0301], ciphers: 1, serverName: undefined, protocols: [], keyShares: [] });
  });
});

describe('a ServerHello', () => {
  it.each([
    ['TLS 1.3', '0010 002b 0002 0304 0033 0006 001d 0002 0000', { version: 0x0304, group: 0x001d }],
    ['a wish for another key', '000c 002b 0002 0304 0033 0002 0017', { version: 0x0304, group: 0x0017 }],
    ['TLS 1.2', '', { version: 0x0303, group: undefined }],
  ])('of %s', (_, extensions, expected) => {
    expect(serverHello(message(2, octets(`0303 ${RANDOM} 00 1301 00 ${extensions}`)))).toEqual(expected);
  });

  it('is no ClientHello', () => {
    expect(clientHello(message(2, octets(`0303 ${RANDOM} 00 1301 00`)))).toBeUndefined();
  });
});

it('octets of anybody are never more than undefined', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (any) => {
      for (const type of [1, 2]) {
        const begun = Buffer.concat([Buffer.from([0x16, 3, 1, 0, any.length & 255, type, 0, 0]), any]);
        for (const each of [any, begun, message(type, Buffer.from(any))]) {
          clientHello(each);
          serverHello(each);
        }
      }
    }),
  );
});

it.each([
  [0x0300, 'SSL 3.0'],
  [0x0301, 'TLS 1.0'],
  [0x0303, 'TLS 1.2'],
  [0x0304, 'TLS 1.3'],
])('has versions that people know: %i', (version, name) => {
  expect(versionName(version)).toBe(name);
});
