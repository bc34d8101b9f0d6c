/**
 * Many clients at once in one mailbox, each doing whatever comes to its mind: what a client concludes from the responses
 * that it hears must at every moment agree with what the server answers, and in the end all must know the same.
 */
import { expect, test } from 'vitest';
import { serve, type ImapClient } from './imap-harness.ts';

const MESSAGE = 'Subject: x\r\n\r\nbody\r\n';

/** Seeded, so that a failure comes again. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (state >> 8) % sides;
  };
}

class Player {
  readonly #client: ImapClient;
  readonly #roll: (sides: number) => number;
  /** What it believes: position by position. */
  readonly messages: { uid?: string; flags?: string }[] = [];

  constructor(client: ImapClient, roll: (sides: number) => number) {
    this.#client = client;
    this.#roll = roll;
  }

  async start(rev2: boolean): Promise<void> {
    await this.say('LOGIN alice glass');
    if (rev2) await this.say('ENABLE IMAP4rev2 CONDSTORE');
    await this.say('SELECT INBOX');
    await this.say('UID FETCH 1:* FLAGS');
  }

  async play(): Promise<void> {
    const roll = this.#roll;
    const first = 1 + roll(Math.max(1, this.messages.length));
    const last = Math.max(first, Math.min(this.messages.length, first + roll(5)));
    switch (roll(12)) {
      case 0:
      case 1:
      case 2:
        return this.say(`APPEND INBOX (\\Seen $k${roll(5)}) {${MESSAGE.length}+}\r\n${MESSAGE}`);
      case 3:
        return this.say(`STORE ${first}:${last} +FLAGS (\\Deleted)`);
      case 4:
        return this.say(`UID STORE 1:* ${roll(2) ? '+' : '-'}FLAGS ($k${roll(5)})`);
      case 5:
        return this.say(`STORE ${first}:${last} FLAGS (\\Seen $k${roll(5)})`);
      case 6:
        return this.say(roll(3) ? 'NOOP' : 'EXPUNGE');
      case 7:
        return this.say(`FETCH ${first}:${last} (UID FLAGS)`);
      case 8:
        return this.say(`FETCH ${first}:${last} (UID ENVELOPE)`);
      case 9:
        return this.say(`COPY ${first} INBOX`);
      case 10:
        return this.say(`UID MOVE ${this.messages[first - 1]?.uid ?? 1} INBOX`);
      default:
        return this.idle();
    }
  }

  async say(command: string): Promise<void> {
    const answer = await this.#client.command(command);
    for (const line of answer.split('\r\n')) this.#hear(line, command);
    expect(answer).toMatch(/^x (OK|NO \[EXPUNGEISSUED\]|BAD (There is no message|The mailbox is empty))/m);
  }

  async idle(): Promise<void> {
    this.#client.send('i IDLE\r\n');
    const before = await this.#client.until(/\+ idling\r\n/);
    this.#client.send('DONE\r\n');
    const answer = before + (await this.#client.until(/^i OK .*\r\n/m));
    for (const line of answer.split('\r\n')) this.#hear(line, 'IDLE');
  }

  #hear(line: string, command: string): void {
    const { messages } = this;
    const [, number, what = '', data = ''] = /^\* (\d+) (EXISTS|EXPUNGE|FETCH)(.*)/.exec(line) ?? [];
    const seqNum = Number(number);
    if (what === 'EXISTS') {
      expect(seqNum).toBeGreaterThanOrEqual(messages.length);
      while (messages.length < seqNum) messages.push({});
    } else if (what === 'EXPUNGE') {
      expect(command).not.toMatch(/^(FETCH|STORE|SEARCH)/);
      expect(seqNum).toBeLessThanOrEqual(messages.length);
      messages.splice(seqNum - 1, 1);
    } else if (what === 'FETCH') {
      const message = messages[seqNum - 1]!;
      const uid = /UID (\d+)/.exec(data)?.[1];
      // The number must mean the same message to both.
      if (uid !== undefined && message.uid !== undefined) expect(uid).toBe(message.uid);
      if (uid !== undefined) message.uid = uid;
      const flags = /FLAGS \((.*?)\)/.exec(data)?.[1];
      if (flags !== undefined) message.flags = flags.replace(/ ?\\Recent/, '');
    }
  }
}

test.each([1, 2, 3])('whatever they do, all of them know what there is (%i)', async (seed) => {
  await using server = await serve();
  const players = await Promise.all(
    [1, 2, 3, 4, 5, 6].map(async (number) => new Player(await server.client(), dice(seed * 100 + number))),
  );
  await Promise.all(
    players.map(async (player, i) => {
      await player.start(i % 2 === 1);
      for (let turn = 0; turn < 60; turn++) await player.play();
    }),
  );
  const known: string[] = [];
  for (const player of players) {
    await player.say('NOOP');
    const told = player.messages.map(({ flags }) => flags);
    await player.say('UID FETCH 1:* FLAGS');
    // All that was once known of a message's flags had been kept up by what was told.
    player.messages.forEach(({ flags }, i) => expect(told[i] ?? flags).toBe(flags));
    known.push(player.messages.map(({ uid, flags }) => `${uid!} ${flags!}`).join('\n'));
  }
  expect(new Set(known).size).toBe(1);
  expect(server.logged).toEqual([]);
});
