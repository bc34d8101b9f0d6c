/**
 * THREAD's trees: RFC 5256 §3. Messages are numbered as they stand in the mailbox; message ids and base subjects are
 * numbers too (`MailStore.threadKeys`). Nothing here calls itself: threads may be as deep as there are messages.
 */
import type { ThreadKeys } from '../store/sort-keys.ts';
import type { Forest } from './grammar/syntax.ts';
import { Turns } from './turns.ts';

const NONE = -1;
const AT_ONCE = 4096;

/** By date (RFC 5256 §2.2), each message after those that were sent before it. */
export type DateOrder = Uint32Array;
/** For each message a number, the same for the same base subject; 0: it is empty. */
export type Subjects = ArrayLike<number>;

/** ORDEREDSUBJECT: the first with a subject, and those that follow it as its children. */
export async function threadBySubject(
  numbers: ArrayLike<number>,
  order: DateOrder,
  subjects: Subjects,
): Promise<Forest> {
  const turns = new Turns();
  const parents = new Int32Array(numbers.length).fill(NONE);
  const first = new Map<number, number>();
  for (const message of order) {
    const known = first.get(subjects[message]!);
    if (known === undefined) first.set(subjects[message]!, message);
    else parents[message] = known;
  }
  await turns.give();
  return planted(numbers, order, parents, numbers.length);
}

/** REFERENCES: by what messages name as their ancestors, and then by their subjects. */
export async function threadByReferences(
  numbers: ArrayLike<number>,
  order: DateOrder,
  subjects: Subjects,
  keys: ThreadKeys,
): Promise<Forest> {
  const count = numbers.length;
  const turns = new Turns();
  const { parents, nodes } = await linked(keys, count);
  prune(parents, count);
  await turns.give();
  const merged = mergeSubjects(parents, count, nodes, order, subjects, keys.replies);
  await turns.give();
  return planted(numbers, order, merged.parents, merged.nodes);
}

// ----------------------------------------------------------------------------------------------- step 1: references

/** Each node's parent. Nodes from `count` on stand for messages that are named but not there (dummies). */
async function linked(keys: ThreadKeys, count: number): Promise<{ parents: Int32Array; nodes: number }> {
  const { messageIds, references, starts } = keys;
  const turns = new Turns();
  const known = new NodesById(count + references.length);
  for (let i = 0; i < count; i++) {
    // Of several with the same id the first has it; the others, as those without one, are named by nobody.
    if (messageIds[i] !== 0) known.add(messageIds[i]!, i);
    if (i % AT_ONCE === 0) await turns.give();
  }
  const named = new Int32Array(references.length);
  let nodes = count;
  for (let i = 0; i < references.length; i++) {
    named[i] = known.add(references[i]!, nodes);
    if (named[i] === nodes) nodes++;
    if (i % AT_ONCE === 0) await turns.give();
  }
  const links = new Links(nodes);
  for (let message = 0; message < count; message++) {
    const start = starts[message]!;
    const end = starts[message + 1]!;
    // (A) An existing link stays as it is: References may have been cut.
    for (let i = start + 1; i < end; i++) if (!links.hasParent(named[i]!)) links.link(named[i - 1]!, named[i]!);
    // (B) Of its own parent the message knows best.
    links.unlink(message);
    if (end > start) links.link(named[end - 1]!, message);
    if (links.steps > AT_ONCE) {
      links.steps = 0;
      await turns.give();
    }
  }
  return { parents: links.parents, nodes };
}

class Links {
  readonly parents: Int32Array;
  readonly #children: Uint32Array;
  /** What has been done since somebody set it to 0. */
  steps = 0;

  constructor(nodes: number) {
    this.parents = new Int32Array(nodes).fill(NONE);
    this.#children = new Uint32Array(nodes);
  }

  hasParent(node: number): boolean {
    this.steps++;
    return this.parents[node] !== NONE;
  }

  unlink(child: number): void {
    const parent = this.parents[child]!;
    if (parent === NONE) return;
    this.#children[parent]!--;
    this.parents[child] = NONE;
  }

  /** Not if that made a loop. */
  link(parent: number, child: number): void {
    this.steps++;
    if (parent === child || this.#isBelow(parent, child)) return;
    this.parents[child] = parent;
    this.#children[parent]!++;
  }

  #isBelow(node: number, above: number): boolean {
    if (this.#children[above] === 0) return false;
    for (let at = node; at !== NONE; at = this.parents[at]!) {
      if (at === above) return true;
      this.steps++;
    }
    return false;
  }
}

/** A table of numbers from 1 to 2^53: a fraction of what a `Map` takes. The numbers are hashes already. */
class NodesById {
  readonly #ids: Float64Array;
  readonly #nodes: Int32Array;
  readonly #mask: number;

  constructor(most: number) {
    let size = 16;
    while (size < 2 * most) size *= 2;
    this.#ids = new Float64Array(size);
    this.#nodes = new Int32Array(size);
    this.#mask = size - 1;
  }

