/**
 * What was said in a conversation, in the units that its protocol has: lines, literals, messages. Everything that
 * explains, diagnoses, teaches or exports reads these and not the octets. Secrets are hidden already. A conversation is
 * read on from where it was read to before.
 */
import { isUtf8 } from 'node:buffer';
import type { Conversation, Direction } from '../wire/recorder.ts';
import { meaningOf } from './explain/meaning.ts';
import { grammarOf } from './reading/any.ts';
import { Reader, type Unit } from './reading/reader.ts';
import { type ShownPart, shownParts, textOf } from './shown.ts';
import type { Meaning, Side, Spoken } from './spoken.ts';
import { type Hidden, type Veil, type VeilReader, hiddenBetween, veilReaderOf } from './veil.ts';

export type { Decoded, Field, Meaning, RfcSection, Role, Side, Spoken } from './spoken.ts';

const MOST_CHARACTERS = 16_384;
/** What the readings that are kept may take together, in octets, about. */
const MOST_MEMORY = 16 * 1024 * 1024;
/** A unit's own, beside its text. */
const UNIT_COST = 400;

/** In the order in which they were asked for last. */
const known = new Map<Conversation, Reading>();
let memory = 0;

/** All that was said, as far as it is kept, in the order in which it began. */
export function readingOf(conversation: Conversation): readonly Spoken[] {
  const veil = veilReaderOf(conversation);
  let reading = known.get(conversation);
  known.delete(conversation);
  memory -= reading?.cost ?? 0;
  if (!reading?.goesOnWith(veil)) reading = new Reading(conversation, veil);
  reading.readOn();
  known.set(conversation, reading);
  memory += reading.cost;
  for (const [other, { cost }] of known) {
    if (memory <= MOST_MEMORY || other === conversation) break;
    known.delete(other);
    memory -= cost;
  }
  return reading.spoken;
}

/** With its secrets: for those who asked for them explicitly, and may have them. */
export function unveiledReadingOf(conversation: Conversation): readonly Spoken[] {
  const reading = new Reading(conversation, undefined);
  reading.readOn();
  return reading.spoken;
}

class Reading {
  readonly #conversation: Conversation;
  readonly #veil: VeilReader | undefined;
  readonly #reader: Reader;
  readonly #client: Direction;
  #seq = 0;
  /** How much of what the veil hid belatedly has been seen to. */
  #belated: number;
  /** What a session has declared a secret, and in which event. */
  readonly #declared: { readonly direction: Direction; readonly range: Hidden; readonly seq: number }[] = [];
  /** What has ended, but is hidden until what follows shows that it needs not be; with its text so far. */
  #veiled: { readonly unit: Unit; text: string; lastSeq: number }[] = [];
  /** What has ended, in order. */
  readonly #ended: Spoken[] = [];
  #all: readonly Spoken[] = [];
  /** Octets of memory, about. */
  cost = 0;

  /** @param veil undefined: nothing is hidden */
  constructor(conversation: Conversation, veil: VeilReader | undefined) {
    this.#conversation = conversation;
    this.#veil = veil;
    this.#client = conversation.role === 'server' ? 'in' : 'out';
    this.#reader = new Reader(grammarOf(conversation.protocol), this.#client);
    this.#belated = veil?.belated.length ?? 0;
  }

  get spoken(): readonly Spoken[] {
    return this.#all;
  }

  /** What has been hidden in what was read already asks for another reading. */
  goesOnWith(veil: VeilReader): boolean {
    return this.#veil === veil && this.#belated === veil.belated.length;
  }

