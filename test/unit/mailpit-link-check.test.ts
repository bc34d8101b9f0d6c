import { expect, test } from 'vitest';
import { isSpecialAddress, linksOf } from '../../src/http/compatible/mailpit/link-check.ts';

test('links: each once, of HTML and of text, those of the web alone', () => {
  const html = `<a href="https://red.test/?a=1&amp;b=2">x</a><img src='http://red.test/i.png'>
    <td background=http://red.test/b.png><p style="background:url(https://red.test/c.png)"><a href="mailto:a@red.test">
    <a href="https://red.test/?a=1&b=2"><a href="javascript:1"><a href="cid:x"><a href="http://[">`;
  expect(linksOf(html, 'See https://red.test/t. And (http://red.test/i.png), ftp://red.test/')).toEqual([
    'https://red.test/?a=1&b=2',
    'http://red.test/i.png',
    'http://red.test/b.png',
    'https://red.test/c.png',
    'https://red.test/t',
  ]);
  expect(linksOf('', Array.from({ length: 500 }, (_, i) => `http://red.test/${i}`).join(' '))).toHaveLength(200);
});

test.each([
  ...[
    '127.0.0.1',
    '127.9.9.9',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '0.0.0.0',
  ],
  ...['100.64.0.1', '192.0.2.1', '198.18.0.1', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
  ...['::1', '::', 'fe80::1', 'fe80::1%eth0', 'fc00::1', 'fd12::1', 'ff02::1', '::ffff:127.0.0.1', '::ffff:10.0.0.1'],
  ...['64:ff9b::7f00:1', '2002:7f00:1::', '2001:db8::1', '2001::1', '::7f00:1'],
])('%s is no public address', (address) => {
  expect(isSpecialAddress(address)).toBe(true);
});

test.each(['1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00::1', '::ffff:1.1.1.1'])(
  '%s is',
  (address) => {
    expect(isSpecialAddress(address)).toBe(false);
  },
);
