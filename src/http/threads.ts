/**
 * Which messages of a mailbox belong together: those that name each other in References or In-Reply-To (RFC 5322 §3.6.4),
 * and replies whose subject is that of another one (RFC 5256 §3, step 5). Not so two messages that merely have the same
 * subject: an application's "Welcome" to a hundred people is no conversation.
 */
import type { ThreadKeys } from '../store/sort-keys.ts';

/**
 * @param subjects for each message a number, the same for the same base subject; 0: it is empty
 * @returns for each message the index of the first message of its thread
 */
export function threadsOf(keys: ThreadKeys, subjects: ArrayLike<number>): Uint32Array {
  const count = keys.messageIds.length;
  const parents = Uint32Array.from({ length: count }, (_, index) => index);
  const root = (index: number): number => {
    let at = index;
    while (parents[at] !== at) at = parents[at] = parents[parents[at]!]!;
    return at;
  };
  // The first of a thread stands for it: the lower number stays on top.
  const join = (one: number, other: number): void => {
    const [a, b] = [root(one), root(other)];
    parents[Math.max(a, b)] = Math.min(a, b);
  };
  /** By the number of an id, whether a message has it or only names it. */
  const byId = new Map<number, number>();
  const meets = (id: number, message: number): void => {
    const known = byId.get(id);
    if (known === undefined) byId.set(id, message);
    else join(known, message);
  };
  for (let message = 0; message < count; message++) {
    if (keys.messageIds[message] !== 0) meets(keys.messageIds[message]!, message);
    for (let at = keys.starts[message]!; at < keys.starts[message + 1]!; at++) meets(keys.references[at]!, message);
  }
  const bySubject = new Map<number, number>();
  for (let message = 0; message < count; message++) {
    const subject = subjects[message]!;
    if (subject === 0) continue;
    const known = bySubject.get(subject);
    // A reply to something that is not here begins a thread too.
    if (known === undefined) bySubject.set(subject, message);
    else if (keys.replies[message] === 1) join(known, message);
    else bySubject.set(subject, message);
  }
  return Uint32Array.from({ length: count }, (_, index) => root(index));
}

/** Rows in the order of their threads: the thread with the newest message first, inside it the oldest first. */
export function threadOrder(rows: readonly number[], first: ArrayLike<number>): number[] {
  const threads = new Map<number, number[]>();
  for (const row of rows) {
    const known = threads.get(first[row]!);
    if (known) known.push(row);
    else threads.set(first[row]!, [row]);
  }
  return [...threads.values()].sort((a, b) => b.at(-1)! - a.at(-1)!).flat();
}
