/** The selected mailbox as one client knows it: what it is told, when, and in which numbers (RFC 9051 §5.2, §7.5.1). */
import { fc } from '../property.ts';
import { describe, expect, test } from 'vitest';
import type { Change, MailboxId, ModSeq, Uid } from '../../src/store/change.ts';
import type { AccountId } from '../../src/store/change.ts';
import type { Mailbox, MailboxSnapshot } from '../../src/store/mail-store.ts';
import { Refusal } from '../../src/store/refusal.ts';
import { BadSyntax } from '../../src/imap/grammar/bad-syntax.ts';
import { Parser } from '../../src/imap/grammar/parser.ts';
import { rangesOf } from '../../src/imap/grammar/sequence-set.ts';
import type { Dialect, Response } from '../../src/imap/grammar/syntax.ts';
import { MailboxDeleted, MailboxView, type ViewStore } from '../../src/imap/mailbox-view.ts';

const REV1: Dialect = { rev2: false, utf8: false, utf8Accept: false, condstore: false, qresync: false, uidOnly: false };
const REV2: Dialect = { ...REV1, rev2: true, utf8: true };

interface Message {
  readonly uid: Uid;
  flags: readonly string[];
  modSeq: ModSeq;
}

/** One mailbox with its change log, as the store keeps it. */
class OneMailbox implements ViewStore {
  messages: Message[] = [];
  readonly #log: Change[] = [];
  readonly #flagSets: (readonly string[])[] = [[]];
  #modSeq = 1 as ModSeq;
  #uidNext = 1;
  #firstRecent = 1;
  #snapshot: MailboxSnapshot | undefined;
  #oldest = 0;
  #late: MailboxSnapshot | undefined;
  readonly id = 7 as MailboxId;
  readonly account = 3 as AccountId;

