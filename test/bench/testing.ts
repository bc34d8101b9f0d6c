/** What a test suite waits for: lists, searches, waiting and deleting over HTTP, with so many messages in the store. */
import { createTransport } from 'nodemailer';
import { WebSocket } from 'ws';
import { settled, startGlassmail } from './peers.ts';
import { runProgram, type Peer } from './processes.ts';
import type { SmtpOutcome, SmtpTask } from './smtp-load.ts';
import { median, type Row } from './table.ts';

interface Options {
  readonly messages: number;
  readonly say: (text: string) => void;
}

const RECIPIENTS = 20;
const NEEDLES = 20;
const MOST_MS = 100;
const ROUNDS = 9;

/** Each is one request; the rows show the slowest of the medians. */
const LISTS = ['/api/glass/messages?limit=50', '/api/v1/messages', '/api/v2/messages', '/api/v1/messages?start=50000'];
const SEARCHES = [
  'subject:needle',
  '"needle in the text"',
  'to:reader7@bench.test',
  'from:pin@bench.test',
  'addressed:reader7@bench.test needle',
  'is:unread',
  'has:attachment',
  'larger:10k',
  '-from:load@bench.test',
  'after:2020-01-01 needle',
  'tag:pin',
  'quick', // found in all of them
];

export async function measureTesting({ messages, say }: Options): Promise<Row[]> {
  say(`testing: ${messages} messages`);
  await using glassmail = await startGlassmail();
  const base = `http://127.0.0.1:${glassmail.ports.http!}`;
  await fill(glassmail, messages);
  await settled(glassmail);
  const named = (subject: string): string => `${messages.toLocaleString('en')} messages, ${subject}`;
  const rows: Row[] = [];

  say('testing: lists and searches');
  const slowest = async (subject: string, paths: readonly string[]): Promise<void> => {
    const medians = new Map<string, number>();
    const first = new Map<string, number>();
    for (const path of paths) {
      const times: number[] = [];
      for (let round = 0; round <= ROUNDS; round++) times.push(await timed(() => get(base + path)));
      first.set(path, times[0]!);
      medians.set(path, median(times.slice(1)));
    }
    const [worst, ratio] = [...medians].sort(([, a], [, b]) => b - a)[0]!;
    const shown = decodeURIComponent(/(?:query=)?([^=?]*(?:\?start.*)?)$/.exec(worst)![1]!);
    const figures = `\`${shown}\` (the first time ${Math.max(...first.values()).toFixed(0)} ms at most)`;
    for (const [path, ms] of medians) say(`  ${path}: ${ms.toFixed(1)} ms, first ${first.get(path)!.toFixed(1)} ms`);
    rows.push({ subject: named(subject), figures, ratio, unit: ' ms', aim: { most: MOST_MS } });
  };
  await slowest('the slowest list', LISTS);
  await slowest(
    'the slowest search',
    SEARCHES.map((query) => `/api/v1/search?query=${encodeURIComponent(query)}`),
  );

  say('testing: waiting');
  const waits: number[] = [];
  const transport = createTransport({ host: '127.0.0.1', port: glassmail.ports.smtp!, ignoreTLS: true, pool: true });
  for (let round = 0; round < 3 * ROUNDS; round++) {
    const subject = `awaited${round}`;
    const waiting = get(`${base}/api/glass/messages/wait?subject=${subject}&to=reader3@bench.test&timeout=20s`);
    await get(`${base}/livez`); // the wait has been asked by now
    await transport.sendMail({ from: 'a@bench.test', to: 'reader3@bench.test', subject, text: 'hello' });
    const acknowledged = performance.now();
    await waiting;
    waits.push(Math.max(0, performance.now() - acknowledged));
    waits.push(await timed(() => get(`${base}/api/glass/messages/wait?subject=${subject}`)));
  }
  transport.close();
  rows.push({
    subject: named('from the 250 to the answer of who waits, or of who asks afterwards'),
    figures: `${Math.max(...waits).toFixed(1)} ms at most`,
    ratio: median(waits),
    unit: ' ms',
    aim: { most: MOST_MS },
  });

  say('testing: deleting all');
  const deleting = await timed(async () => {
    const response = await fetch(`${base}/api/v1/messages`, { method: 'DELETE' });
    if ((await response.text()) !== 'ok') throw new Error(`deleting all: ${response.status}`);
  });
  const { total } = (await (await fetch(`${base}/api/v1/messages`)).json()) as { total: number };
  if (total !== 0) throw new Error(`${total} messages are left`);
  rows.push({ subject: named('delete all'), figures: '', ratio: deleting / 1000, unit: ' s', aim: { most: 1 } });
  return rows;
}

export async function fill(glassmail: Peer, messages: number): Promise<void> {
  for (let reader = 0; reader < RECIPIENTS; reader++) {
    const task: SmtpTask = {
      port: glassmail.ports.smtp!,
      recipient: `reader${reader}@bench.test`,
      sessions: 20,
      messages: messages / RECIPIENTS,
      octets: 2048,
      reconnect: false,
    };
    const output = await runProgram(process.execPath, [`${import.meta.dirname}/smtp-load.ts`, JSON.stringify(task)]);
    const { acknowledged, errors } = JSON.parse(output) as SmtpOutcome;
    if (acknowledged !== task.messages) throw new Error(`only ${acknowledged} acknowledged: ${errors.join('; ')}`);
    // Among them, what is looked for.
    const transport = createTransport({ host: '127.0.0.1', port: glassmail.ports.smtp!, ignoreTLS: true });
    for (let number = 0; number < NEEDLES / RECIPIENTS; number++) {
      await transport.sendMail({
        from: 'pin@bench.test',
        to: task.recipient,
        subject: `A needle for ${reader}`,
        text: 'There is a needle in the text.',
        headers: { 'X-Tags': 'pin' },
        attachments: [{ filename: 'hay.txt', content: 'x'.repeat(20_000) }],
      });
    }
    transport.close();
  }
}

async function get(url: string): Promise<void> {
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text.slice(0, 200)}`);
}

async function timed(step: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await step();
  return performance.now() - begin;
}

/** A page, as far as the server can tell: it follows mail, mailboxes and conversations. @returns ends it */
export async function watch(peer: Peer): Promise<() => void> {
  const socket = new WebSocket(`ws://127.0.0.1:${peer.ports.http!}/api/glass/feed`);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  socket.send(JSON.stringify({ subscribe: { mail: true, mailboxes: true, conversations: true } }));
  return () => socket.terminate();
}
