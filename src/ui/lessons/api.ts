/** The routes of lessons. */
import { get, send } from '../api.ts';
import type { FaultList } from '../../http/schemas/faults.ts';
import type { CheckBody, Lesson, LessonBlock, LessonCheck, LessonList } from '../../http/schemas/lessons.ts';

export type FaultRule = Extract<LessonBlock, { type: 'fault' }>['rule'];

const path = (id: string): string => `/lessons/${encodeURIComponent(id)}`;

export async function fetchLessons(): Promise<LessonList> {
  return (await get('/lessons')) as LessonList;
}

export async function fetchLesson(id: string): Promise<Lesson> {
  return (await get(path(id))) as Lesson;
}

export async function checkLesson(id: string, body: CheckBody): Promise<LessonCheck> {
  return (await send('POST', `${path(id)}/check`, body)) as LessonCheck;
}

export async function sendLessonMessage(id: string, number: number, account: string): Promise<void> {
  await send('POST', `${path(id)}/messages`, { number, account });
}

/** @returns the id of the rule of that name; undefined: there is none */
export async function findFault(name: string): Promise<string | undefined> {
  const { faults } = (await get('/faults')) as FaultList;
  return faults.find((each) => each.name === name)?.id;
}

export async function addFault(rule: FaultRule): Promise<string> {
  return ((await send('POST', '/faults', rule)) as { readonly id: string }).id;
}

export async function removeFault(id: string): Promise<void> {
  await send('DELETE', `/faults/${id}`);
}
