/** Mail out: the same mailbox in glassmail and in Dovecot (mdbox), the same commands in turns. */
import { ImapClient, mailboxMessage, type Answer } from './imap-client.ts';
import { dovecotInstalled, startDovecot, startGlassmail } from './peers.ts';
import { median, type Row } from './table.ts';

interface Options {
  readonly messages: number;
  readonly say: (text: string) => void;
}

interface Task {
  readonly subject: string;
  /** Dovecot's time to ours. */
  readonly least: number;
  readonly rounds: number;
  run(client: ImapClient, round: number): Promise<Answer>;
  /** Both answers are held against each other by this, so that no server wins by answering less. */
  compare?(answer: Answer): unknown;
}

const found = ({ start }: Answer): string =>
  /^\* (?:ESEARCH|SEARCH).*?$/m.exec(start)?.[0].replace(/\(TAG "\w+"\) ?/, '') ?? '';

function tasks(messages: number): Task[] {
  const many = Math.min(10_000, messages);
  const uidAndFlags = (answer: Answer) => answer.octets > messages * 20;
  return [
    { subject: 'SELECT', least: 1, rounds: 9, run: (client) => client.command('SELECT INBOX') },
    {
      subject: 'FETCH 1:* (UID FLAGS)',
      least: 1,
      rounds: 5,
      run: (client) => client.command('FETCH 1:* (UID FLAGS)'),
      compare: uidAndFlags,
    },
    {
      subject: 'FETCH 1:* (ENVELOPE BODYSTRUCTURE)',
      least: 2,
      rounds: 3,
      run: (client) => client.command('FETCH 1:* (ENVELOPE BODYSTRUCTURE)'),
    },
    { subject: 'FETCH 1:* BODY.PEEK[]', least: 1, rounds: 3, run: (client) => client.command('FETCH 1:* BODY.PEEK[]') },
    {
      subject: 'one body',
      least: 1,
      rounds: 25,
      run: (client, round) => client.command(`FETCH ${1 + ((round * 37) % messages)} BODY.PEEK[]`),
      compare: ({ start }) => /\{(\d+)\}/.exec(start)?.[1],
    },
    {
      subject: 'SEARCH SUBJECT',
      least: 3,
      rounds: 3,
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
      rounds: 4,
      run: (client, round) => client.command(`STORE 1:${many} ${round % 2 === 0 ? '+' : '-'}FLAGS (\\Flagged)`),
    },
    {
      subject: 'COPY of 1,000',
      least: 0.5,
      rounds: 3,
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
  await using glassmail = await startGlassmail(['--accounts', 'reader@bench.test', '--max-message-size', '60M']);
  await using dovecot = await startDovecot();
  const ours = await ImapClient.login(glassmail.ports.imap!, 'reader@bench.test', 'glass');
  const theirs = await ImapClient.login(dovecot.ports.imap!, 'reader@bench.test', 'x');
  for (const [client, name] of [
    [ours, 'glassmail'],
    [theirs, 'Dovecot'],
  ] as const) {
    say(`reading: ${messages} messages into ${name}`);
    await client.fill('INBOX', messages, mailboxMessage);
    for (const mailbox of ['Copies', 'Appended']) await client.command(`CREATE ${mailbox}`);
    await client.command('SELECT INBOX');
  }
  const rows: Row[] = [];
  for (const task of tasks(messages)) {
    say(`reading: ${task.subject}`);
    const times: [number[], number[]] = [[], []];
    const answers: unknown[] = [];
    // The first round warms both: Dovecot fills its caches, we ours.
    for (let round = 0; round <= task.rounds; round++) {
      for (const [index, client] of [ours, theirs].entries()) {
        const answer = await task.run(client, round);
        if (round > 0) times[index]!.push(answer.milliseconds);
        else answers.push(task.compare?.(answer));
      }
    }
    if (JSON.stringify(answers[0]) !== JSON.stringify(answers[1]))
      throw new Error(
        `${task.subject}: the answers differ: ${JSON.stringify(answers[0])} and ${JSON.stringify(answers[1])}`,
      );
    const [our, their] = [median(times[0]), median(times[1])];
    rows.push({
      subject: `${messages.toLocaleString('en')} messages, ${task.subject}, Dovecot's time to ours`,
      figures: `${their.toFixed(1)} : ${our.toFixed(1)} ms`,
      ratio: their / our,
      aim: { least: task.least },
    });
  }
  ours.close();
  theirs.close();
  return rows;
}
