/** One message end to end. */
import { useEffect, useRef } from 'react';
import type { Journey } from '../../http/schemas/journey.ts';
import { Blank } from '../components/blank.tsx';
import { Icon } from '../components/icons.tsx';
import { Link } from '../components/link.tsx';
import { formatAbsolute } from '../format.ts';
import { navigate } from '../router.ts';
import { useKeys } from '../shortcuts.ts';
import { serviceName, texts as app } from '../texts.ts';
import { visibleName, visibleText } from '../visible-text.ts';
import { useJourney } from './api.ts';
import { Diagram } from './diagram.tsx';
import './journey.css';
import { Papers } from './papers.tsx';
import { Changes, Places } from './places.tsx';
import { texts } from './texts.ts';
import { Trace } from './trace.tsx';

export function JourneyPage({ message }: { readonly message: string }) {
  const { shown, retry } = useJourney(message);
  const back = `/mail/${encodeURIComponent(message)}`;
  const isKnown = shown.phase === 'ready' && shown.journey.state === 'stored';
  const leave = (): void => navigate(isKnown ? back : '/mail');
  useKeys({ u: leave, Escape: leave });
  const subject = shown.phase === 'ready' ? shown.journey.header?.subject : undefined;
  useEffect(() => {
    document.title = `${subject === undefined || subject === '' ? '' : `${visibleText(subject)} · `}${texts.title} · ${app.name}`;
  }, [subject]);
  switch (shown.phase) {
    case 'loading':
      return <Blank title={app.loading} level={1} />;
    case 'missing':
      return (
        <Blank title={texts.missingTitle} text={texts.missingText} level={1}>
          <Link className="button" to="/mail">
            {texts.toMail}
          </Link>
        </Blank>
      );
    case 'failed':
      return (
        <Blank title={texts.failed} text={shown.problem} level={1}>
          <button type="button" className="button" onClick={retry}>
            {app.retry}
          </button>
        </Blank>
      );
    case 'ready':
      return <ShownJourney journey={shown.journey} back={isKnown ? back : undefined} />;
  }
}

interface ShownJourneyProps {
  readonly journey: Journey;
  /** Undefined: the message is gone. */
  readonly back: string | undefined;
}

function ShownJourney({ journey, back }: ShownJourneyProps) {
  return (
    <article className="journey-page">
      <header>
        <Link className="button small plain back-link" to={back ?? '/mail'}>
          <Icon name="back" />
          {back === undefined ? texts.toMail : texts.back}
        </Link>
        <h1 dir="auto">{titleOf(journey)}</h1>
        <Tiles journey={journey} />
        <Notes journey={journey} />
      </header>
      {journey.steps.length === 0 ? null : (
        <section className="journey-part" aria-labelledby="way">
          <h2 id="way">{texts.way}</h2>
          <p className="muted">{texts.wayText}</p>
          <Diagram journey={journey} />
          <NewSteps count={journey.steps.length + journey.omitted} />
        </section>
      )}
      <Papers journey={journey} />
      {journey.state === 'gone' ? null : <Trace trace={journey.trace} />}
      <Places journey={journey} />
      <Changes journey={journey} />
    </article>
  );
}

function titleOf({ header }: Journey): string {
  if (!header) return texts.titleGone;
  const subject = visibleText(header.subject);
  return subject === '' ? texts.titleWithout : texts.titleOf(subject);
}

/** Who hears the page is told that there is more of it. */
function NewSteps({ count }: { readonly count: number }) {
  const before = useRef(count);
  const fresh = count - before.current;
  useEffect(() => {
    before.current = count;
  }, [count]);
  return (
    <p className="visually-hidden" role="status">
      {fresh > 0 ? texts.newSteps(fresh) : ''}
    </p>
  );
}

function Tiles({ journey }: { readonly journey: Journey }) {
  const { tiles } = texts;
  const { steps, participants, copies, copyCount, arrival, octets } = journey;
  const accepted = steps.find(({ deed }) => deed.type === 'accepted' || deed.type === 'appended');
  const stored = steps.filter(({ deed }) => deed.type === 'stored' || deed.type === 'appended');
  const service = participants.find(({ kind }) => kind === 'service')?.service;
  const reads = steps.filter(({ deed }) => deed.type === 'read');
  const looks = steps.filter(({ deed }) => deed.type === 'looked');
  const readers = new Set(reads.map(({ to }) => to)).size;
  const first = steps[0];
  const mailboxes = [...new Set(copies.map(({ mailbox }) => visibleName(mailbox)))];
  const put = stored.reduce((sum, { deed }) => sum + (deed.type === 'stored' ? deed.copies : 1), 0);
  return (
    <dl className="tiles">
      <Tile
        name={tiles.arrival}
        text={first && arrival !== 'unknown' ? formatAbsolute(Date.parse(first.at)) : tiles.unknown}
        detail={
          arrival === 'appended'
            ? tiles.appended
            : [service == null ? '' : tiles.by(serviceName(service)), accepted ? tiles.took(accepted.ms) : '']
                .filter((word) => word !== '')
                .join(', ')
        }
      />
      <Tile
        name={tiles.stored}
        text={put === 0 ? tiles.unknown : tiles.places(put)}
        detail={octets ? tiles.octets(octets.received + octets.trace) : ''}
      />
      <Tile
        name={tiles.read}
        text={reads.length > 0 ? tiles.times(reads.length) : journey.complete ? tiles.notYet : tiles.notTold}
        detail={reads.length > 0 ? tiles.readers(readers) : looks.length > 0 ? tiles.looked(looks.length) : ''}
      />
      <Tile
        name={tiles.now}
        text={journey.state === 'gone' ? tiles.gone : tiles.places(copyCount)}
        detail={
          journey.state === 'gone'
            ? tiles.goneText
            : tiles.inMailboxes(mailboxes.slice(0, 2).join(', '), Math.max(0, mailboxes.length - 2))
        }
      />
    </dl>
  );
}

interface TileProps {
  readonly name: string;
  readonly text: string;
  readonly detail: string;
}

function Tile({ name, text, detail }: TileProps) {
  return (
    <div className="tile">
      <dt>{name}</dt>
      <dd>
        <b>{text}</b>
        {detail === '' ? null : <span className="muted">{detail}</span>}
      </dd>
    </div>
  );
}

function Notes({ journey }: { readonly journey: Journey }) {
  const { state, recording, origin, arrival, complete, omitted } = journey;
  const { notes } = texts;
  const missing = complete
    ? undefined
    : !recording
      ? notes.notRecorded
      : arrival === 'unknown'
        ? notes.unknown
        : origin?.state === 'hidden'
          ? notes.originHidden
          : notes.originGone;
  const said = [state === 'gone' ? notes.gone : undefined, missing, omitted > 0 ? notes.omitted(omitted) : undefined];
  return said.map((note) =>
    note === undefined ? null : (
      <p className="note" key={note}>
        {note}
      </p>
    ),
  );
}
