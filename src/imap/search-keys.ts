/**
 * The keys of SEARCH (RFC 9051 §6.4.4, RFC 5032, RFC 7162 §3.1.5, RFC 8474 §6, RFC 8514 §4.3, RFC 9738 §3.2). Those that the view can
 * judge are judged here, over arrays in memory; the others become a query for the store, which is asked about what is left.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SearchQuery } from '../store/search-query.ts';
import type { MailStore } from '../store/mail-store.ts';
import { rangesOf } from './grammar/sequence-set.ts';
import type { SearchKey, SequenceSet } from './grammar/syntax.ts';
import { loosened } from './fuzzy-keys.ts';
import type { Report } from './in-progress.ts';
import type { MailboxView } from './mailbox-view.ts';
import { parseEmailObjectId } from './object-id.ts';

type Test = (seqNum: number) => boolean;

const TURN_MS = 5;
const MS_PER_DAY = 86_400_000;
/** More ranges than this cost the store more than they spare it. */
const MOST_RANGES = 2_000;

/** Ascending sequence numbers; messages that others have removed are left out. */
export async function findMessages(
  key: SearchKey,
  view: MailboxView,
  store: MailStore,
  signal: AbortSignal,
  report?: Report,
): Promise<Uint32Array> {
  const keys = key.name === 'AND' ? key.keys : [key];
  const tests: Test[] = [];
  const others: SearchKey[] = [];
  for (const one of keys) {
    const test = viewTest(one, view);
    if (test) tests.push(test);
    else others.push(one);
  }
  const candidates = await passing(view, tests);
  if (others.length === 0 || candidates.length === 0) return candidates;
  const queries: SearchQuery[] = [];
  for (const other of others) queries.push(await toQuery(other, view));
  const uids = rangesOf(candidates.map((seqNum) => view.uid(seqNum)));
  if (tests.length > 0 && uids.length <= MOST_RANGES) queries.unshift({ type: 'uids', uids });
  const found = await store.searchMessages(view.account, view.id, { type: 'and', queries }, signal, report);
  const matches = new Set(found);
  return candidates.filter((seqNum) => matches.has(view.uid(seqNum)));
}

/** Those that pass all the tests. However many keys and messages there are, others have their turn meanwhile. */
async function passing(view: MailboxView, tests: readonly Test[]): Promise<Uint32Array> {
  const { seqNums } = view.present();
  if (tests.length === 0) return seqNums;
  const passed = new Uint32Array(seqNums.length);
  let count = 0;
  let turnStarted = performance.now();
  for (let i = 0; i < seqNums.length; i++) {
    const seqNum = seqNums[i]!;
    if (tests.every((test) => test(seqNum))) passed[count++] = seqNum;
    if (i % 64 === 0 && performance.now() - turnStarted > TURN_MS) {
      await nextTurn();
      turnStarted = performance.now();
    }
  }
  return passed.subarray(0, count);
}

/**
 * The messages that a search looks at (RFC 9738 §3.1): those that it names itself, by number or UID; without such keys all.
 * Ascending sequence numbers.
 */
export function candidatesOf(key: SearchKey, view: MailboxView): Promise<Uint32Array> {
  return passing(view, namingTests(key, view));
}

function namingTests(key: SearchKey, view: MailboxView): Test[] {
  if (key.name === 'AND') return key.keys.flatMap((one) => namingTests(one, view));
  const names = ['SEQUENCE', 'UID', 'UIDAFTER', 'UIDBEFORE'].includes(key.name);
  return names ? [viewTest(key, view)!] : [];
}

/** The messages with these UIDs, which ascend. */
export function uidKey(uids: Uint32Array): SearchKey {
  return { name: 'UID', set: { type: 'set', ranges: rangesOf(uids) } };
}

/** RFC 7162 §3.1.5: then the answer carries the highest one found. */
export function namesModSeq(key: SearchKey): boolean {
  if (key.name === 'AND') return key.keys.some(namesModSeq);
  if (key.name === 'OR') return namesModSeq(key.left) || namesModSeq(key.right);
  return key.name === 'NOT' || key.name === 'FUZZY' ? namesModSeq(key.key) : key.name === 'MODSEQ';
}

/** Whether messages are named by their sequence numbers. */
export function namesNumbers(key: SearchKey): boolean {
  if (key.name === 'AND') return key.keys.some(namesNumbers);
  if (key.name === 'OR') return namesNumbers(key.left) || namesNumbers(key.right);
  return key.name === 'NOT' || key.name === 'FUZZY' ? namesNumbers(key.key) : key.name === 'SEQUENCE';
}

