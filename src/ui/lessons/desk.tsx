import { useEffect, useState } from 'react';
import type { Lesson, LessonBlock } from '../../http/schemas/lessons.ts';
import { SessionView } from '../console/session-view.tsx';
import { type Service, Session } from '../console/session.ts';
import { formatDuration } from '../format.ts';
import { useAppState } from '../state.ts';
import { serviceName } from '../texts.ts';
import { isMail } from '../wire.ts';
import { texts } from './texts.ts';

export type ConsoleName = Extract<LessonBlock, { type: 'try' }>['console'];

export const keyOf = ({ service, letter }: ConsoleName): string => `${service}${letter}`;
/** Undefined: it begins in clear. */
const underTls = ({ service }: ConsoleName): Service | undefined =>
  service === 'submissions' || service === 'imaps' || service === 'pop3s'
    ? (service.slice(0, -1) as Service)
    : undefined;
export const nameOf = (console: ConsoleName): string =>
  [serviceName(console.service), underTls(console) && 'TLS', console.letter].filter(Boolean).join(' ');

/** The consoles that a lesson speaks of, in the order in which it does. */
export function consolesOf(lesson: Lesson): readonly ConsoleName[] {
  const blocks = [...lesson.intro, ...lesson.steps.flatMap((step) => step.blocks)];
  const named = blocks.flatMap((block) => (block.type === 'try' || block.type === 'text' ? [block.console] : []));
  return [...new Map(named.map((each) => [keyOf(each), each])).values()];
}

/** Sessions that stay open while one looks at another. */
export class Desk {
  readonly #sessions = new Map<string, Session>();
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  find(console: ConsoleName): Session | undefined {
    return this.#sessions.get(keyOf(console));
  }

  /** One that is over is followed by a new one. */
  open(console: ConsoleName): Session {
    const before = this.find(console);
    if (before && before.store.latest.phase !== 'ended') return before;
    before?.close();
    const service = underTls(console);
    const session = new Session(service ?? (console.service as Service), service ? 'at-once' : 'later');
    this.#sessions.set(keyOf(console), session);
    session.store.subscribe(this.#changed);
    this.#changed();
    return session;
  }

  renew(console: ConsoleName): void {
    this.find(console)?.close();
    this.#sessions.delete(keyOf(console));
    this.open(console);
  }

  close(): void {
    for (const session of this.#sessions.values()) session.close();
    this.#sessions.clear();
  }
}

interface DeskPaneProps {
  readonly lesson: Lesson;
  readonly other: string;
  readonly desk: Desk;
  /** Which console is looked at; `any`: conversations of other programs. */
  readonly chosen: string;
  readonly choose: (key: string) => void;
}

export function DeskPane({ lesson, other, desk, chosen, choose }: DeskPaneProps) {
  const [explains, setExplains] = useState(true);
  const consoles = consolesOf(lesson);
  const current = consoles.find((each) => keyOf(each) === chosen);
  const session = current && desk.find(current);
  return (
    <section className="lesson-desk" aria-label={texts.practice} id="desk" tabIndex={-1}>
      <div className="tabs" role="group" aria-label={texts.consoles}>
        {consoles.map((each) => (
          <button
            key={keyOf(each)}
            type="button"
            className="tab"
            aria-pressed={keyOf(each) === chosen}
            onClick={() => choose(keyOf(each))}
          >
            {nameOf(each)}
          </button>
        ))}
        <button type="button" className="tab" aria-pressed={chosen === 'any'} onClick={() => choose('any')}>
          {texts.anyProgram}
        </button>
      </div>
      {current === undefined ? <Newest /> : null}
      {current !== undefined && session === undefined ? (
        <p className="desk-empty">
          <button type="button" className="button primary" onClick={() => desk.open(current)}>
            {texts.openConsole(nameOf(current))}
          </button>
        </p>
      ) : null}
      {current !== undefined && session !== undefined ? (
        <SessionView
          key={`${chosen} ${session.number}`}
          session={session}
          account={lesson.account}
          other={other}
          explains={explains}
          setExplains={setExplains}
          renew={() => desk.renew(current)}
        />
      ) : null}
    </section>
  );
}

const SHOWN = 12;

function Newest() {
  const rows = useAppState(({ conversations }) => conversations.rows);
  const mail = rows.filter(isMail).slice(0, SHOWN);
  return (
    <div className="desk-any">
      <p>{texts.anyProgramText}</p>
      {mail.length === 0 ? <p className="muted">{texts.noConversations}</p> : null}
      <ul>
        {mail.map(({ id, service, login, opened, closed, problem }) => (
          <li key={id}>
            <a href={`/wire/${id}`} target="_blank" rel="noreferrer">
              {serviceName(service)} · {new Date(opened).toLocaleTimeString()}
            </a>{' '}
            <span className="muted">
              <bdi>{login ?? ''}</bdi> {closed === null ? '' : formatDuration(Date.parse(closed) - Date.parse(opened))}{' '}
              {problem ?? ''}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** As long as the lesson is open. `news` is another number each time that something was said. */
export function useDesk(): { readonly desk: Desk; readonly news: number } {
  const [news, setCount] = useState(0);
  const [desk] = useState(() => new Desk(() => setCount((count) => count + 1)));
  useEffect(() => () => desk.close(), [desk]);
  return { desk, news };
}
