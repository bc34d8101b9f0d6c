/**
 * `glassmail check`: proves that the running server works, as strangers would find it. Ordinary clients hand messages in
 * by every way, wait for them, read them by every way and compare the octets.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { FetchMessageObject, ImapFlow } from 'imapflow';
import { loginAddress } from '../sasl/login-name.ts';
import type { Diagnoses } from '../http/schemas/diagnoses.ts';
import { UsageError } from './command.ts';
import type { CliCommand } from './command.ts';
import { CheckList } from './check-list.ts';
import { dataFolder, defaultDomain, readControl } from './control.ts';
import type { Control } from './control.ts';
import { DATA_FLAG, readFlags, readPort } from './flags.ts';
import { Pop3Client } from './pop3-client.ts';

const PORTS = {
  smtp: 1025,
  submission: 1587,
  submissions: 1465,
  imap: 1143,
  imaps: 1993,
  pop3: 1110,
  pop3s: 1995,
  http: 8025,
} as const;
type Service = keyof typeof PORTS;

const PORT_FLAGS = {
  'smtp-port': { type: 'string' },
  'submission-port': { type: 'string' },
  'submissions-port': { type: 'string' },
  'imap-port': { type: 'string' },
  'imaps-port': { type: 'string' },
  'pop3-port': { type: 'string' },
  'pop3s-port': { type: 'string' },
  'http-port': { type: 'string' },
} as const;

const FLAGS = {
  ...DATA_FLAG,
  ...PORT_FLAGS,
  host: { type: 'string' },
  user: { type: 'string' },
  password: { type: 'string' },
  ca: { type: 'string' },
  keep: { type: 'boolean' },
} as const;

export const check: CliCommand = {
  name: 'check',
  summary: 'prove that sending and reading work, as mail programs do it',
  help: `Usage: glassmail check [FLAGS]

Sends messages to an account by every way (SMTP without login, submission with STARTTLS, submission under
TLS), waits for them in IMAP's IDLE, reads them over IMAP, POP3 and HTTP, and compares the octets. It uses
ordinary clients over the network, and removes its messages in the end. The exit code is 0 only if all is
well.

Of the server that runs here it knows the ports, the authority and, in capture mode, an account.

  --user NAME --password TEXT   an account (default: the server's first one, in capture mode)
  --host HOST                   another host
  --imap-port PORT, …           smtp, submission, submissions, imap, imaps, pop3, pop3s, http;
                                off leaves one out
  --ca FILE                     trust this authority (PEM)
  --keep                        leave the messages there, to look at them
  --data FOLDER                 the data folder, by which the server is found (GLASSMAIL_DATA; default ./data)

Examples:
  glassmail check
  glassmail check --user carol@red.test --password s3cret
  glassmail check --host mail.red.test --user carol --password s3cret --smtp-port 25 --submission-port 587 \\
    --submissions-port 465 --imap-port 143 --imaps-port 993 --pop3-port off --pop3s-port off --http-port off
`,
  async run(args, io) {
    const { values, positionals } = readFlags('check', args, FLAGS);
    if (positionals.length > 0) throw new UsageError(`${positionals[0]!}: check takes flags only`);
    const control = await readControl(dataFolder(values.data, io.environment));
    const target = await targetOf(values, control, await defaultDomain(control, io.environment));
    io.stdout.write(
      `${target.user} on ${target.host ?? 'this computer'}${control ? '' : ' (no server has left word in the data folder)'}\n`,
    );
    const list = new CheckList(io);
    const startedAt = new Date();
    await new Check(target, list).run(values.keep ?? false);
    if (list.hasFailed) list.add(await diagnosesSince(startedAt, target));
    return list.conclude();
  },
};

interface Target {
  readonly host: string | undefined;
  /** Undefined: off. */
  readonly services: Readonly<Record<Service, { readonly host: string; readonly port: number } | undefined>>;
  /** The login name. */
  readonly user: string;
  /** The same with a domain. */
  readonly address: string;
  readonly password: string;
  readonly ca: Buffer | undefined;
  /** Opens the API, of the server that runs here. */
  readonly token: string | undefined;
}

type Flags = ReturnType<typeof readFlags<typeof FLAGS>>['values'];

