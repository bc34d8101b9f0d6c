import { type ReactNode, useEffect, useRef } from 'react';
import type { ConsoleTls } from '../../http/schemas/console.ts';
import { Icon } from '../components/icons.tsx';
import { useStore } from '../store.ts';
import { visibleLine } from '../visible-text.ts';
import { keyOf, type Session, type Unit } from './session.ts';
import { texts } from './texts.ts';

/** Nearer to the end than this, the newest line is kept in sight. */
const NEAR = 80;

interface LogProps {
  readonly session: Session;
  readonly explains: boolean;
}

export function Log({ session, explains }: LogProps) {
  const units = useStore(session.store, (state) => state.units);
  const bands = useStore(session.store, (state) => state.bands);
  const ended = useStore(session.store, (state) => state.ended);
  const phase = useStore(session.store, (state) => state.phase);
  const scroller = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  useEffect(() => {
    const pane = scroller.current;
    if (pane && atEnd.current) pane.scrollTop = pane.scrollHeight;
  }, [units, bands, ended, explains]);
  useEffect(() => {
    const pane = scroller.current!;
    const watcher = new ResizeObserver(() => {
      if (atEnd.current) pane.scrollTop = pane.scrollHeight;
    });
    watcher.observe(pane);
    return () => watcher.disconnect();
  }, []);
  const watch = (): void => {
    const pane = scroller.current;
    if (pane) atEnd.current = pane.scrollHeight - pane.scrollTop - pane.clientHeight < NEAR;
  };
  return (
    <div
      ref={scroller}
      className={`console-log${explains ? ' explains' : ''}`}
      role="log"
      aria-label={texts.log}
      tabIndex={0}
      onScroll={watch}
    >
      {units.length === 0 ? <p className="muted">{phase === 'connecting' ? texts.connecting : texts.empty}</p> : null}
      <ol>{rowsOf(units, bands, explains)}</ol>
      {ended ? (
        <p className="console-end">
          <Icon name="close" /> {texts.ended(ended.detail)}
        </p>
      ) : null}
    </div>
  );
}

function rowsOf(units: readonly Unit[], bands: readonly ConsoleTls[], explains: boolean): ReactNode[] {
  const rows: ReactNode[] = [];
  const ahead = [...bands];
  const before = (seq: number): void => {
    for (let band = ahead[0]; band && band.seq < seq; band = ahead[0]) {
      ahead.shift();
      rows.push(<Band key={`tls${band.seq}`} band={band} />);
    }
  };
  let side = '';
  for (const unit of units) {
    before(unit.seq);
    rows.push(<Row key={keyOf(unit)} unit={unit} explains={explains} isTurn={unit.side !== side} />);
    ({ side } = unit);
  }
  before(Infinity);
  return rows;
}

function Band({ band }: { readonly band: ConsoleTls }) {
  const { step, version, cipher, handshakeMs, detail } = band;
  return (
    <li className={`console-band ${step}`}>
      <Icon name={step === 'end' ? 'lock' : 'warning'} />
      <span>
        {step === 'end' ? texts.band(version ?? '', cipher ?? '', handshakeMs ?? 0) : texts.bandFailed(detail ?? '')}
      </span>
    </li>
  );
}

interface RowProps {
  readonly unit: Unit;
  readonly explains: boolean;
  /** The other side spoke before. */
  readonly isTurn: boolean;
}

function Row({ unit, explains, isTurn }: RowProps) {
  const { side, text, charset, end, meaning, role } = unit;
  return (
    <li className={`console-row ${side}${isTurn ? ' turn' : ''}`}>
      <span className="who">
        <span aria-hidden="true">{side === 'client' ? 'C' : 'S'}</span>
        <span className="visually-hidden">{texts[side]}:</span>
      </span>
      <code dir="ltr" className={role === 'data' ? 'data' : undefined}>
        {withMarks(
          text
            .split(/\r?\n/)
            .map((line) => visibleLine(line, charset === 'octets'))
            .join('\n'),
        )}
        {side === 'client' || end === 'lf' ? <LineEnd end={end} /> : null}
      </code>
      {explains && meaning ? (
        <span className="meaning">
          {meaning.what}{' '}
          {meaning.rfc ? (
            <a
              href={`https://www.rfc-editor.org/rfc/rfc${meaning.rfc.number}${/^\d/.test(meaning.rfc.section) ? `#section-${meaning.rfc.section}` : ''}`}
              target="_blank"
              rel="noreferrer"
            >
              {texts.rfc(meaning.rfc.number, meaning.rfc.section)}
            </a>
          ) : null}
        </span>
      ) : null}
    </li>
  );
}

/** Letters, for hardly a font has the pictures of control characters. */
function LineEnd({ end }: { readonly end: Unit['end'] }) {
  if (end === 'none') return null;
  return (
    <span className="line-mark" aria-hidden="true">
      {end === 'crlf' ? texts.lineEnd : 'LF'}
    </span>
  );
}

/** How long a secret is, is nobody's business. */
function withMarks(text: string): ReactNode[] {
  return text.split(/(•{3,})/).map((piece, index) =>
    index % 2 === 0 ? (
      piece
    ) : (
      <span className="veil" key={index}>
        <span aria-hidden="true">•••••</span>
        <span className="visually-hidden">{texts.secret}</span>
      </span>
    ),
  );
}
