/**
 * Names and passwords that the operator lists, in the configuration or in a file as `htpasswd` writes it: one a line,
 * the password plain or hashed (bcrypt, `{SHA}`, `{SSHA}`).
 */
import { createHash, timingSafeEqual } from 'node:crypto';

/** Thrown for a file; one line that names the line, and never a password. */
export class BadPasswordList extends Error {
  override readonly name = 'BadPasswordList';
}

const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
/** A hash that costs more would hold this process up for a minute. */
const HIGHEST_COST = 14;
/** Answers that took long are remembered, as digests; then the oldest go. */
const MOST_REMEMBERED = 1000;

export class PasswordList {
  readonly #stored = new Map<string, readonly string[]>();
  /** Digest of name and password to the answer. */
  readonly #answers = new Map<string, boolean>();

  /** @param entries `name:password` each */
  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const [name, password] = divided(entry);
      this.#stored.set(name, [...(this.#stored.get(name) ?? []), password]);
    }
  }

  /** Of a file. @throws BadPasswordList */
  static entries(text: string): readonly string[] {
    const entries: string[] = [];
    for (const [index, line] of text.split('\n').entries()) {
      const entry = line.trim();
      if (entry === '' || entry.startsWith('#')) continue;
      const fault = faultOf(entry);
      if (fault !== undefined) throw new BadPasswordList(`line ${index + 1}: ${fault}`);
      entries.push(entry);
    }
    if (entries.length === 0) throw new BadPasswordList('there is no name:password in it');
    return entries;
  }

  /** In a time that does not tell how much of it was right. */
  async check(name: string, password: string): Promise<boolean> {
    const stored = this.#stored.get(name) ?? [];
    let answer = stored.some((each) => isQuick(each) && matchesQuickly(each, password));
    const slow = stored.filter((each) => !isQuick(each));
    if (answer || slow.length === 0) return answer;
    const key = digest(`${name}\n${password}`).toString('base64');
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const { compare } = await import('bcryptjs');
    for (const hash of slow) answer ||= await compare(password, hash);
    if (this.#answers.size >= MOST_REMEMBERED) this.#answers.delete([...this.#answers.keys()][0]!);
    this.#answers.set(key, answer);
    return answer;
  }

  /** The same at once, for hashes that have been checked before; others are wrong. */
  knows(name: string, password: string): boolean {
    const stored = this.#stored.get(name) ?? [];
    if (stored.some((each) => isQuick(each) && matchesQuickly(each, password))) return true;
    return this.#answers.get(digest(`${name}\n${password}`).toString('base64')) ?? false;
  }
}

function divided(entry: string): readonly [name: string, password: string] {
  const colon = entry.indexOf(':');
  return [entry.slice(0, colon), entry.slice(colon + 1)];
}

function faultOf(entry: string): string | undefined {
  if (!/^[^:]+:.+$/.test(entry)) return 'must be name:password';
  const [, password] = divided(entry);
  if (password.startsWith('$apr1$') || password.startsWith('$1$')) return 'MD5 is too weak: use bcrypt (htpasswd -B)';
  if (!password.startsWith('$2')) return undefined;
  const cost = BCRYPT.exec(password)?.[1];
  if (cost === undefined) return 'is no whole bcrypt hash';
  return Number(cost) > HIGHEST_COST
    ? `a bcrypt hash of cost ${cost} takes too long: at most ${HIGHEST_COST}`
    : undefined;
}

const isQuick = (stored: string): boolean => !BCRYPT.test(stored);

function matchesQuickly(stored: string, password: string): boolean {
  const sha1 = /^\{(S?)SHA\}([A-Za-z0-9+/]+=*)$/.exec(stored);
  if (!sha1) return timingSafeEqual(digest(stored), digest(password));
  const kept = Buffer.from(sha1[2]!, 'base64');
  const salt = sha1[1] === '' ? Buffer.alloc(0) : kept.subarray(20);
  const given = createHash('sha1').update(password).update(salt).digest();
  return kept.length === 20 + salt.length && timingSafeEqual(kept.subarray(0, 20), given);
}

/** Digests are compared, so that the lengths do not tell either. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
