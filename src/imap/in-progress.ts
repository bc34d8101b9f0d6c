/**
 * INPROGRESS: RFC 9585. A client that waits long for a command is told from time to time that the server is at work, and
 * if that is known how far it has come.
 */
import type { SessionForCommands } from './command.ts';
import { untaggedOk } from './grammar/responses.ts';
import type { Response } from './grammar/syntax.ts';

/** RFC 9585 §3: every 10 to 15 seconds. */
const INTERVAL_MS = 10_000;

/** @param done from 0, rising  @param goal more than `done`, and the same each time */
export type Report = (done: number, goal: number) => void;

/** Does the work, and tells the client of it for as long as it lasts. */
export async function withProgress<T>(
  tag: string,
  session: Pick<SessionForCommands, 'options' | 'sayNow'>,
  work: (report: Report) => Promise<T>,
): Promise<T> {
  let reached: readonly [done: number, goal: number] | undefined;
  let saying: Promise<void> | undefined;
  const timer = setInterval(() => {
    if (saying) return; // the client does not listen
    saying = session.sayNow(inProgress(tag, reached)).then(() => {
      saying = undefined;
    });
    // A client that has gone is noticed below, or by whoever writes next.
    saying.catch(() => undefined);
  }, session.options.progressMs ?? INTERVAL_MS);
  try {
    return await work((done, goal) => (reached = [done, goal]));
  } finally {
    clearInterval(timer);
    await saying;
  }
}

/** `("A1" 454 1000)`; RFC 9585 §4. */
function inProgress(tag: string, reached: readonly [done: number, goal: number] | undefined): Response {
  const quoted = `"${tag.replace(/["\\]/g, '\\$&')}"`;
  if (reached === undefined || reached[0] >= reached[1]) {
    return untaggedOk('Still at work', `INPROGRESS (${quoted} NIL NIL)`);
  }
  const [done, goal] = reached;
  return untaggedOk(`${Math.floor((100 * done) / goal)} % are done`, `INPROGRESS (${quoted} ${done} ${goal})`);
}
