import { useEffect, useRef, useState } from 'react';
import type { ConnectProgress, ConnectStep } from '../../http/schemas/connect.ts';
import type { Diagnosis } from '../../http/schemas/reading.ts';
import { Icon } from '../components/icons.tsx';
import { Link } from '../components/link.tsx';
import { Problem } from '../components/problem.tsx';
import { formatClock } from '../format.ts';
import { serviceName } from '../texts.ts';
import { visibleName } from '../visible-text.ts';
import { texts } from './texts.ts';

interface WatchProps {
  readonly progress: ConnectProgress | undefined;
  readonly problem: string | undefined;
  /** RFC 3339; '': everything is looked at. */
  readonly since: string;
  readonly startOver: (since: string) => void;
}

/** How far the program has come, live. */
export function Watch({ progress, problem, since, startOver }: WatchProps) {
  const said = texts.watch;
  return (
    <section className="watch" aria-labelledby="watch-title">
      <h2 id="watch-title">{said.title}</h2>
      <Problem words={problem} />
      {progress === undefined ? null : progress.recording ? (
        <>
          <p className="muted">{progress.client === null ? said.none : said.from(progress.client)}</p>
          <ol className="progress">
            {progress.steps.map((step) => (
              <Step key={step.step} step={step} />
            ))}
          </ol>
          <p className="buttons">
            <button type="button" className="button small" onClick={() => startOver(new Date().toISOString())}>
              {said.again}
            </button>
            {since === '' ? null : (
              <button type="button" className="button small plain" onClick={() => startOver('')}>
                {said.all}
              </button>
            )}
          </p>
        </>
      ) : (
        <p className="note">{said.off}</p>
      )}
      {progress === undefined ? null : <Connections progress={progress} />}
      <StepAnnouncer progress={progress} />
    </section>
  );
}

const ICONS = { done: 'check', failed: 'close' } as const;

function Step({ step: shown }: { readonly step: ConnectStep }) {
  const { step, state, at, conversation, service, detail, diagnoses } = shown;
  const said = texts.watch;
  const where = service === null || step === 'settings' ? undefined : serviceName(service);
  const exactly = [where, detail !== null && state === 'done' ? visibleName(detail) : undefined].filter(Boolean);
  return (
    <li className={`step ${state}`}>
      <span className="mark" aria-hidden="true">
        {state === 'done' || state === 'failed' ? <Icon name={ICONS[state]} /> : null}
      </span>
      <span className="what">
        {said.steps[step]}
        <span className="visually-hidden">: {said.states[state]}</span>
        {exactly.length === 0 ? null : <span className="exactly"> {exactly.join(', ')}</span>}
        {state === 'unneeded' ? <span className="exactly"> {said.unneeded}</span> : null}
        {state === 'waiting' && step === 'settings' ? <span className="exactly"> {said.optional}</span> : null}
      </span>
      {at === null ? null : (
        <time className="at" dateTime={at}>
          {formatClock(Date.parse(at))}
        </time>
      )}
      {conversation === null ? null : (
        <Link className="there" to={`/wire/${conversation}`} aria-label={`${said.steps[step]}: ${said.conversation}`}>
          <Icon name="next" />
        </Link>
      )}
      {state === 'failed' && detail !== null ? <p className="why">{visibleName(detail)}</p> : null}
      {diagnoses.map((diagnosis) => (
        <DiagnosisNote key={diagnosis.id} diagnosis={diagnosis} conversation={conversation!} />
      ))}
    </li>
  );
}

/** What the doctor says about the conversation of a step, with the lines that show it. */
function DiagnosisNote({ diagnosis, conversation }: DiagnosisNoteProps) {
  const { id, severity, title, sentence, remedy, evidence } = diagnosis;
  const [first] = evidence;
  return (
    <div className={`diagnosis ${severity}`}>
      <p>
        <span className="diagnosis-id">{id}</span> <b>{visibleName(title)}</b>
      </p>
      <p>{visibleName(sentence)}</p>
      <p>{visibleName(remedy)}</p>
      {first ? <Link to={`/wire/${conversation}#e${first.seq}`}>{texts.watch.lines}</Link> : null}
    </div>
  );
}

interface DiagnosisNoteProps {
  readonly diagnosis: Diagnosis;
  readonly conversation: string;
}

/** "Nothing has come" is an answer too, and what the ring has let go is counted still. */
function Connections({ progress }: { readonly progress: ConnectProgress }) {
  const said = texts.watch;
  const known = progress.services.filter(({ connections }) => connections !== null);
  if (known.length === 0) return null;
  const sum = known.reduce((total, { connections }) => total + connections!, 0);
  return (
    <>
      <h3>{said.services}</h3>
      {sum === 0 ? <p className="note warn">{said.nothing}</p> : null}
      <ul className="ports">
        {known.map(({ service, port, connections }) => (
          <li key={service} className={connections === 0 ? 'none' : undefined}>
            <span>{said.port(serviceName(service), port)}</span>
            <span className="count">{said.sum(connections!)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

/** Says each step once it has changed, to those who do not see it turn green. */
function StepAnnouncer({ progress }: { readonly progress: ConnectProgress | undefined }) {
  const before = useRef<ReadonlyMap<string, string> | undefined>(undefined);
  const [news, setNews] = useState('');
  useEffect(() => {
    if (progress === undefined) return;
    const now = new Map(progress.steps.map(({ step, state }) => [step, state]));
    const old = before.current;
    before.current = now;
    if (old === undefined) return;
    const changed = [...now].filter(([step, state]) => old.get(step) !== state && state !== 'waiting');
    if (changed.length === 0) return;
    const { heard, steps, states } = texts.watch;
    setNews(changed.map(([step, state]) => heard(steps[step], states[state])).join(', '));
  }, [progress]);
  return (
    <p className="visually-hidden" role="status" aria-live="polite">
      {news}
    </p>
  );
}
