/**
 * Three sessions of one mailbox against a model of it. Whatever they do in whatever order: what each of them concludes from
 * the responses that it hears (RFC 9051 §5.2, §7.5.1; RFC 7162 §3; RFC 9586) is at every moment what the model says. Those
 * that know QRESYNC go away and come back with what they knew, and are told exactly what they missed.
 */
import { fc } from '../property.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serve, type ImapClient, type ImapServer } from './imap-harness.ts';

// -------------------------------------------------------------------------------------------------------- the model

interface Message {
  readonly uid: number;
  flags: ReadonlySet<string>;
  /** When its flags were changed last, or it arrived: the number of the command. */
  changedAt: number;
}

/** The mailbox as it is. */
class Model {
  messages: Message[] = [];
  /** UIDs, and when they went. */
  readonly gone = new Map<number, number>();
  uidNext = 1;
  clock = 0;
  /** MODSEQs that were heard, by the moment of the change that they belong to. */
  readonly modSeqs = new Map<number, number>();

  append(flags: Iterable<string>): number {
    this.messages.push({ uid: this.uidNext, flags: new Set(flags), changedAt: this.clock });
    return this.uidNext++;
  }

  /** Undefined: nobody has heard it yet. */
  modSeqOf({ changedAt }: Message): number | undefined {
    return this.modSeqs.get(changedAt);
  }

  find(uid: number): Message | undefined {
    return this.messages.find((message) => message.uid === uid);
  }

  change(message: Message, mode: Mode, flags: readonly string[]): void {
    const next = changed(message.flags, mode, flags);
    if (sameFlags(next, message.flags)) return;
    message.flags = next;
    message.changedAt = this.clock;
  }

  remove(uids: readonly number[]): void {
    this.messages = this.messages.filter(({ uid }) => !uids.includes(uid));
    for (const uid of uids) this.gone.set(uid, this.clock);
  }
}

type Mode = '' | '+' | '-';

function changed(present: ReadonlySet<string>, mode: Mode, flags: readonly string[]): ReadonlySet<string> {
  if (mode === '') return new Set(flags);
  return mode === '+' ? new Set([...present, ...flags]) : new Set([...present].filter((flag) => !flags.includes(flag)));
}

const sameFlags = (one: ReadonlySet<string>, other: ReadonlySet<string>): boolean =>
  one.symmetricDifference(other).size === 0;

// ------------------------------------------------------------------------------------------------------ the sessions

/** What a client believes, from what it has heard. */
interface Believed {
  /** Undefined: it knows that there is a message, and not which. */
  uid: number | undefined;
  flags: ReadonlySet<string> | undefined;
}

const KINDS = ['plain', 'condstore', 'rev2', 'qresync', 'uidonly'] as const;
type Kind = (typeof KINDS)[number];

const ENABLES: Readonly<Record<Kind, string | undefined>> = {
  plain: undefined,
  condstore: 'ENABLE CONDSTORE',
  rev2: 'ENABLE IMAP4rev2',
  qresync: 'ENABLE QRESYNC',
  uidonly: 'ENABLE UIDONLY QRESYNC',
};

class Session {
  readonly #client: ImapClient;
  readonly #model: Model;
  readonly #kind: Kind;
  readonly #mailbox: string;
  /** In the order of the mailbox; with UIDONLY, those that it can name come first. */
  readonly believed: Believed[] = [];
  /** Up to which mod-sequence it has heard everything, as far as it knows. */
  #modSeq = 0;
  #uidValidity = 0;
  #away = false;
  idling = false;

  constructor(client: ImapClient, model: Model, kind: Kind, mailbox: string) {
    this.#client = client;
    this.#model = model;
    this.#kind = kind;
    this.#mailbox = mailbox;
  }