  deliver(...flagLists: (readonly string[])[]): void {
    const modSeq = this.#next();
    const uids = flagLists.map(() => this.#uidNext++ as Uid);
    uids.forEach((uid, i) => this.messages.push({ uid, flags: flagLists[i]!, modSeq }));
    this.#log.push({ type: 'arrived', modSeq, mailbox: this.id, uids: rangesOf(uids) });
  }

  /** @returns the MODSEQ */
  flag(uids: readonly number[], flags: readonly string[]): ModSeq {
    const there = this.messages.filter(({ uid }) => uids.includes(uid));
    if (there.length === 0) return this.#modSeq;
    const modSeq = this.#next();
    for (const message of there) Object.assign(message, { flags, modSeq });
    this.#log.push({ type: 'flags', modSeq, mailbox: this.id, uids: rangesOf(there.map(({ uid }) => uid)) });
    return modSeq;
  }

  expunge(uids: readonly number[]): void {
    const gone = this.messages.filter(({ uid }) => uids.includes(uid)).map(({ uid }) => uid);
    if (gone.length === 0) return;
    this.messages = this.messages.filter(({ uid }) => !uids.includes(uid));
    this.#log.push({ type: 'expunged', modSeq: this.#next(), mailbox: this.id, uids: rangesOf(gone) });
  }

  delete(): void {
    this.#log.push({ type: 'mailbox-deleted', modSeq: this.#next(), mailbox: this.id, name: 'Box' });
  }

  /** The log reaches back no further than now. */
  forgetLog(): void {
    this.#oldest = this.#modSeq;
    this.#log.length = 0;
  }

  /** The next snapshot is this moment's, whatever happens until then: another thread writes than the one that reads. */
  lag(): void {
    this.#late = this.#snapshot ??= this.#build();
  }

  /** What a session has changed itself it finds changed. */
  catchUp(): void {
    this.#late = undefined;
  }

  async snapshot(): Promise<MailboxSnapshot> {
    const late = this.#late;
    this.#late = undefined;
    if (late) return late;
    return (this.#snapshot ??= this.#build());
  }

  async changesSince(_account: AccountId, since: ModSeq) {
    const tooOld = since < this.#oldest;
    return { modSeq: this.#modSeq, changes: tooOld ? [] : this.#log.filter(({ modSeq }) => modSeq > since), tooOld };
  }

  async claimRecent() {
    const first = this.#firstRecent as Uid;
    const next = this.#uidNext as Uid;
    this.#firstRecent = next;
    this.#snapshot = undefined;
    return { first, next };
  }

  flagSet(index: number): readonly string[] {
    return this.#flagSets[index]!;
  }

  #next(): ModSeq {
    this.#snapshot = undefined;
    return ++this.#modSeq as ModSeq;
  }

  #flagSetOf(flags: readonly string[]): number {
    const known = this.#flagSets.findIndex((set) => set.join(' ') === flags.join(' '));
    return known === -1 ? this.#flagSets.push(flags) - 1 : known;
  }

  #build(): MailboxSnapshot {
    const { messages } = this;
    const mailbox = {
      id: this.id,
      account: this.account,
      name: 'Box',
      uidNext: this.#uidNext,
      firstRecentUid: this.#firstRecent,
      highestModSeq: this.#modSeq,
      uidValidity: 1,
    } as unknown as Mailbox;
    return {
      mailbox,
      modSeq: this.#modSeq,
      count: messages.length,
      uids: Uint32Array.from(messages, ({ uid }) => uid),
      flagSets: Uint32Array.from(messages, ({ flags }) => this.#flagSetOf(flags)),
      modSeqs: Float64Array.from(messages, ({ modSeq }) => modSeq),
      sizes: Uint32Array.from(messages, ({ uid }) => uid * 100),
      internalDates: Float64Array.from(messages, ({ uid }) => uid * 1000),
      emailIds: Float64Array.from(messages, ({ uid }) => uid + 5000),
    };
  }
}

const set = (text: string) => new Parser(Buffer.from(text)).sequenceSet();
const open = (store: OneMailbox, dialect = REV1, readOnly = false): Promise<MailboxView> =>
  MailboxView.open(store, store.account, store.id, { readOnly, dialect });

async function news(view: MailboxView, mayExpunge = true): Promise<Response[]> {
  await view.look();
  return view.tell(mayExpunge);
}

/** As lines that are easy to read. */
function told(responses: readonly Response[]): string[] {
  return responses.map((response) => {
    if (response.type === 'expunged') return `expunged ${response.seqNums.join(',')}`;
    if (response.type === 'exists' || response.type === 'recent') return `${response.type} ${response.count}`;
    if (response.type !== 'fetch') return response.type;
    const flags = response.items.find((item) => item.type === 'flags');
    return `flags of ${response.seqNum}: ${flags?.flags.join(' ') ?? ''}`;
  });
}

describe('messages by number', () => {
  const cases: [text: string, by: 'seq' | 'uid', uids: number[]][] = [
    ['1', 'seq', [10]],
    ['2:3', 'seq', [20, 30]],
    ['3:2', 'seq', [20, 30]],
    ['*', 'seq', [40]],
    ['*:3', 'seq', [30, 40]],
    ['1,3:4,1:2', 'seq', [10, 20, 30, 40]],
    ['4,1', 'seq', [10, 40]],
    ['20', 'uid', [20]],
    ['15:35', 'uid', [20, 30]],
    ['5,50:60', 'uid', []],
    ['50:*', 'uid', [40]],
    ['*:39', 'uid', [40]],
    ['10:20,15:25,40', 'uid', [10, 20, 40]],
  ];

  async function fourMessages(): Promise<MailboxView> {
    const store = new OneMailbox();
    for (let i = 0; i < 4; i++) store.deliver([]);
    store.messages = store.messages.map((message, i) => ({ ...message, uid: ((i + 1) * 10) as Uid }));
    return open(store);
  }

  test.each(cases)('%s by %s', async (text, by, uids) => {
    const view = await fourMessages();
    const found = view.find(set(text), by);
    expect([...found.uids]).toEqual(uids);
    expect([...found.seqNums]).toEqual(uids.map((uid) => uid / 10));
  });

  test.each(['5', '2:5', '5:*', '9,1'])('%s names what is not there: BAD', async (text) => {
    const view = await fourMessages();
    expect(() => view.find(set(text), 'seq')).toThrow(BadSyntax);
    expect([...view.find(set(text), 'seq', 'ignore').uids].every((uid) => uid <= 40)).toBe(true);
  });

  test('an empty mailbox has no numbers, and no UIDs', async () => {
    const view = await open(new OneMailbox());
    expect(() => view.find(set('1:*'), 'seq')).toThrow('empty');
    expect(view.find(set('1:*'), 'seq', 'ignore').uids).toHaveLength(0);
    expect(view.find(set('1:*'), 'uid').uids).toHaveLength(0);
  });
});

describe('what is told', () => {
  test('nothing has changed: nothing is told', async () => {
    const store = new OneMailbox();
    store.deliver([]);
    const view = await open(store);
    expect(await news(view)).toEqual([]);
  });

  test('sessions share the arrays of the store as long as they know the same', async () => {
    const store = new OneMailbox();
    store.deliver([], [], []);
    const [one, other] = [await open(store, REV2), await open(store, REV2)];
    expect(one.find(set('1:*'), 'seq').uids.buffer).toBe(other.find(set('1:*'), 'seq').uids.buffer);
    store.deliver([]);
    await news(one);
    await news(other);
    expect(one.find(set('1:*'), 'seq').uids.buffer).toBe(other.find(set('1:*'), 'seq').uids.buffer);
  });

  test('EXPUNGE waits, arrivals and flags do not; what is held keeps its number and what was known of it', async () => {
    const store = new OneMailbox();
    store.deliver(['\\Seen'], ['\\Flagged'], []);
    const view = await open(store, REV2);
    store.expunge([2]);
    store.flag([3], ['\\Answered']);
    store.deliver([]);
    expect(told(await news(view, false))).toEqual(['exists 4', 'flags of 3: \\Answered']);
    expect([...view.find(set('1:*'), 'seq').uids]).toEqual([1, 2, 3, 4]);
    expect(view.isGone(2)).toBe(true);
    expect([view.flagsOf(2), view.sizeOf(2), view.internalDateOf(2), view.emailIdOf(2)]).toEqual([
      ['\\Flagged'],
      200,
      2000,
      5002,
    ]);
    expect(view.flagsOf(3)).toEqual(['\\Answered']);
    expect([...view.present().uids]).toEqual([1, 3, 4]);
    expect(() => view.uids(set('1:2'), 'seq')).toThrow(Refusal);
    expect([...view.uids(set('1:2'), 'uid')]).toEqual([1]);
    expect(told(await news(view))).toEqual(['expunged 2']);
    expect([...view.find(set('1:*'), 'seq').uids]).toEqual([1, 3, 4]);
  });

  test('each EXPUNGE number is the one after those before it have gone', async () => {
    const store = new OneMailbox();
    store.deliver([], [], [], [], []);
    const view = await open(store, REV2);
    store.expunge([1, 2, 4]);
    expect(told(await news(view))).toEqual(['expunged 1,1,2']);
  });

  test('what this session has changed is not told; what others change meanwhile is', async () => {
    const store = new OneMailbox();
    store.deliver([], []);
    const view = await open(store, REV2);
    view.own(store.flag([1], ['\\Seen']), Uint32Array.of(1));
    store.flag([2], ['\\Draft']);
    expect(told(await news(view))).toEqual(['flags of 2: \\Draft']);
    view.own(store.flag([1], ['\\Deleted']), Uint32Array.of(1));
    store.flag([1], ['\\Flagged']);
    expect(told(await news(view))).toEqual(['flags of 1: \\Flagged']);
  });

  test('a change that was none of ours, but has the number that the store gave us, is told', async () => {
    const store = new OneMailbox();
    store.deliver([], []);
    const view = await open(store, REV2);
    // A STORE on message 1 that changed nothing gets the number of what another session did to message 2.
    view.own(store.flag([2], ['\\Seen']), Uint32Array.of(1));
    expect(told(await news(view))).toEqual(['flags of 2: \\Seen']);
  });

  test('a keyword is announced before the message that has it', async () => {
    const store = new OneMailbox();
    store.deliver(['$Old']);
    const view = await open(store, REV2);
    expect(view.flags).toContain('$Old');
    store.flag([1], ['$Old', '$New']);
    expect(told(await news(view))).toEqual(['flags', 'status', 'flags of 1: $Old $New']);
    expect(view.permanentFlags).toContain('$New');
  });

  test('the log no longer reaches back: the arrays are compared', async () => {
    const store = new OneMailbox();
    store.deliver([], [], []);
    const view = await open(store, REV2);
    store.flag([1], ['\\Seen']);
    store.expunge([2]);
    store.deliver(['$Keyword']);
    store.forgetLog();
    expect(told(await news(view))).toEqual(['expunged 2', 'exists 3', 'flags', 'status', 'flags of 1: \\Seen']);
  });

  test('a snapshot that is older than the log: what it lacks is told the next time', async () => {
    const store = new OneMailbox();
    store.deliver([], []);
    const view = await open(store, REV2);
    store.flag([1], ['\\Seen']);
    store.lag();
    store.flag([2], ['\\Seen']);
    store.expunge([1]);
    store.deliver([]);
    expect(told(await news(view))).toEqual(['flags of 1: \\Seen']);
    expect(told(await news(view))).toEqual(['expunged 1', 'exists 2', 'flags of 1: \\Seen']);
    expect(await news(view)).toEqual([]);
  });

  test('the mailbox is gone', async () => {
    const store = new OneMailbox();
    const view = await open(store);
    store.delete();
    await expect(view.look()).rejects.toThrow(MailboxDeleted);
  });
});

describe('\\Recent (RFC 3501 §2.3.2)', () => {
  test('one session gets it, EXAMINE only sees it, IMAP4rev2 knows nothing of it', async () => {
    const store = new OneMailbox();
    store.deliver([], ['\\Seen']);
    expect((await open(store, REV2)).flagsOf(1)).toEqual([]);
    expect((await open(store, REV1, true)).recentCount).toBe(2);
    const first = await open(store);
    expect(first.flagsOf(2)).toEqual(['\\Seen', '\\Recent']);
    const second = await open(store);
    expect([first.recentCount, second.recentCount]).toEqual([2, 0]);
    store.deliver([]);
    expect(told(await news(second))).toEqual(['exists 3', 'recent 1']);
    expect(told(await news(first))).toEqual(['exists 3', 'recent 2']);
    store.expunge([1]);
    await news(first);
    expect(first.recentCount).toBe(1);
  });

  test('it is exactly what was claimed, whether the snapshot is older or newer', async () => {
    class Busy extends OneMailbox {
      meanwhile: (() => void) | undefined;

      override async claimRecent() {
        const claimed = await super.claimRecent();
        this.meanwhile?.();
        this.meanwhile = undefined;
        return claimed;
      }
    }
    const store = new Busy();
    store.deliver([], []);
    // Arrives after the claim and before the snapshot: it is for whoever claims it.
    store.meanwhile = () => store.deliver([]);
    const first = await open(store);
    expect([first.count, first.recentCount]).toEqual([3, 2]);
    const second = await open(store);
    expect([second.count, second.recentCount]).toEqual([3, 1]);
    // Claimed before it is known.
    store.deliver([]);
    store.lag();
    store.deliver([]);
    expect(told(await news(first))).toEqual(['exists 4', 'recent 3']);
    expect(told(await news(first))).toEqual(['exists 5', 'recent 4']);
    await news(second);
    expect([second.count, second.recentCount]).toEqual([5, 1]);
  });
});

test('$ forgets what has gone', async () => {
  const store = new OneMailbox();
  store.deliver([], [], []);
  const view = await open(store);
  view.save(Uint32Array.of(1, 3));
  store.expunge([1]);
  await news(view);
  expect([...view.find(set('$'), 'seq').seqNums]).toEqual([2]);
  expect([...view.find(set('$'), 'uid').uids]).toEqual([3]);
});

// ------------------------------------------------------------------------------------------- whatever happens, in any order

/** What a client makes of the responses, and of nothing else. */
class Model {
  readonly flags: (string | undefined)[] = [];

