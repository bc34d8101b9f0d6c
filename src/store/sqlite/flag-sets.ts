/** The sets of flags that occur, each with a number. System flags have one spelling, keywords that of their first use. */
import { Refusal } from '../refusal.ts';
import { ALL_RIGHTS, hasRight, permittedFlags, rightForFlag, type Rights } from '../rights.ts';
import type { Database } from './database.ts';

/** In the order in which they are printed (RFC 9051 §2.3.2). \Recent is no property of a message and is not kept. */
const SYSTEM_FLAGS = ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft'] as const;
const SYSTEM = new Map(SYSTEM_FLAGS.map((flag, order) => [flag.toLowerCase(), { flag, order }]));

const MOST_FLAGS = 200; // on one message
const LONGEST_KEYWORD = 255;
/** In the whole store: a keyword that was used once is known for ever, and SELECT may have to name them all. */
const MOST_KEYWORDS = 10_000;

export interface FlagSet {
  readonly id: number;
  readonly flags: readonly string[];
  readonly seen: boolean;
  readonly deleted: boolean;
}

export type FlagMode = 'add' | 'remove' | 'replace';

export const flagSetFromText = (id: number, text: string): FlagSet => {
  const flags = text === '' ? [] : text.split(' ');
  return { id, flags, seen: flags.includes('\\Seen'), deleted: flags.includes('\\Deleted') };
};

/** The writer's side: knows all sets, and gives numbers to new ones. */
export class FlagSets {
  readonly #db: Database;
  readonly #insert;
  #byId = new Map<number, FlagSet>();
  #byText = new Map<string, FlagSet>();
  /** By the keyword in lower case. */
  #spelling = new Map<string, string>();

  constructor(db: Database) {
    this.#db = db;
    this.#insert = db.prepare<[number, string]>('INSERT INTO flag_set (id, flags) VALUES (?, ?)');
    this.reload();
  }

  /** After a rollback: what was given a number in it has none. */
  reload(): void {
    this.#byId = new Map();
    this.#byText = new Map();
    this.#spelling = new Map();
    for (const { id, flags } of this.#db
      .prepare<[], { id: number; flags: string }>('SELECT id, flags FROM flag_set ORDER BY id')
      .iterate())
      this.#keep(id, flags);
  }

  get(id: number): FlagSet {
    const set = this.#byId.get(id);
    if (!set) throw new Error(`no flag set ${id}`);
    return set;
  }

  /** @throws Refusal before anything is written: see `checkFlags`; LIMIT for new keywords when there are too many */
  intern(flags: readonly string[]): FlagSet {
    const text = this.#canonical(checkFlags(flags));
    return this.#byText.get(text) ?? this.#add(text);
  }

  /** The set that `mode` makes of `from`. @param only flags that take other rights than these are not replaced */
  change(from: FlagSet, mode: FlagMode, flags: readonly string[], only: Rights = ALL_RIGHTS): FlagSet {
    if (mode === 'replace')
      return this.intern([...from.flags.filter((flag) => !hasRight(only, rightForFlag(flag))), ...flags]);
    const named = new Set(flags.map((flag) => flag.toLowerCase()));
    const kept = from.flags.filter((flag) => !named.has(flag.toLowerCase()));
    return this.intern(mode === 'add' ? [...kept, ...flags] : kept);
  }

  /** What is left of a set when it is copied by somebody with these rights. */
  permitted(set: FlagSet, rights: Rights): FlagSet {
    const flags = permittedFlags(set.flags, rights);
    return flags.length === set.flags.length ? set : this.intern(flags);
  }

  /** Those for which `test` holds. */
  where(test: (set: FlagSet) => boolean): FlagSet[] {
    return [...this.#byId.values()].filter(test);
  }

  #canonical(flags: readonly string[]): string {
    const system: { flag: string; order: number }[] = [];
    const keywords = new Map<string, string>();
    for (const flag of flags) {
      const folded = flag.toLowerCase();
      const known = SYSTEM.get(folded);
      if (known) {
        if (!system.includes(known)) system.push(known);
      } else if (folded !== '\\recent' && !keywords.has(folded)) {
        keywords.set(folded, this.#spelling.get(folded) ?? flag);
      }
    }
    system.sort((a, b) => a.order - b.order);
    const names = [...keywords].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, spelling]) => spelling);
    return [...system.map(({ flag }) => flag), ...names].join(' ');
  }

  #add(text: string): FlagSet {
    const isNew = (flag: string): boolean =>
      flag !== '' && !flag.startsWith('\\') && !this.#spelling.has(flag.toLowerCase());
    const more = text.split(' ').filter(isNew).length;
    if (more > 0 && this.#spelling.size + more > MOST_KEYWORDS) {
      throw new Refusal('LIMIT', `There are at most ${MOST_KEYWORDS} keywords; use one that is known already`);
    }
    const id = this.#byId.size + 1; // sets are never removed
    this.#insert.run(id, text);
    return this.#keep(id, text);
  }

  #keep(id: number, text: string): FlagSet {
    const set = flagSetFromText(id, text);
    this.#byId.set(id, set);
    this.#byText.set(text, set);
    for (const flag of set.flags)
      if (!flag.startsWith('\\') && !this.#spelling.has(flag.toLowerCase()))
        this.#spelling.set(flag.toLowerCase(), flag);
    return set;
  }
}

/** @throws Refusal CANNOT, LIMIT */
export function checkFlags(flags: readonly string[]): readonly string[] {
  if (flags.length > MOST_FLAGS) throw new Refusal('LIMIT', `A message has at most ${MOST_FLAGS} flags`);
  for (const flag of flags) {
    if (flag.startsWith('\\')) {
      const folded = flag.toLowerCase();
      if (!SYSTEM.has(folded) && folded !== '\\recent') throw new Refusal('CANNOT', `There is no system flag ${flag}`);
    } else if (flag === '' || /[\x00-\x20\x7f]/.test(flag)) {
      throw new Refusal('CANNOT', 'A keyword has no blanks and no control characters');
    } else if (flag.length > LONGEST_KEYWORD) {
      throw new Refusal('LIMIT', `A keyword has at most ${LONGEST_KEYWORD} characters`);
    }
  }
  return flags;
}