  async open(): Promise<void> {
    await this.#client.command('LOGIN alice glass');
    const enable = ENABLES[this.#kind];
    if (enable !== undefined) expect(await this.#client.command(enable)).toMatch(/^\* ENABLED .+\r\n/);
    const answer = await this.#say(`SELECT ${this.#mailbox}`);
    this.#uidValidity = Number(/\[UIDVALIDITY (\d+)\]/.exec(answer)![1]);
  }

  get #hasModSeqs(): boolean {
    return this.#kind === 'condstore' || this.#resyncs;
  }

  get #resyncs(): boolean {
    return this.#kind === 'qresync' || this.#kind === 'uidonly';
  }

  close(): void {
    this.#client.socket.destroy();
  }

  /** UIDs of what it believes in, as far as it has been told. */
  #uids(from: number, to: number): number[] {
    return this.believed.slice(from - 1, to).map((one) => one.uid!);
  }

  async do(step: Step): Promise<void> {
    this.#model.clock++;
    if (this.#away) await this.#comeBack(step);
    if (step.action === 'idle') {
      if (!this.idling) await this.#idle();
      return;
    }
    if (this.idling) await this.#done();
    if (step.action === 'leave') return this.#leave();
    // A client that uses sequence numbers knows which messages it means.
    if (this.believed.some(({ uid }) => uid === undefined)) await this.#say('UID FETCH 1:* (UID)');
    const count = this.believed.length;
    const bySeq = step.bySeq && this.#kind !== 'uidonly';
    if (bySeq && count === 0) return this.#noop();
    const [first, last] = place(step, bySeq ? count : this.#model.uidNext + 1);
    const named = bySeq
      ? this.#uids(first, last)
      : Array.from({ length: last - first + 1 }, (_, index) => first + index);
    // What has arrived is told first, so that UIDs may mean it too.
    const there = named.filter((uid) => this.#model.find(uid));
    const missed = bySeq && there.length < named.length;
    const set = first === last ? String(first) : step.backwards ? `${last}:${first}` : `${first}:${last}`;
    const uid = bySeq ? '' : 'UID ';
    switch (step.action) {
      case 'append':
        return this.#append(step.flags);
      case 'store':
        return this.#store(`${uid}STORE ${set}`, there, missed, step);
      case 'store-unless-changed':
        return this.#storeUnlessChanged(`UID STORE ${uidRange(step, this.#model)}`, step);
      case 'fetch':
        return this.#fetch(`${uid}FETCH ${set}`, bySeq ? named : there);
      case 'fetch-changed':
        return this.#fetchChanged(step);
      case 'search':
        return this.#search(uid, step);
      case 'copy':
        return this.#copy(`${uid}COPY ${set} ${this.#mailbox}`, there, missed);
      case 'move':
        return this.#move(
          `${uid}MOVE ${set} ${step.elsewhere ? 'Archive' : this.#mailbox}`,
          there,
          missed,
          step.elsewhere,
        );
      case 'expunge':
        return this.#expunge(step.bySeq ? 'EXPUNGE' : `UID EXPUNGE ${set}`, step.bySeq ? undefined : there);
      case 'status':
        return this.#status();
      case 'noop':
        return this.#noop();
    }
  }

  async #noop(): Promise<void> {
    expect(await this.#say('NOOP')).toMatch(/^x OK/m);
  }

  async #append(flags: readonly string[]): Promise<void> {
    const uid = this.#model.append(flags);
    const text = 'Subject: x\r\n\r\nbody\r\n';
    const answer = await this.#say(`APPEND ${this.#mailbox} (${flags.join(' ')}) {${text.length}+}\r\n${text}`);
    expect(answer).toMatch(new RegExp(`^x OK \\[APPENDUID \\d+ ${uid}\\]`, 'm'));
  }

  async #store(
    command: string,
    there: readonly number[],
    missed: boolean,
    { mode, flags, silent }: Step,
  ): Promise<void> {
    for (const uid of there) this.#model.change(this.#model.find(uid)!, mode, flags);
    if (silent) {
      // It is not told, for it knows.
      for (const one of this.believed) {
        if (one.flags && there.includes(one.uid!)) one.flags = changed(one.flags, mode, flags);
      }
    }
    const answer = await this.#say(`${command} ${mode}FLAGS${silent ? '.SILENT' : ''} (${flags.join(' ')})`);
    expect(answer).toMatch(missed ? (silent ? /^x OK \[EXPUNGEISSUED\]/m : /^x NO \[EXPUNGEISSUED\]/m) : /^x OK/m);
  }

  /** RFC 7162 §3.1.3: of each message it is looked at whether it has changed since. */
  async #storeUnlessChanged(command: string, step: Step): Promise<void> {
    if (!this.#hasModSeqs) return this.#noop();
    await this.#say('UID FETCH 1:* (MODSEQ)');
    const [first, last] = place(step, this.#model.uidNext + 1);
    const there = this.#model.messages.filter(({ uid }) => uid >= first && uid <= last);
    const since = this.#model.modSeqOf(there[there.length >> 1] ?? { uid: 0, flags: new Set(), changedAt: 0 }) ?? 1;
    const [changed, unchanged] = partition(there, (message) => this.#model.modSeqOf(message)! > since);
    for (const message of unchanged) this.#model.change(message, step.mode, step.flags);
    const answer = await this.#say(`${command} (UNCHANGEDSINCE ${since}) ${step.mode}FLAGS (${step.flags.join(' ')})`);
    const modified = numbersOf(/^x OK \[MODIFIED ([\d:,]+)\]/m.exec(answer)?.[1] ?? '');
    expect(answer).toMatch(/^x OK/m);
    expect(modified).toEqual(changed.map(({ uid }) => uid));
  }

  async #fetch(command: string, uids: readonly number[]): Promise<void> {
    const answer = await this.#say(`${command} (UID FLAGS)`);
    expect(answer).toMatch(/^x OK/m);
    expect(fetchedUids(answer)).toEqual(expect.arrayContaining([...uids]));
  }

  /** RFC 7162 §3.1.4.1, §3.2.6: exactly what has changed, and at least what has gone. */
  async #fetchChanged({ from }: Step): Promise<void> {
    if (!this.#hasModSeqs) return this.#noop();
    await this.#say('UID FETCH 1:* (UID MODSEQ)');
    const heard = [...this.#model.modSeqs].sort(([one], [other]) => one - other);
    const [at, since] = heard[Math.floor((from * heard.length) / 1001)] ?? [0, 1];
    const gone = [...this.#model.gone].filter(([, goneAt]) => goneAt > at).map(([uid]) => uid);
    const changed = this.#model.messages.filter((message) => this.#model.modSeqOf(message)! > since);
    const answer = await this.#say(`UID FETCH 1:* (FLAGS) (CHANGEDSINCE ${since}${this.#resyncs ? ' VANISHED' : ''})`);
    expect(answer).toMatch(/^x OK/m);
    expect(fetchedUids(answer)).toEqual(changed.map(({ uid }) => uid));
    if (this.#resyncs) this.#isGone(vanishedEarlier(answer), gone);
  }

  /** @param atLeast those that must be among them */
  #isGone(uids: readonly number[], atLeast: readonly number[]): void {
    for (const uid of uids) expect(this.#model.gone.has(uid), `${uid} has vanished`).toBe(true);
    expect(uids).toEqual(expect.arrayContaining([...atLeast]));
  }

  async #leave(): Promise<void> {
    const answer = await this.#client.command('UNSELECT');
    expect(answer).toMatch(/^x OK/m);
    this.#hear(answer, 'UNSELECT');
    this.#away = true;
  }

  /** RFC 7162 §3.2.5: with what it knew; what it is not told is as it was. */
  async #comeBack({ from, length }: Step): Promise<void> {
    this.#away = false;
    const before = this.believed.splice(0);
    if (!this.#resyncs) {
      await this.#say(`SELECT ${this.#mailbox}`);
      return;
    }
    const known = before.filter(({ uid }) => uid !== undefined);
    let parameters = `${this.#uidValidity} ${this.#modSeq}`;
    if (length > 0 && known.length > 0) {
      // Only some of what it knew, perhaps: of the others it forgets everything.
      if (length === 3) known.splice(Math.ceil(known.length / 2));
      parameters += ` ${known.map(({ uid }) => uid).join(',')}`;
      // §3.2.5.2: of some messages it also says which sequence number they had.
      const matching = [...before.keys()].filter((place) => before[place]!.uid !== undefined && place % 2 === from % 2);
      if (length === 2 && this.#kind === 'qresync' && matching.length > 0) {
        const uids = matching.map((place) => before[place]!.uid);
        parameters += ` (${matching.map((place) => place + 1).join(',')} ${uids.join(',')})`;
      }
    }
    const answer = await this.#say(`SELECT ${this.#mailbox} (QRESYNC (${parameters}))`);
    expect(answer).toMatch(/^x OK/m);
    const vanished = vanishedEarlier(answer);
    this.#isGone(
      vanished,
      known.map(({ uid }) => uid!).filter((uid) => this.#model.gone.has(uid)),
    );
    const told = new Set(this.believed.map(({ uid }) => uid));
    for (const { uid, flags } of known) {
      const message = this.#model.find(uid!);
      if (!message) continue;
      if (flags && !told.has(uid))
        expect([...flags].sort(), `${uid} after ${parameters}`).toEqual([...message.flags].sort());
    }
    // Now it asks for the places of those that it was not told of.
    await this.#say('UID FETCH 1:* (UID)');
    for (const { uid, flags } of known) {
      const one = this.believed.find((each) => each.uid === uid);
      if (one) one.flags ??= flags;
    }
  }

  async #search(uid: string, { flags }: Step): Promise<void> {
    const [flag] = flags;
    const key = flag === undefined ? 'ALL' : flag.startsWith('\\') ? flag.slice(1).toUpperCase() : `KEYWORD ${flag}`;
    const before = [...this.believed];
    const answer = await this.#say(`${uid}SEARCH ${key}`);
    expect(answer).toMatch(/^x OK/m);
    const found = numbersOf(/^\* (?:SEARCH|ESEARCH \(TAG "x"\)(?: UID)?)(?: ALL)?(.*)$/m.exec(answer)![1]!);
    const matches = this.#model.messages.filter(({ flags }) => flag === undefined || flags.has(flag));
    const uids = uid === '' ? found.map((seqNum) => this.believed[seqNum - 1]!.uid ?? 'new') : found;
    // What has arrived is told before the answer; which UID it has, the model knows.
    expect(uids.filter((one) => one !== 'new')).toEqual(
      matches.map(({ uid }) => uid).filter((one) => uid !== '' || before.some((known) => known.uid === one)),
    );
    expect(uids.length).toBe(matches.length);
  }

  async #copy(command: string, there: readonly number[], missed: boolean): Promise<void> {
    const copies = missed ? [] : there.map((uid) => this.#model.append(this.#model.find(uid)!.flags));
    const answer = await this.#say(command);
    if (missed) expect(answer).toMatch(/^x NO \[EXPUNGEISSUED\]/m);
    else expect(copyUid(answer)).toEqual([there, copies]);
  }

  async #move(command: string, there: readonly number[], missed: boolean, elsewhere: boolean): Promise<void> {
    const flags = there.map((uid) => this.#model.find(uid)!.flags);
    if (!missed) this.#model.remove(there);
    const moved = missed || elsewhere ? [] : flags.map((each) => this.#model.append(each));
    const answer = await this.#say(command);
    if (missed) expect(answer).toMatch(/^x NO \[EXPUNGEISSUED\]/m);
    else {
      const [sources, destinations] = copyUid(answer);
      expect(sources).toEqual(there);
      if (!elsewhere) expect(destinations).toEqual(moved);
    }
  }

  async #expunge(command: string, only: readonly number[] | undefined): Promise<void> {
    const deleted = this.#model.messages.filter(({ flags }) => flags.has('\\Deleted')).map(({ uid }) => uid);
    this.#model.remove(only ? deleted.filter((uid) => only.includes(uid)) : deleted);
    expect(await this.#say(command)).toMatch(/^x OK/m);
  }

  async #status(): Promise<void> {
    const { messages, uidNext } = this.#model;
    const answer = await this.#say(`STATUS ${this.#mailbox} (MESSAGES UIDNEXT UNSEEN)`);
    const unseen = messages.filter(({ flags }) => !flags.has('\\Seen')).length;
    expect(answer).toContain(`(MESSAGES ${messages.length} UIDNEXT ${uidNext} UNSEEN ${unseen})`);
  }

  async #idle(): Promise<void> {
    this.idling = true;
    this.#client.send('x IDLE\r\n');
    const answer = await this.#client.until(/^\+ .*\r\n/m);
    this.#hear(answer, 'IDLE');
  }

  async #done(): Promise<void> {
    this.idling = false;
    this.#client.send('DONE\r\n');
    this.#hear(await this.#client.until(/^x (OK|NO|BAD) .*\r\n/m), 'IDLE');
    this.#knowsAll('IDLE');
  }

  async #say(command: string): Promise<string> {
    const before = new Map(this.#model.messages.map(({ uid, flags }) => [uid, flags]));
    const answer = await this.#client.command(command);
    this.#hear(answer, command);
    // RFC 9051 §7.5.1: these may not tell what is gone; all others have told everything.
    if (/^(FETCH|STORE|SEARCH)/.test(command)) this.#knowsFlags(before);
    // What is refused need not tell anything.
    else if (!/^x NO/m.test(answer)) this.#knowsAll(command);
    return answer;
  }

  // ------------------------------------------------------------------------------------------------ what it hears

  #hear(answer: string, command: string): void {
    const modSeqs = new Map<number, number>();
    for (const line of answer.split('\r\n')) {
      const [, number, what = '', data = ''] = /^\* (\d+) (EXISTS|EXPUNGE|FETCH|UIDFETCH)(.*)/.exec(line) ?? [];
      if (what === 'EXISTS') this.#hearExists(Number(number));
      else if (what === 'EXPUNGE') this.#hearGone(Number(number), command);
      else if (what !== '') {
        expect(what).toBe(this.#kind === 'uidonly' ? 'UIDFETCH' : 'FETCH');
        const place = what === 'FETCH' ? Number(number) - 1 : this.#placeOf(Number(number));
        this.#hearFetch(place, what === 'FETCH' ? data : `${data} UID ${number!}`, modSeqs);
      }
      this.#modSeq = Math.max(this.#modSeq, Number(/MODSEQ \((\d+)\)/.exec(line)?.[1] ?? 0));
      // RFC 7162 §3.2: it may take back what an EXPUNGE that waits lies below.
      this.#modSeq = Number(/\[HIGHESTMODSEQ (\d+)\]/.exec(line)?.[1] ?? this.#modSeq);
      const vanished = /^\* VANISHED ([\d:,]+)$/.exec(line)?.[1];
      if (vanished !== undefined) {
        for (const uid of numbersOf(vanished)) this.#hearGone(this.#placeOf(uid) + 1, command);
      }
    }
    // IDLE told of each change when it was made: the last is the one that counts.
    for (const [uid, modSeq] of modSeqs) this.#hearModSeq(uid, modSeq);
  }

  #hearExists(count: number): void {
    // Only EXPUNGE makes them fewer (RFC 9051 §7.4.1).
    expect(count).toBeGreaterThanOrEqual(this.believed.length);
    while (this.believed.length < count) this.believed.push({ uid: undefined, flags: undefined });
  }

  /** UIDs ascend: one that it has not heard of stands in the place of a message that it cannot name yet. */
  #placeOf(uid: number): number {
    const last = this.believed.findLastIndex((one) => one.uid !== undefined && one.uid <= uid);
    if (last >= 0 && this.believed[last]!.uid === uid) return last;
    // With UIDONLY nothing says which one it is.
    if (this.#kind === 'uidonly') return this.believed.findIndex((one) => one.uid === undefined);
    return this.believed.findIndex((one, index) => index > last && one.uid === undefined);
  }

  #hearGone(seqNum: number, command: string): void {
    expect(command).not.toMatch(/^(FETCH|STORE|SEARCH)/);
    const [message] = this.believed.splice(seqNum - 1, 1);
    expect(message).toBeDefined();
    if (message!.uid !== undefined) expect(this.#model.gone.has(message!.uid)).toBe(true);
  }

  #hearFetch(place: number, data: string, modSeqs: Map<number, number>): void {
    const message = this.believed[place];
    expect(message).toBeDefined();
    const uid = /UID (\d+)/.exec(data)?.[1];
    // The number means the same message to both.
    if (uid !== undefined && message!.uid !== undefined) expect(Number(uid)).toBe(message!.uid);
    if (uid !== undefined) message!.uid = Number(uid);
    const flags = /FLAGS \((.*?)\)/.exec(data)?.[1];
    if (flags !== undefined) {
      message!.flags = new Set(flags.split(' ').filter((flag) => flag !== '' && flag !== '\\Recent'));
    }
    const modSeq = /MODSEQ \((\d+)\)/.exec(data)?.[1];
    if (modSeq !== undefined && message!.uid !== undefined) modSeqs.set(message!.uid, Number(modSeq));
    if (this.#kind === 'uidonly') this.believed.sort((one, other) => (one.uid ?? Infinity) - (other.uid ?? Infinity));
  }

  /** Changes in the order of the commands that made them have ascending numbers (RFC 7162 §3.1). */
  #hearModSeq(uid: number, modSeq: number): void {
    const message = this.#model.find(uid);
    if (!message) return;
    const { modSeqs } = this.#model;
    for (const [at, other] of modSeqs) {
      if (at < message.changedAt) expect(other).toBeLessThan(modSeq);
      if (at > message.changedAt) expect(other).toBeGreaterThan(modSeq);
      if (at === message.changedAt) expect(other).toBe(modSeq);
    }
    modSeqs.set(message.changedAt, modSeq);
  }

  // ------------------------------------------------------------------------------------------------ what it then knows

  #knowsAll(command: string): void {
    expect(this.believed.length, command).toBe(this.#model.messages.length);
    this.#model.messages.forEach(({ uid, flags }, index) => {
      const one = this.#kind === 'uidonly' ? this.believed.find((each) => each.uid === uid) : this.believed[index]!;
      if (!one) return;
      if (one.uid !== undefined) expect(one.uid, command).toBe(uid);
      if (one.flags) expect([...one.flags].sort(), `${command}: ${uid}`).toEqual([...flags].sort());
    });
  }

  /** All that are there it knows of, and their flags as they are. */
  #knowsFlags(before: ReadonlyMap<number, ReadonlySet<string>>): void {
    const present = this.believed.filter(({ uid }) => uid === undefined || this.#model.find(uid));
    expect(present.length).toBe(this.#model.messages.length);
    for (const { uid, flags } of present) {
      const message = uid === undefined ? undefined : this.#model.find(uid);
      if (message && flags && before.has(message.uid)) expect([...flags].sort()).toEqual([...message.flags].sort());
    }
  }
}