  readOn(): void {
    const conversation = this.#conversation;
    if (this.#seq === conversation.lastSeq && this.#seq > 0) return;
    const { events } = conversation.since(this.#seq);
    this.#seq = conversation.lastSeq;
    for (const event of events) {
      this.#reader.push(event);
      if (event.type !== 'annotation' || event.annotation.type !== 'secret') continue;
      const { direction, position, octets } = event.annotation;
      this.#declared.push({ direction, range: { start: position, end: position + octets }, seq: event.seq });
    }
    const veil = this.#veil?.veil(conversation.closedAt !== undefined);
    this.#forgetGap();
    const unfinished: Spoken[] = [];
    const ended = this.#reader.takeEnded().map((unit) => ({ unit, text: '', lastSeq: 0 }));
    for (const each of [...this.#veiled.splice(0), ...ended]) {
      const spoken = this.#spokenOf(each.unit, veil, each.lastSeq);
      if (veil !== undefined && this.#isOpen(each.unit, veil)) {
        this.#veiled.push({ ...each, text: spoken.text });
        unfinished.push(spoken);
        continue;
      }
      // What shows now has changed now.
      const hasChanged = each.text !== '' && each.text !== spoken.text;
      insert(this.#ended, hasChanged ? this.#spokenOf(each.unit, veil, this.#seq) : spoken);
      this.cost += UNIT_COST + spoken.text.length;
    }
    for (const unit of this.#reader.unfinished()) unfinished.push(this.#spokenOf(unit, veil, 0));
    if (unfinished.length === 0) this.#all = this.#ended.slice();
    else {
      const all = this.#ended.slice();
      for (const spoken of unfinished) insert(all, spoken);
      this.#all = all;
    }
  }

  /** Units of which nothing is kept any more. */
  #forgetGap(): void {
    const gap = this.#conversation.gap;
    if (gap === undefined) return;
    const isGone = ({ seq, lastSeq }: Spoken): boolean => seq > gap.after && lastSeq < gap.before;
    const from = this.#ended.findIndex(isGone);
    if (from === -1) return;
    const kept = this.#ended.splice(from).filter((spoken) => !isGone(spoken));
    this.#ended.push(...kept);
  }

  #isOpen({ side, position, octets }: Unit, veil: Veil): boolean {
    return hiddenBetween(veil.open[this.#direction(side)], position, position + octets).length > 0;
  }

  #direction(side: Side): Direction {
    return (side === 'client') === (this.#client === 'in') ? 'in' : 'out';
  }

  /** @param changed in which event it has changed, if after its newest octet */
  #spokenOf(unit: Unit, veil: Veil | undefined, changed: number): Spoken {
    const { side, seq, at, position, octets, label } = unit;
    const direction = this.#direction(side);
    const hidden = veil === undefined ? [] : hiddenBetween(veil.ends[direction], position, position + octets);
    const { text, charset, end } = shown(unit, hidden);
    let lastSeq = Math.max(unit.lastSeq, changed);
    for (const { direction: way, range, seq: declared } of this.#declared) {
      if (way === direction && range.start < position + octets && range.end > position)
        lastSeq = Math.max(lastSeq, declared);
    }
    const isSecret = hidden.length > 0;
    // Words that were taken from the octets are shown only as far as the text shows them.
    const isShown = (word: string): boolean => !isSecret || text.includes(word);
    const { role, about = {} } = label;
    const name = role === 'unknown' && !isShown(label.name) ? '' : label.name;
    const tag = label.tag !== undefined && label.tag !== null && isShown(label.tag) ? label.tag : null;
    const { protocol } = this.#conversation;
    const unveils = this.#veil === undefined;
    let meaning: Meaning | null | undefined;
    return {
      seq,
      lastSeq,
      at,
      side,
      position,
      octets,
      text,
      charset,
      end,
      secret: isSecret,
      role,
      name,
      tag,
      answers: label.answers ?? null,
      // Most units are never looked at so closely.
      get meaning() {
        return (meaning ??= meaningOf({ protocol, side, role, name, text, octets, about }, unveils));
      },
    };
  }
}

/** Units are in the order in which they began; those that waited for a decision come late. */
function insert(all: Spoken[], spoken: Spoken): void {
  let at = all.length;
  while (at > 0 && isBehind(all[at - 1]!, spoken)) at--;
  if (at === all.length) all.push(spoken);
  else all.splice(at, 0, spoken);
}

function isBehind(a: Spoken, b: Spoken): boolean {
  return a.seq > b.seq || (a.seq === b.seq && a.position > b.position);
}

/** @param hidden positions as the unit's are */
function shown(unit: Unit, hidden: readonly Hidden[]): Pick<Spoken, 'text' | 'charset' | 'end'> {
  const { pieces, position, octets, kept, tail } = unit;
  const all = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  const end = !unit.ended && unit.label.role === 'data' ? 'none' : endOf(tail);
  const isWhole = kept === octets;
  const length = isWhole ? kept - { crlf: 2, lf: 1, none: 0 }[end] : kept;
  const parts = shownParts(
    all.subarray(0, length),
    hidden
      .map((range) => ({ start: Math.max(0, range.start - position), end: Math.min(length, range.end - position) }))
      .filter((range) => range.end > range.start),
  );
  const isCut = !isWhole || (!unit.ended && end === 'none');
  const text = utf8(parts, isCut);
  if (text !== undefined) return { text: cut(text), charset: 'utf-8', end };
  return { text: cut(textOf(parts, 'iso-8859-1')), charset: 'octets', end };
}

function endOf(tail: string): Spoken['end'] {
  return tail.endsWith('\r\n') ? 'crlf' : tail.endsWith('\n') ? 'lf' : 'none';
}

/** @param isCut a character at the end may go on with what is not there. @returns undefined for what is no UTF-8 */
function utf8(parts: readonly ShownPart[], isCut: boolean): string | undefined {
  const last = parts.at(-1)!;
  const whole =
    isCut && last.marks === 0 ? [...parts.slice(0, -1), { ...last, part: withoutCutCharacter(last.part) }] : parts;
  return whole.every(({ part }) => isUtf8(part)) ? textOf(whole, 'utf-8') : undefined;
}

function withoutCutCharacter(octets: Buffer): Buffer {
  for (let back = 1; back <= Math.min(3, octets.length); back++) {
    const octet = octets[octets.length - back]!;
    if (octet < 0x80) break;
    if (octet < 0xc0) continue;
    const needed = octet >= 0xf0 ? 4 : octet >= 0xe0 ? 3 : 2;
    return back < needed ? octets.subarray(0, octets.length - back) : octets;
  }
  return octets;
}

function cut(text: string): string {
  if (text.length <= MOST_CHARACTERS) return text;
  const isPair = /[\ud800-\udbff]$/.test(text.slice(0, MOST_CHARACTERS));
  return text.slice(0, isPair ? MOST_CHARACTERS - 1 : MOST_CHARACTERS);
}
