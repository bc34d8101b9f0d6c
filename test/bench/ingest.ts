/** Mail in: against the bare library and against Postfix (and Dovecot behind it). */
import { setTimeout as pause } from 'node:timers/promises';
import { ImapClient } from './imap-client.ts';
import { dovecotInstalled, postfixInstalled, startBare, startDovecot, startGlassmail, startPostfix } from './peers.ts';
import { cpuSeconds, memory, runProgram, type Peer } from './processes.ts';
import type { SmtpOutcome, SmtpTask } from './smtp-load.ts';
import { median, type Row } from './table.ts';

interface Options {
  readonly scale: number;
  readonly say: (text: string) => void;
}

const ROUNDS = 3;

/** The load runs in a process of its own. @throws when a message is not acknowledged */
async function load(peer: Peer, task: Omit<SmtpTask, 'port' | 'recipient'>): Promise<number> {
  const whole: SmtpTask = { ...task, port: peer.ports.smtp!, recipient: 'reader@bench.test' };
  const output = await runProgram(process.execPath, [`${import.meta.dirname}/smtp-load.ts`, JSON.stringify(whole)]);
  const { acknowledged, seconds, errors } = JSON.parse(output) as SmtpOutcome;
  if (acknowledged !== task.messages)
    throw new Error(`${peer.name}: ${acknowledged} of ${task.messages} acknowledged: ${errors.join('; ')}`);
  return acknowledged / seconds;
}

/** Rates of several servers under the same load, in turns, so that what drifts hits all: medians of the rounds. */
async function compare(peers: readonly Peer[], task: Omit<SmtpTask, 'port' | 'recipient'>): Promise<number[]> {
  const rates: number[][] = peers.map(() => []);
  for (let round = 0; round < ROUNDS; round++)
    for (const [index, peer] of peers.entries()) rates[index]!.push(await load(peer, task));
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

  let sent = 0;
  for (const [sessions, bareAim, postfixAim, messages] of [
    [50, 0.6, 5, 6000],
    [10, 0.4, 4, 6000],
    [1, 0.35, 2, 1500],
  ] as const) {
    say(`ingest: 10 KB messages, ${sessions} session(s)`);
    const [ours, theirs, postfixRate] = await compare(all, {
      sessions,
      messages: count(messages),
      octets: 10_240,
      reconnect: false,
    });
    sent += count(messages) * ROUNDS;
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

  if (postfix) {
    say('ingest: 5 MB messages');
    const [large, , postfixLarge] = await compare(all, {
      sessions: 4,
      messages: count(60),
      octets: 5_000_000,
      reconnect: false,
    });
    sent += count(60) * ROUNDS;
    rows.push({
      subject: '5 MB messages, 4 sessions, to Postfix',
      figures: `${perSecond(large!)} : ${perSecond(postfixLarge!)}`,
      ratio: large! / postfixLarge!,
      aim: { least: 0.8 },
    });
  }

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
  rows.push({
    subject: 'most memory during all of this',
    figures: '',
    ratio: memory(glassmail.pids()[0]!, true) / 2 ** 20,
    unit: ' MiB',
    aim: { most: 200 },
  });

  say('ingest: recording on and off');
  await using silent = await startGlassmail(['--record', 'off']);
  await using recording = await startGlassmail([]);
  const [off, on] = await compare([silent, recording], {
    sessions: 50,
    messages: count(6000),
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

  if (postfixInstalled && dovecotInstalled) rows.push(...(await measureDelivery(count(1000), say)));
  return rows;
}

/** Postfix hands over to Dovecot by LMTP: mail counts when it lies in the mailbox. */
async function measureDelivery(messages: number, say: Options['say']): Promise<Row[]> {
  say('delivery: Postfix and Dovecot together');
  await using dovecot = await startDovecot();
  await using postfix = await startPostfix(`unix:${dovecot.lmtpSocket}`);
  await using glassmail = await startGlassmail();
  const task = { sessions: 10, messages, octets: 10_240, reconnect: false };
  const cpuBefore = cpuSeconds([...postfix.pids(), ...dovecot.pids()]);
  const begin = performance.now();
  await load(postfix, task);
  const reader = await ImapClient.login(dovecot.ports.imap!, 'reader@bench.test', 'x');
  for (let stored = 0; stored < messages;) {
    const { start } = await reader.command('STATUS INBOX (MESSAGES)');
    stored = Number(/MESSAGES (\d+)/.exec(start)?.[1]);
    if (performance.now() - begin > 120_000)
      throw new Error(`only ${stored} of ${messages} were delivered within two minutes`);
    await pause(20);
  }
  const theirRate = messages / ((performance.now() - begin) / 1000);
  const theirCpu = cpuSeconds([...postfix.pids(), ...dovecot.pids()]) - cpuBefore;
  reader.close();
  const ourCpuBefore = cpuSeconds(glassmail.pids());
  const ourRate = await load(glassmail, task);
  const ourCpu = cpuSeconds(glassmail.pids()) - ourCpuBefore;
  return [
    {
      subject: 'delivered into the mailbox, 10 sessions, to Postfix and Dovecot',
      figures: `${perSecond(ourRate)} : ${perSecond(theirRate)}`,
      ratio: ourRate / theirRate,
      aim: { least: 10 },
    },
    {
      subject: 'CPU for each message, Postfix and Dovecot to ours',
      figures: `${((theirCpu / messages) * 1000).toFixed(2)} : ${((ourCpu / messages) * 1000).toFixed(2)} ms`,
      ratio: theirCpu / ourCpu,
      aim: { least: 15 },
    },
  ];
}
