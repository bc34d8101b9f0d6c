/**
 * The servers that are measured, each as a private instance on high ports with a folder of its own: glassmail, the bare
 * library, and where Debian's packages are installed, Postfix and Dovecot.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { ImapClient, mailboxMessage } from './imap-client.ts';
import { run as sendMail } from './smtp-load.ts';
import { accepts, end, freePort, runProgram, type Peer } from './processes.ts';

const TOP = join(import.meta.dirname, '../..');

export const postfixInstalled = existsSync('/usr/sbin/postfix');
export const dovecotInstalled = existsSync('/usr/sbin/dovecot');

export interface GlassmailPeer extends Peer {
  readonly folder: string;
  /** Milliseconds from the start of the process to `ready`. */
  readonly readyMs: number;
  /** Ends the process, keeps the folder, starts again. */
  restart(): Promise<GlassmailPeer>;
}

/** Resolves once the server has derived and indexed what it has received. */
export async function settled({ ports }: Peer): Promise<void> {
  const end = performance.now() + 300_000;
  for (;;) {
    const metrics = await (await fetch(`http://127.0.0.1:${ports.http!}/metrics`)).text();
    const unindexed = /^\w*messages_unindexed (\d+)$/m.exec(metrics)?.[1];
    if (unindexed === undefined) throw new Error('the server does not say how much it has left to index');
    if (unindexed === '0') return;
    if (performance.now() > end) throw new Error(`${unindexed} messages are still not indexed after five minutes`);
    await pause(100);
  }
}

let isCompiled: Promise<void> | undefined;

/** In a checkout the first start strips the types of all files and keeps the result: no start that is measured does. */
async function compileOnce(): Promise<void> {
  await using glassmail = await launch(['--accounts', 'reader@bench.test'], undefined);
  const client = await ImapClient.login(glassmail.ports.imap!, 'reader@bench.test', 'glass');
  await client.fill('INBOX', 20, mailboxMessage);
  await sendMail({
    port: glassmail.ports.smtp!,
    recipient: 'reader@bench.test',
    sessions: 1,
    messages: 1,
    octets: 2048,
    reconnect: false,
  });
  await settled(glassmail);
  await client.command('SELECT INBOX');
  await client.command('SEARCH BODY xylophone');
  await client.command('FETCH 1:* (ENVELOPE BODY[1])');
  client.close();
}

/** @param folder an existing data folder; without one, a fresh one that goes with the peer */
export async function startGlassmail(flags: readonly string[] = [], folder?: string): Promise<GlassmailPeer> {
  await (isCompiled ??= compileOnce());
  return launch(flags, folder);
}

async function launch(flags: readonly string[], folder: string | undefined): Promise<GlassmailPeer> {
  const data = folder ?? (await mkdtemp(join(tmpdir(), 'glassmail-bench-')));
  const ports = ['smtp', 'submission', 'submissions', 'imap', 'imaps', 'pop3', 'pop3s', 'http', 'https'];
  const begin = performance.now();
  const child = spawn(
    process.execPath,
    [
      join(TOP, 'src/glassmail.js'),
      'start',
      '--data',
      data,
      '--host',
      '127.0.0.1',
      ...ports.flatMap((name) => [`--${name}-port`, '0']),
      ...flags,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  const ready = new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.endsWith('ready\n')) resolve();
    });
    child.on('exit', (code) => reject(new Error(`glassmail ended with ${code}`)));
  });
  await ready;
  const readyMs = performance.now() - begin;
  const found = [...output.matchAll(/^ {2}(\w+) +127\.0\.0\.1:(\d+)/gm)].map(
    ([, name, port]) => [name!, Number(port)] as const,
  );
  return {
    name: 'glassmail',
    folder: data,
    readyMs,
    pids: () => [child.pid!],
    ports: Object.fromEntries(found),
    restart: async () => {
      await end(child);
      return launch(flags, data);
    },
    async [Symbol.asyncDispose]() {
      await end(child);
      if (folder === undefined) await rm(data, { recursive: true, force: true });
    },
  };
}

export async function startBare(): Promise<Peer> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'bare-smtp-server.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    name: 'bare smtp-server',
    pids: () => [child.pid!],
    ports: { smtp: Number(line.toString()) },
    [Symbol.asyncDispose]: () => end(child),
  };
}

