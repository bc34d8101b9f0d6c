/**
 * The tools that are replaced are written in Go, which takes the names in JSON in any case, and there are clients that
 * rely on it: `{"ids": [...]}` must not be taken for a body without `IDs`, which means all messages.
 */

/** Deeper than any of these tools' objects. */
const DEPTH = 8;
/** Objects whose names are anybody's own: header fields. */
const FREE = 'Headers';

/** The same value with these names written so, in all its objects. */
export function withNames(value: unknown, names: readonly string[]): unknown {
  const written = new Map(names.map((name) => [name.toLowerCase(), name]));
  const rename = (given: unknown, depth: number): unknown => {
    if (typeof given !== 'object' || given === null || depth === DEPTH) return given;
    if (Array.isArray(given)) return given.map((each) => rename(each, depth + 1));
    return Object.fromEntries(
      Object.entries(given).map(([key, content]) => {
        const name = written.get(key.toLowerCase()) ?? key;
        return [name, name === FREE ? content : rename(content, depth + 1)];
      }),
    );
  };
  return rename(value, 0);
}
