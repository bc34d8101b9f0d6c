/** The rows of a conversation, each drawn anew only when it has changed. */
import { Fragment, type ReactNode, memo } from 'react';
import type { Diagnosis, Spoken } from '../../http/schemas/reading.ts';
import { formatCount, formatDuration } from '../format.ts';
import { texts } from '../texts.ts';
import { visibleLine, visibleName, visibleText } from '../visible-text.ts';
import type { Annotation, Entry, MissedEntry, NetworkEntry, UnitEntry } from '../wire-log.ts';
import type { Lens, WireRow } from '../wire-rows.ts';
import { wireTexts } from '../wire-texts.ts';
import { Icon } from './icons.tsx';
import { Link } from './link.tsx';
import { TlsBand } from './tls-band.tsx';

export interface RowLook {
  readonly lens: Lens;
  readonly explains: boolean;
  /** What is looked for, in lower case; empty: nothing. */
  readonly find: string;
}

interface WireRowItemProps extends RowLook {
  readonly row: WireRow;
  readonly isTarget: boolean;
  /** The one that Tab reaches. */
  readonly isStop: boolean;
}

/** What acts on the rows finds them by their data: see `ConversationRows`. */
export function WireRowItem({ row, isTarget, isStop, ...look }: WireRowItemProps) {
  switch (row.type) {
    case 'entry':
      return (
        <EntryRow
          {...{ entry: row.entry, carrier: row.carrier, isSameMoment: row.isSameMoment, isTarget, isStop, ...look }}
        />
      );
    case 'fold':
      return <FoldRow id={row.id} side={row.side} lines={row.lines} octets={row.octets} isOpen={row.isOpen} />;
    case 'silence':
      return (
        <li className="wire-row band silence">
          <span className="band-text">{texts.conversation.silence(row.ms)}</span>
        </li>
      );
    case 'diagnosis':
      return <DiagnosisRow diagnosis={row.diagnosis} />;
  }
}

interface EntryRowProps extends RowLook {
  readonly entry: Entry;
  readonly carrier: NetworkEntry | undefined;
  readonly isSameMoment: boolean;
  readonly isTarget: boolean;
  readonly isStop: boolean;
}

const EntryRow = memo(function EntryRow(props: EntryRowProps) {
  const { entry, carrier, lens, isTarget, isSameMoment, isStop } = props;
  const target = isTarget ? ' target' : '';
  const at = <At entry={entry} isSame={isSameMoment} isStop={isStop} isTarget={isTarget} />;
  const data = { id: entry.id, 'data-seq': entry.seq };
  switch (entry.type) {
    case 'unit': {
      const { unit } = entry;
      const isWhole = unit.role === 'data' && unit.text.includes('\n') ? ' content' : '';
      return (
        <li {...data} className={`wire-row ${unit.side}${isWhole}${target}`}>
          {at}
          <Arrow side={unit.side} />
          <div className="said">
            <Said entry={entry} look={props} />
            {props.explains && lens !== 'eavesdropper' ? <MeaningLine entry={entry} /> : null}
          </div>
          {lens === 'both' ? (
            <div className="crossed">
              {entry.isReadable || carrier ? <span className="visually-hidden">{wireTexts.lens.wire}: </span> : null}
              {entry.isReadable ? (
                <Readable entry={entry} look={props} />
              ) : carrier ? (
                <Records entry={carrier} />
              ) : null}
            </div>
          ) : null}
        </li>
      );
    }
    case 'network':
      return (
        <li {...data} className={`wire-row network ${entry.side}${target}`}>
          {at}
          <Arrow side={entry.side} />
          <div className={lens === 'both' ? 'crossed' : 'said opaque'}>
            <Records entry={entry} />
          </div>
        </li>
      );
    case 'tls':
      return (
        <li {...data} className={`wire-row band ${entry.tls.step === 'failed' ? 'bad' : 'tls'}${target}`}>
          {at}
          <TlsBand step={entry.tls} handshake={entry.handshake} />
        </li>
      );
    case 'annotation':
      return (
        <li {...data} className={`wire-row note-row${isProblem(entry.annotation) ? ' bad' : ''}${target}`}>
          {at}
          <AnnotationText annotation={entry.annotation} />
        </li>
      );
    case 'closed':
      return (
        <li {...data} className={`wire-row band${target}`}>
          {at}
          <span className="band-text">
            {texts.conversation.closedBy[entry.by]}
            {texts.conversation.closedHow[entry.how] ?? ''}
          </span>
        </li>
      );
    case 'missed':
      return <MissedRow entry={entry} />;
  }
});

