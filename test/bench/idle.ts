/** What glassmail costs while nothing happens: start, memory, idle connections, and how soon IDLE tells. */
import { createTransport } from 'nodemailer';
import { ImapClient, mailboxMessage } from './imap-client.ts';
import { settled, startGlassmail } from './peers.ts';
import { memory } from './processes.ts';
import { median, memoryRow, type Row } from './table.ts';

interface Options {
  readonly messages: number;
  readonly say: (text: string) => void;
}

const IDLE_CONNECTIONS = 200;

export async function measureIdle({ messages, say }: Options): Promise<Row[]> {
  const rows: Row[] = [];
  await using filled = await startGlassmail(['--accounts', 'reader@bench.test']);
  say(`idle: ${messages} messages`);
  const filler = await ImapClient.login(filled.ports.imap!, 'reader@bench.test', 'glass');
  await filler.fill('INBOX', messages, mailboxMessage);
  filler.close();
  await settled(filled);

  say('idle: start to ready');
  const starts: number[] = [];
  let peer = await filled.restart();
  for (let round = 0; round < 4; round++) {
    starts.push(peer.readyMs);
    peer = await peer.restart();
  }
  await using glassmail = peer;
  const pid = glassmail.pids()[0]!;
  rows.push({
    subject: `start to ready with ${messages.toLocaleString('en')} messages`,
    figures: '',
    ratio: median(starts) / 1000,
    unit: ' s',
    aim: { most: 1 },
  });
  rows.push(memoryRow('memory after ready', memory(pid), 150));

  say('idle: how soon IDLE tells');
  const idle = await ImapClient.login(glassmail.ports.imap!, 'reader@bench.test', 'glass');
  await idle.command('SELECT INBOX');
  const transport = createTransport({
    host: '127.0.0.1',
    port: glassmail.ports.smtp!,
    secure: false,
    pool: true,
    maxConnections: 1,
  });
  const delays: number[] = [];
  idle.send('i1 IDLE\r\n');
  await idle.nextLine();
  for (let round = 0; round < 30; round++) {
    const told = idle.nextLine();
    await transport.sendMail({ from: 'a@bench.test', to: 'reader@bench.test', subject: `${round}`, text: 'hello' });
    const acknowledged = performance.now();
    delays.push(Math.max(0, (await told) - acknowledged));
  }
  transport.close();
  idle.close();
  rows.push({
    subject: 'from the 250 of a new message to its EXISTS in IDLE',
    figures: '',
    ratio: median(delays),
    unit: ' ms',
    aim: { most: 5 },
  });

  say('idle: what an idle connection costs');
  // The first ones warm up what all of them share.
  const clients = await idleClients(glassmail.ports.imap!, IDLE_CONNECTIONS / 4);
  const before = memory(pid);
  clients.push(...(await idleClients(glassmail.ports.imap!, IDLE_CONNECTIONS)));
  rows.push({
    subject: `memory of an idle connection (${IDLE_CONNECTIONS} in IDLE)`,
    figures: '',
    ratio: (memory(pid) - before) / IDLE_CONNECTIONS / 1024,
    unit: ' KiB',
    aim: { most: 100 },
  });
  for (const client of clients) client.close();
  return rows;
}

function idleClients(port: number, count: number): Promise<ImapClient[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const client = await ImapClient.login(port, 'reader@bench.test', 'glass');
      await client.command('SELECT INBOX');
      client.send('i IDLE\r\n');
      await client.nextLine();
      return client;
    }),
  );
}
