import { useEffect, useState } from 'react';
import type { Lesson } from '../../http/schemas/lessons.ts';
import { Icon } from '../components/icons.tsx';
import { Link } from '../components/link.tsx';
import { state } from '../state.ts';
import { Blocks, Html } from './blocks.tsx';
import { type Evidence, useChecking } from './checking.ts';
import { type ConsoleName, DeskPane, consolesOf, keyOf, useDesk } from './desk.tsx';
import { type LessonProgress, keepProgress } from './progress.ts';
import { texts } from './texts.ts';

type Step = Lesson['steps'][number];

/** So long one is left to oneself. */
const HINT_MS = 30_000;

interface LessonViewProps {
  readonly lesson: Lesson;
  readonly progress: LessonProgress;
  readonly other: string;
  readonly next: { readonly id: string; readonly title: string } | undefined;
}

export function LessonView({ lesson, progress, other, next }: LessonViewProps) {
  const { desk, news } = useDesk();
  const evidence = useChecking(lesson, progress, news);
  const consoles = consolesOf(lesson);
  const [chosen, choose] = useState(consoles[0] ? keyOf(consoles[0]) : 'any');
  const focusField = (): void => {
    // The field is there once the console that was chosen has been drawn.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        const pane = document.getElementById('desk');
        pane?.scrollIntoView({ block: 'nearest' });
        (pane?.querySelector<HTMLElement>('.line-form input, .block-form textarea') ?? pane)?.focus();
      }),
    );
  };
  const at = (console: ConsoleName) => {
    const session = desk.open(console);
    choose(keyOf(console));
    focusField();
    return session;
  };
  const steps = lesson.steps.filter(({ checked }) => checked);
  const current = steps.find(({ id }) => progress.done[id] === undefined);
  const startAgain = (): void => {
    const act = (): void => keepProgress(lesson.id, { began: new Date().toISOString(), done: {} });
    state.update({ question: { ...texts.startAgainQuestion, act } });
  };
  const blocks = {
    lesson: lesson.id,
    account: lesson.account,
    putLine: (console: ConsoleName, line: string) => at(console).putLine(line),
    putText: (console: ConsoleName, text: string) => at(console).setText(text),
  };
  return (
    <div className="lesson">
      <article className="lesson-text" aria-label={texts.lesson} tabIndex={0}>
        <p className="lesson-way">
          <Link to="/lessons">
            <Icon name="back" />
            {texts.all}
          </Link>
          <button type="button" className="button small" onClick={startAgain}>
            {texts.startAgain}
          </button>
        </p>
        <h1>{lesson.title}</h1>
        <p className="small-print">
          {texts.minutes(lesson.minutes)} ·{' '}
          {texts.progress(
            steps.length - steps.filter(({ id }) => progress.done[id] === undefined).length,
            steps.length,
          )}
        </p>
        {lesson.missing.length > 0 ? <p className="problem">{texts.missing(lesson.missing)}</p> : null}
        <Blocks {...blocks} blocks={lesson.intro} />
        <ol className="lesson-steps">
          {lesson.steps.map((step) => (
            <li key={step.id} className={stateOf(step, progress, current)}>
              <StepTitle step={step} state={stateOf(step, progress, current)} evidence={evidence} />
              <Blocks {...blocks} blocks={step.blocks} />
              {step.id === current?.id ? <Hints key={`${step.id}${progress.began}`} hints={step.hints} /> : null}
            </li>
          ))}
        </ol>
        {current === undefined ? (
          <p className="lesson-over">
            <Icon name="check" /> {texts.allDone}{' '}
            {next ? <Link to={`/lessons/${next.id}`}>{`${texts.nextLesson}: ${next.title}`}</Link> : null}
          </p>
        ) : null}
        <Announcement steps={steps} progress={progress} />
      </article>
      <DeskPane lesson={lesson} other={other} desk={desk} chosen={chosen} choose={choose} />
    </div>
  );
}

function stateOf(step: Step, progress: LessonProgress, current: Step | undefined): 'read' | 'done' | 'now' | 'open' {
  if (!step.checked) return 'read';
  if (progress.done[step.id] !== undefined) return 'done';
  return step.id === current?.id ? 'now' : 'open';
}

interface StepTitleProps {
  readonly step: Step;
  readonly state: ReturnType<typeof stateOf>;
  readonly evidence: Evidence;
}

function StepTitle({ step, state: at, evidence }: StepTitleProps) {
  const shown = evidence[step.id];
  return (
    <div className="step-title">
      <span className="step-mark">{at === 'done' ? <Icon name="check" /> : null}</span>
      <h2 id={step.id}>
        {step.title}
        {at === 'read' ? null : (
          <span className="visually-hidden">
            {' '}
            ({at === 'done' ? texts.doneAt : at === 'now' ? texts.now : texts.open})
          </span>
        )}
      </h2>
      {at === 'done' && shown ? (
        <a href={`/wire/${shown.conversation}#e${shown.seq}`} target="_blank" rel="noreferrer">
          {texts.evidence}
        </a>
      ) : null}
    </div>
  );
}

function Hints({ hints }: { readonly hints: readonly string[] }) {
  const [isDue, setDue] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setDue(true), HINT_MS);
    return () => window.clearTimeout(timer);
  }, []);
  if (!isDue) return null;
  return hints.map((html, index) => (
    <details key={index} className="lesson-hint">
      <summary>{texts.hint}</summary>
      <Html html={html} />
    </details>
  ));
}

/** Says what has just been done, for whoever hears the page. */
function Announcement({ steps, progress }: { readonly steps: readonly Step[]; readonly progress: LessonProgress }) {
  const [first] = useState(progress);
  const fresh = steps.filter(({ id }) => progress.done[id] !== undefined && first.done[id] === undefined);
  const last = fresh.at(-1);
  return (
    <p className="visually-hidden" role="status">
      {last ? texts.announce(last.title) : ''}
    </p>
  );
}
