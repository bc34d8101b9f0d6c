/**
 * `node test/bench/soak.ts --minutes 10`: one server among the hostile peers of the tests and some that behave, for as long
 * as it is given. Each minute it prints what was done and what the server holds; memory and sockets must not grow with
 * the minutes. Ends with exit code 1 if the server said that anything was its fault, or stopped serving.
 * Flags: `--minutes 10`, `--at-once 16`, `--seed N`.
 */
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Dice, PLAYS } from '../end-to-end/hostile-peers.ts';
import { startServerProcess, type ServerProcess } from '../end-to-end/server-process.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    'at-once': { type: 'string', default: '16' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 32) },
  },
});
const seed = Number(values.seed);
const started = performance.now();
const ends = started + Number(values.minutes) * 60_000;
let nextSeed = seed;
let plays = 0;
const failures: string[] = [];
const said: string[] = [];
let isDone = false;

const folder = await mkdtemp(join(tmpdir(), 'glassmail-soak-'));
try {
  await using server = await startServerProcess(folder, ['--lmtp-port', '0', '--durability', 'process'], {
    NODE_OPTIONS: `--import ${new URL('./tell-heap.ts', import.meta.url).href}`,
  });
  server.child.stderr!.on('data', (octets: Buffer) => {
    for (const line of octets.toString().trimEnd().split('\n')) if (!line.startsWith('heap ')) said.push(line);
  });
  process.stdout.write(
    `seed ${seed}, ${values['at-once']} peers at once, ${Object.keys(PLAYS).length} kinds of them\n`,
  );
  process.stdout.write('minute  connections  accepted    kept   RSS MiB  heap MiB  external MiB  sockets  errors\n');
  const running = Array.from({ length: Number(values['at-once']) }, () => playOn(server));
  const minutes = everyMinute(server);
  await Promise.all(running);
  isDone = true;
  await minutes;
} finally {
  await rm(folder, { recursive: true, force: true });
}
for (const line of [...failures.slice(0, 20), ...said.slice(0, 20)]) process.stdout.write(`${line}\n`);
process.exitCode = failures.length + said.length > 0 ? 1 : 0;

async function playOn(server: ServerProcess): Promise<void> {
  const names = Object.keys(PLAYS);
  while (performance.now() < ends && server.child.exitCode === null) {
    const own = nextSeed++;
    const dice = new Dice(own);
    const name = dice.oneOf(names);
    plays++;
    try {
      await PLAYS[name]!(server, dice);
    } catch (error) {
      failures.push(`${name}, seed ${own}: ${String(error)}`);
    }
  }
}

async function everyMinute(server: ServerProcess): Promise<void> {
  for (let minute = 1; performance.now() < ends; minute++) {
    const due = Math.min(started + minute * 60_000, ends);
    await new Promise((resolve) => setTimeout(resolve, due - performance.now()));
    process.stdout.write(`${await report(server, minute)}\n`);
  }
  // All peers have left: what stays open is a leak. Whoever was told something is waited for as long as the server does.
  while (!isDone) await new Promise((resolve) => setTimeout(resolve, 100));
  await new Promise((resolve) => setTimeout(resolve, 35_000));
  process.stdout.write(`${await report(server, 'after')}\n`);
}

async function report(server: ServerProcess, minute: number | 'after'): Promise<string> {
  const pid = server.child.pid!;
  const metrics = await (await fetch(`http://127.0.0.1:${server.port('http')}/metrics`)).text();
  const figure = (name: string): string => new RegExp(`^glassmail_${name} (\\d+)`, 'm').exec(metrics)?.[1] ?? '?';
  const status = await readFile(`/proc/${pid}/status`, 'latin1');
  const rss = (Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024).toFixed(0);
  const { heap, external } = await heapOf(server);
  const sockets = await socketsOf(pid);
  const cells: [string | number, number][] = [
    [minute, 6],
    [plays, 13],
    [figure('smtp_accepted_total'), 10],
    [figure('mailbox_messages'), 8],
    [rss, 10],
    [heap, 10],
    [external, 14],
    [sockets, 9],
    [failures.length + said.length, 8],
  ];
  return cells.map(([text, width]) => String(text).padStart(width)).join('');
}

/** After a collection, in MiB. */
async function heapOf(server: ServerProcess): Promise<{ heap: string; external: string }> {
  const told = once(server.child.stderr!, 'data') as Promise<[Buffer]>;
  server.child.kill('SIGUSR2');
  const [octets] = await told;
  const [, heap = '?', external = '?'] = /^heap (\S+) (\S+)$/m.exec(octets.toString()) ?? [];
  return { heap, external };
}

/** Open sockets of a process: those that listen, and connections. */
async function socketsOf(pid: number): Promise<number> {
  const links = await Promise.all(
    (await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')),
  );
  return links.filter((link) => link.startsWith('socket:')).length;
}
