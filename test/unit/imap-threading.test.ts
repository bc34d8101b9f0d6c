/** THREAD, beside RFC 5256 §3: against the algorithm as it is written there, step by step and with no regard to cost. */
import { fc } from '../property.ts';
import { describe, expect, test } from 'vitest';
import { threadData } from '../../src/imap/grammar/search-results.ts';
import type { Forest } from '../../src/imap/grammar/syntax.ts';
import { threadByReferences, threadBySubject } from '../../src/imap/threading.ts';

interface Message {
  /** 0: none. */
  readonly id: number;
  readonly references: readonly number[];
  /** 0: empty. */
  readonly subject: number;
  readonly isReply: boolean;
  readonly date: number;
}

function message(id: number, references: readonly number[] = [], other: Partial<Message> = {}): Message {
  return { id, references, subject: 0, isReply: false, date: 0, ...other };
}

function orderOf(messages: readonly Message[]): Uint32Array {
  const places = messages.map((_, i) => i);
  return Uint32Array.from(places.sort((a, b) => messages[a]!.date - messages[b]!.date || a - b));
}

const numbersOf = (messages: readonly Message[]) => messages.map((_, i) => i + 1);
const subjectsOf = (messages: readonly Message[]) => messages.map(({ subject }) => subject);

async function references(messages: readonly Message[]): Promise<string> {
  let length = 0;
  const forest = await threadByReferences(numbersOf(messages), orderOf(messages), subjectsOf(messages), {
    messageIds: Float64Array.from(messages, ({ id }) => id),
    references: Float64Array.from(messages.flatMap((each) => each.references)),
    starts: Uint32Array.from([0, ...messages.map((each) => (length += each.references.length))]),
    replies: Uint8Array.from(messages, ({ isReply }) => Number(isReply)),
  });
  return threadData(forest).trim();
}

async function bySubject(messages: readonly Message[]): Promise<string> {
  return threadData(await threadBySubject(numbersOf(messages), orderOf(messages), subjectsOf(messages))).trim();
}

