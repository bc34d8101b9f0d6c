/** Mail in: against the bare library and against Postfix (and Dovecot behind it). */
import { setTimeout as pause } from 'node:timers/promises';
import { ImapClient } from './imap-client.ts';
import {
  dovecotInstalled,
  postfixInstalled,
  settled,
  startBare,
  startDovecot,
  startGlassmail,
  startPostfix,
} from './peers.ts';
import { cpuSeconds, memory, resetPeak, runProgram, type Peer } from './processes.ts';
import type { SmtpOutcome, SmtpTask } from './smtp-load.ts';
import { median, memoryRow, type Row } from './table.ts';
import { watch } from './testing.ts';

interface Options {
  readonly scale: number;
  readonly say: (text: string) => void;
}

type Load = Omit<SmtpTask, 'port' | 'recipient'>;

const ROUNDS = 5;
const MOST_MEMORY = 200; // MiB

/** The load runs in a process of its own. @throws when a message is not acknowledged */
async function load(peer: Peer, task: Load): Promise<number> {
  const whole: SmtpTask = { ...task, port: peer.ports.smtp!, recipient: 'reader@bench.test' };
  const output = await runProgram(process.execPath, [`${import.meta.dirname}/smtp-load.ts`, JSON.stringify(whole)]);
  const { acknowledged, seconds, errors } = JSON.parse(output) as SmtpOutcome;
  if (acknowledged !== task.messages)
    throw new Error(`${peer.name}: ${acknowledged} of ${task.messages} acknowledged: ${errors.join('; ')}`);
  return acknowledged / seconds;
}

/**
 * Rates of several servers under the same load: medians of rounds, in which they take turns, each round in the other
 * order, so that what else the machine does hits all alike. What glassmail does with its mail afterwards is waited for
 * after each round, unless that takes a minute: it would slow the next one.
 */
async function compare(peers: readonly Peer[], task: Load, rounds = ROUNDS): Promise<number[]> {
  const isLarge = task.octets > 1_000_000;
  const rates: number[][] = peers.map(() => []);
  for (let round = 0; round < rounds; round++) {
    const order = [...peers.entries()];
    if (round % 2 === 1) order.reverse();
    for (const [index, peer] of order) {
      rates[index]!.push(await load(peer, task));
      if (peer.name === 'glassmail' && !isLarge) await settled(peer);
    }
  }
  return rates.map(median);
}

const perSecond = (rate: number): string => `${rate.toFixed(0)}/s`;

