/** Processes of a benchmark: started, waited for, measured by /proc, and ended by their ids. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** A server under measurement. */
export interface Peer extends AsyncDisposable {
  readonly name: string;
  readonly pids: () => readonly number[];
  readonly ports: Readonly<Record<string, number>>;
}

/** Runs a program to its end. @throws with its output when it fails */
export async function runProgram(command: string, args: readonly string[], input?: string): Promise<string> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${errors}${output}`);
  return output;
}

/** Ends a process: SIGTERM, and SIGKILL when it has not gone after ten seconds. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await gone;
  clearTimeout(timer);
}

/**
 * A port that nobody has, for a program that cannot ask for any free one. It lies below those that the system gives out
 * (32,768 and up, on Linux): else a connection, or a server of another test, could get it before the program does.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_240 + Math.floor(Math.random() * 22_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** Waits, at most 30 seconds, until a port accepts. */
export async function accepts(port: number): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: '127.0.0.1' }, () => {
        socket.destroy();
        resolve(true);
      }).on('error', () => resolve(false));
    });
    if (open) return;
    await pause(100);
  }
  throw new Error(`nothing accepts on port ${port}`);
}

interface ProcessFigures {
  readonly pid: number;
  readonly parent: number;
  /** Seconds of CPU, of children that have ended too. */
  readonly cpu: number;
}

const TICKS_PER_SECOND = 100;

function processes(): ProcessFigures[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
        return [{ pid: Number(name), parent: Number(fields[1]), cpu: ticks / TICKS_PER_SECOND }];
      } catch {
        return []; // ended meanwhile
      }
    });
}

/** Seconds of CPU that these processes and all their descendants have used. */
export function cpuSeconds(roots: readonly number[]): number {
  const all = processes();
  const wanted = new Set(roots);
  for (let size = 0; size !== wanted.size;) {
    size = wanted.size;
    for (const { pid, parent } of all) if (wanted.has(parent)) wanted.add(pid);
  }
  return all.filter(({ pid }) => wanted.has(pid)).reduce((sum, { cpu }) => sum + cpu, 0);
}

/** Resident memory of one process in octets; `peak`: the most that it had since the last `resetPeak`. */
export function memory(pid: number, peak = false): number {
  const match = new RegExp(`${peak ? 'VmHWM' : 'VmRSS'}:\\s+(\\d+) kB`).exec(
    readFileSync(`/proc/${pid}/status`, 'latin1'),
  );
  return Number(match![1]) * 1024;
}

export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}
