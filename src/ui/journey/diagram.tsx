/**
 * The sequence diagram: a list of steps, each with its arrow drawn behind its words. Where there is no room for the
 * drawing the list alone is left, so that both always say the same.
 */
import { type CSSProperties, type ReactNode, useState } from 'react';
import type { Journey, JourneyStep } from '../../http/schemas/journey.ts';
import { Icon } from '../components/icons.tsx';
import { Link } from '../components/link.tsx';
import { formatAbsolute, formatClock, formatDuration } from '../format.ts';
import { type Column, type Row, columnsOf, foldOf, rowsOf } from './layout.ts';
import { useRoom } from './room.ts';
import { texts } from './texts.ts';
import { type Words, columnWords, fullName, stepWords } from './words.ts';

/** What the times and each lifeline need. */
const TIMES_REM = 5.5;
const COLUMN_REM = 7;

export function Diagram({ journey }: { readonly journey: Journey }) {
  const [isOpen, setIsOpen] = useState(false);
  const columns = columnsOf(journey.participants);
  const { ref, hasRoom } = useRoom(TIMES_REM + COLUMN_REM * columns.length);
  const rows = rowsOf(journey, columns);
  const fold = isOpen ? { from: rows.length, to: rows.length } : foldOf(rows.length);
  const names = new Map(journey.participants.map((participant) => [participant.id, fullName(participant)]));
  const hidden = rows.slice(fold.from, fold.to).reduce((sum, { steps }) => sum + steps.length, 0);
  return (
    <div
      ref={ref}
      className={hasRoom ? 'diagram drawn' : 'diagram'}
      style={{ '--columns': columns.length } as CSSProperties}
    >
      <div className="heads" aria-hidden="true">
        {columns.map((column) => (
          <Head key={column.id} column={column} />
        ))}
      </div>
      <ol className="steps" aria-label={texts.steps}>
        {rows.map((row, index) =>
          index >= fold.from && index < fold.to ? (
            index === fold.from ? (
              <li key="fold" className="step fold">
                <Lifelines columns={columns.length} />
                <button type="button" className="button small" onClick={() => setIsOpen(true)}>
                  {texts.hidden(hidden)}
                </button>
              </li>
            ) : null
          ) : (
            <StepRow key={row.key} row={row} columns={columns.length} names={names} />
          ),
        )}
      </ol>
    </div>
  );
}

function Head({ column }: { readonly column: Column }) {
  const { text, detail } = columnWords(column);
  const { kind } = column.participants[0]!;
  return (
    <div className={`head ${kind}`}>
      <b>
        <bdi>{text}</bdi>
      </b>
      {detail === '' ? null : <bdi className="detail">{breakable(detail)}</bdi>}
    </div>
  );
}

/** An address is best broken before its domain. */
function breakable(text: string): ReactNode {
  const at = text.lastIndexOf('@');
  if (at === -1) return text;
  return (
    <>
      {text.slice(0, at)}
      <wbr />
      {text.slice(at)}
    </>
  );
}

interface StepRowProps {
  readonly row: Row;
  readonly columns: number;
  /** Of participants, by their ids. */
  readonly names: ReadonlyMap<string, string>;
}

function StepRow({ row, columns, names }: StepRowProps) {
  const { steps, from, to, pause, failed } = row;
  const [step, ...others] = steps;
  const words = stepWords(step);
  const [first, last] = from < to ? [from, to] : [to, from];
  return (
    <li className={`step${failed ? ' failed' : ''}`}>
      <Lifelines columns={columns} />
      {pause === undefined ? null : <p className="pause">{texts.pause(pause)}</p>}
      <At step={step} />
      <Arrow from={from} to={to} columns={columns} />
      <div className="said" style={{ '--first': first + 2, '--last': last + 3 } as CSSProperties}>
        <span className="ends">{texts.to(names.get(step.from) ?? '', names.get(step.to) ?? '')}</span>{' '}
        <Said step={step} words={words} failed={failed} />
        {others.length === 0 ? null : <Repeated steps={others} />}
      </div>
    </li>
  );
}

function Said({
  step,
  words,
  failed,
}: {
  readonly step: JourneyStep;
  readonly words: Words;
  readonly failed: boolean;
}) {
  const { text, detail } = words;
  const said = (
    <>
      {failed ? <Icon name="warning" /> : null}
      <bdi className="deed">{text}</bdi>
    </>
  );
  return (
    <>
      {step.line ? (
        <Link className="line" to={lineAddress(step.line)}>
          {said}
        </Link>
      ) : (
        <span className="line">{said}</span>
      )}
      {detail === '' ? null : (
        <>
          {' '}
          <bdi className="detail">{detail}</bdi>
        </>
      )}
      {step.line ? null : <span className="detail"> · {texts.lost}</span>}
    </>
  );
}

export function lineAddress({ conversation, seq }: NonNullable<JourneyStep['line']>): string {
  return `/wire/${encodeURIComponent(conversation)}#e${seq}`;
}

/** Steps that are as the one before them. */
function Repeated({ steps }: { readonly steps: readonly JourneyStep[] }) {
  return (
    <details className="repeated">
      <summary>{texts.repeated(steps.length, formatClock(Date.parse(steps.at(-1)!.at)))}</summary>
      <ol>
        {steps.map((step, index) => (
          <li key={index}>
            {step.line ? (
              <Link to={lineAddress(step.line)}>{formatAbsolute(Date.parse(step.at))}</Link>
            ) : (
              formatAbsolute(Date.parse(step.at))
            )}
          </li>
        ))}
      </ol>
    </details>
  );
}

/** Since the first step; the moment itself while the pointer is on the step, or the focus in it. */
export function At({ step }: { readonly step: JourneyStep }) {
  return (
    <time className="at" dateTime={step.at}>
      {formatDuration(step.ms)}
      <span className="absolute">{formatAbsolute(Date.parse(step.at))}</span>
    </time>
  );
}

// ------------------------------------------------------------------------------------------------------ drawings

function Lifelines({ columns }: { readonly columns: number }) {
  return (
    <svg className="lifelines" aria-hidden="true" focusable="false">
      {Array.from({ length: columns }, (_, column) => (
        <line key={column} x1={middleOf(column, columns)} x2={middleOf(column, columns)} y1="0" y2="100%" />
      ))}
    </svg>
  );
}

interface ArrowProps {
  readonly from: number;
  readonly to: number;
  readonly columns: number;
}

function Arrow({ from, to, columns }: ArrowProps) {
  const head = to >= from ? 'M-9 -4.5L-0.5 0L-9 4.5' : 'M9 -4.5L0.5 0L9 4.5';
  return (
    <svg className="arrow" height="12" aria-hidden="true" focusable="false">
      <circle cx={middleOf(from, columns)} cy="6" r="3" />
      <line x1={middleOf(from, columns)} x2={middleOf(to, columns)} y1="6" y2="6" />
      <svg x={middleOf(to, columns)} y="6" overflow="visible">
        <path d={head} />
      </svg>
    </svg>
  );
}

const middleOf = (column: number, columns: number): string => `${((column + 0.5) / columns) * 100}%`;