async function targetOf(flags: Flags, control: Control | undefined, domain: string): Promise<Target> {
  const here = flags.host === undefined ? control : undefined;
  const user = flags.user ?? here?.account ?? (here === undefined ? 'alice@glass.localhost' : undefined);
  const known = here === undefined ? 'glass' : here.account === user ? here.password : undefined;
  const password = flags.password ?? known;
  if (user === undefined || password === undefined) {
    throw new UsageError('As whom? --user NAME --password TEXT: an account of the server that receives the messages');
  }
  const services = {} as Record<Service, { host: string; port: number } | undefined>;
  for (const service of Object.keys(PORTS) as Service[]) {
    const flag = flags[`${service}-port`];
    const port = flag === 'off' ? undefined : readPort(`--${service}-port`, flag);
    const host = flags.host ?? here?.services[service]?.host ?? '127.0.0.1';
    const usual = here === undefined ? PORTS[service] : here.services[service]?.port;
    const chosen = flag === 'off' ? undefined : (port ?? usual);
    services[service] = chosen === undefined ? undefined : { host, port: chosen };
  }
  const authority = flags.ca ?? here?.authority;
  const ca = authority === undefined ? undefined : await readAuthority(authority);
  const address = loginAddress(user, domain);
  return { host: flags.host, services, user, address, password, ca, token: here?.token };
}