interface AtProps {
  readonly entry: Entry;
  readonly isSame: boolean;
  readonly isStop: boolean;
  readonly isTarget: boolean;
}

/** The time, and the permanent link. */
function At({ entry, isSame, isStop, isTarget }: AtProps) {
  return (
    <a
      className={`at${isSame ? ' same' : ''}`}
      href={`#${entry.id}`}
      tabIndex={isStop ? undefined : -1}
      aria-label={labelOf(entry)}
      aria-current={isTarget ? 'true' : undefined}
    >
      {formatDuration(entry.at)}
    </a>
  );
}

const LABEL_LENGTH = 200;

/** As whoever hears the page has it: who, when, what, and who else can read it. */
function labelOf(entry: Entry): string {
  const at = formatDuration(entry.at);
  switch (entry.type) {
    case 'unit': {
      const { unit, isReadable } = entry;
      const text = visibleLine(unit.text.slice(0, LABEL_LENGTH), unit.charset === 'octets').replace(/•+/g, '•••••');
      const state = isReadable ? texts.conversation.readable : texts.conversation.encrypted;
      return wireTexts.rows.label(texts.conversation[unit.side], at, text, state);
    }
    case 'network':
      return wireTexts.rows.label(
        texts.conversation[entry.side],
        at,
        wireTexts.rows.records(entry.recordCount, entry.octets),
        wireTexts.rows.content[entry.content],
      );
    case 'tls':
    case 'annotation':
    case 'closed':
    case 'missed':
      return at;
  }
}

function Arrow({ side }: { readonly side: 'client' | 'server' }) {
  return (
    <span className="arrow" aria-hidden="true">
      <Icon name={side === 'client' ? 'toServer' : 'toClient'} />
    </span>
  );
}

// -------------------------------------------------------------------------------------------------- what was said

/** More lines than these of one unit are folded, and so are more characters. */
const LINES_SHOWN = 4;
const CHARACTERS_SHOWN = 560;

function Said({ entry, look }: { readonly entry: UnitEntry; readonly look: RowLook }) {
  const { unit, isReadable } = entry;
  const isExposed = look.lens === 'eavesdropper' && unit.secret;
  return (
    <>
      <span className="visually-hidden">{texts.conversation[unit.side]}: </span>
      <UnitText unit={unit} find={look.find} />
      {unit.secret ? <span className="visually-hidden"> {texts.conversation.secret}</span> : null}
      {isExposed ? <span className="exposed">{texts.conversation.secretReadable}</span> : null}
      {unit.end === 'lf' && unit.role !== 'data' ? <span className="line-end">{texts.conversation.bareLf}</span> : null}
      <span className="visually-hidden">
        {' '}
        {isReadable ? texts.conversation.readable : texts.conversation.encrypted}
      </span>
    </>
  );
}

function Readable({ entry, look }: { readonly entry: UnitEntry; readonly look: RowLook }) {
  const { unit } = entry;
  return (
    <span className={unit.secret ? 'readable secret' : 'readable'}>
      <UnitText unit={unit} find={look.find} />
      {unit.secret ? <span className="exposed">{texts.conversation.secretReadable}</span> : null}
    </span>
  );
}

function UnitText({ unit, find }: { readonly unit: Spoken; readonly find: string }) {
  const lines = unit.text.split('\n');
  if (lines.length <= LINES_SHOWN && unit.text.length <= CHARACTERS_SHOWN)
    return <Text unit={unit} text={unit.text} find={find} />;
  const shown = lines.slice(0, LINES_SHOWN).join('\n').slice(0, CHARACTERS_SHOWN);
  const rest = unit.text.slice(shown.length).replace(/^\r?\n/, '');
  // Where the places are that are looked for, nothing is folded.
  const isFound = find !== '' && rest.toLowerCase().includes(find);
  return (
    <>
      <Text unit={unit} text={shown} find={find} />
      <details className="rest" open={isFound ? true : undefined}>
        <summary>
          {wireTexts.rows.foldText(lines.length, unit.octets)}, <b>{wireTexts.rows.show}</b>
        </summary>
        <Text unit={unit} text={rest} find={find} />
        {unit.text.length < unit.octets / 4 ? <p className="muted">{wireTexts.rows.cut(unit.octets)}</p> : null}
      </details>
    </>
  );
}

interface TextProps {
  readonly unit: Spoken;
  readonly text: string;
  readonly find: string;
}

