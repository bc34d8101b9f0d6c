/** The Received fields of a message as the way that it took (RFC 5321 §4.4). Pure. */

export interface Hop {
  readonly from: string | undefined;
  readonly by: string | undefined;
  readonly with: string | undefined;
  /** Milliseconds since 1970; undefined: its date cannot be read. */
  readonly at: number | undefined;
  /** Milliseconds after the hop before; negative if the clocks differ. */
  readonly delay: number | undefined;
  readonly value: string;
}

/** @param values the fields in the order of the header: newest first. @returns hops in the order of time */
export function receivedHops(values: readonly string[]): Hop[] {
  const hops: Hop[] = [];
  let before: number | undefined;
  for (const value of [...values].reverse()) {
    const at = dateOf(value);
    hops.push({
      from: clause(value, 'from'),
      by: clause(value, 'by'),
      with: clause(value, 'with'),
      at,
      delay: at !== undefined && before !== undefined ? at - before : undefined,
      value,
    });
    before = at ?? before;
  }
  return hops;
}

function clause(value: string, name: string): string | undefined {
  return new RegExp(`(?:^|\\s)${name}\\s+([^\\s;()]+)`, 'i').exec(withoutComments(value))?.[1];
}

function dateOf(value: string): number | undefined {
  const semicolon = value.lastIndexOf(';');
  if (semicolon === -1) return undefined;
  const at = Date.parse(withoutComments(value.slice(semicolon + 1)).trim());
  return Number.isNaN(at) ? undefined : at;
}

function withoutComments(value: string): string {
  return value.replace(/\([^()]*\)/g, ' ').replace(/\([^()]*\)/g, ' ');
}
