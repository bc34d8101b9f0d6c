/** A store beside a small model of it: after any commands, both hold the same, and the change log tells how. */
import { fc } from '../property.ts';
import { describe, expect, test } from 'vitest';
import type { AccountId, MailboxId, ModSeq } from '../../src/store/change.ts';
import type { MailStore } from '../../src/store/mail-store.ts';
import { append, contents, counters, opened, type StoreFactory } from './store-under-test.ts';

interface ModelMessage {
  readonly uid: number;
  readonly text: string;
  flags: readonly string[];
}

const NAMES = ['INBOX', 'Archive'] as const;
type Name = (typeof NAMES)[number];

interface Model {
  readonly messages: Record<Name, ModelMessage[]>;
  readonly uidNext: Record<Name, number>;
}

/** What a session that follows the log would have. */
interface Follower {
  modSeq: ModSeq;
  readonly uids: Record<Name, Set<number>>;
}

interface Context {
  readonly store: MailStore;
  readonly account: AccountId;
  readonly ids: Record<Name, MailboxId>;
  readonly model: Model;
  readonly follower: Follower;
}

const SORT_ORDER = ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft', 'a', 'b'];
const sorted = (flags: Iterable<string>): string[] =>
  [...new Set(flags)].sort((a, b) => SORT_ORDER.indexOf(a) - SORT_ORDER.indexOf(b));

type Step = (context: Context) => Promise<void>;

const name = fc.constantFrom(...NAMES);
const flags = fc.subarray(['\\Seen', '\\Deleted', '\\Flagged', 'a', 'b']);
/** Which messages: by place, so that some exist, and some UIDs that do not. */
const places = fc.uniqueArray(fc.nat(12), { maxLength: 6 });

const pick = ({ model }: Context, mailbox: Name, chosen: readonly number[]): number[] =>
  chosen.map((place) => model.messages[mailbox][place]?.uid ?? model.uidNext[mailbox] + place);

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc
    .tuple(name, fc.array(fc.string({ maxLength: 5 }), { maxLength: 4 }), flags)
    .map(([mailbox, texts, given]): Step => async ({ store, account, model }) => {
      const uids = await append(store, account, mailbox, texts, given);
      for (const [i, text] of texts.entries()) {
        expect(uids[i]).toBe(model.uidNext[mailbox]);
        const uid = model.uidNext[mailbox]++;
        model.messages[mailbox].push({ uid, text: Buffer.from(text).toString('latin1'), flags: sorted(given) });
      }
    }),
  fc.tuple(name, name, places, fc.boolean()).map(([from, to, chosen, move]): Step => async (context) => {
    const { store, account, ids, model } = context;
    const uids = pick(context, from, chosen);
    const run = move ? store.moveMessages.bind(store) : store.copyMessages.bind(store);
    const copied = await run(account, ids[from], uids, to);
    const concerned = model.messages[from].filter(({ uid }) => uids.includes(uid));
    expect(copied.sourceUids).toEqual(concerned.map(({ uid }) => uid));
    expect(copied.destinationUids).toEqual(concerned.map((_, i) => model.uidNext[to] + i));
    if (move) model.messages[from] = model.messages[from].filter((each) => !concerned.includes(each));
    for (const each of concerned) model.messages[to].push({ ...each, uid: model.uidNext[to]++ });
  }),
  fc
    .tuple(name, places, flags, fc.constantFrom('add', 'remove', 'replace'))
    .map(([mailbox, chosen, given, mode]): Step => async (context) => {
      const { store, account, ids, model } = context;
      const uids = pick(context, mailbox, chosen);
      const result = await store.storeFlags(account, ids[mailbox], uids, { mode, flags: given });
      const concerned = model.messages[mailbox].filter(({ uid }) => uids.includes(uid));
      expect(result.stored).toEqual(concerned.map(({ uid }) => uid));
      for (const each of concerned) {
        if (mode === 'add') each.flags = sorted([...each.flags, ...given]);
        else if (mode === 'replace') each.flags = sorted(given);
        else each.flags = each.flags.filter((flag) => !given.includes(flag));
      }
    }),
  fc.tuple(name, fc.option(places), fc.boolean()).map(([mailbox, chosen, onlyDeleted]): Step => async (context) => {
    const { store, account, ids, model } = context;
    const uids = chosen ? pick(context, mailbox, chosen) : undefined;
    const options = { onlyDeleted, ...(uids && { uids }) };
    const result = await store.expunge(account, ids[mailbox], options);
    const goes = ({ uid, flags: present }: ModelMessage): boolean =>
      (!uids || uids.includes(uid)) && (!onlyDeleted || present.includes('\\Deleted'));
    expect(result.uids).toEqual(model.messages[mailbox].filter(goes).map(({ uid }) => uid));
    model.messages[mailbox] = model.messages[mailbox].filter((each) => !goes(each));
  }),
);