export async function measureIngest({ scale, say }: Options): Promise<Row[]> {
  const rows: Row[] = [];
  const count = (messages: number) => Math.max(20, Math.round(messages * scale));
  await using glassmail = await startGlassmail();
  await using bare = await startBare();
  await using postfix = postfixInstalled ? await startPostfix() : undefined;
  const all = [glassmail, bare, ...(postfix ? [postfix] : [])];
  const pid = glassmail.pids()[0]!;

  say('ingest: warming up');
  const warmUp = { sessions: 10, messages: 500, octets: 10_240, reconnect: false };
  for (const peer of all) await load(peer, warmUp);
  await settled(glassmail);
  let sent = warmUp.messages;
  for (const [sessions, bareAim, postfixAim, messages] of [
    [50, 0.6, 5, 4000],
    [10, 0.4, 4, 4000],
    [1, 0.35, 2, 1000],
  ] as const) {
    say(`ingest: 10 KB messages, ${sessions} session(s)`);
    const [ours, theirs, postfixRate] = await compare(all, {
      sessions,
      messages: count(messages),
      octets: 10_240,
      reconnect: false,
    });
    sent += count(messages) * ROUNDS;
    if (sessions === 50)
      rows.push(memoryRow('10 KB messages, 50 sessions, most memory', memory(pid, true), MOST_MEMORY));
    const subject = `10 KB messages, durable, ${sessions} session${sessions === 1 ? '' : 's'}`;
    rows.push({
      subject: `${subject}, to the bare library (which throws them away)`,
      figures: `${perSecond(ours!)} : ${perSecond(theirs!)}`,
      ratio: ours! / theirs!,
      aim: { least: bareAim },
    });
    if (postfixRate !== undefined)
      rows.push({
        subject: `${subject}, to Postfix`,
        figures: `${perSecond(ours!)} : ${perSecond(postfixRate)}`,
        ratio: ours! / postfixRate,
        aim: { least: postfixAim },
      });
  }

  say('ingest: one message a connection');
  const [oursOnce, bareOnce, postfixOnce] = await compare(all, {
    sessions: 10,
    messages: count(400),
    octets: 2048,
    reconnect: true,
  });
  sent += count(400) * ROUNDS;
  rows.push({
    subject: 'one message a connection, 10 sessions, to the bare library (it waits 100 ms)',
    figures: `${perSecond(oursOnce!)} : ${perSecond(bareOnce!)}`,
    ratio: oursOnce! / bareOnce!,
    aim: { least: 15 },
  });
  if (postfixOnce !== undefined)
    rows.push({
      subject: 'one message a connection, 10 sessions, to Postfix',
      figures: `${perSecond(oursOnce!)} : ${perSecond(postfixOnce)}`,
      ratio: oursOnce! / postfixOnce,
      aim: { least: 1 },
    });

  say('ingest: 5 MB messages');
  resetPeak(pid);
  const [large, , postfixLarge] = await compare(
    all,
    { sessions: 4, messages: count(24), octets: 5_000_000, reconnect: false },
    3,
  );
  await settled(glassmail);
  sent += count(24) * 3;
  if (postfixLarge !== undefined)
    rows.push({
      subject: '5 MB messages, 4 sessions, to Postfix',
      figures: `${perSecond(large!)} : ${perSecond(postfixLarge)}`,
      ratio: large! / postfixLarge,
      aim: { least: 0.8 },
    });
  rows.push(memoryRow('5 MB messages, 4 sessions, most memory', memory(pid, true), MOST_MEMORY));

  say('ingest: is every acknowledged message there?');
  const reader = await ImapClient.login(glassmail.ports.imap!, 'reader@bench.test', 'glass');
  const { start } = await reader.command('STATUS INBOX (MESSAGES)');
  reader.close();
  const stored = Number(/MESSAGES (\d+)/.exec(start)?.[1]);
  rows.push({
    subject: 'acknowledged messages that are missing',
    figures: `${stored} of ${sent}`,
    ratio: sent - stored,
    unit: '',
    aim: { most: 0 },
  });
  say('ingest: recording on and off');
  await using silent = await startGlassmail(['--record', 'off']);
  await using recording = await startGlassmail([]);
  const [off, on] = await compare([silent, recording], {
    sessions: 50,
    messages: count(4000),
    octets: 10_240,
    reconnect: false,
  });
  rows.push({
    subject: 'recording costs of ingest',
    figures: `${perSecond(on!)} : ${perSecond(off!)}`,
    ratio: Math.max(0, (1 - on! / off!) * 100),
    unit: ' %',
    aim: { most: 5 },
  });

  rows.push(await measureWatching(count(16_000), say));
  if (scale === 1) rows.push(await measureHuge(say));
  if (postfixInstalled && dovecotInstalled) rows.push(...(await measureDelivery(count(500), say)));
  return rows;
}

/** One server, in turn with and without a page that follows all that happens. */
export async function measureWatching(messages: number, say: Options['say']): Promise<Row> {
  say('ingest: watched and unwatched');
  await using glassmail = await startGlassmail();
  const task = { sessions: 50, messages, octets: 10_240, reconnect: false };
  await load(glassmail, { ...task, messages: Math.ceil(messages / 8) });
  await settled(glassmail);
  const rates = { unwatched: [] as number[], watched: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    const order = ['unwatched', 'watched'] as const;
    for (const which of round % 2 === 0 ? order : order.toReversed()) {
      const unwatch = which === 'watched' ? await watch(glassmail) : undefined;
      rates[which].push(await load(glassmail, task));
      await settled(glassmail);
      unwatch?.();
    }
  }
  const [unwatched, watched] = [median(rates.unwatched), median(rates.watched)];
  return {
    subject: 'watching costs of ingest',
    figures: `${perSecond(watched)} : ${perSecond(unwatched)}`,
    ratio: Math.max(0, (1 - watched / unwatched) * 100),
    unit: ' %',
    aim: { most: 10 },
  };
}