  hear(responses: readonly Response[]): void {
    for (const response of responses) {
      if (response.type === 'expunged') for (const seqNum of response.seqNums) this.flags.splice(seqNum - 1, 1);
      if (response.type === 'exists') while (this.flags.length < response.count) this.flags.push(undefined);
      if (response.type === 'fetch') {
        const item = response.items.find(({ type }) => type === 'flags');
        if (item?.type === 'flags') this.flags[response.seqNum - 1] = item.flags.join(' ');
      }
    }
  }

  /** FETCH 1:* FLAGS */
  fetch(view: MailboxView): void {
    this.flags.forEach((_, i) => (this.flags[i] = view.flagsOf(i + 1).join(' ')));
  }
}

const FLAGS = fc.subarray(['\\Seen', '\\Deleted', '$A', '$B']);
const STEP = fc.oneof(
  fc.record({ do: fc.constant('deliver' as const), flags: FLAGS }),
  fc.record({ do: fc.constant('flag' as const), which: fc.nat(30), count: fc.nat(4), flags: FLAGS }),
  fc.record({ do: fc.constant('expunge' as const), which: fc.nat(30), count: fc.nat(4) }),
  fc.record({ do: fc.constant('forget' as const) }),
  fc.record({ do: fc.constant('lag' as const) }),
  fc.record({ do: fc.constant('fetch' as const) }),
  fc.record({ do: fc.constant('store' as const), which: fc.nat(30), flags: FLAGS }),
  fc.record({ do: fc.constant('noop' as const) }),
);

test('a client that hears everything knows everything, whatever others do', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { maxLength: 40 }), async (steps) => {
      const store = new OneMailbox();
      store.deliver([], ['\\Seen'], []);
      const view = await open(store, REV2);
      const model = new Model();
      model.hear([{ type: 'exists', count: view.count }]);
      model.fetch(view);
      const uidsFrom = (which: number, count: number): number[] =>
        store.messages
          .slice(which % (store.messages.length + 1))
          .slice(0, count)
          .map(({ uid }) => uid);
      for (const step of steps) {
        switch (step.do) {
          case 'deliver':
            store.deliver(step.flags);
            break;
          case 'flag':
            store.flag(uidsFrom(step.which, step.count), step.flags);
            break;
          case 'expunge':
            store.expunge(uidsFrom(step.which, step.count));
            break;
          case 'forget':
            store.forgetLog();
            break;
          case 'lag':
            store.lag();
            break;
          case 'fetch':
            model.hear(await news(view, false));
            expect(model.flags).toHaveLength(view.count);
            model.fetch(view);
            break;
          case 'store': {
            model.hear(await news(view, false));
            const [uid] = uidsFrom(step.which, 1);
            const seqNum = uid === undefined ? undefined : view.seqNum(uid);
            if (uid === undefined || seqNum === undefined) break;
            view.own(store.flag([uid], step.flags), Uint32Array.of(uid));
            store.catchUp();
            await view.look();
            model.hear([view.flagsResponse(seqNum)]);
            break;
          }
          case 'noop':
            model.hear(await news(view));
            model.hear(await news(view)); // a snapshot that lags does so once
            expect([...view.find(set('1:*'), 'seq', 'ignore').uids]).toEqual(store.messages.map(({ uid }) => uid));
        }
        // Numbers and UIDs stand for one another at every moment.
        const { uids, seqNums } = view.find(set('1:*'), 'uid');
        uids.forEach((uid, i) => expect(view.seqNum(uid)).toBe(seqNums[i]));
      }
      model.hear(await news(view));
      model.hear(await news(view));
      // New messages are the only ones whose flags nobody has told: the client has to fetch those.
      const known = model.flags.map((flags, i) => flags ?? view.flagsOf(i + 1).join(' '));
      expect(known).toEqual(store.messages.map(({ flags }) => flags.join(' ')));
    }),
    { numRuns: 300 },
  );
});
