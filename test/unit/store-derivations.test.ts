/** What a message is, nobody may be told wrong: one that is gone is not an empty one. */
import { expect, test } from 'vitest';
import { MemoryContent } from '../../src/store/sqlite/content.ts';
import { Derivations } from '../../src/store/sqlite/derivations.ts';
import type { EmailReads } from '../../src/store/sqlite/emails.ts';
import type { SearcherClient } from '../../src/store/sqlite/searcher-client.ts';

const WANTED = { envelope: true, body: true };
const gone = { derive: () => Promise.resolve(undefined) } as unknown as SearcherClient;

function derivations(content: unknown): Derivations {
  return new Derivations({ content: () => content } as unknown as EmailReads, gone);
}

test('an email that is there', async () => {
  const octets = Buffer.from('Subject: hello\r\nContent-Type: text/html\r\n\r\nhello');
  const derived = await derivations(new MemoryContent(octets, 0)).derive(1, WANTED);
  expect(Buffer.from(derived!.envelope!).toString()).toContain('"hello"');
  expect(Buffer.from(derived!.body!).toString()).toContain('"html"');
});

test('one that is gone before it is read', async () => {
  expect(await derivations(undefined).derive(1, WANTED)).toBeUndefined();
});

test('a large one that is gone before the other thread reads it', async () => {
  expect(await derivations({ octets: undefined }).derive(1, WANTED)).toBeUndefined();
});