/** Memory alone: what it takes is the disk's. */
async function measureHuge(say: Options['say']): Promise<Row> {
  say('ingest: 20 messages of 50 MiB at once');
  await using glassmail = await startGlassmail();
  const task = { sessions: 20, messages: 20, octets: 50 * 2 ** 20 - 4096, reconnect: false };
  const rate = await load(glassmail, task);
  await settled(glassmail);
  const row = memoryRow('20 messages of 50 MiB at once, most memory', memory(glassmail.pids()[0]!, true), MOST_MEMORY);
  return { ...row, figures: `in ${(task.messages / rate).toFixed(0)} s` };
}

/** Postfix hands over to Dovecot by LMTP: mail counts when it lies in the mailbox. */
async function measureDelivery(messages: number, say: Options['say']): Promise<Row[]> {
  say('delivery: Postfix and Dovecot together');
  await using dovecot = await startDovecot();
  await using postfix = await startPostfix(`unix:${dovecot.lmtpSocket}`);
  await using glassmail = await startGlassmail();
  const task = { sessions: 10, messages, octets: 10_240, reconnect: false };
  const reader = await ImapClient.login(dovecot.ports.imap!, 'reader@bench.test', 'x');
  let delivered = 0;
  const theirRound = async (): Promise<number> => {
    const begin = performance.now();
    await load(postfix, task);
    delivered += messages;
    for (;;) {
      const { start } = await reader.command('STATUS INBOX (MESSAGES)');
      const stored = Number(/MESSAGES (\d+)/.exec(start)?.[1]);
      if (stored >= delivered) return messages / ((performance.now() - begin) / 1000);
      if (performance.now() - begin > 120_000) throw new Error(`only ${stored} of ${delivered} were delivered`);
      await pause(20);
    }
  };
  const theirPids = [...postfix.pids(), ...dovecot.pids()];
  const rates: [number[], number[]] = [[], []];
  const cpu = { ours: 0, oursWithIndex: 0, theirs: 0 };
  // The first round warms both.
  for (let round = 0; round <= 3; round++) {
    const before = [cpuSeconds(glassmail.pids()), cpuSeconds(theirPids)] as const;
    const ours = await load(glassmail, task);
    const received = cpuSeconds(glassmail.pids());
    await settled(glassmail);
    const theirs = await theirRound();
    if (round === 0) continue;
    rates[0].push(ours);
    rates[1].push(theirs);
    cpu.ours += received - before[0];
    cpu.oursWithIndex += cpuSeconds(glassmail.pids()) - before[0];
    cpu.theirs += cpuSeconds(theirPids) - before[1];
  }
  reader.close();
  const [ourRate, theirRate] = rates.map(median) as [number, number];
  const each = (seconds: number): string => ((seconds / (3 * messages)) * 1000).toFixed(2);
  return [
    {
      subject: 'delivered into the mailbox, 10 sessions, to Postfix and Dovecot',
      figures: `${perSecond(ourRate)} : ${perSecond(theirRate)}`,
      ratio: ourRate / theirRate,
      aim: { least: 10 },
    },
    {
      subject: 'CPU for each message until it is in the mailbox, Postfix and Dovecot to ours',
      figures: `${each(cpu.theirs)} : ${each(cpu.ours)} ms`,
      ratio: cpu.theirs / cpu.ours,
      aim: { least: 15 },
    },
    {
      subject: 'CPU for each message with the search index, which they do not make',
      figures: `${each(cpu.theirs)} : ${each(cpu.oursWithIndex)} ms`,
      ratio: cpu.theirs / cpu.oursWithIndex,
      aim: undefined,
    },
  ];
}
