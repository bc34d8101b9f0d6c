/** The table that the README shows: what was measured, the ratio, what was aimed at, and whether it was reached. */

export interface Row {
  readonly subject: string;
  /** Figures of this machine, for people; they drift, the ratio holds. */
  readonly figures: string;
  readonly ratio: number;
  readonly aim: { readonly least: number } | { readonly most: number };
  /** How the ratio is printed: `×` or a unit. */
  readonly unit?: string;
}

export const reached = ({ ratio, aim }: Row): boolean => ('least' in aim ? ratio >= aim.least : ratio <= aim.most);

const round = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

export function table(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.subject,
    row.figures,
    `${round(row.ratio)}${row.unit ?? '×'}`,
    'least' in row.aim ? `≥ ${row.aim.least}${row.unit ?? '×'}` : `≤ ${row.aim.most}${row.unit ?? '×'}`,
    reached(row) ? 'yes' : 'no',
  ]);
  const head = ['what', 'measured here', 'result', 'aim', 'reached'];
  return [head, head.map(() => '---'), ...cells].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};
