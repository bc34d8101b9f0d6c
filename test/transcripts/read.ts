/**
 * Transcripts: Markdown files of prose and dialogues that are run as they stand. What counts is in fenced blocks; the prose
 * between them is for people.
 *
 * ```setup               begins a test, named by the heading above it, with a fresh server:
 * service: imap            which service clients connect to; `1 smtp, 2 imap` gives each its own
 * login: alice             each client has logged in before its first line; `1 alice, 2 bob`; without this line nobody has
 * server: --smtp-auth none flags for the server
 * mailbox: Archive/2026    alice has this mailbox; `bob Archive`: bob has it
 * deliver: hello with \Seen
 * ```
 * ```message hello       defines a message, for every test of the file. Its lines end in CRLF.
 *
 * Every other block whose first line is one of these is a dialogue; all dialogues up to the next setup are one test:
 *   1C: a2 EXPUNGE         client 1 sends this line (`C:` is client 1 too)
 *   1S: * 1 EXPUNGE        client 1 must receive exactly this line next; a line that nobody expected fails the test
 *   1S~: * FLAGS {...}     one of several such lines in a row, which may come in any order
 *   deliver: hello to bob in Archive/2026 with \Seen \Flagged at 2026-07-01T12:00:00Z
 *                          all but the name may be left out: alice, INBOX, no flags, now
 *   # words                a remark
 *
 * Within a line:
 *   {validity}             received: a run of characters, from then on always the same one; sent: that one
 *   {...}                  received: any run of characters
 *   |hello|                the size of a message: `1C: a APPEND INBOX {|hello|}`
 * As a whole line:
 *   <hello>                the message's octets, without a line end: the next line goes on where they end
 *   <tls>                  sent: the TLS handshake (after STARTTLS)
 *   <deflate>              sent: what follows is compressed, both ways (after COMPRESS)
 *   <inflated>             sent: what follows is not compressed any more
 *   <close>                sent: the client is gone
 *   <closed>               received: the server has ended the connection
 *   ...                    received: any lines (also none) up to the one that the next line of this client expects
 */

export interface DeliveryStep {
  readonly message: string;
  readonly account: string;
  readonly mailbox: string;
  readonly flags: readonly string[];
  readonly at: Date | undefined;
}

/** `line` is its number in the file. */
export type Step =
  | { readonly type: 'send' | 'expect'; readonly line: number; readonly client: number; readonly text: string }
  | { readonly type: 'expect-any'; readonly line: number; readonly client: number; readonly texts: readonly string[] }
  | ({ readonly type: 'deliver'; readonly line: number } & DeliveryStep);

export interface Transcript {
  readonly file: string;
  readonly title: string;
  readonly service: (client: number) => string;
  /** Undefined: the client sees the greeting and logs in by itself. */
  readonly login: (client: number) => string | undefined;
  readonly serverFlags: readonly string[];
  readonly mailboxes: readonly { readonly account: string; readonly name: string }[];
  readonly steps: readonly Step[];
  readonly messages: ReadonlyMap<string, Buffer>;
}

interface Block {
  readonly heading: string;
  /** What follows the backticks. */
  readonly info: string;
  /** The number of its first line in the file. */
  readonly line: number;
  readonly lines: readonly string[];
}

interface Draft extends Transcript {
  readonly mailboxes: { account: string; name: string }[];
  readonly steps: Step[];
}

