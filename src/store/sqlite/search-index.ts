/** The search index: one thread writes it, another asks it. Its tables are described in `search-schema.sql`. */
import { readFileSync, rmSync } from 'node:fs';
import SQLite from 'better-sqlite3';
import { openForReading, searchFile, type Database } from './database.ts';
import { fold, isFaithful, type FoldedText, type IndexedText, type Term } from './search-terms.ts';
import { textFile } from './worker-file.ts';

const VERSION = 3;
const MARK = '\x01';
/** Ends each text; no text contains it. A character of one octet: with others, V8 doubles the memory of the whole text. */
const END = MARK + MARK;
/** Ends a text that is not as i;unicode-casemap has it. */
const UNFAITHFUL_END = END + MARK;
/** Tokens looked at for a substring of one or two characters: beyond that, reading the mail is not slower. */
const MOST_TOKENS = 300_000;
/** A look-up answers for this many ids at once. */
const WINDOW = 200_000;

const terminated = (text: string, end = END): string => (text === '' ? '' : text.replaceAll(MARK, ' ') + end);
const marked = ({ text, faithful }: FoldedText): string => terminated(text, faithful ? END : UNFAITHFUL_END);

// ------------------------------------------------------------------------------------------------------ writing

export class IndexWriter {
  readonly #db: Database;
  readonly #statements;
  position: number;

