/** A journey as columns and rows: what stands beside what, and what is folded. Pure. */
import type { Journey, JourneyParticipant, JourneyStep } from '../../http/schemas/journey.ts';

/** A lifeline. Readers beyond those that have room share the last one. */
export interface Column {
  readonly id: string;
  readonly participants: readonly JourneyParticipant[];
}

export interface Row {
  /** Of its first step: rows keep it while more come. */
  readonly key: string;
  /** Steps that are alike and follow one another: one at least. */
  readonly steps: readonly [JourneyStep, ...JourneyStep[]];
  /** Positions of columns. */
  readonly from: number;
  readonly to: number;
  /** Milliseconds since the row before, where that is a break. */
  readonly pause: number | undefined;
  readonly failed: boolean;
}

const MOST_READERS = 4;
const PAUSE_MS = 2_000;
const FAILED: ReadonlySet<JourneyStep['deed']['type']> = new Set(['refused', 'fault', 'login-failed']);

export function columnsOf(participants: readonly JourneyParticipant[]): Column[] {
  const readers = participants.filter(({ kind }) => kind === 'reader');
  const others = participants.filter(({ kind }) => kind !== 'reader');
  const isCrowded = readers.length > MOST_READERS;
  const alone = isCrowded ? readers.slice(0, MOST_READERS - 1) : readers;
  const columns = [...others, ...alone].map((participant) => ({ id: participant.id, participants: [participant] }));
  return isCrowded ? [...columns, { id: 'readers', participants: readers.slice(MOST_READERS - 1) }] : columns;
}

export function rowsOf({ steps }: Pick<Journey, 'steps'>, columns: readonly Column[]): Row[] {
  const places = new Map(
    columns.flatMap(({ participants }, index) => participants.map(({ id }) => [id, index] as const)),
  );
  const rows: Row[] = [];
  let before: JourneyStep | undefined;
  steps.forEach((step, index) => {
    const last = rows.at(-1);
    if (last && isAlike(last.steps[0], step)) {
      rows[rows.length - 1] = { ...last, steps: [...last.steps, step] };
    } else {
      const pause = before && step.ms - before.ms >= PAUSE_MS ? step.ms - before.ms : undefined;
      rows.push({
        key: `${index} ${step.line?.conversation ?? ''} ${step.line?.seq ?? ''}`,
        steps: [step],
        from: places.get(step.from) ?? 0,
        to: places.get(step.to) ?? 0,
        pause,
        failed: FAILED.has(step.deed.type),
      });
    }
    before = step;
  });
  return rows;
}

function isAlike(one: JourneyStep, other: JourneyStep): boolean {
  return (
    one.from === other.from &&
    one.to === other.to &&
    one.place?.uid === other.place?.uid &&
    JSON.stringify(withoutNumbers(one)) === JSON.stringify(withoutNumbers(other))
  );
}

function withoutNumbers({ deed }: JourneyStep): object {
  return deed.type === 'flags' ? { ...deed, modSeq: null } : deed;
}

const MOST_ROWS = 60;
const ROWS_BEFORE = 30;

/** Of many rows the middle is folded. @returns positions: rows from `from` to before `to` are not shown */
export function foldOf(rows: number): { readonly from: number; readonly to: number } {
  if (rows <= MOST_ROWS) return { from: rows, to: rows };
  return { from: ROWS_BEFORE, to: rows - (MOST_ROWS - ROWS_BEFORE) };
}