const DIALOGUE = /^(?:\d*[CS]~?: ?|deliver: |#)/;

/** @throws Error that names the file and the line of what cannot be read */
export function readTranscripts(file: string, markdown: string): Transcript[] {
  const blocks = blocksOf(markdown);
  const messages = new Map<string, Buffer>();
  for (const { info, lines } of blocks) {
    const name = /^message ([\w-]+)$/.exec(info)?.[1];
    if (name !== undefined) messages.set(name, Buffer.from(lines.map((line) => `${line}\r\n`).join('')));
  }
  const transcripts: Draft[] = [];
  for (const block of blocks) {
    if (block.info === 'setup') transcripts.push(readSetup(file, block, messages));
    else if (!block.info.startsWith('message ') && DIALOGUE.test(block.lines[0] ?? '')) {
      const transcript = transcripts.at(-1);
      if (transcript === undefined) throw new Error(`${file}:${block.line}: a dialogue before any setup block`);
      block.lines.forEach((line, i) => readLine(transcript, line, block.line + i));
    }
  }
  return transcripts;
}

function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let heading = '';
  let open: { fence: string; info: string; line: number; lines: string[] } | undefined;
  markdown.split(/\r?\n/).forEach((text, i) => {
    const fence = /^(`{3,})(.*)$/.exec(text);
    if (open !== undefined) {
      if (text === open.fence) {
        blocks.push({ heading, ...open });
        open = undefined;
      } else open.lines.push(text);
    } else if (fence !== null) open = { fence: fence[1]!, info: fence[2]!.trim(), line: i + 2, lines: [] };
    else heading = /^#+ (.*)$/.exec(text)?.[1] ?? heading;
  });
  return blocks;
}

function readSetup(file: string, block: Block, messages: ReadonlyMap<string, Buffer>): Draft {
  const settings = new Map<string, string>();
  const mailboxes: { account: string; name: string }[] = [];
  const steps: Step[] = [];
  block.lines.forEach((text, i) => {
    const where = `${file}:${block.line + i}`;
    const [, key, value] = /^(\w+): (.*)$/.exec(text) ?? [];
    if (key === 'deliver') steps.push({ type: 'deliver', line: block.line + i, ...readDelivery(value!, messages, where) });
    else if (key === 'mailbox') {
      const [, account = 'alice', name] = /^(?:(\w+) )?(.*)$/.exec(value!) ?? [];
      mailboxes.push({ account, name: name! });
    } else if (key === 'service' || key === 'login' || key === 'server') settings.set(key, value!);
    else if (text.trim() !== '') throw new Error(`${where}: ${text} is no setting`);
  });
  const service = perClient(settings.get('service') ?? 'imap');
  return {
    file,
    title: block.heading,
    service: (client) => service(client) ?? 'imap',
    login: perClient(settings.get('login') ?? ''),
    serverFlags: (settings.get('server') ?? '').split(' ').filter((flag) => flag !== ''),
    mailboxes,
    steps,
    messages,
  };
}

/** `alice`, or `1 alice, 2 bob`. */
function perClient(text: string): (client: number) => string | undefined {
  if (!text.includes(' ')) return () => (text === '' ? undefined : text);
  const values = new Map(text.split(',').map((part) => part.trim().split(' ') as [string, string]));
  return (client) => values.get(String(client));
}

function readLine(transcript: Draft, text: string, line: number): void {
  const where = `${transcript.file}:${line}`;
  if (text.startsWith('#') || text.trim() === '') return;
  if (text.startsWith('deliver: ')) {
    transcript.steps.push({ type: 'deliver', line, ...readDelivery(text.slice(9), transcript.messages, where) });
    return;
  }
  const [, number, side, any, said] = /^(\d*)([CS])(~?):(?: (.*))?$/.exec(text) ?? [];
  if (side === undefined || (side === 'C' && any === '~')) throw new Error(`${where}: ${text} is no line of a dialogue`);
  const client = number === '' ? 1 : Number(number);
  const { steps } = transcript;
  const before = steps.at(-1);
  if (any !== '~') steps.push({ type: side === 'C' ? 'send' : 'expect', line, client, text: said ?? '' });
  else if (before?.type === 'expect-any' && before.client === client) {
    steps[steps.length - 1] = { ...before, texts: [...before.texts, said ?? ''] };
  } else steps.push({ type: 'expect-any', line, client, texts: [said ?? ''] });
}

function readDelivery(text: string, messages: ReadonlyMap<string, Buffer>, where: string): DeliveryStep {
  const found = /^([\w-]+)(?: to (\w+))?(?: in (.+?))?(?: with (.+?))?(?: at (\S+))?$/.exec(text);
  if (found === null || !messages.has(found[1]!)) throw new Error(`${where}: ${text} is no delivery of a known message`);
  const [, message, account = 'alice', mailbox = 'INBOX', flags, at] = found;
  return {
    message: message!,
    account,
    mailbox,
    flags: flags?.split(' ') ?? [],
    at: at === undefined ? undefined : new Date(at),
  };
}