  /** Opens the index of this store; one that is damaged, of another store or ahead of its store is made anew. */
  static open(folder: string, store: string, nextEmail: number): IndexWriter {
    const path = searchFile(folder);
    try {
      const known = openForWriting(path);
      if (isOf(known, store, nextEmail)) return new IndexWriter(known);
      known.close();
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
    return IndexWriter.make(folder, store);
  }

  static make(folder: string, store: string): IndexWriter {
    const path = searchFile(folder);
    for (const ending of ['', '-wal', '-shm']) rmSync(path + ending, { force: true });
    const db = openForWriting(path);
    db.exec(readFileSync(textFile('search-schema.sql'), 'utf8'));
    db.prepare('INSERT INTO state (id, store, position) VALUES (1, ?, 0)').run(store);
    return new IndexWriter(db);
  }

  private constructor(db: Database) {
    this.#db = db;
    this.position = db.prepare<[], number>('SELECT position FROM state').pluck().get()!;
    this.#statements = {
      insertFields: db.prepare<[number, string, string, string, string, string, string, string]>(
        `INSERT INTO field_index (rowid, subject_text, from_text, to_text, cc_text, bcc_text, other_addresses, file_names)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
      insertHeader: db.prepare<[number, string]>('INSERT INTO header_index (rowid, header_text) VALUES (?, ?)'),
      insertBody: db.prepare<[number, string]>('INSERT INTO body_index (rowid, body_text) VALUES (?, ?)'),
      insertUnparsed: db.prepare<[number]>('INSERT OR IGNORE INTO unparsed (email_id) VALUES (?)'),
      setPosition: db.prepare<[number]>('UPDATE state SET position = ?'),
      deletes: ['field_index', 'header_index', 'body_index'].map((table) =>
        db.prepare<[number]>(`DELETE FROM ${table} WHERE rowid = ?`),
      ),
      deleteUnparsed: db.prepare<[number]>('DELETE FROM unparsed WHERE email_id = ?'),
      // The ids that the index has, in the table where FTS5 keeps the sizes of rows.
      ids: db
        .prepare<[number, number], number>('SELECT id FROM field_index_docsize WHERE id > ? ORDER BY id LIMIT ?')
        .pluck(),
    };
  }

  /** @param emails in the order of their ids, undefined for what could not be parsed  @param position the last id */
  add(emails: readonly (readonly [id: number, text: IndexedText | undefined])[], position: number): void {
    const { insertFields, insertHeader, insertBody, insertUnparsed, setPosition } = this.#statements;
    this.#db.transaction(() => {
      for (const [id, text] of emails) {
        if (!text) {
          insertUnparsed.run(id);
          continue;
        }
        insertFields.run(
          id,
          marked(text.subject),
          marked(text.from),
          marked(text.to),
          marked(text.cc),
          marked(text.bcc),
          terminated(text.otherAddresses),
          terminated(text.fileNames),
        );
        insertHeader.run(id, terminated(text.headers));
        insertBody.run(id, terminated(text.body));
      }
      setPosition.run(position);
    })();
    this.position = position;
  }

  remove(ids: readonly number[]): void {
    this.#db.transaction(() => {
      for (const id of ids) {
        if (id > this.position) continue;
        for (const statement of this.#statements.deletes) statement.run(id);
        this.#statements.deleteUnparsed.run(id);
      }
    })();
  }

  /** Ids that the index has, ascending. */
  idsAfter(id: number, limit: number): number[] {
    return this.#statements.ids.all(id, limit);
  }

  close(): void {
    this.#db.close();
  }
}

function openForWriting(path: string): Database {
  const db = new SQLite(path);
  db.pragma('journal_mode = WAL');
  // Whole after any crash; that it may lack the last commits is no harm, for its position is in it too.
  db.pragma('synchronous = NORMAL');
  db.pragma('wal_autocheckpoint = 4000');
  db.pragma('journal_size_limit = 67108864');
  db.pragma('cache_size = -4000');
  return db;
}

function isOf(db: Database, store: string, nextEmail: number): boolean {
  if (db.pragma('user_version', { simple: true }) !== VERSION) return false;
  const state = db.prepare<[], { store: string; position: number }>('SELECT store, position FROM state').get();
  return state?.store === store && state.position < nextEmail;
}

export function isDamage(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && /^SQLITE_(CORRUPT|NOTADB|ERROR|FORMAT)/.test(code);
}

// ------------------------------------------------------------------------------------------------------- asking

/** One bit for each id, from `first`. */
interface Bits {
  readonly first: number;
  readonly bits: Uint8Array;
}

/** Which of a range of ids match, as far as the index knows. */
export interface Found extends Bits {
  /** Exact, or only what must be looked at more closely. */
  readonly exact: boolean;
  /** Of what is exact otherwise, those that must be looked at more closely all the same. */
  readonly doubtful: Bits | undefined;
  /** Those without a bit may match too: the index gave up. */
  readonly partial: boolean;
}

export const has = ({ first, bits }: Bits, id: number): boolean =>
  ((bits[(id - first) >> 3] ?? 0) & (1 << ((id - first) & 7))) !== 0;

interface Question {
  readonly tables: readonly ('field' | 'header' | 'body')[];
  /** Of the field table; undefined: all. */
  readonly columns?: readonly string[];
  /** All of them must be in a row. */
  readonly texts: readonly string[];
  readonly exact: boolean;
  /** Texts that folding has changed in more than case are to be looked at. */
  readonly onlyFaithful?: boolean;
}

const FIELD_COLUMNS: Readonly<Record<string, string>> = {
  subject: 'subject_text',
  from: 'from_text',
  to: 'to_text',
  cc: 'cc_text',
  bcc: 'bcc_text',
};
const ADDRESS_COLUMNS = ['from_text', 'to_text', 'cc_text', 'bcc_text', 'other_addresses'];

export class IndexReader {
  readonly #db: Database;
  position = 0;
  unparsed: ReadonlySet<number> = new Set();
  readonly #position;
  readonly #unparsed;

  /** Undefined when there is no usable index. */
  static open(folder: string): IndexReader | undefined {
    try {
      return new IndexReader(openForReading(searchFile(folder), 4_000));
    } catch {
      return undefined;
    }
  }

  private constructor(db: Database) {
    this.#db = db;
    this.#position = db.prepare<[], number>('SELECT position FROM state').pluck();
    this.#unparsed = db.prepare<[], number>('SELECT email_id FROM unparsed').pluck();
  }

  /** Before each search: up to where the index reaches. */
  refresh(): void {
    this.position = this.#position.get()!;
    this.unparsed = new Set(this.#unparsed.all());
  }

  /** Undefined: the index cannot say anything about this term. */
  *lookUp(term: Term, wanted: string, from: number, to: number): Generator<undefined, Found | undefined> {
    const question = toQuestion(term, wanted);
    if (!question) return undefined;
    const none = (): Bits => ({ first: from, bits: new Uint8Array(((to - from) >> 3) + 1) });
    const doubtful = question.onlyFaithful ? none() : undefined;
    const found = { ...none(), exact: question.exact, doubtful };
    const unfaithful = { ...question, texts: [UNFAITHFUL_END] };
    for (let start = from; doubtful && start <= to; start += WINDOW) {
      this.#lookUpWindow(unfaithful, doubtful, start, Math.min(to, start + WINDOW - 1));
      yield;
    }
    const short = question.texts.find((text) => isShort(text));
    if (short !== undefined) {
      const partial = !this.#lookUpShort(question, short, found);
      return { ...found, partial };
    }
    for (let start = from; start <= to; start += WINDOW) {
      this.#lookUpWindow(question, found, start, Math.min(to, start + WINDOW - 1));
      yield;
    }
    return { ...found, partial: false };
  }

  #lookUpWindow({ tables, columns, texts }: Question, { first, bits }: Bits, from: number, to: number): void {
    const phrases = texts.map((text) => `"${text.replaceAll('"', '""')}"`).join(' AND ');
    const match = columns ? `{${columns.join(' ')}} : (${phrases})` : phrases;
    for (const table of tables) {
      const name = `${table}_index`;
      const ids = this.#db
        .prepare<[string, number, number], number>(
          `SELECT rowid FROM ${name} WHERE ${name} MATCH ? AND rowid BETWEEN ? AND ?`,
        )
        .pluck()
        .all(match, from, to);
      for (const id of ids) bits[(id - first) >> 3]! |= 1 << ((id - first) & 7);
    }
  }

  /** Substrings of one or two characters begin tokens. @returns false when there are too many of them */
  #lookUpShort({ tables, columns }: Question, text: string, { first, bits }: Bits): boolean {
    const last = first + bits.length * 8 - 1;
    const columnSet = columns && new Set(columns);
    let left = MOST_TOKENS;
    for (const table of tables) {
      const rows = this.#db
        .prepare<[string, string], [doc: number, col: string]>(
          `SELECT doc, col FROM ${table}_tokens WHERE term >= ? AND term < ?`,
        )
        .raw()
        .iterate(text, `${text}\u{10ffff}`);
      for (const [doc, col] of rows) {
        if (left-- === 0) return false;
        if (doc < first || doc > last || (table === 'field' && columnSet && !columnSet.has(col))) continue;
        bits[(doc - first) >> 3]! |= 1 << ((doc - first) & 7);
      }
    }
    return true;
  }

  close(): void {
    this.#db.close();
  }
}

/** Fewer than three characters of Unicode. */
const isShort = (text: string): boolean => !/^[^]{3}/u.test(text);

function toQuestion(term: Term, wanted: string): Question | undefined {
  if (wanted.includes(MARK)) return undefined;
  switch (term.type) {
    case 'header': {
      const column = FIELD_COLUMNS[term.name.toLowerCase()];
      if (column !== undefined && wanted !== '') {
        const exact = !term.casemap || isFaithful(term.text, wanted);
        return { tables: ['field'], columns: [column], texts: [wanted], exact, onlyFaithful: exact && !!term.casemap };
      }
      // The index says which header has the name and the text somewhere; whether they belong together is to be seen.
      const name = `${fold(term.name)}:`;
      const texts = [name, wanted].filter((text) => !isShort(text));
      return texts.length > 0 ? { tables: ['header'], texts, exact: false } : undefined;
    }
    case 'any-address':
      return wanted === '' ? undefined : { tables: ['field'], columns: ADDRESS_COLUMNS, texts: [wanted], exact: true };
    case 'attachment-name':
      return wanted === '' ? undefined : { tables: ['field'], columns: ['file_names'], texts: [wanted], exact: true };
    case 'body':
      return wanted === '' ? undefined : { tables: ['body'], texts: [wanted], exact: true };
    case 'text':
      return wanted === '' ? undefined : { tables: ['header', 'body'], texts: [wanted], exact: true };
    case 'has-attachment':
    case 'has-inline':
    case 'sent-day':
      return undefined;
  }
}
