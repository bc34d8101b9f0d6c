/**
 * One message as IMAP and POP3 have it: this server asks its own ports, as any client would, so that it shows on the wire.
 * Nothing is changed by it: EXAMINE and BODY.PEEK leave \Seen alone (RFC 9051 §6.3.3, §6.4.5), and so does TOP.
 */
import { guessText } from '../mail/octets.ts';
import type { TokenScope } from '../sasl/tokens.ts';
import type { HttpParts } from './parts.ts';
import { HttpProblem } from './problem.ts';
import { OwnDialogue } from './own-dialogue.ts';
import { connectTo, conversationOf, ownService } from './own-service.ts';
import type { Readings, ShownOctets } from './schemas/readings.ts';

type Said = Readings['imap']['said'];
type Asked = Pick<Readings['imap'], 'conversation' | 'service' | 'said' | 'problem'>;

/** Of larger messages the beginning is asked for. */
export const SHOWN = 64 * 1024;
/** What a page shows of one answer. */
const LONGEST_ITEM = 64 * 1024;

export interface Copy {
  /** The account's address. */
  readonly login: string;
  readonly mailboxName: string;
  readonly uidValidity: number;
  readonly uid: number;
  readonly size: number;
  readonly isSeen: boolean;
}

export function shownOctets(octets: Uint8Array, whole: number): ShownOctets {
  const shown = octets.subarray(0, SHOWN);
  return { text: guessText(shown), octets: whole, shown: shown.length };
}

// ------------------------------------------------------------------------------------------------------------- IMAP

export async function readByImap(parts: HttpParts, copy: Copy): Promise<Readings['imap']> {
  const found: Omit<Readings['imap'], keyof Asked> = { items: [], literal: null, body: null };
  const asked = await ask(parts, copy, ['imap', 'imaps'], 'imap', async ({ dialogue, said, response }) => {
    said.push({ by: 'server', text: textOf(await dialogue.line()) });
    const run = async (tag: string, command: string, shown = command): Promise<Answer> => {
      said.push({ by: 'client', text: `${tag} ${shown}` });
      dialogue.send(`${tag} ${command}`);
      return imapAnswer(dialogue, tag, said);
    };
    await run('a1', `AUTHENTICATE XOAUTH2 ${response}`, 'AUTHENTICATE XOAUTH2 •••');
    // With it, names of mailboxes are in UTF-8 (RFC 9051 §5.1).
    if (/[^ -%'-~]/.test(copy.mailboxName)) await run('a2', 'ENABLE IMAP4rev2');
    await run('a3', `EXAMINE "${copy.mailboxName.replace(/["\\]/g, '\\$&')}"`);
    const what = '(UID FLAGS INTERNALDATE RFC822.SIZE EMAILID ENVELOPE BODYSTRUCTURE)';
    found.items = itemsOf((await run('a4', `UID FETCH ${copy.uid} ${what}`)).fetched);
    const section = copy.size > SHOWN ? `BODY.PEEK[]<0.${SHOWN}>` : 'BODY.PEEK[]';
    const { announced, literal } = await run('a5', `UID FETCH ${copy.uid} (${section})`);
    if (!literal) throw new HttpProblem(404, 'IMAP has no such message any more');
    found.literal = announced;
    found.body = shownOctets(literal, copy.size);
    said.push({ by: 'client', text: 'a6 LOGOUT' });
    dialogue.send('a6 LOGOUT');
    await imapAnswer(dialogue, 'a6', said);
  });
  return { ...asked, ...found };
}

interface Answer {
  /** The FETCH response with its literals in place, one character for each octet. */
  readonly fetched: string;
  /** The last literal of it, and what announced that. */
  readonly announced: string | null;
  readonly literal: Uint8Array | undefined;
}

/** Reads to the tagged line. @throws HttpProblem 502 with the server's words unless it is OK */
async function imapAnswer(dialogue: OwnDialogue, tag: string, said: Said): Promise<Answer> {
  let fetched = '';
  let announced: string | null = null;
  let literal: Uint8Array | undefined;
  for (;;) {
    let text = (await dialogue.line()).toString('latin1');
    let shown = text;
    for (let size = literalSize(text); size !== undefined; size = literalSize(text)) {
      const octets = await dialogue.octets(size);
      const rest = (await dialogue.line()).toString('latin1');
      const isBody = /BODY\[\](?:<0>)? \{\d+\}\r\n$/.exec(text);
      if (isBody) [announced, literal] = [isBody[0].trim(), octets];
      shown = isBody ? `${shown.trimEnd()} … ${rest}` : shown + octets.toString('latin1') + rest;
      // Octets of a message are no part of the line that is looked through.
      text = isBody ? rest : text + octets.toString('latin1') + rest;
    }
    said.push({ by: 'server', text: textOf(Buffer.from(shown, 'latin1')) });
    if (/^\* \d+ FETCH /.test(shown)) fetched = shown;
    if (text.startsWith('+')) {
      // A challenge tells why a token was refused; the empty answer lets the server say so (XOAUTH2).
      said.push({ by: 'client', text: '' });
      dialogue.send('');
    }
    if (!text.startsWith(`${tag} `)) continue;
    if (text.startsWith(`${tag} OK`)) return { fetched, announced, literal };
    throw new HttpProblem(502, textOf(Buffer.from(text, 'latin1')));
  }
}

function literalSize(text: string): number | undefined {
  const size = /\{(\d{1,9})\}\r\n$/.exec(text)?.[1];
  return size === undefined ? undefined : Number(size);
}

/** `* 7 FETCH (UID 7 FLAGS (\Seen) …)` in its items. */
export function itemsOf(fetched: string): { name: string; value: string }[] {
  const list = /^\* \d+ FETCH \(([^]*)\)\r\n$/.exec(fetched)?.[1] ?? '';
  const items: { name: string; value: string }[] = [];
  let at = 0;
  while (at < list.length) {
    const space = list.indexOf(' ', at);
    if (space === -1) break;
    const end = valueEnd(list, space + 1);
    const value = textOf(Buffer.from(list.slice(space + 1, end).slice(0, LONGEST_ITEM), 'latin1'));
    items.push({ name: list.slice(at, space), value });
    at = end + 1;
  }
  return items;
}

/** After the value that begins there: an atom, a string, a literal or a list. */
function valueEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length;) {
    const char = text[at]!;
    if (char === '"') {
      at++;
      while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
      at++;
    } else if (char === '{') {
      const [announced, size] = /^\{(\d+)\}\r\n/.exec(text.slice(at, at + 20)) ?? ['{', '0'];
      at += announced.length + Number(size);
    } else {
      if (char === ' ' && depth === 0) return at;
      if (char === '(') depth++;
      if (char === ')') depth--;
      at++;
    }
    if (depth === 0 && (text[at] === ' ' || at >= text.length)) return at;
  }
  return text.length;
}