/** @param lmtp where accepted mail is delivered, as Postfix names it: `unix:/path`, `inet:host:port`; without, it is discarded */
export async function startPostfix(lmtp?: string): Promise<Peer> {
  const folder = await mkdtemp(join(tmpdir(), 'postfix-bench-'));
  await chmod(folder, 0o755);
  const port = await freePort();
  const [config, queue, data] = ['config', 'queue', 'data'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [config, queue, data]) {
    await mkdir(path);
    await chmod(path, 0o755); // whatever the umask is: its parts run as others
  }
  const uid = Number(await runProgram('id', ['-u', 'postfix']));
  await chown(data, uid, 0);
  const main = {
    compatibility_level: '3.6',
    queue_directory: queue,
    data_directory: data,
    command_directory: '/usr/sbin',
    daemon_directory: '/usr/lib/postfix/sbin',
    mail_owner: 'postfix',
    setgid_group: 'postdrop',
    myhostname: 'mail.bench.test',
    mydestination: 'bench.test',
    mynetworks: '127.0.0.0/8',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    smtpd_peername_lookup: 'no',
    smtpd_relay_restrictions: 'permit_mynetworks, reject',
    local_recipient_maps: '',
    local_transport: lmtp === undefined ? 'discard:' : `lmtp:${lmtp}`,
    alias_maps: '',
    alias_database: '',
    maillog_file: '/dev/stdout',
    maillog_file_prefixes: '/dev',
    smtpd_client_connection_count_limit: '0',
    smtpd_client_connection_rate_limit: '0',
    default_process_limit: '200',
    message_size_limit: '60000000',
    mailbox_size_limit: '0',
    biff: 'no',
  };
  await writeFile(
    join(config, 'main.cf'),
    Object.entries(main)
      .map(([name, value]) => `${name} = ${value}\n`)
      .join(''),
  );
  const unix = (name: string, options: string, command = name) => `${name} unix ${options} ${command}\n`;
  await writeFile(
    join(config, 'master.cf'),
    `127.0.0.1:${port} inet n - n - - smtpd\n` +
      unix('pickup', 'n - n 60 1') +
      unix('cleanup', 'n - n - 0') +
      unix('qmgr', 'n - n 300 1') +
      unix('rewrite', '- - n - -', 'trivial-rewrite') +
      unix('bounce', '- - n - 0') +
      unix('defer', '- - n - 0', 'bounce') +
      unix('trace', '- - n - 0', 'bounce') +
      unix('smtp', '- - n - -') +
      unix('lmtp', '- - n - -') +
      unix('error', '- - n - -') +
      unix('retry', '- - n - -', 'error') +
      unix('discard', '- - n - -') +
      unix('local', '- n n - -') +
      unix('anvil', '- - n - 1') +
      'postlog unix-dgram n - n - 1 postlogd\n',
  );
  for (const name of ['main.cf', 'master.cf']) await chmod(join(config, name), 0o644);
  const child = spawn('/usr/sbin/postfix', ['-c', config, 'start-fg'], { stdio: 'ignore', detached: true });
  await accepts(port);
  return {
    name: 'Postfix',
    pids: () => [child.pid!],
    ports: { smtp: port },
    async [Symbol.asyncDispose]() {
      await runProgram('/usr/sbin/postfix', ['-c', config, 'stop']).catch(() => undefined);
      await end(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface DovecotPeer extends Peer {
  readonly lmtpSocket: string;
}

/** IMAP in clear on loopback, any password, mdbox. */
export async function startDovecot(): Promise<DovecotPeer> {
  const folder = await mkdtemp(join(tmpdir(), 'dovecot-bench-'));
  await chmod(folder, 0o755);
  const mail = join(folder, 'mail');
  await mkdir(mail);
  const uid = Number(await runProgram('id', ['-u', 'mail']));
  const gid = Number(await runProgram('id', ['-g', 'mail']));
  await chown(mail, uid, gid);
  const port = await freePort();
  const lmtpSocket = join(folder, 'lmtp');
  const config = join(folder, 'dovecot.conf');
  await writeFile(
    config,
    `base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/log
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = mdbox:${mail}/%u
mail_uid = ${uid}
mail_gid = ${gid}
first_valid_uid = 1
default_internal_user = dovecot
default_login_user = dovenull
mail_fsync = always
mail_max_userip_connections = 0
service imap-login {
  chroot =
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  chroot =
}
service lmtp {
  unix_listener ${lmtpSocket} {
    mode = 0666
  }
}
namespace inbox {
  inbox = yes
}
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${mail}/home/%u
}
`,
  );
  const child = spawn('/usr/sbin/dovecot', ['-F', '-c', config], {
    stdio: ['ignore', 'ignore', 'inherit'],
    // It takes the day of a message in its own zone.
    env: { ...process.env, TZ: 'UTC' },
  });
  await accepts(port);
  return {
    name: 'Dovecot',
    lmtpSocket,
    pids: () => [child.pid!],
    ports: { imap: port },
    async [Symbol.asyncDispose]() {
      await end(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
