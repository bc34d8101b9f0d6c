/** The table that the README shows: what was measured, the ratio, what was aimed at, and whether it was reached. */

export interface Row {
  readonly subject: string;
  /** Figures of this machine, for people; they drift, the ratio holds. */
  readonly figures: string;
  readonly ratio: number;
  /** Undefined: for comparison only. */
  readonly aim: { readonly least: number } | { readonly most: number } | undefined;
  /** How the ratio is printed: `×` or a unit. */
  readonly unit?: string;
}

const reached = ({ ratio, aim }: Row): string => {
  if (aim === undefined) return '';
  return ('least' in aim ? ratio >= aim.least : ratio <= aim.most) ? 'yes' : 'no';
};

const aimText = ({ aim, unit = '×' }: Row): string => {
  if (aim === undefined) return '';
  return 'least' in aim ? `≥ ${aim.least}${unit}` : `≤ ${aim.most}${unit}`;
};

const round = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

export function table(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.subject,
    row.figures,
    `${round(row.ratio)}${row.unit ?? '×'}`,
    aimText(row),
    reached(row),
  ]);
  const head = ['what', 'measured here', 'result', 'aim', 'reached'];
  return [head, head.map(() => '---'), ...cells].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

/** Memory of a process, as a row. @param octets what `memory` said */
export const memoryRow = (subject: string, octets: number, most: number): Row => ({
  subject,
  figures: '',
  ratio: octets / 2 ** 20,
  unit: ' MiB',
  aim: { most },
});
