/**
 * Mail out: the same mailbox in glassmail and in Dovecot (mdbox), the same commands in turns, once glassmail has derived
 * and indexed what it was given and Dovecot has filled its caches. What the first time took stands beside it.
 */
import { ImapClient, mailboxMessage, type Answer } from './imap-client.ts';
import { dovecotInstalled, settled, startDovecot, startGlassmail } from './peers.ts';
import { memory, resetPeak } from './processes.ts';
import { median, memoryRow, type Row } from './table.ts';

interface Options {
  readonly messages: number;
  readonly say: (text: string) => void;
}

interface Task {
  readonly subject: string;
  /** Dovecot's time to ours. */
  readonly least: number;
  readonly rounds: number;
  /** How often it is done in a round: what takes less than a millisecond is done more often. */
  readonly times?: number;
  run(client: ImapClient, round: number): Promise<Answer>;
  /** Both answers are held against each other by this, so that no server wins by answering less. */
  compare?(answer: Answer): unknown;
}

const found = ({ start }: Answer): string =>
  /^\* (?:ESEARCH|SEARCH).*?$/m.exec(start)?.[0].replace(/\(TAG "\w+"\) ?/, '') ?? '';

/** @param octets of all messages together */
function tasks(messages: number, octets: number): Task[] {
  const many = Math.min(10_000, messages);
  const isLarge = messages > 20_000;
  return [
    { subject: 'SELECT', least: 1, rounds: 9, times: 20, run: (client) => client.command('SELECT INBOX') },
    {
      subject: 'FETCH 1:* (UID FLAGS)',
      least: 1,
      rounds: 9,
      run: (client) => client.command('FETCH 1:* (UID FLAGS)'),
      compare: (answer) => answer.octets > messages * 20,
    },
    {
      subject: 'FETCH 1:* (ENVELOPE BODYSTRUCTURE)',
      least: 2,
      rounds: isLarge ? 5 : 9,
      run: (client) => client.command('FETCH 1:* (ENVELOPE BODYSTRUCTURE)'),
      compare: (answer) => answer.octets > messages * 600,
    },
    {
      subject: 'FETCH 1:* BODY.PEEK[]',
      least: 1,
      rounds: isLarge ? 5 : 9,
      run: (client) => client.command('FETCH 1:* BODY.PEEK[]'),
      compare: (answer) => answer.octets > octets && answer.octets < octets + messages * 50,
    },
    {
      subject: 'one body',
      least: 1,
      rounds: 9,
      times: 20,
      run: (client, round) => client.command(`FETCH ${1 + ((round * 37) % messages)} BODY.PEEK[]`),
      compare: ({ start }) => /\{(\d+)\}/.exec(start)?.[1],
    },
    {
      subject: 'SEARCH SUBJECT',
      least: 3,
      rounds: isLarge ? 3 : 5,
      run: (client) => client.command('SEARCH SUBJECT zeppelin'),
      compare: found,
    },
    {
      subject: 'SEARCH BODY',
      least: 10,
      rounds: 3,
      run: (client) => client.command('SEARCH BODY xylophone'),
      compare: found,
    },
    {
      subject: 'SEARCH TEXT',
      least: 10,
      rounds: 3,
      run: (client) => client.command('SEARCH TEXT xylophone'),
      compare: found,
    },
    { subject: 'APPEND, one connection, 100 messages', least: 1, rounds: 3, run: appendMany },
    {
      subject: `STORE of ${many} flags`,
      least: 0.5,
      rounds: 8,
      run: (client, round) => client.command(`STORE 1:${many} ${round % 2 === 0 ? '+' : '-'}FLAGS (\\Flagged)`),
      compare: (answer) => answer.octets > many * 15,
    },
    {
      subject: 'COPY of 1,000',
      least: 0.5,
      rounds: 5,
      run: (client) => client.command(`COPY 1:${Math.min(1000, messages)} Copies`),
    },
  ];
}

async function appendMany(client: ImapClient): Promise<Answer> {
  const message = mailboxMessage(1);
  let milliseconds = 0;
  let last: Answer | undefined;
  for (let count = 0; count < 100; count++) {
    last = await client.append('Appended', message);
    milliseconds += last.milliseconds;
  }
  return { ...last!, milliseconds };
}

export async function measureReading({ messages, say }: Options): Promise<Row[]> {
  if (!dovecotInstalled) return [];
  await using glassmail = await startGlassmail(['--accounts', 'reader@bench.test']);
  await using dovecot = await startDovecot();
  const ours = await ImapClient.login(glassmail.ports.imap!, 'reader@bench.test', 'glass');
  const theirs = await ImapClient.login(dovecot.ports.imap!, 'reader@bench.test', 'x');
  let octets = 0;
  for (const [client, name] of [
    [ours, 'glassmail'],
    [theirs, 'Dovecot'],
  ] as const) {
    say(`reading: ${messages} messages into ${name}`);
    octets = 0;
    await client.fill('INBOX', messages, (number) => {
      const message = mailboxMessage(number);
      octets += message.length;
      return message;
    });
    for (const mailbox of ['Copies', 'Appended']) await client.command(`CREATE ${mailbox}`);
  }
  say('reading: until all is indexed');
  await settled(glassmail);
  const size = `${messages.toLocaleString('en')} messages`;
  const pid = glassmail.pids()[0]!;
  const rows: Row[] = [memoryRow(`${size}, most memory while they came in and were indexed`, memory(pid, true), 200)];
  resetPeak(pid);
  for (const client of [ours, theirs]) await client.command('SELECT INBOX');
  for (const task of tasks(messages, octets)) {
    say(`reading: ${task.subject}`);
    const { first, medians, answers } = await inTurns(task, [ours, theirs]);
    if (JSON.stringify(answers[0]) !== JSON.stringify(answers[1]))
      throw new Error(
        `${task.subject}: the answers differ: ${JSON.stringify(answers[0])} and ${JSON.stringify(answers[1])}`,
      );
    const [our, their] = medians as [number, number];
    rows.push({
      subject: `${size}, ${task.subject}, Dovecot's time to ours`,
      figures: `${milliseconds(their)} : ${milliseconds(our)} ms (the first time ${milliseconds(first[1]!)} : ${milliseconds(first[0]!)})`,
      ratio: their / our,
      aim: { least: task.least },
    });
  }
  rows.push(memoryRow(`${size}, most memory while all of this was read`, memory(pid, true), 200));
  ours.close();
  theirs.close();
  return rows;
}

const milliseconds = (value: number): string => value.toFixed(value < 10 ? 2 : 1);

/** Each round asks every server, and the next one in the other order: what else the machine does hits all alike. */
async function inTurns(task: Task, clients: readonly ImapClient[]) {
  const { rounds, times = 1 } = task;
  const first: number[] = [];
  const all: number[][] = clients.map(() => []);
  const answers: unknown[] = [];
  for (let round = 0; round <= rounds; round++) {
    const order = [...clients.entries()];
    if (round % 2 === 1) order.reverse();
    for (const [index, client] of order) {
      for (let time = 0; time < times; time++) {
        const answer = await task.run(client, round * times + time);
        if (round > 0) all[index]!.push(answer.milliseconds);
        else if (time === 0) {
          first[index] = answer.milliseconds;
          answers[index] = task.compare?.(answer);
        }
      }
    }
  }
  return { first, medians: all.map(median), answers };
}