async function compare({ store, account, ids, model, follower }: Context): Promise<void> {
  for (const each of NAMES) {
    const stored = await contents(store, account, ids[each]);
    expect(stored.map(({ uid, flags: present }) => ({ uid, flags: present }))).toEqual(
      model.messages[each].map(({ uid, flags: present }) => ({ uid, flags: present })),
    );
    // Counters are kept by arithmetic: count again.
    const mailbox = (await store.findMailbox(account, ids[each]))!;
    expect(counters(mailbox)).toEqual({
      messages: stored.length,
      unseen: stored.filter(({ flags: present }) => !present.includes('\\Seen')).length,
      deleted: stored.filter(({ flags: present }) => present.includes('\\Deleted')).length,
      octets: stored.reduce((sum, { size }) => sum + size, 0),
    });
    expect(mailbox.uidNext).toBe(model.uidNext[each]);
    expect(mailbox.highestModSeq).toBe(Math.max(mailbox.highestModSeq, ...stored.map(({ modSeq }) => modSeq)));
  }
  await follow({ store, account, ids, model, follower });
}

/** Reads the log on, and has then what is there. */
async function follow({ store, account, ids, model, follower }: Context): Promise<void> {
  const { modSeq, changes, tooOld } = await store.changesSince(account, follower.modSeq);
  expect(tooOld).toBe(false);
  let last: number = follower.modSeq;
  const flagged: Record<Name, Set<number>> = { INBOX: new Set(), Archive: new Set() };
  for (const change of changes) {
    expect(change.modSeq).toBeGreaterThanOrEqual(last);
    last = change.modSeq;
    const each = NAMES.find((key) => ids[key] === change.mailbox)!;
    if (!('uids' in change)) throw new Error(`unexpected ${change.type}`);
    for (const range of change.uids) {
      for (let uid: number = range.first; uid <= range.last; uid++) {
        if (change.type === 'arrived') follower.uids[each].add(uid);
        else if (change.type === 'expunged') follower.uids[each].delete(uid);
        else flagged[each].add(uid);
      }
    }
  }
  expect(modSeq).toBe(last);
  for (const each of NAMES) {
    expect([...follower.uids[each]].sort((a, b) => a - b)).toEqual(model.messages[each].map(({ uid }) => uid));
    const stored = await contents(store, account, ids[each]);
    for (const { uid, modSeq: changed } of stored)
      if (flagged[each].has(uid)) expect(changed).toBeGreaterThan(follower.modSeq);
  }
  follower.modSeq = modSeq;
}

export function describeModel(factory: StoreFactory): void {
  describe('any commands', () => {
    test('leave what they would leave in a simple model', async () => {
      const { store } = await opened(factory);
      let accounts = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 15 }), async (commands) => {
          const account = await store.createAccount({ address: `a${accounts++}@x.test`, passwordRecord: undefined });
          const mailboxes = await store.listMailboxes(account.id);
          const idOf = (each: Name): MailboxId => mailboxes.find((mailbox) => mailbox.name === each)!.id;
          const context: Context = {
            store,
            account: account.id,
            ids: { INBOX: idOf('INBOX'), Archive: idOf('Archive') },
            model: { messages: { INBOX: [], Archive: [] }, uidNext: { INBOX: 1, Archive: 1 } },
            follower: { modSeq: account.modSeq, uids: { INBOX: new Set(), Archive: new Set() } },
          };
          let modSeq: number = account.modSeq;
          for (const command of commands) {
            const before = JSON.stringify(context.model);
            await command(context);
            const now = (await store.findAccount(account.id))!.modSeq;
            // MODSEQ rises with every change, and with nothing else.
            if (JSON.stringify(context.model) === before) expect(now).toBe(modSeq);
            else expect(now).toBeGreaterThan(modSeq);
            modSeq = now;
            await compare(context);
          }
        }),
        { numRuns: 60 },
      );
    }, 120_000);
  });
}