function numbersOf(set: string): number[] {
  return [...set.matchAll(/(\d+)(?::(\d+))?/g)].flatMap(([, first, last = first]) =>
    Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => Number(first) + index),
  );
}

function fetchedUids(answer: string): number[] {
  const uids = answer.matchAll(/^\* (?:\d+ FETCH \(UID (\d+) |(\d+) UIDFETCH \((?:UID \d+ )?)FLAGS/gm);
  return [...uids].map(([, inFetch, inUidFetch]) => Number(inFetch ?? inUidFetch));
}

function vanishedEarlier(answer: string): number[] {
  return numbersOf(/^\* VANISHED \(EARLIER\) ([\d:,]+)\r$/m.exec(answer)?.[1] ?? '');
}

function partition<T>(values: readonly T[], test: (value: T) => boolean): [yes: T[], no: T[]] {
  return [values.filter(test), values.filter((value) => !test(value))];
}

function copyUid(answer: string): [number[], number[]] {
  expect(answer).toMatch(/^x OK/m);
  const [, sources = '', destinations = ''] = /\[COPYUID \d+ ([\d:,]+) ([\d:,]+)\]/.exec(answer) ?? [];
  return [numbersOf(sources), numbersOf(destinations)];
}

// -------------------------------------------------------------------------------------------------------- what is done

/** The more often it stands here, the more often it is done. */
const ACTIONS = [
  ...(['append', 'append', 'store', 'store', 'store', 'store-unless-changed', 'fetch', 'fetch'] as const),
  ...(['fetch-changed', 'search', 'copy', 'move', 'expunge', 'expunge', 'status', 'noop'] as const),
  ...(['idle', 'idle', 'leave', 'leave'] as const),
] as const;

interface Step {
  readonly who: number;
  readonly action: (typeof ACTIONS)[number];
  readonly bySeq: boolean;
  /** Shares of what there is, in thousandths. */
  readonly from: number;
  readonly length: number;
  readonly backwards: boolean;
  readonly mode: Mode;
  readonly silent: boolean;
  readonly flags: readonly string[];
  readonly elsewhere: boolean;
}

/** Numbers from 1 to `count`. */
function place({ from, length }: Step, count: number): [first: number, last: number] {
  const first = 1 + Math.floor((from * count) / 1001);
  return [first, Math.min(count, first + length)];
}

/** By UID, whether there is such a message or not. */
function uidRange(step: Step, { uidNext }: Model): string {
  return place(step, uidNext + 1).join(':');
}

const FLAGS = ['\\Seen', '\\Deleted', '\\Flagged', '$one', 'two'];

const step: fc.Arbitrary<Step> = fc.record({
  who: fc.nat(2),
  action: fc.constantFrom(...ACTIONS),
  bySeq: fc.boolean(),
  from: fc.nat(1000),
  length: fc.nat(4),
  backwards: fc.boolean(),
  mode: fc.constantFrom<Mode[]>('', '+', '+', '-'),
  silent: fc.boolean(),
  flags: fc.uniqueArray(fc.constantFrom(...FLAGS), { maxLength: 3 }),
  elsewhere: fc.boolean(),
});

let server: ImapServer;
beforeAll(async () => {
  server = await serve();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

test('what each session believes is what there is', async () => {
  let runs = 0;
  let last: Promise<void> | undefined;
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(fc.constantFrom(...KINDS), fc.constantFrom(...KINDS), fc.constantFrom(...KINDS)),
      fc.array(fc.constantFrom(...FLAGS), { maxLength: 5 }),
      fc.array(step, { minLength: 5, maxLength: 40 }),
      (kinds, present, steps) => (last = run(kinds, present, steps)),
    ),
    { numRuns: 1000, interruptAfterTimeLimit: 10_000, markInterruptAsFailure: false },
  );
  // The one that the time ran out on.
  await last;
  // Hundreds, on a machine at rest.
  expect(runs).toBeGreaterThan(5);
  expect(server.logged).toEqual([]);

  async function run(kinds: readonly Kind[], present: readonly string[], steps: readonly Step[]): Promise<void> {
    const mailbox = `box-${++runs}`;
    const model = new Model();
    const sessions: Session[] = [];
    try {
      const maker = await server.client();
      await maker.command('LOGIN alice glass');
      await maker.command('CREATE Archive');
      await maker.command(`CREATE ${mailbox}`);
      for (const flag of present) {
        model.clock++;
        model.append([flag]);
        await maker.command(`APPEND ${mailbox} (${flag}) {5+}\r\nA: b\r`);
      }
      maker.socket.destroy();
      for (const kind of kinds) sessions.push(new Session(await server.client(), model, kind, mailbox));
      for (const session of sessions) await session.open();
      for (const each of steps) await sessions[each.who]!.do(each);
      for (const who of [0, 1, 2]) await sessions[who]!.do({ ...steps[0]!, who, action: 'noop' });
    } finally {
      for (const session of sessions) session.close();
    }
  }
});
