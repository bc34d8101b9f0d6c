import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SQLite from 'better-sqlite3';
import { fc } from '../property.ts';
import { expect, test } from 'vitest';
import { has, IndexReader, IndexWriter, type Found } from '../../src/store/sqlite/search-index.ts';
import { fold, indexedText, matches, type Term } from '../../src/store/sqlite/search-terms.ts';
import type { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { openIn, temporaryFolder, transaction } from './store-temporary.ts';

const MESSAGES = 40; // more than are read without asking the index

async function withMail(folder: string): Promise<SqliteStore> {
  const store = await openIn(folder);
  const texts = Array.from({ length: MESSAGES }, (_, i) => `Subject: number ${i}\r\n\r\nneedle${i % 4} in hay\r\n`);
  await Promise.all(texts.map((text) => store.accept(transaction(Buffer.from(text)))));
  await store.indexed();
  return store;
}

async function count(store: SqliteStore, text = 'needle3'): Promise<number> {
  const account = (await store.findAccount('alice@glass.test'))!;
  const inbox = (await store.findMailbox(account.id, 'INBOX'))!;
  return (await store.searchMessages(account.id, inbox.id, { type: 'body', text })).length;
}

function indexed(folder: string): number[] {
  const db = new SQLite(join(folder, 'search.db'), { readonly: true });
  const ids = db.prepare<[], number>('SELECT id FROM body_index_docsize ORDER BY id').pluck().all();
  db.close();
  return ids;
}

test('is in a database of its own, and is found again', async () => {
  const folder = await temporaryFolder();
  const store = await withMail(folder);
  expect(await count(store)).toBe(MESSAGES / 4);
  await store[Symbol.asyncDispose]();
  expect(indexed(folder)).toHaveLength(MESSAGES);
  const again = await openIn(folder);
  await again.indexed();
  expect(await count(again)).toBe(MESSAGES / 4);
});

test.each([
  ['missing', (path: string) => rm(path)],
  ['no database', (path: string) => writeFile(path, 'x'.repeat(5000))],
  [
    'damaged',
    async (path: string) => {
      const octets = await readFile(path);
      await writeFile(path, octets.fill(0xee, 4096));
    },
  ],
  [
    'of another store',
    async (path: string) => {
      const other = await temporaryFolder();
      await using store = await openIn(other);
      const texts = Array.from({ length: MESSAGES }, () => 'Subject: s\r\n\r\nnothing here\r\n');
      await Promise.all(texts.map((text) => store.accept(transaction(Buffer.from(text)))));
      await store.indexed();
      await store[Symbol.asyncDispose]();
      await copyFile(join(other, 'search.db'), path);
    },
  ],
  ['ahead of its store', (path: string) => run(path, 'UPDATE state SET position = 1000')],
  ['of another version', (path: string) => run(path, 'PRAGMA user_version = 77')],
])('an index that is %s is made anew', async (_, spoil) => {
  const folder = await temporaryFolder();
  const store = await withMail(folder);
  await store[Symbol.asyncDispose]();
  await spoil(join(folder, 'search.db'));
  const again = await openIn(folder);
  expect(await count(again)).toBe(MESSAGES / 4); // whatever the index says
  await again.indexed();
  expect(await count(again)).toBe(MESSAGES / 4);
  await again[Symbol.asyncDispose]();
  expect(indexed(folder)).toHaveLength(MESSAGES);
});

async function run(path: string, sql: string): Promise<void> {
  const db = new SQLite(path);
  db.exec(sql);
  db.close();
}

test('forgets what is gone, also what went while nobody indexed', async () => {
  const folder = await temporaryFolder();
  const store = await withMail(folder);
  const account = (await store.findAccount('alice@glass.test'))!;
  const inbox = (await store.findMailbox(account.id, 'INBOX'))!;
  await store.expunge(account.id, inbox.id, { uids: [1, 2, 3], onlyDeleted: false });
  await store[Symbol.asyncDispose]();
  const again = await openIn(folder);
  await again.accept(transaction(Buffer.from('\r\nneedle3')));
  await again.indexed();
  await again[Symbol.asyncDispose]();
  const last = await openIn(folder);
  await last.indexed();
  await last[Symbol.asyncDispose]();
  expect(indexed(folder)).not.toContain(1);
  expect(indexed(folder)).toHaveLength(MESSAGES - 2);
});

test('waiting for it can be given up', async () => {
  const store = await openIn(await temporaryFolder());
  await store.accept(transaction(Buffer.from('x')));
  const reason = new Error('enough');
  await expect(store.indexed(AbortSignal.abort(reason))).rejects.toBe(reason);
});

test('says of any text what reading the mail says', async () => {
  const piece = fc.constantFrom(
    'a',
    'b',
    'B',
    'ä',
    'ß',
    'a\u0308',
    '\u0308',
    'Å',
    'ª',
    ' ',
    '"',
    '*',
    "'",
    '-',
    '会',
    '议',
    '😀',
    '\0',
    'ab',
    'aba',
    'OR',
  );
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
  const mail = fc
    .tuple(text, text, text)
    .map(([subject, from, body]) =>
      Buffer.from(`Subject: ${subject}\r\nFrom: ${from}\r\nX-Other: ${subject}${from}\r\n\r\n${body}`),
    );
  const name = fc.constantFrom('Subject', 'from', 'X-Other', 'None');
  const term: fc.Arbitrary<Term> = fc.oneof(
    fc.record({ type: fc.constantFrom('body', 'text', 'any-address', 'attachment-name'), text }),
    fc.record({ type: fc.constant('header'), name, text }),
    fc.record({ type: fc.constant('header'), name, text, casemap: fc.constant(true as const) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(mail, { minLength: 1, maxLength: 20 }),
      fc.array(term, { maxLength: 30 }),
      async (mails, terms) => {
        const folder = await mkdtemp(join(tmpdir(), 'glassmail-index-'));
        const writer = IndexWriter.make(folder, 'store');
        try {
          writer.add(
            mails.map((octets, i) => [i + 1, indexedText(octets)] as const),
            mails.length,
          );
          const reader = IndexReader.open(folder)!;
          reader.refresh();
          expect(reader.position).toBe(mails.length);
          for (const each of terms) {
            const wanted = fold('text' in each ? each.text : '');
            const found = answerOf(reader.lookUp(each, wanted, 1, mails.length));
            for (const [i, octets] of mails.entries()) {
              const isMatch = matches(each, wanted, octets);
              // Exact: the same. Otherwise: nothing that matches is left out.
              const exact = found?.exact && !(found.doubtful && has(found.doubtful, i + 1));
              if (found && !found.partial && (exact || isMatch)) expect(has(found, i + 1)).toBe(isMatch);
            }
          }
          reader.close();
        } finally {
          writer.close();
          await rm(folder, { recursive: true });
        }
      },
    ),
    { numRuns: 40 },
  );
});

function answerOf(steps: ReturnType<IndexReader['lookUp']>): Found | undefined {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}
