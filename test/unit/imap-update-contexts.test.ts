/**
 * Results that are kept up (RFC 5267 §4.3), whatever several clients do: what a client makes of ADDTO and REMOVEFROM is at
 * every moment what a new search answers.
 */
import { expect, test } from 'vitest';
import { serve, type ImapClient } from './imap-harness.ts';

/** Seeded, so that a failure comes again. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (state >> 8) % sides;
  };
}

interface Kept {
  readonly tag: string;
  readonly command: string;
  readonly rest: string;
  numbers: number[];
}

const SEARCHES: readonly (readonly [command: string, rest: string])[] = [
  ['UID SEARCH', 'UNSEEN'],
  ['SEARCH', 'OR SUBJECT a KEYWORD $k'],
  ['UID SORT', '(REVERSE SUBJECT DATE) UTF-8 UNDELETED'],
  ['SORT', '(SUBJECT REVERSE SIZE) UTF-8 OR SEEN SUBJECT b'],
  ['SORT', '(RELEVANCY) UTF-8 FUZZY SUBJECT "a bread"'],
  ['UID SEARCH', 'UID *'],
];

function expanded(set: string): number[] {
  return set.split(',').flatMap((part) => {
    const [first, last = first] = part.split(':').map(Number) as [number, number?];
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

class Watcher {
  readonly #client: ImapClient;
  readonly kept: Kept[] = [];

  constructor(client: ImapClient) {
    this.#client = client;
  }

  async start(): Promise<void> {
    for (const [i, [command, rest]] of SEARCHES.entries()) {
      const kept: Kept = { tag: `k${i}`, command, rest, numbers: [] };
      this.kept.push(kept);
      this.#client.send(`${kept.tag} ${command} RETURN (UPDATE ALL) ${rest}\r\n`);
      const answer = await this.#client.until(new RegExp(`^k${i} OK .*\r\n`, 'm'));
      kept.numbers = expandedAll(answer, kept.tag);
    }
  }

  async say(command: string): Promise<string> {
    const answer = await this.#client.command(command);
    for (const line of answer.split('\r\n')) this.#hear(line);
    return answer;
  }

  async check(): Promise<void> {
    for (const kept of this.kept) {
      const answer = await this.say(`${kept.command} RETURN (ALL) ${kept.rest}`);
      const now = expandedAll(answer, 'x');
      // The command itself may have brought news; they have been heard by now.
      const inOrder = kept.command.endsWith('SEARCH') ? kept.numbers.toSorted((a, b) => a - b) : kept.numbers;
      expect(inOrder, `${kept.command} ${kept.rest}`).toEqual(now);
    }
  }

  #hear(line: string): void {
    const expunged = /^\* (\d+) EXPUNGE$/.exec(line)?.[1];
    if (expunged !== undefined) {
      for (const kept of this.kept.filter(({ command }) => !command.startsWith('UID'))) {
        // RFC 5267 §4.3.4: it left the result before.
        expect(kept.numbers).not.toContain(Number(expunged));
        kept.numbers = kept.numbers.map((number) => (number > Number(expunged) ? number - 1 : number));
      }
    }
    const [, tag, data = ''] =
      /^\* ESEARCH \(TAG "(k\d)"\)(?: UID)?((?: (?:ADDTO|REMOVEFROM) \([^)]*\))+)$/.exec(line) ?? [];
    const kept = this.kept.find((each) => each.tag === tag);
    if (!kept) return;
    for (const [, type, pairs] of data.matchAll(/(ADDTO|REMOVEFROM) \(([^)]*)\)/g)) {
      for (const [, position, set] of pairs!.matchAll(/(\d+) (\S+)/g))
        change(kept, type!, Number(position), expanded(set!));
    }
  }
}

function change(kept: Kept, type: string, position: number, numbers: number[]): void {
  const { numbers: list } = kept;
  expect(position === 0).toBe(kept.command.endsWith('SEARCH'));
  if (type === 'ADDTO') {
    for (const number of numbers) expect(list).not.toContain(number);
    if (position === 0) list.push(...numbers);
    else list.splice(position - 1, 0, ...numbers);
  } else if (position === 0) {
    for (const number of numbers) {
      expect(list).toContain(number);
      list.splice(list.indexOf(number), 1);
    }
  } else expect(list.splice(position - 1, numbers.length)).toEqual(numbers);
}

function expandedAll(answer: string, tag: string): number[] {
  const set = new RegExp(`^\\* ESEARCH \\(TAG "${tag}"\\)(?: UID)? ALL (\\S+)`, 'm').exec(answer)?.[1];
  return set === undefined ? [] : expanded(set);
}

function messageOf(roll: (sides: number) => number): string {
  const subject = ['a', 'b', 'a bread', 'bread a', 'Re: a', 'c breads', ''][roll(7)]!;
  return `Subject: ${subject}\r\nDate: ${1 + roll(9)} Jul 2025 10:00:00 +0000\r\n\r\n${'x'.repeat(roll(3))}\r\n`;
}

test.each([1, 2, 3, 4])('stay what a new search finds (%i)', async (seed) => {
  const roll = dice(seed);
  await using server = await serve();
  for (let i = 0; i < 8; i++) await server.deliver(messageOf(roll));
  const watcher = new Watcher(await server.selected());
  const other = await server.selected();
  await watcher.start();
  const anyone = (command: string) => (roll(2) === 0 ? watcher.say(command) : other.command(command));
  for (let turn = 0; turn < 120; turn++) {
    switch (roll(8)) {
      case 0:
      case 1:
        await server.deliver(messageOf(roll));
        break;
      case 2:
        await anyone(`UID STORE ${1 + roll(30)}:${1 + roll(30)} ${roll(2) ? '+' : '-'}FLAGS (\\Seen)`);
        break;
      case 3:
        await anyone(`UID STORE ${1 + roll(40)} ${roll(2) ? '+' : '-'}FLAGS ($k)`);
        break;
      case 4:
        await anyone(`UID STORE ${1 + roll(40)} ${roll(3) ? '+' : '-'}FLAGS (\\Deleted)`);
        break;
      case 5:
        if (roll(3) === 0) await anyone('EXPUNGE');
        break;
      case 6:
        await watcher.say('UID FETCH 1:* FLAGS');
        break;
      default:
        await watcher.say(roll(2) ? 'NOOP' : 'FETCH 1 UID');
    }
    if (turn % 10 === 9) {
      await watcher.say('NOOP');
      await watcher.check();
    }
  }
  expect(server.logged).toEqual([]);
});