/** How long a secret is, is nobody's business either: the marks are drawn as one block of fixed width. */
function Text({ unit, text, find }: TextProps) {
  const isOctets = unit.charset === 'octets';
  const pieces = unit.secret ? text.split(/(•+)/) : [text];
  return (
    <code dir="ltr">
      {pieces.map((piece, index) =>
        index % 2 === 0 ? (
          <Fragment key={index}>{marked(piece, find, isOctets)}</Fragment>
        ) : (
          <span className="veil" key={index}>
            •••••
          </span>
        ),
      )}
    </code>
  );
}

function marked(text: string, find: string, isOctets: boolean): ReactNode {
  const visible = (piece: string): string =>
    piece
      .split('\n')
      .map((line) => visibleLine(line.replace(/\r$/, ''), isOctets))
      .join('\n');
  const lower = find === '' ? '' : text.toLowerCase();
  // Where a letter has another length in lower case, places cannot be told.
  if (find === '' || lower.length !== text.length || !lower.includes(find)) return visible(text);
  const found: ReactNode[] = [];
  let from = 0;
  for (let at = lower.indexOf(find); at !== -1; at = lower.indexOf(find, from)) {
    found.push(visible(text.slice(from, at)), <mark key={at}>{visible(text.slice(at, at + find.length))}</mark>);
    from = at + find.length;
  }
  return [...found, visible(text.slice(from))];
}

function MeaningLine({ entry }: { readonly entry: UnitEntry }) {
  const { unit, answers } = entry;
  const { meaning } = unit;
  if (meaning === null && answers === undefined) return null;
  return (
    <p className="meaning">
      {meaning === null ? null : <span>{visibleText(meaning.what)}</span>}
      {meaning?.decoded.map(({ name, value }) => (
        <span className="decoded" key={name}>
          {name} <bdi>{visibleName(value)}</bdi>
        </span>
      ))}
      {meaning?.rfc ? <RfcLink rfc={meaning.rfc} isStop={false} /> : null}
      {answers === undefined ? null : <span className="took">{wireTexts.rows.took(answers.ms)}</span>}
    </p>
  );
}

interface RfcLinkProps {
  readonly rfc: { readonly number: number; readonly section: string };
  /** Tab reaches it. */
  readonly isStop: boolean;
}

export function RfcLink({ rfc: { number, section }, isStop }: RfcLinkProps) {
  const anchor = /^[\d.]+$/.test(section)
    ? `#section-${section}`
    : /^Appendix [A-Z]/.test(section)
      ? `#appendix-${section.slice(9)}`
      : '';
  return (
    <a
      className="rfc"
      href={`https://www.rfc-editor.org/rfc/rfc${number}${anchor}`}
      target="_blank"
      rel="noreferrer"
      tabIndex={isStop ? undefined : -1}
    >
      {wireTexts.drawer.rfc(number, section)}
    </a>
  );
}

interface FoldRowProps {
  readonly id: string;
  readonly side: 'client' | 'server';
  readonly lines: number;
  readonly octets: number;
  readonly isOpen: boolean;
}

const FoldRow = memo(function FoldRow({ id, side, lines, octets, isOpen }: FoldRowProps) {
  return (
    <li className={`wire-row fold ${side}`}>
      <span className="said">
        <button type="button" className="button small plain" data-fold={id} aria-expanded={isOpen}>
          <Icon name={isOpen ? 'down' : 'next'} />
          {wireTexts.rows.fold(lines, octets)}, {isOpen ? wireTexts.rows.hide : wireTexts.rows.show}
        </button>
      </span>
    </li>
  );
});

// ----------------------------------------------------------------------------------------------- what crossed the net

/** Octets that a pixel stands for, and how many pixels a record has at most. */
const OCTETS_PER_PIXEL = 8;
const WIDEST = 360;
const NARROWEST = 4;

/** Each record is as wide as it is long. */
function Records({ entry }: { readonly entry: NetworkEntry }) {
  const { content, octets, records, recordCount } = entry;
  return (
    <span className={`records ${content}`}>
      <span className="blocks" aria-hidden="true">
        {records.map((size, index) => (
          <span
            key={index}
            className={size / OCTETS_PER_PIXEL > WIDEST ? 'block cut' : 'block'}
            style={{ inlineSize: `${Math.min(WIDEST, Math.max(NARROWEST, size / OCTETS_PER_PIXEL))}px` }}
            title={formatCount(size)}
          />
        ))}
      </span>
      <span className="count">
        {content === 'encrypted' ? <Icon name="lock" /> : null}
        {wireTexts.rows.records(recordCount, octets)}, {wireTexts.rows.content[content]}
      </span>
    </span>
  );
}

// ---------------------------------------------------------------------------------------------------------- remarks

