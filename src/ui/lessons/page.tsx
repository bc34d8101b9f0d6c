/** Lessons: small tasks that check themselves against what happened on the wire. */
import { useEffect, useState } from 'react';
import type { Lesson, LessonList } from '../../http/schemas/lessons.ts';
import { ApiError, wordsOf } from '../api.ts';
import { Blank } from '../components/blank.tsx';
import { Icon } from '../components/icons.tsx';
import { Link } from '../components/link.tsx';
import '../console/console.css';
import { useAppState } from '../state.ts';
import { texts as app } from '../texts.ts';
import { fetchLesson, fetchLessons } from './api.ts';
import { LessonView } from './lesson-view.tsx';
import { keepFinished } from '../lessons-finished.ts';
import './lessons.css';
import { keepProgress, progressOf, useProgress } from './progress.ts';
import { texts } from './texts.ts';

type Loaded<Value> =
  | { readonly type: 'loading' }
  | { readonly type: 'ready'; readonly value: Value }
  | { readonly type: 'failed'; readonly status: number; readonly words: string };

export function LessonsPage({ lesson }: { readonly lesson: string | undefined }) {
  const [round, setRound] = useState(0);
  const list = useLoaded('', round, fetchLessons);
  const progress = useProgress();
  useEffect(() => {
    if (list.type !== 'ready') return;
    const { lessons } = list.value;
    keepFinished({ done: lessons.filter((each) => doneOf(each, progress).isFinished).length, of: lessons.length });
  }, [list, progress]);
  const retry = (): void => setRound(round + 1);
  if (lesson === undefined) return <Overview list={list} retry={retry} />;
  return <OneLesson key={lesson} id={lesson} list={list.type === 'ready' ? list.value : undefined} />;
}

function useLoaded<Value>(key: string, round: number, load: () => Promise<Value>): Loaded<Value> {
  const [loaded, setLoaded] = useState<Loaded<Value>>({ type: 'loading' });
  useEffect(() => {
    let isWanted = true;
    load().then(
      (value) => {
        if (isWanted) setLoaded({ type: 'ready', value });
      },
      (error: unknown) => {
        const status = error instanceof ApiError ? error.status : 0;
        if (isWanted) setLoaded({ type: 'failed', status, words: wordsOf(error) });
      },
    );
    return () => {
      isWanted = false;
    };
  }, [key, round]);
  return loaded;
}

// ----------------------------------------------------------------------------------------------------- all of them

/** Without what is only read. */
function doneOf({ id, steps }: LessonList['lessons'][number], progress: AllProgress): Done {
  const checked = steps.filter((step) => step.checked);
  const done = checked.filter((step) => progress[id]?.done[step.id] !== undefined).length;
  return { done, of: checked.length, isFinished: done === checked.length };
}

type AllProgress = ReturnType<typeof useProgress>;
interface Done {
  readonly done: number;
  readonly of: number;
  readonly isFinished: boolean;
}

function Overview({ list, retry }: { readonly list: Loaded<LessonList>; readonly retry: () => void }) {
  useEffect(() => {
    document.title = `${texts.title} · ${app.name}`;
  }, []);
  const progress = useProgress();
  if (list.type === 'loading') return <Blank title={app.loading} level={1} />;
  if (list.type === 'failed') {
    return (
      <Blank title={texts.title} text={list.words} level={1}>
        <button type="button" className="button" onClick={retry}>
          {texts.retry}
        </button>
      </Blank>
    );
  }
  const { lessons, problems } = list.value;
  return (
    <div className="lessons-page">
      <h1>{texts.title}</h1>
      <p className="lessons-lead">{texts.lead}</p>
      {lessons.length === 0 ? <p>{texts.none}</p> : null}
      <ol className="lesson-cards">
        {lessons.map((each, index) => {
          const { done, of, isFinished: isDone } = doneOf(each, progress);
          return (
            <li key={each.id} className={`lesson-card${isDone ? ' done' : ''}`}>
              <span className="lesson-number">{isDone ? <Icon name="check" /> : index + 1}</span>
              <div>
                <h2>
                  <Link to={`/lessons/${each.id}`}>{each.title}</Link>
                </h2>
                <p className="small-print">
                  {texts.minutes(each.minutes)} · {isDone ? texts.complete : texts.progress(done, of)}
                </p>
                {each.missing.length > 0 ? <p className="problem">{texts.missing(each.missing)}</p> : null}
                <span className="lesson-meter" aria-hidden="true">
                  <span style={{ inlineSize: `${(100 * done) / of}%` }} />
                </span>
              </div>
            </li>
          );
        })}
      </ol>
      {problems.length === 0 ? null : (
        <section className="lesson-problems">
          <h2>{texts.problems}</h2>
          <ul>
            {problems.map(({ file, line, message }) => (
              <li key={file}>{texts.problem(file, line, message)}</li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

// ---------------------------------------------------------------------------------------------------- one of them

function OneLesson({ id, list }: { readonly id: string; readonly list: LessonList | undefined }) {
  const loaded = useLoaded<Lesson>(id, 0, () => fetchLesson(id));
  const progress = useProgress()[id];
  const domain = useAppState(({ status }) => status?.defaultDomain) ?? 'glass.localhost';
  const lesson = loaded.type === 'ready' ? loaded.value : undefined;
  useEffect(() => {
    if (!lesson) return;
    document.title = `${lesson.title} · ${texts.title} · ${app.name}`;
    // From the first look on, what happens counts.
    if (!progressOf(lesson.id)) keepProgress(lesson.id, { began: lesson.now, done: {} });
  }, [lesson]);
  if (loaded.type === 'failed') {
    const [title, text] =
      loaded.status === 409
        ? [texts.broken, loaded.words]
        : loaded.status === 404 || loaded.status === 400
          ? [texts.noLesson, texts.noLessonText]
          : [texts.failed, loaded.words];
    return (
      <Blank title={title} text={text} level={1}>
        <Link to="/lessons">{texts.all}</Link>
      </Blank>
    );
  }
  if (!lesson || !progress) return <Blank title={app.loading} level={1} />;
  const index = list?.lessons.findIndex((each) => each.id === id) ?? -1;
  const next = index === -1 ? undefined : list?.lessons[index + 1];
  const other = lesson.account.startsWith('bob@') ? `alice@${domain}` : `bob@${domain}`;
  return <LessonView lesson={lesson} progress={progress} other={other} next={next} />;
}
