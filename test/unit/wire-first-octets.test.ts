import { expect, it } from 'vitest';
import { firstOctets } from '../../src/wire/first-octets.ts';

it.each([
  ['', 'undecided'],
  ['\x16', 'undecided'],
  ['\x16\x03', 'tls'],
  ['\x16\x03\x01\x02', 'tls'],
  ['\x16a', 'other'],
  ['G', 'undecided'],
  ['GET ', 'undecided'],
  ['GET /', 'http'],
  ['GET http://x', 'http'],
  ['GET NOOP\r\n', 'other'],
  ['OPTIONS * HTTP/1.1', 'http'],
  ['OPTIONSX', 'other'],
  ['POST /', 'http'],
  ['PUT /', 'http'],
  ['HEAD /', 'http'],
  ['PROPFIND /', 'http'],
  ['get /', 'other'],
  ['EHLO x\r\n', 'other'],
  ['a LOGIN', 'other'],
  ['\r\n', 'other'],
])('%j is %s', (octets, expected) => {
  expect(firstOctets(Buffer.from(octets, 'latin1'))).toBe(expected);
});