/** What the server itself says is wrong, if it is the one that runs here: it sees the other side. */
async function diagnosesSince(startedAt: Date, { services: { http }, token }: Target): Promise<string[]> {
  if (http === undefined || token === undefined) return [];
  const host = http.host.includes(':') ? `[${http.host}]` : http.host;
  const query = new URLSearchParams({ since: startedAt.toISOString(), severity: 'problem' });
  try {
    const response = await fetch(`http://${host}:${http.port}/api/glass/diagnoses?${query}`, {
      headers: { Authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!response.ok) return [];
    const { conversations } = (await response.json()) as Diagnoses;
    const said = conversations
      .toReversed()
      .flatMap(({ service, diagnoses }) =>
        diagnoses.map(({ id, sentence, remedy }) => `${service}: ${sentence} ${remedy} (${id})`),
      );
    return [...new Set(said)].slice(0, MOST_DIAGNOSES);
  } catch {
    return []; // The failures themselves have been told.
  }
}

async function readAuthority(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'error'} (--ca)`);
  }
}

const TIMEOUT_MS = 10_000;
const MOST_DIAGNOSES = 10;

/** One way of handing a message in. */
interface Way {
  readonly service: 'smtp' | 'submission' | 'submissions';
  readonly title: string;
}

const WAYS: readonly Way[] = [
  { service: 'submissions', title: 'submission under TLS' },
  { service: 'submission', title: 'submission with STARTTLS' },
  { service: 'smtp', title: 'SMTP without login' },
];

/** A message that was handed in. */
interface Probe {
  readonly messageId: string;
  readonly octets: Buffer;
}

/** As the mailbox holds it: the trace, and what was handed in. */
interface Received {
  readonly uid: number;
  readonly octets: Buffer;
}

class Check {
  readonly #target: Target;
  readonly #list: CheckList;
  readonly #probes: Probe[] = [];
  /** By message id. */
  readonly #received = new Map<string, Received>();

  constructor(target: Target, list: CheckList) {
    this.#target = target;
    this.#list = list;
  }

  async run(keep: boolean): Promise<void> {
    const imap = await this.#list.step('IMAP under TLS', this.#address('imaps'), 'logs in and opens INBOX', () =>
      this.#imap('imaps'),
    );
    try {
      for (const way of WAYS) await this.#deliver(way, imap);
      await this.#secondImap(imap);
      await this.#pop3('pop3s', 'POP3 under TLS');
      await this.#pop3('pop3', 'POP3 with STLS');
      await this.#http();
      if (imap !== undefined && !keep && this.#received.size > 0) {
        await this.#list.step('IMAP under TLS', this.#address('imaps'), 'deletes what this has sent', async () => {
          await imap.messageDelete([...this.#received.values()].map(({ uid }) => uid).join(','), { uid: true });
        });
      }
    } finally {
      await imap?.logout().catch(() => undefined);
    }
  }

  /** Sends by one way; waits for the news in IDLE, and fetches. */
  async #deliver({ service, title }: Way, imap: ImapFlow | undefined): Promise<void> {
    const address = this.#address(service);
    const probe = this.#probe(title);
    const news = imap === undefined ? undefined : waitForNews(imap);
    const sent = await this.#list.step(title, address, 'hands a message in', async () => {
      await this.#send(service, probe);
      return true;
    });
    if (sent === undefined || imap === undefined) {
      news?.catch(() => undefined);
      return;
    }
    this.#probes.push(probe);
    await this.#list.step('IMAP under TLS', this.#address('imaps'), 'is told of it in IDLE', () => news!);
    const received = await this.#list.step(
      'IMAP under TLS',
      this.#address('imaps'),
      'reads the same octets',
      async () => {
        const found = await fetchProbe(imap, probe);
        if (!found.octets.subarray(-probe.octets.length).equals(probe.octets)) {
          throw new Error(difference(probe.octets, found.octets.subarray(-probe.octets.length)));
        }
        return found;
      },
    );
    if (received !== undefined) this.#received.set(probe.messageId, received);
  }

  async #secondImap(first: ImapFlow | undefined): Promise<void> {
    const second = await this.#list.step('IMAP with STARTTLS', this.#address('imap'), 'logs in', () =>
      this.#imap('imap'),
    );
    const probe = this.#probes[0];
    if (second === undefined) return;
    try {
      if (first === undefined || probe === undefined) return;
      await this.#list.step('IMAP with STARTTLS', this.#address('imap'), 'reads the same octets', async () => {
        sameOctets(this.#received.get(probe.messageId), (await fetchProbe(second, probe)).octets);
      });
    } finally {
      await second.logout().catch(() => undefined);
    }
  }

  async #pop3(service: 'pop3' | 'pop3s', title: string): Promise<void> {
    const { user, password, ca } = this.#target;
    const at = this.#target.services[service];
    await this.#list.step(title, this.#address(service), 'retrieves the same octets', async () => {
      await using client = await Pop3Client.connect({
        ...at!,
        tls: service === 'pop3s' ? 'implicit' : 'stls',
        ca,
        timeoutMs: TIMEOUT_MS,
      });
      await client.login(user, password);
      const sizes = await client.list();
      for (const { messageId } of this.#probes) {
        const number = await findMessage(client, [...sizes.keys()], messageId);
        const octets = await client.retrieve(number);
        if (octets.length !== sizes.get(number)) {
          throw new Error(`LIST says ${sizes.get(number) ?? 0} octets, RETR sent ${octets.length}`);
        }
        sameOctets(this.#received.get(messageId), octets);
      }
      await client.quit();
    });
  }

  async #http(): Promise<void> {
    const at = this.#target.services.http;
    const address = this.#address('http');
    await this.#list.step('HTTP', address, 'shows the same octets', async () => {
      const ask = async (path: string): Promise<Response> => {
        const { token } = this.#target;
        const url = `http://${at!.host.includes(':') ? `[${at!.host}]` : at!.host}:${at!.port}/api/glass/accounts/${path}`;
        const response = await fetch(url, {
          headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
          signal: AbortSignal.timeout(TIMEOUT_MS),
        });
        if (!response.ok) throw new Error(`GET ${url} answers ${response.status}`);
        return response;
      };
      const account = encodeURIComponent(this.#target.user);
      const { mailboxes } = (await (await ask(`${account}/mailboxes`)).json()) as {
        mailboxes: { id: number; name: string }[];
      };
      const inbox = mailboxes.find(({ name }) => name === 'INBOX');
      if (inbox === undefined) throw new Error('The account has no INBOX');
      for (const { uid, octets } of this.#received.values()) {
        const raw = await ask(`${account}/mailboxes/${inbox.id}/messages/${uid}/raw`);
        sameOctets({ uid, octets }, Buffer.from(await raw.arrayBuffer()));
      }
    });
  }

  async #imap(service: 'imap' | 'imaps'): Promise<ImapFlow> {
    const { ImapFlow } = await import('imapflow');
    const { user, password, ca } = this.#target;
    const client = new ImapFlow({
      ...this.#target.services[service]!,
      secure: service === 'imaps',
      ...(service === 'imap' && { doSTARTTLS: true }),
      auth: { user, pass: password },
      tls: { ...(ca !== undefined && { ca }) },
      logger: false,
      connectionTimeout: TIMEOUT_MS,
      greetingTimeout: TIMEOUT_MS,
      socketTimeout: 60_000,
      disableAutoIdle: true,
    });
    client.on('error', () => undefined); // the call that fails by it says it
    await client.connect();
    await client.mailboxOpen('INBOX');
    return client;
  }

  async #send(service: Way['service'], { octets }: Probe): Promise<void> {
    const { createTransport } = await import('nodemailer');
    const { user, password, ca } = this.#target;
    const transport = createTransport({
      ...this.#target.services[service]!,
      secure: service === 'submissions',
      requireTLS: service === 'submission',
      ignoreTLS: service === 'smtp',
      ...(service !== 'smtp' && { auth: { user, pass: password } }),
      tls: { ...(ca !== undefined && { ca }) },
      connectionTimeout: TIMEOUT_MS,
      greetingTimeout: TIMEOUT_MS,
      socketTimeout: TIMEOUT_MS,
    });
    try {
      const { address } = this.#target;
      await transport.sendMail({ envelope: { from: address, to: [address] }, raw: octets });
    } finally {
      transport.close();
    }
  }

  /** What goes wrong on the way most easily: full stops at the start of lines, blanks at their end, long lines, UTF-8. */
  #probe(title: string): Probe {
    const messageId = `<${randomBytes(12).toString('hex')}@check.invalid>`;
    const { address } = this.#target;
    const lines = [
      `From: glassmail check <${address}>`,
      `To: <${address}>`,
      `Subject: glassmail check: ${title}`,
      `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
      `Message-ID: ${messageId}`,
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: 8bit',
      '',
      'This message may be deleted.',
      '.',
      '..',
      '. a full stop',
      'Grüße, Привет, 你好',
      'blanks at the end  ',
      'x'.repeat(990),
      'From here on, nothing.',
      '',
    ];
    return { messageId, octets: Buffer.from(lines.map((line) => `${line}\r\n`).join('')) };
  }

  /** Undefined: off. */
  #address(service: Service): string | undefined {
    const at = this.#target.services[service];
    return at === undefined ? undefined : `${at.host}:${at.port}`;
  }
}

/** The next message in the mailbox that a client has open, as IDLE tells it (RFC 2177). */
async function waitForNews(imap: ImapFlow): Promise<void> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  await new Promise<void>((resolve, reject) => {
    const told = (): void => resolve();
    imap.once('exists', told);
    signal.addEventListener('abort', () => {
      imap.off('exists', told);
      reject(new Error(`IDLE said nothing for ${TIMEOUT_MS / 1000} seconds`));
    });
    imap.idle().catch(reject);
  });
}

async function fetchProbe(imap: ImapFlow, { messageId }: Probe): Promise<Received> {
  const uids = await imap.search({ header: { 'message-id': messageId } }, { uid: true });
  const uid = Array.isArray(uids) ? uids.at(-1) : undefined;
  if (uid === undefined) throw new Error(`SEARCH does not find ${messageId}`);
  const message: FetchMessageObject | false = await imap.fetchOne(String(uid), { source: true }, { uid: true });
  if (message === false || message.source === undefined) throw new Error(`UID ${uid} cannot be fetched`);
  return { uid, octets: message.source };
}

/** From the newest on: the check's messages are among the last. */
async function findMessage(client: Pop3Client, numbers: readonly number[], messageId: string): Promise<number> {
  for (const number of numbers.toReversed().slice(0, 100)) {
    if ((await client.top(number, 0)).includes(messageId)) return number;
  }
  throw new Error(`${messageId} is not in the maildrop`);
}

function sameOctets(expected: Received | undefined, octets: Buffer): void {
  if (expected !== undefined && !expected.octets.equals(octets)) throw new Error(difference(expected.octets, octets));
}

function difference(expected: Buffer, found: Buffer): string {
  const at = expected.findIndex((octet, i) => octet !== found[i]);
  return `the octets differ from number ${at + 1} on (${expected.length} expected, ${found.length} found)`;
}
