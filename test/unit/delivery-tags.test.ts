import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { automaticTags, cleanTag, type Tagging } from '../../src/delivery/tags.ts';

const ALL: Tagging = { disabled: [], login: false, titleCase: false };

function mail(text: string, more: { readonly recipients?: readonly string[]; readonly login?: string } = {}) {
  const octets = Buffer.from(text.replaceAll('\n', '\r\n'));
  return {
    reversePath: 'a@red.test',
    recipients: (more.recipients ?? []).map((address) => ({ address })),
    content: { size: octets.length, octets, file: undefined },
    origin: { login: more.login },
  };
}

test.each([
  ['Subject: none\n\n+tag@body.test\nX-Tags: body\n', [], []],
  ['X-Tags: one, Two words ,one,ONE,a/b!,,\n\n', [], ['one', 'Two words', 'a b']],
  ['x-tags: =?utf-8?q?three?=,\n four\nX-TAGS: five\n\n', [], ['three', 'four', 'five']],
  [
    'To: A <a+x@red.test>, b@red.test, +c@red.test\nCc: d+y+z@red.test\nFrom: e+w@red.test\n\n',
    [],
    ['x', 'y', 'z', 'w'],
  ],
  ['Reply-To: a+no@red.test\n\n', ['hidden+blind@red.test', 'hidden@red.test'], ['blind']],
  ['X-Tags:\n\n', ['"a+b c"@red.test'], ['b c']],
  ['', [], []],
])('%j to %j has %j', async (text, recipients, tags) => {
  expect(await automaticTags(mail(text, { recipients }), ALL)).toEqual(tags);
});

test('sources can be switched off, and the login name on', async () => {
  const tagged = mail('X-Tags: one two\nTo: a+plus@red.test\n\n', { login: 'App.User@red.test' });
  const of = (tagging: Partial<Tagging>) => automaticTags(tagged, { ...ALL, ...tagging });
  expect(await of({ disabled: ['plus-addresses'] })).toEqual(['one two']);
  expect(await of({ disabled: ['x-tags'] })).toEqual(['plus']);
  expect(await of({ disabled: ['x-tags', 'plus-addresses'], login: true })).toEqual(['App.User@red.test']);
  expect(await of({ titleCase: true })).toEqual(['One Two', 'Plus']);
});

test('of a large message, the file is read', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'glassmail-tags-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'message');
  await writeFile(file, `X-Tags: large\r\n\r\n${'x'.repeat(100_000)}`);
  const tagged = { ...mail(''), content: { size: 100_017, octets: undefined, file } };
  expect(await automaticTags(tagged, ALL)).toEqual(['large']);
});

test('what can be no tag is cleaned away', () => {
  expect(cleanTag('  a\t/ b ')).toBe('a b');
  expect(cleanTag('ü')).toBe('');
  expect(cleanTag('x'.repeat(101))).toBe('');
});