/** Undefined: the view does not know enough. */
function viewTest(key: SearchKey, view: MailboxView): Test | undefined {
  switch (key.name) {
    case 'ALL':
      return () => true;
    case 'NEW': {
      const seen = view.flagTest('\\Seen');
      return (seqNum) => view.isRecent(seqNum) && !seen(seqNum);
    }
    case 'OLD':
      return (seqNum) => !view.isRecent(seqNum);
    case 'RECENT':
      return (seqNum) => view.isRecent(seqNum);
    case 'FLAG': {
      const has = view.flagTest(key.flag);
      return key.set ? has : (seqNum) => !has(seqNum);
    }
    case 'LARGER':
      return (seqNum) => view.sizeOf(seqNum) > key.octets;
    case 'SMALLER':
      return (seqNum) => view.sizeOf(seqNum) < key.octets;
    case 'BEFORE':
    case 'ON':
    case 'SINCE': {
      const [since, before] = span(key.name, key.day);
      return (seqNum) => {
        const day = view.internalDateOf(seqNum) / MS_PER_DAY;
        return day >= since && day < before;
      };
    }
    case 'OLDER':
    case 'YOUNGER': {
      // RFC 5032 §2: to the second, and what lies on it is both older and younger.
      const limit = (Math.floor(Date.now() / 1000) - key.seconds) * 1000;
      return key.name === 'OLDER'
        ? (seqNum) => view.internalDateOf(seqNum) <= limit
        : (seqNum) => view.internalDateOf(seqNum) >= limit;
    }
    case 'MODSEQ':
      return (seqNum) => view.modSeqOf(seqNum) >= key.since;
    case 'UID':
      return isIn(key.set, 'uid', view);
    case 'UIDAFTER':
      return (seqNum) => view.uid(seqNum) > key.uid;
    case 'UIDBEFORE':
      return (seqNum) => view.uid(seqNum) < key.uid;
    case 'SEQUENCE':
      return isIn(key.set, 'seq', view);
    case 'EMAILID': {
      const email = parseEmailObjectId(key.id);
      return (seqNum) => view.emailIdOf(seqNum) === email;
    }
    case 'THREADID':
      return () => false;
    case 'AND': {
      const tests = key.keys.map((one) => viewTest(one, view));
      return tests.every((test) => test !== undefined) ? (seqNum) => tests.every((test) => test(seqNum)) : undefined;
    }
    case 'OR': {
      const left = viewTest(key.left, view);
      const right = viewTest(key.right, view);
      return left && right ? (seqNum) => left(seqNum) || right(seqNum) : undefined;
    }
    case 'FUZZY':
      return viewTest(key.key, view);
    case 'NOT': {
      const test = viewTest(key.key, view);
      return test && ((seqNum) => !test(seqNum));
    }
    case 'BCC':
    case 'BODY':
    case 'CC':
    case 'FROM':
    case 'HEADER':
    case 'SAVEDBEFORE':
    case 'SAVEDON':
    case 'SAVEDSINCE':
    case 'SENTBEFORE':
    case 'SENTON':
    case 'SENTSINCE':
    case 'SUBJECT':
    case 'TEXT':
    case 'TO':
      return undefined;
  }
}

function isIn(set: SequenceSet, by: 'seq' | 'uid', view: MailboxView): Test {
  const named = new Uint8Array(view.count + 1);
  // Clients ask an empty mailbox for 1:* and are told that there is nothing.
  for (const seqNum of view.find(set, by, 'ignore').seqNums) named[seqNum] = 1;
  return (seqNum) => named[seqNum] === 1;
}

/** What BEFORE, ON and SINCE mean, in days since 1970: from the first on, to before the second. */
function span(name: string, day: number): readonly [since: number, before: number] {
  if (name.endsWith('BEFORE')) return [-Infinity, day];
  return [day, name.endsWith('ON') ? day + 1 : Infinity];
}

/**
 * Fields of the header are compared as i;unicode-casemap does (RFC 5255 §4.2), unless FUZZY was said. BODY and TEXT may
 * match flexibly (RFC 9051 §6.4.4): accents do not count there.
 */
async function toQuery(key: SearchKey, view: MailboxView, fuzzy = false): Promise<SearchQuery> {
  const collation: { casemap?: true } = fuzzy ? {} : { casemap: true };
  switch (key.name) {
    case 'AND': {
      const queries: SearchQuery[] = [];
      for (const one of key.keys) queries.push(await toQuery(one, view, fuzzy));
      return { type: 'and', queries };
    }
    case 'OR':
      return { type: 'or', queries: [await toQuery(key.left, view, fuzzy), await toQuery(key.right, view, fuzzy)] };
    case 'NOT':
      return { type: 'not', query: await toQuery(key.key, view, fuzzy) };
    case 'FUZZY':
      return toQuery(loosened(key.key), view, true);
    case 'BCC':
    case 'CC':
    case 'FROM':
    case 'SUBJECT':
    case 'TO':
      return { type: 'header', name: key.name, text: key.text, ...collation };
    case 'HEADER':
      return { type: 'header', name: key.field, text: key.text, ...collation };
    case 'BODY':
      return { type: 'body', text: key.text };
    case 'TEXT':
      return { type: 'text', text: key.text };
    case 'SENTBEFORE':
    case 'SENTON':
    case 'SENTSINCE':
      return { type: 'sent-day', ...between(key.name, key.day, 1) };
    case 'SAVEDBEFORE':
    case 'SAVEDON':
    case 'SAVEDSINCE':
      return { type: 'saved-date', ...between(key.name, key.day, MS_PER_DAY) };
    case 'FLAG': {
      const flag: SearchQuery = { type: 'flag', flag: key.flag };
      return key.set ? flag : { type: 'not', query: flag };
    }
    case 'ALL':
    case 'BEFORE':
    case 'EMAILID':
    case 'LARGER':
    case 'MODSEQ':
    case 'NEW':
    case 'OLD':
    case 'OLDER':
    case 'ON':
    case 'RECENT':
    case 'SEQUENCE':
    case 'SINCE':
    case 'SMALLER':
    case 'THREADID':
    case 'UID':
    case 'UIDAFTER':
    case 'UIDBEFORE':
    case 'YOUNGER':
      // What the view can judge it judges now: the store is told which messages those are.
      return { type: 'uids', uids: rangesOf(await judged(key, view)) };
  }
}

function between(name: string, day: number, unit: number): { since?: number; before?: number } {
  const [since, before] = span(name, day);
  return {
    ...(Number.isFinite(since) ? { since: since * unit } : {}),
    ...(Number.isFinite(before) ? { before: before * unit } : {}),
  };
}

async function judged(key: SearchKey, view: MailboxView): Promise<Uint32Array> {
  return (await passing(view, [viewTest(key, view)!])).map((seqNum) => view.uid(seqNum));
}
