/** Asks the server how far the lesson is, whenever something has happened on the wire. */
import { useEffect, useEffectEvent, useRef, useState } from 'react';
import type { Lesson, LessonCheck } from '../../http/schemas/lessons.ts';
import { useAppState } from '../state.ts';
import { isMail } from '../wire.ts';
import { checkLesson } from './api.ts';
import { type LessonProgress, keepProgress, progressOf } from './progress.ts';

export type Evidence = Readonly<Record<string, LessonCheck['steps'][number]['evidence']>>;

/** News of one moment are asked about together. */
const SETTLE_MS = 120;
/** Of HTTP there is no news that would not be about the asking itself. */
const HTTP_MS = 1000;

/**
 * @param said changes when something was said in one of the lesson's own consoles: of what only grows the feed tells once
 * a second
 * @returns where it shows, for the steps that were done while this was looked at
 */
export function useChecking(lesson: Lesson, progress: LessonProgress, said: number): Evidence {
  const [evidence, setEvidence] = useState<Evidence>({});
  // What grows with every event of a mail protocol, and with each message.
  const news = useAppState(({ conversations, total, unread }) => {
    const mail = conversations.rows.filter(isMail).slice(0, 50);
    return `${mail.map(({ id, lastSeq }) => `${id}.${lastSeq}`).join()} ${total} ${unread}`;
  });
  const check = useEffectEvent(async (): Promise<void> => {
    const { began, done } = progress;
    try {
      const { steps } = await checkLesson(lesson.id, { began, account: lesson.account, done: { ...done } });
      const latest = progressOf(lesson.id);
      if (latest?.began !== began) return;
      setEvidence((before) => ({
        ...before,
        ...Object.fromEntries(steps.flatMap((step) => (step.evidence ? [[step.id, step.evidence] as const] : []))),
      }));
      const fresh = steps.filter((step) => step.done !== null && latest.done[step.id] === undefined);
      if (fresh.length === 0) return;
      const added = Object.fromEntries(fresh.map((step) => [step.id, step.done!]));
      keepProgress(lesson.id, { began, done: { ...latest.done, ...added } });
    } catch {
      // The server is away: the next news come with it.
    }
  });
  // News that come without end do not put the question off.
  const timer = useRef<number>(undefined);
  useEffect(() => {
    timer.current ??= window.setTimeout(() => {
      timer.current = undefined;
      void check();
    }, SETTLE_MS);
  }, [news, said, progress.began]);
  useEffect(
    () => () => {
      window.clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
  const isOpen =
    lesson.watchesHttp && lesson.steps.some(({ id, checked }) => checked && progress.done[id] === undefined);
  useEffect(() => {
    if (!isOpen) return;
    const timer = window.setInterval(() => {
      if (document.visibilityState === 'visible') void check();
    }, HTTP_MS);
    return () => window.clearInterval(timer);
  }, [isOpen]);
  return evidence;
}
