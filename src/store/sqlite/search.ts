/**
 * A search over candidates: what the arrays of a snapshot answer is answered here, cheap keys before dear ones; what
 * needs text goes to the searching thread, for those candidates only that are still undecided.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SearchQuery } from '../search-query.ts';
import type { SearcherClient } from './searcher-client.ts';
import type { Term } from './search-terms.ts';

/** What is searched: messages of a mailbox, or transactions. The first `count` elements of each array count. */
export interface Candidates {
  readonly count: number;
  readonly emailIds: Float64Array;
  /** Undefined: these candidates have no UIDs. */
  readonly uids: Uint32Array | undefined;
  readonly modSeqs: Float64Array | undefined;
  readonly internalDates: Float64Array;
  sizes(): Promise<Uint32Array> | Uint32Array;
  /** 1 for each that has the flag, compared without case. */
  flagged(flag: string): Promise<Uint8Array> | Uint8Array;
  /** 1 for each of those in question that was handed in for such an address. */
  addressedTo(text: string, within: string | undefined, mask: Uint8Array): Promise<Uint8Array>;
  /** 1 for each that has the tag, or, without one, any. */
  tagged(tag: string | undefined, owner: string | undefined): Promise<Uint8Array>;
  /** Milliseconds since 1970. */
  savedDates(): Promise<Float64Array>;
}

/** How far a search has come: `done` rises, `goal` stays. */
export type Report = (done: number, goal: number) => void;

/** One octet for each candidate: 1 if it is still in question, or matches. */
type Mask = Uint8Array;

export class Search {
  readonly #candidates: Candidates;
  readonly #searcher: SearcherClient;
  readonly #signal: AbortSignal | undefined;
  readonly #report: Report | undefined;
  /** How many terms need messages to be read, and how many of them are done with. */
  #terms = 0;
  #termsDone = 0;

  constructor(candidates: Candidates, searcher: SearcherClient, signal: AbortSignal | undefined, report?: Report) {
    this.#candidates = candidates;
    this.#searcher = searcher;
    this.#signal = signal;
    this.#report = report;
  }

  /** @returns 1 for each candidate that matches */
  run(query: SearchQuery): Promise<Mask> {
    this.#terms = termsOf(query);
    return this.#among(query, new Uint8Array(this.#candidates.count).fill(1));
  }

  /** Those of `mask` that match; `mask` is not changed. */
  async #among(query: SearchQuery, mask: Mask): Promise<Mask> {
    this.#signal?.throwIfAborted();
    switch (query.type) {
      case 'all':
        return mask;
      case 'and':
        return this.#all(query.queries, mask);
      case 'or':
        return this.#any(query.queries, mask);
      case 'not':
        return without(mask, await this.#among(query.query, mask));
      case 'header':
      case 'body':
      case 'text':
      case 'any-address':
      case 'attachment-name':
      case 'has-attachment':
      case 'has-inline':
      case 'sent-day':
        return this.#ask(query, mask);
      case 'flag':
      case 'uids':
      case 'larger':
      case 'smaller':
      case 'internal-date':
      case 'saved-date':
      case 'mod-seq':
      case 'email':
      case 'recipient':
      case 'tag':
        return this.#lookAt(query, mask);
    }
  }

