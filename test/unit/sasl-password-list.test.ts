import { hash } from 'bcryptjs';
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { PasswordList } from '../../src/sasl/password-list.ts';

const sha = (text: string): Buffer => createHash('sha1').update(text).digest();

describe('names and passwords of a file', () => {
  test('are plain, bcrypt, {SHA} or {SSHA}', async () => {
    const salted = Buffer.concat([sha('three' + 'salt'), Buffer.from('salt')]).toString('base64');
    const entries = PasswordList.entries(
      `# people\n\nplain:one:more\nbcrypt:${(await hash('two', 4)).replace('$2b', '$2y')}\r\n` +
        `sha:{SHA}${sha('four').toString('base64')}\nssha:{SSHA}${salted}\nplain:other\n`,
    );
    const list = new PasswordList(entries);
    for (const [name, password] of [
      ['plain', 'one:more'],
      ['plain', 'other'],
      ['bcrypt', 'two'],
      ['ssha', 'three'],
      ['sha', 'four'],
    ] as const) {
      expect([name, await list.check(name, password)]).toEqual([name, true]);
      expect([name, list.knows(name, password)]).toEqual([name, true]);
      expect([name, await list.check(name, `${password}x`)]).toEqual([name, false]);
      expect([name, list.knows(name, `${password}x`)]).toEqual([name, false]);
    }
    expect(await list.check('nobody', 'two')).toBe(false);
    expect(await list.check('bcrypt', entries[1]!.slice('bcrypt:'.length))).toBe(false);
  });

  test('what takes long is known once it has been checked', async () => {
    const list = new PasswordList([`alice:${await hash('secret', 4)}`]);
    expect(list.knows('alice', 'secret')).toBe(false);
    expect(await list.check('alice', 'secret')).toBe(true);
    expect(list.knows('alice', 'secret')).toBe(true);
  });

  test.each([
    ['nobody', 'line 1: must be name:password'],
    ['a:b\nc:', 'line 2: must be name:password'],
    ['a:$2y$10$short', 'line 1: is no whole bcrypt hash'],
    [`a:$2y$31$${'x'.repeat(53)}`, 'line 1: a bcrypt hash of cost 31 takes too long: at most 14'],
    ['a:$apr1$x$y', 'line 1: MD5 is too weak: use bcrypt (htpasswd -B)'],
    ['# nobody\n', 'there is no name:password in it'],
  ])('%j is refused', (text, message) => {
    expect(() => PasswordList.entries(text)).toThrow(message);
  });
});