describe('REFERENCES', () => {
  test.each<[what: string, messages: Message[], threads: string]>([
    ['nothing', [], ''],
    ['one', [message(1)], '(1)'],
    ['no ids', [message(0), message(0)], '(1)(2)'],
    ['a reply', [message(1), message(2, [1])], '(1 2)'],
    ['a reply that is there first', [message(2, [1]), message(1)], '(2 1)'],
    ['a chain', [message(1), message(2, [1]), message(3, [1, 2]), message(4, [1, 2, 3])], '(1 2 3 4)'],
    ['two replies', [message(1), message(2, [1]), message(3, [1])], '(1 (2)(3))'],
    ['a reply to what is not there', [message(2, [9])], '(1)'],
    ['two replies to what is not there', [message(2, [9]), message(3, [9])], '((1)(2))'],
    ['what is missing in between', [message(1), message(3, [1, 2])], '(1 2)'],
    ['what is missing above and in between', [message(3, [1, 2]), message(4, [1])], '((1)(2))'],
    ['references that were cut', [message(1), message(2, [1]), message(4, [2, 3])], '(1 2 3)'],
    ['no loop by what others name', [message(2), message(3, [1, 2]), message(1), message(4, [2, 1, 3])], '(3 1 2 4)'],
    ['the same id again', [message(1), message(1), message(2, [1])], '(1 3)(2)'],
    ['a loop', [message(1, [2]), message(2, [1])], '(2 1)'],
    ['itself', [message(1, [1])], '(1)'],
    ['siblings by date', [message(1), message(2, [1], { date: 9 }), message(3, [1], { date: 5 })], '(1 (3)(2))'],
    ['threads by date', [message(1, [], { date: 9 }), message(2, [], { date: 5 })], '(2)(1)'],
    ['a reply before what it answers', [message(1, [], { date: 9 }), message(2, [1], { date: 5 })], '(1 2)'],
    ['the same subject', [message(1, [], { subject: 7 }), message(2, [], { subject: 7 })], '((1)(2))'],
    [
      'a reply by its subject',
      [message(1, [], { subject: 7 }), message(2, [], { subject: 7, isReply: true })],
      '(1 2)',
    ],
    [
      'a reply by its subject, sent before',
      [message(1, [], { subject: 7, isReply: true }), message(2, [], { subject: 7, date: 5 })],
      '(2 1)',
    ],
    [
      'two replies by their subject alone',
      [message(1, [], { subject: 7, isReply: true }), message(2, [], { subject: 7, isReply: true })],
      '((1)(2))',
    ],
    ['no subject', [message(1), message(2, [], { isReply: true })], '(1)(2)'],
    [
      'replies to what is not there, and one by its subject',
      [
        message(1, [9], { subject: 7, isReply: true }),
        message(2, [9], { subject: 7, isReply: true }),
        message(3, [], { subject: 7 }),
      ],
      '((1)(2)(3))',
    ],
    [
      'replies to two that are not there',
      [8, 8, 9, 9].map((parent, i) => message(i + 1, [parent], { subject: 7 })),
      '((1)(2)(3)(4))',
    ],
  ])('%s', async (_, messages, threads) => {
    expect(await references(messages)).toBe(threads);
  });

  test('the same as step by step', async () => {
    const id = fc.integer({ min: 0, max: 12 });
    const anyMessage: fc.Arbitrary<Message> = fc.record({
      id,
      references: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 4 }),
      subject: fc.integer({ min: 0, max: 3 }),
      isReply: fc.boolean(),
      date: fc.integer({ min: 0, max: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(anyMessage, { maxLength: 12 }), async (messages) => {
        expect(await references(messages)).toBe(stepByStep(messages));
      }),
      { numRuns: 3000 },
    );
  });

  test('as deep as there are messages', async () => {
    const count = 50_000;
    const chain = Array.from({ length: count }, (_, i) => message(i + 1, i === 0 ? [] : [i]));
    expect(await references(chain)).toBe(`(${numbersOf(chain).join(' ')})`);
    const backwards = Array.from({ length: count }, (_, i) =>
      message(count - i, i === count - 1 ? [] : [count - i - 1]),
    );
    expect(await references(backwards)).toBe(`(${numbersOf(backwards).reverse().join(' ')})`);
    // Each has a reply that ends there, and one that goes on.
    const comb = Array.from({ length: count }, (_, i) => message(i + 1, i === 0 ? [] : [Math.max(1, i - (i % 2))]));
    expect((await references(comb)).match(/\d+/g)).toHaveLength(count);
  });
});

describe('ORDEREDSUBJECT', () => {
  test.each<[messages: Message[], threads: string]>([
    [[], ''],
    [[message(1)], '(1)'],
    [[message(1, [], { subject: 7 }), message(2, [], { subject: 8 }), message(3, [], { subject: 7 })], '(1 3)(2)'],
    [[3, 1, 2].map((date) => message(1, [], { subject: 7, date })), '(2 (3)(1))'],
    [[message(1, [], { subject: 7, date: 5 }), message(2, [], { subject: 8, date: 1 })], '(2)(1)'],
    [[message(1), message(2)], '(1 2)'], // without a subject it is the same
  ])('%#', async (messages, threads) => {
    expect(await bySubject(messages)).toBe(threads);
  });
});

test('threads as RFC 5256 §4 prints them', () => {
  // 2; 3 with its child 6, whose children are 4 (with 23) and 44 (with 7, with 96).
  const numbers = [2, 3, 6, 4, 23, 44, 7, 96];
  const forest: Forest = {
    numbers,
    roots: [0, 1],
    firstChild: Int32Array.of(-1, 2, 3, 4, -1, 6, 7, -1),
    nextSibling: Int32Array.of(-1, -1, -1, 5, -1, -1, -1, -1),
  };
  expect(threadData(forest)).toBe(' (2)(3 6 (4 23)(44 7 96))');
  const orphans = {
    numbers: [3, 5],
    roots: [2],
    firstChild: Int32Array.of(-1, -1, 0),
    nextSibling: Int32Array.of(1, -1, -1),
  };
  expect(threadData(orphans)).toBe(' ((3)(5))');
});