  async #all(queries: readonly SearchQuery[], mask: Mask): Promise<Mask> {
    let left = mask;
    for (const query of byCost(queries)) {
      if (!left.includes(1)) break;
      left = await this.#among(query, left);
      await nextTurn();
    }
    return left;
  }

  async #any(queries: readonly SearchQuery[], mask: Mask): Promise<Mask> {
    const found = new Uint8Array(mask.length);
    let left = mask;
    for (const query of byCost(queries)) {
      if (!left.includes(1)) break;
      const some = await this.#among(query, left);
      for (let i = 0; i < some.length; i++) found[i]! |= some[i]!;
      left = without(left, some);
      await nextTurn();
    }
    return found;
  }

  async #ask(term: Term, mask: Mask): Promise<Mask> {
    const { emailIds } = this.#candidates;
    let count = 0;
    for (const bit of mask) count += bit;
    if (count === 0) return mask;
    const asked = new Float64Array(count);
    for (let i = 0, at = 0; i < mask.length; i++) if (mask[i] === 1) asked[at++] = emailIds[i]!;
    const matches = await this.#searcher.search(term, asked, this.#signal, (part) => {
      const each = this.#candidates.count;
      this.#report?.(Math.floor((this.#termsDone + part) * each), this.#terms * each);
    });
    this.#termsDone++;
    const found = new Uint8Array(mask.length);
    for (let i = 0, at = 0; i < mask.length; i++) if (mask[i] === 1) found[i] = matches[at++]!;
    return found;
  }

  /** What arrays answer. */
  async #lookAt(query: Exclude<SearchQuery, Term | { type: 'all' | 'and' | 'or' | 'not' }>, mask: Mask): Promise<Mask> {
    const { emailIds, uids, modSeqs, internalDates } = this.#candidates;
    switch (query.type) {
      case 'flag': {
        const flagged = await this.#candidates.flagged(query.flag);
        return filtered(mask, (i) => flagged[i] === 1);
      }
      case 'uids':
        return uids ? inRanges(mask, uids, query.uids) : new Uint8Array(mask.length);
      case 'larger': {
        const sizes = await this.#candidates.sizes();
        return filtered(mask, (i) => sizes[i]! > query.octets);
      }
      case 'smaller': {
        const sizes = await this.#candidates.sizes();
        return filtered(mask, (i) => sizes[i]! < query.octets);
      }
      case 'internal-date':
        return inTime(mask, internalDates, query);
      case 'saved-date':
        return inTime(mask, await this.#candidates.savedDates(), query);
      case 'mod-seq':
        return filtered(mask, (i) => modSeqs !== undefined && modSeqs[i]! >= query.since);
      case 'recipient':
        return this.#candidates.addressedTo(query.text, query.within, mask);
      case 'tag': {
        const tagged = await this.#candidates.tagged(query.tag, query.owner);
        return filtered(mask, (i) => tagged[i] === 1);
      }
      case 'email':
        return filtered(mask, (i) => emailIds[i] === query.email);
    }
  }
}

function termsOf(query: SearchQuery): number {
  if ('queries' in query) return query.queries.reduce((sum, one) => sum + termsOf(one), 0);
  if (query.type === 'not') return termsOf(query.query);
  return cost(query) > 1 ? 1 : 0;
}

function filtered(mask: Mask, test: (index: number) => boolean): Mask {
  const found = new Uint8Array(mask.length);
  for (let i = 0; i < mask.length; i++) if (mask[i] === 1 && test(i)) found[i] = 1;
  return found;
}

function inTime(mask: Mask, times: Float64Array, range: { readonly since?: number; readonly before?: number }): Mask {
  const { since = -Infinity, before = Infinity } = range;
  return filtered(mask, (i) => times[i]! >= since && times[i]! < before);
}

/** Both ascend: one walk over each. */
function inRanges(
  mask: Mask,
  uids: Uint32Array,
  ranges: readonly { readonly first: number; readonly last: number }[],
): Mask {
  const found = new Uint8Array(mask.length);
  const sorted = ranges.toSorted((a, b) => a.first - b.first);
  let reach = 0; // the last UID of the ranges that have begun
  let next = 0;
  for (let i = 0; i < mask.length; i++) {
    while (next < sorted.length && sorted[next]!.first <= uids[i]!) reach = Math.max(reach, sorted[next++]!.last);
    if (mask[i] === 1 && uids[i]! <= reach) found[i] = 1;
  }
  return found;
}

function without(mask: Mask, gone: Mask): Mask {
  const left = new Uint8Array(mask.length);
  for (let i = 0; i < mask.length; i++) left[i] = mask[i]! & (gone[i]! ^ 1);
  return left;
}

const byCost = (queries: readonly SearchQuery[]): SearchQuery[] => queries.toSorted((a, b) => cost(a) - cost(b));

function cost(query: SearchQuery): number {
  switch (query.type) {
    case 'and':
    case 'or':
      return Math.max(0, ...query.queries.map(cost));
    case 'not':
      return cost(query.query);
    case 'all':
    case 'flag':
    case 'uids':
    case 'larger':
    case 'smaller':
    case 'internal-date':
    case 'mod-seq':
    case 'email':
      return 0;
    case 'saved-date':
    case 'recipient':
    case 'tag':
      return 1;
    case 'sent-day':
    case 'has-attachment':
    case 'has-inline':
      return 4;
    case 'header':
    case 'any-address':
    case 'attachment-name':
      return 2;
    case 'body':
    case 'text':
      return 3;
  }
}