// ------------------------------------------------------------------------------------------------------------- POP3

/** The maildrop is INBOX (RFC 1939 has no other mailbox). */
export async function readByPop3(parts: HttpParts, copy: Copy): Promise<Readings['pop3']> {
  const found: Omit<Readings['pop3'], keyof Asked> = {
    status: null,
    uniqueId: null,
    command: null,
    body: null,
    stuffed: 0,
  };
  if (copy.mailboxName !== 'INBOX') {
    const problem = 'POP3 knows INBOX alone: what lies in another mailbox it never sees.';
    return { conversation: null, service: 'pop3', said: [], problem, ...found };
  }
  const asked = await ask(parts, copy, ['pop3', 'pop3s'], 'pop3', async ({ dialogue, said, response }) => {
    const line = async (): Promise<string> => {
      const text = textOf(await dialogue.line());
      said.push({ by: 'server', text });
      return text;
    };
    const run = async (command: string, shown = command): Promise<string> => {
      said.push({ by: 'client', text: shown });
      dialogue.send(command);
      let text = await line();
      if (text.startsWith('+ ')) {
        said.push({ by: 'client', text: '' });
        dialogue.send('');
        text = await line();
      }
      if (!text.startsWith('+OK')) throw new HttpProblem(502, text);
      return text;
    };
    await line();
    await run(`AUTH XOAUTH2 ${response}`, 'AUTH XOAUTH2 •••');
    found.status = await run('STAT');
    await run('UIDL');
    const wanted = `${copy.uidValidity}.${copy.uid}`;
    let number: string | undefined;
    for (let text = await dialogue.line(); text.toString('latin1') !== '.\r\n'; text = await dialogue.line()) {
      const [each, uniqueId] = textOf(text).split(' ');
      if (uniqueId === wanted) number = each;
    }
    said.push({ by: 'server', text: number === undefined ? '…' : `… ${number} ${wanted} …` });
    if (number === undefined) throw new HttpProblem(404, 'POP3 does not offer this message');
    found.uniqueId = wanted;
    // RETR marks as read, and gives all of it: TOP where either is not wanted.
    found.command = copy.isSeen && copy.size <= SHOWN ? 'RETR' : 'TOP';
    await run(found.command === 'RETR' ? `RETR ${number}` : `TOP ${number} ${copy.size > SHOWN ? 500 : 999_999}`);
    const body: Buffer[] = [];
    for (let length = 0; ;) {
      const text = await dialogue.line();
      const isEnd = text.toString('latin1') === '.\r\n';
      if (!isEnd && text[0] === 0x2e) found.stuffed++;
      if (length <= SHOWN || isEnd) body.push(Buffer.from(text));
      length += text.length;
      if (isEnd) break;
    }
    const octets = Buffer.concat(body);
    found.body = shownOctets(octets, Math.max(copy.size, octets.length));
    said.push({ by: 'server', text: '…' });
    await run('QUIT');
  });
  return { ...asked, ...found };
}

// ----------------------------------------------------------------------------------------------------------- asking

interface Talk {
  readonly dialogue: OwnDialogue;
  readonly said: Said;
  /** The initial response of XOAUTH2, in base 64. */
  readonly response: string;
}

/** What goes wrong is what there is to show. */
async function ask(
  parts: HttpParts,
  { login }: Copy,
  names: readonly string[],
  scope: TokenScope,
  talk: (talk: Talk) => Promise<void>,
): Promise<Asked> {
  const said: Said = [];
  let service = names[0]!;
  let conversation: string | null = null;
  let problem: string | null = null;
  try {
    using errand = parts.errands?.begin(login, scope);
    if (!errand) throw new HttpProblem(503, 'The server is busy with others: try again.');
    const own = ownService(parts, names);
    service = own.name;
    const socket = await connectTo(parts, own);
    const { localPort } = socket;
    using dialogue = new OwnDialogue(socket, own.name);
    await dialogue.begun();
    conversation = conversationOf(parts, own, localPort);
    const response = Buffer.from(`user=${login}\x01auth=Bearer ${errand.token.reveal()}\x01\x01`).toString('base64');
    await talk({ dialogue, said, response });
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error;
    problem = error.message;
  }
  return { conversation, service, said, problem };
}

function textOf(line: Uint8Array): string {
  return guessText(line).replace(/\r\n$/, '').slice(0, LONGEST_ITEM);
}