// ------------------------------------------------------------------------------------------------- the text of the RFC

interface Container {
  message: number | undefined;
  parent: Container | undefined;
  children: Container[];
}

function stepByStep(messages: readonly Message[]): string {
  const all: Container[] = [];
  const byId = new Map<number, Container>();
  const make = (at: number | undefined): Container => {
    const container: Container = { message: at, parent: undefined, children: [] };
    all.push(container);
    return container;
  };
  const unlink = (child: Container) => {
    if (child.parent) child.parent.children = child.parent.children.filter((each) => each !== child);
    child.parent = undefined;
  };
  const link = (parent: Container, child: Container) => {
    for (let at: Container | undefined = parent; at; at = at.parent) if (at === child) return;
    child.parent = parent;
    parent.children.push(child);
  };
  const own = messages.map(({ id }, at) => {
    const container = make(at);
    if (id !== 0 && !byId.has(id)) byId.set(id, container);
    return container;
  });
  // (1)
  messages.forEach(({ references: named }, at) => {
    const containers = named.map((id) => {
      if (!byId.has(id)) byId.set(id, make(undefined));
      return byId.get(id)!;
    });
    for (let i = 1; i < containers.length; i++) if (!containers[i]!.parent) link(containers[i - 1]!, containers[i]!);
    unlink(own[at]!);
    if (containers.length > 0) link(containers.at(-1)!, own[at]!);
  });
  // (2)
  const root: Container = { message: undefined, parent: undefined, children: all.filter(({ parent }) => !parent) };
  // (3)
  const prune = (parent: Container, isRoot: boolean): void => {
    for (let i = 0; i < parent.children.length;) {
      const child = parent.children[i]!;
      prune(child, false);
      if (child.message !== undefined || (isRoot && child.children.length > 1)) i++;
      else parent.children.splice(i, 1, ...child.children);
    }
  };
  prune(root, true);
  // (4)
  const orders = new Map<number, number>();
  orderOf(messages).forEach((at, place) => orders.set(at, place));
  const keyOf = (container: Container): number =>
    container.message === undefined ? Math.min(...container.children.map(keyOf)) : orders.get(container.message)!;
  const sort = (containers: Container[]) => containers.sort((a, b) => keyOf(a) - keyOf(b));
  sort(root.children);
  // (5)
  const first = (container: Container): Message =>
    messages[container.message ?? sort([...container.children])[0]!.message!]!;
  const isReply = (container: Container) => container.message !== undefined && messages[container.message]!.isReply;
  const table = new Map<number, Container>();
  for (const current of root.children) {
    const { subject } = first(current);
    if (subject === 0) continue;
    const known = table.get(subject);
    if (!known) table.set(subject, current);
    else if (known.message !== undefined && (current.message === undefined || (isReply(known) && !isReply(current))))
      table.set(subject, current);
  }
  for (const current of [...root.children]) {
    const { subject } = first(current);
    const known = table.get(subject);
    if (subject === 0 || !known || known === current) continue;
    const leave = (container: Container) => (root.children = root.children.filter((each) => each !== container));
    if (known.message === undefined && current.message === undefined) {
      known.children.push(...current.children);
      leave(current);
    } else if (known.message === undefined || (isReply(current) && !isReply(known))) {
      known.children.push(current);
      leave(current);
    } else {
      const dummy: Container = { message: undefined, parent: undefined, children: [current, known] };
      leave(current);
      leave(known);
      root.children.push(dummy);
      table.set(subject, dummy);
    }
  }
  // (6)
  const print = (container: Container): string => {
    const children = sort(container.children);
    const own = container.message === undefined ? '' : String(container.message + 1);
    if (children.length === 0) return own;
    const inner = children.length === 1 ? print(children[0]!) : children.map((child) => `(${print(child)})`).join('');
    return own === '' ? inner : `${own} ${inner}`;
  };
  return sort(root.children)
    .map((container) => `(${print(container)})`)
    .join('');
}