  /** The node that has the id; `node`, from now on, if none had it. */
  add(id: number, node: number): number {
    let at = id & this.#mask; // the lowest bits of the number
    while (this.#ids[at] !== 0) {
      if (this.#ids[at] === id) return this.#nodes[at]!;
      at = (at + 1) & this.#mask;
    }
    this.#ids[at] = id;
    this.#nodes[at] = node;
    return node;
  }
}

// ------------------------------------------------------------------------------------- steps 2 and 3: without dummies

/** What is not there hands its children on to its parent; at the top it stays if it has several. */
function prune(parents: Int32Array, count: number): void {
  const isDummy = (node: number): boolean => node >= count;
  /** The nearest message above, or the dummy at the top. */
  const resolved = (from: number): number => {
    let top = from;
    while (top !== NONE && isDummy(top) && parents[top] !== NONE) top = parents[top]!;
    // Whoever comes this way next finds the way shorter.
    for (let node = from; node !== top;) {
      const next = parents[node]!;
      parents[node] = top;
      node = next;
    }
    return top;
  };
  const children = new Uint32Array(parents.length);
  for (let message = 0; message < count; message++) {
    const parent = resolved(parents[message]!);
    parents[message] = parent;
    if (parent !== NONE) children[parent]!++;
  }
  for (let message = 0; message < count; message++) {
    const parent = parents[message]!;
    if (parent !== NONE && isDummy(parent) && children[parent] === 1) parents[message] = NONE;
  }
}

// ------------------------------------------------------------------------------------------- steps 4 and 5: subjects

/** Threads with the same subject become one. */
function mergeSubjects(
  before: Int32Array,
  count: number,
  nodesBefore: number,
  order: DateOrder,
  subjects: Subjects,
  replies: Uint8Array,
): { parents: Int32Array; nodes: number } {
  // A dummy for each two threads at most.
  const parents = new Int32Array(nodesBefore + count).fill(NONE);
  parents.set(before);
  let nodes = nodesBefore;
  const { roots, firstOf } = rootsInOrder(parents, count, order);
  const isDummy = (node: number): boolean => node >= count;
  const subjectOf = (root: number): number => subjects[isDummy(root) ? firstOf.get(root)! : root]!;
  const isReply = (root: number): boolean => !isDummy(root) && replies[root] === 1;

  // (B) By subject, the root that the others are merged with.
  const table = new Map<number, number>();
  for (const root of roots) {
    const subject = subjectOf(root);
    if (subject === 0) continue;
    const known = table.get(subject);
    const isBetter = known !== undefined && !isDummy(known) && (isDummy(root) || (isReply(known) && !isReply(root)));
    if (known === undefined || isBetter) table.set(subject, root);
  }
  // (C)
  /** Dummies whose children are another's by now. */
  const gone = new Map<number, number>();
  for (const root of roots) {
    const subject = subjectOf(root);
    const known = table.get(subject);
    if (subject === 0 || known === undefined || known === root) continue;
    if (isDummy(known) && isDummy(root)) gone.set(root, known);
    else if (isDummy(known) || (isReply(root) && !isReply(known))) parents[root] = known;
    else {
      parents[root] = parents[known] = nodes;
      table.set(subject, nodes++);
    }
  }
  if (gone.size > 0) {
    for (let message = 0; message < count; message++) {
      parents[message] = gone.get(parents[message]!) ?? parents[message]!;
    }
  }
  return { parents, nodes };
}

/** Step 4: by date, a dummy by its first child. */
function rootsInOrder(
  parents: Int32Array,
  count: number,
  order: DateOrder,
): { roots: number[]; firstOf: ReadonlyMap<number, number> } {
  const roots: number[] = [];
  const firstOf = new Map<number, number>();
  for (const message of order) {
    const parent = parents[message]!;
    if (parent === NONE) roots.push(message);
    else if (parent >= count && !firstOf.has(parent)) {
      firstOf.set(parent, message);
      roots.push(parent);
    }
  }
  return { roots, firstOf };
}

// --------------------------------------------------------------------------------------------------- step 6: in order

/** Siblings by date: whoever comes first in the order comes first among them. Dummies are at the top alone. */
function planted(numbers: ArrayLike<number>, order: DateOrder, parents: Int32Array, nodes: number): Forest {
  const firstChild = new Int32Array(nodes).fill(NONE);
  const nextSibling = new Int32Array(nodes).fill(NONE);
  const lastChild = new Int32Array(nodes);
  const roots: number[] = [];
  for (const message of order) {
    const parent = parents[message]!;
    if (parent === NONE) {
      roots.push(message);
      continue;
    }
    if (firstChild[parent] !== NONE) nextSibling[lastChild[parent]!] = message;
    else {
      firstChild[parent] = message;
      if (parent >= numbers.length) roots.push(parent);
    }
    lastChild[parent] = message;
  }
  return { numbers, roots, firstChild, nextSibling };
}
