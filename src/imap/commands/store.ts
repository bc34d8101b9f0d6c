/**
 * STORE and UID STORE: RFC 9051 §6.4.6, §6.4.9; UNCHANGEDSINCE and MODIFIED RFC 7162 §3.1.3. Whoever may change some of
 * the flags changes those (RFC 4314 §4).
 */
import type { SeqNum, Uid } from '../../store/change.ts';
import type { FlagChange } from '../../store/mail-store.ts';
import { ALL_RIGHTS, hasRight, permittedChange, rightForFlag } from '../../store/rights.ts';
import { command } from '../command.ts';
import { no, ok } from '../grammar/responses.ts';
import { uidSet } from '../grammar/sequence-set.ts';
import type { FetchItem, Response } from '../grammar/syntax.ts';
import { limited, withinLimit } from '../message-limit.ts';
import { pieces } from './fetch.ts';

export const store = command({
  states: ['selected'],
  mayExpunge: 'uid',
  // RFC 9051 §6.4.6: what a message's flags have come to in the end is told, and not what they were before.
  tellsFlags: () => true,
  parse: (input) => ({ set: input.sp().sequenceSet(), change: input.sp().storeArguments() }),
  async *run({ set, change }, { name, state: { account, view }, store, session }) {
    view.assertWritable();
    // RFC 7162 §3.1: UNCHANGEDSINCE enables CONDSTORE.
    if (change.unchangedSince !== undefined) session.enable('condstore');
    const byUid = name === 'UID STORE';
    const all = view.findThere(set, byUid ? 'uid' : 'seq');
    const { uids, lowest } = withinLimit(all.uids, session.options);
    const there = { ...all, uids, seqNums: all.seqNums.subarray(all.seqNums.length - uids.length) };
    const { silent, ...flagChange } = change;
    const changes = changer(permittedChange(change, view.rights) ?? change);
    const toChange = there.uids.filter((_, i) => changes(view.flagsOf(there.seqNums[i]!)));
    const { stored, modified, gone, modSeq } = await store.storeFlags(account, view.id, there.uids, flagChange);
    // What follows tells this session's own change; what others have changed meanwhile, it is told afterwards.
    view.own(modSeq, modified.length === 0 ? toChange : without(toChange, modified));
    await view.look();
    yield view.newKeywords();
    const { condstore, uidOnly } = session.dialect;
    if (!silent || condstore) {
      // RFC 9738 §3.1: with a limit from the highest down.
      for (const piece of pieces(lowest === undefined ? stored : stored.toReversed()))
        yield piece.flatMap((uid) => response(uid));
    }
    const changed = uidSet(without(toChange, [...modified, ...gone]));
    if (changed !== '') {
      const { mode, flags } = change;
      session.connection.annotate({ type: 'flags', ...view.told(changed), mode, flags: flags.join(' '), modSeq });
    }
    const spared = byUid ? modified : modified.map((uid) => view.seqNum(uid)!);
    const code = spared.length > 0 ? `MODIFIED ${uidSet(spared)}` : undefined;
    // Messages that others have removed before or since; what was named by UID may be gone without a word (RFC 9051 §6.4.9).
    const isGone = (uid: Uid): boolean => view.isGone(view.seqNum(uid)!);
    if (!byUid && (there.missed + gone.length > 0 || (view.hasGone && stored.some(isGone)))) {
      const text = 'Some of the messages have been deleted by others';
      // RFC 2180 §4.2.1: whoever does not wait for their flags misses nothing; §4.2.3.
      return yield* limited((silent ? ok : no)(text, code ?? 'EXPUNGEISSUED'), lowest, session.options);
    }
    const completed = code === undefined ? `${name} completed` : 'Some messages have changed since and were left alone';
    return yield* limited(ok(completed, code), lowest, session.options);

    function response(uid: Uid): Response[] {
      const seqNum = view.seqNum(uid);
      if (seqNum === undefined || view.isGone(seqNum)) return [];
      if (!silent) view.toldFlags(uid);
      return [{ type: 'fetch', seqNum, uid, items: items(seqNum, uid) }];
    }
    function items(seqNum: SeqNum, uid: Uid): FetchItem[] {
      return [
        // RFC 7162 §3.2.4: with CONDSTORE the UID is always there; UIDFETCH names it anyway.
        ...((byUid || condstore) && !uidOnly ? [{ type: 'number', name: 'UID', value: uid } as const] : []),
        // .SILENT leaves out the flags, but RFC 7162 §3.1.3 wants MODSEQ all the same.
        ...(silent ? [] : [{ type: 'flags', flags: view.flagsOf(seqNum) } as const]),
        ...(condstore ? [{ type: 'mod-seq', modSeq: view.modSeqOf(seqNum) } as const] : []),
      ];
    }
  },
});

function without(uids: Uint32Array, spared: readonly Uid[]): Uint32Array {
  const gone = new Set<number>(spared);
  return uids.filter((uid) => !gone.has(uid));
}

/**
 * Whether the command changes a message with these flags, by what this session knows: what is so already is not its
 * change, whatever number the store gives. Messages share their flag sets, so each is looked at once.
 */
function changer({ mode, flags, only = ALL_RIGHTS }: FlagChange): (present: readonly string[]) => boolean {
  const asked = new Set(flags.map((flag) => flag.toLowerCase()));
  const known = new Map<readonly string[], boolean>();
  const isConcerned = (name: string): boolean =>
    name !== '\\recent' && (mode !== 'replace' || hasRight(only, rightForFlag(name)));
  return (present) => {
    let answer = known.get(present);
    if (answer === undefined) {
      const names = present.map((name) => name.toLowerCase()).filter(isConcerned);
      const common = names.filter((name) => asked.has(name)).length;
      if (mode === 'remove') answer = common > 0;
      else answer = common < asked.size || (mode === 'replace' && common < names.length);
      known.set(present, answer);
    }
    return answer;
  };
}