function MissedRow({ entry: { id, events, by } }: { readonly entry: MissedEntry }) {
  return (
    <li id={id} className="wire-row band bad">
      <span className="at" />
      <span className="band-text">
        <Icon name="warning" />
        <b>{wireTexts.rows.missed(events)}</b>
        <span>{wireTexts.rows.missedText[by](events)}</span>
        {by === 'server' ? null : (
          <button type="button" className="button small" data-load>
            {wireTexts.rows.load}
          </button>
        )}
      </span>
    </li>
  );
}

const DiagnosisRow = memo(function DiagnosisRow({ diagnosis }: { readonly diagnosis: Diagnosis }) {
  const { id, severity, title, sentence, remedy, evidence } = diagnosis;
  return (
    <li id={`diagnosis-${id}`} className={`wire-row diagnosis ${severity}`}>
      <div className="card">
        <p className="card-title">
          <Icon name={severity === 'note' ? 'help' : 'warning'} />
          <span className="muted">{wireTexts.list.severity[severity]}</span> <b>{title}</b>{' '}
          <span className="muted">{id}</span>
        </p>
        <p>{visibleText(sentence)}</p>
        {remedy === '' ? null : (
          <p>
            <b>{wireTexts.rows.remedy}</b> {visibleText(remedy)}
          </p>
        )}
        {evidence.length === 0 ? null : (
          <ul aria-label={wireTexts.rows.evidence}>
            {evidence.map(({ seq, shows }, index) => (
              <li key={index}>
                <a href={`#e${seq}`}>{visibleText(shows)}</a>
              </li>
            ))}
          </ul>
        )}
      </div>
    </li>
  );
});

function AnnotationText({ annotation }: { readonly annotation: Annotation }) {
  return (
    <span className="band-text">
      {isProblem(annotation) ? <Icon name="warning" /> : null}
      <bdi>{annotationWords(annotation)}</bdi>
      {annotation.type === 'stored' ? (
        <Link to={`/mail/${annotation.transactionId}`}>{texts.conversation.annotations.openMessage}</Link>
      ) : null}
      {annotation.type === 'fault' ? <Link to="/settings/faults">{wireTexts.rows.faultRules}</Link> : null}
    </span>
  );
}

function isProblem({ type }: Annotation): boolean {
  return ['login-failed', 'limit', 'wrong-port', 'dropped', 'fault', 'error'].includes(type);
}

export function annotationWords(annotation: Annotation): string {
  const { annotations } = texts.conversation;
  switch (annotation.type) {
    case 'login':
      return annotations.login(visibleName(annotation.login), annotation.mechanism);
    case 'login-failed':
      return annotations.loginFailed(visibleName(annotation.login), annotation.reason);
    case 'stored':
      return annotations.stored(annotation.octets);
    case 'appended':
      return annotations.appended(visibleName(annotation.mailbox), annotation.uids);
    case 'settings':
      return annotations.settings[annotation.by](visibleName(annotation.login));
    case 'client':
      return annotations.client(visibleName(annotation.name), visibleName(annotation.version));
    case 'refused':
      return annotations.refused(visibleName(annotation.recipient), visibleName(annotation.reply));
    case 'looked':
      return annotations.looked(visibleName(annotation.mailbox), annotation.uids);
    case 'marked':
      return annotations.marked(annotation.uids);
    case 'copied':
    case 'moved':
      return annotations[annotation.type](
        visibleName(annotation.mailbox),
        annotation.uids,
        visibleName(annotation.to),
        annotation.toUids,
      );
    case 'api-read':
      return annotations.apiRead;
    case 'api-marked':
      return annotations.apiMarked(annotation.read);
    case 'api-deleted':
      return annotations.apiDeleted;
    case 'selected':
      return annotations.selected(visibleName(annotation.mailbox));
    case 'read':
      return annotations.read(visibleName(annotation.mailbox), annotation.uids);
    case 'flags':
      return annotations.flags(visibleName(annotation.mailbox), annotation.uids);
    case 'expunged':
      return annotations.expunged(visibleName(annotation.mailbox), annotation.uids);
    case 'secret':
      return '';
    case 'limit':
      return annotations.limit(annotation.limit);
    case 'wrong-port':
      return annotations.wrongPort[annotation.found];
    case 'dropped':
      return annotations.dropped(annotation.octets);
    case 'fault':
      return annotations.fault(visibleName(annotation.rule), annotation.effect, annotation.at);
    case 'revealed':
      return annotations.revealed(annotation.what, annotation.to);
    case 'error':
      return visibleName(annotation.message);
  }
}
