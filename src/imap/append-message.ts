/**
 * The messages that APPEND and REPLACE take: RFC 9051 §6.3.12, RFC 4466 §3 append-message. A message is a literal, or it is
 * put together of literals and of parts of other messages (CATENATE, RFC 4469); both may be UTF8 literals (RFC 6855 §4).
 *
 * Arguments come in chunks, for each literal ends one: its octets are still with the client. A chunk becomes steps, and
 * steps are taken as soon as they are there, so that what is refused is refused before the client sends more.
 */
import { readFile } from 'node:fs/promises';
import type { Account, NewMessage, Spool, Spooled } from '../store/mail-store.ts';
import { quotaRefusal } from '../store/quota.ts';
import { Refusal } from '../store/refusal.ts';
import { BinaryRefused, encodeBinaryParts } from './binary-parts.ts';
import type { Context } from './command.ts';
import { BadSyntax } from './grammar/bad-syntax.ts';
import type { Parser } from './grammar/parser.ts';
import type { MessageLiteral } from './grammar/syntax.ts';
import { assertMayAppend } from './message-limit.ts';
import { partOctets } from './message-url.ts';

/** One command holds no more: its messages wait for the last of them, the small ones in memory. */
const MOST_MESSAGES = 1_000;
const MOST_OCTETS_BESIDE = 64 * 1024 * 1024;

export type AppendStep =
  | { readonly type: 'message'; readonly flags: readonly string[]; readonly internalDate: Date | undefined }
  | { readonly type: 'url'; readonly url: string }
  /** Always the last step of a chunk. `within`: what goes on after its octets. */
  | { readonly type: 'literal'; readonly literal: MessageLiteral; readonly within: Within };

interface Within {
  readonly catenate: boolean;
  /** A parenthesis closes the literal. */
  readonly utf8: boolean;
}

type MessageContext = Pick<Context<'authenticated' | 'selected'>, 'state' | 'store' | 'session' | 'message'>;

/** The first chunk: at least one message. */
export function appendSteps(input: Parser, most: 'one' | 'several'): AppendStep[] {
  const steps: AppendStep[] = [];
  do {
    if (!messageSteps(input.sp(), steps)) break;
  } while (most === 'several' && !input.atEnd());
  return steps;
}

/**
 * Takes the steps, asks for what follows them, and gives the whole messages. What is thrown, here or later, leaves
 * nothing behind once `spools` is disposed of.
 * @param into whose room is looked at before a literal is asked for; whether there is room in the end, the store decides
 * @throws BadSyntax, BadUrl, Refusal TOOBIG, LIMIT, CANNOT, OVERQUOTA, BEYONDQUOTA
 */
export async function receiveMessages(
  first: readonly AppendStep[],
  most: 'one' | 'several',
  context: MessageContext,
  spools: AsyncDisposableStack,
  into?: Account,
): Promise<NewMessage[]> {
  const { store, session } = context;
  const maximum = session.options.maximumMessageOctets;
  const messages: { readonly spool: Spool; readonly step: Extract<AppendStep, { type: 'message' }>; size: number }[] =
    [];
  let hasNul = false;
  let total = 0;
  let header = new HeaderWatch();

  for (let steps = first; steps.length > 0;) {
    let next: readonly AppendStep[] = [];
    for (const step of steps) {
      switch (step.type) {
        case 'message':
          refuseUnlessWhole();
          assertMayAppend(messages.length + 1, session.options);
          if (messages.length === MOST_MESSAGES) {
            throw new Refusal(
              'LIMIT',
              `One command takes ${MOST_MESSAGES} messages at most: send the others in another`,
            );
          }
          messages.push({ spool: spools.use(store.spool()), step, size: 0 });
          header = new HeaderWatch();
          break;
        case 'url':
          for await (const octets of partOctets(step.url, context)) await add(octets);
          break;
        case 'literal':
          next = await literal(step);
      }
    }
    steps = next;
  }
  refuseUnlessWhole();
  const whole: NewMessage[] = [];
  for (const { spool, step } of messages) {
    const content = await withoutNul(await spool.finish());
    whole.push({ content, flags: step.flags, internalDate: step.internalDate ?? new Date() });
  }
  return whole;

  async function literal({
    literal,
    within,
  }: Extract<AppendStep, { type: 'literal' }>): Promise<readonly AppendStep[]> {
    // RFC 3502 §6.3.11: so a client cancels; it is not asked for anything more.
    if (literal.size === 0 && !within.catenate) throw empty();
    if (messages.at(-1)!.size + literal.size > maximum) throw tooBig();
    const noRoom = into && quotaRefusal(into.address, into.quota, messages.length, total + literal.size);
    if (noRoom) throw noRoom;
    for await (const octets of context.message.octets()) {
      // RFC 9051 §9: a literal is made of CHAR8, which NUL is not.
      if (!literal.binary && octets.includes(0)) throw new BadSyntax('NUL may only come in a literal8: ~{size}');
      await add(octets);
    }
    return followingSteps(await context.message.rest(), within, most);
  }

  async function add(octets: Uint8Array): Promise<void> {
    const message = messages.at(-1)!;
    message.size += octets.length;
    total += octets.length;
    if (message.size > maximum) throw tooBig();
    if (total > maximum + MOST_OCTETS_BESIDE) {
      throw new Refusal('LIMIT', 'That is too much for one command: send the other messages in another');
    }
    // RFC 6855 §4: then it must not be taken from a client that has not enabled UTF8=ACCEPT.
    if (!session.dialect.utf8 && header.hasEightBit(octets)) {
      throw new Refusal(
        'CANNOT',
        'Header fields with 8-bit characters are taken after ENABLE UTF8=ACCEPT; others encode them (RFC 2047)',
      );
    }
    hasNul ||= octets.includes(0);
    await message.spool.write(octets);
  }

  /** RFC 3516 §4.4: what NUL stands in may be encoded, and what cannot be is refused. */
  async function withoutNul(content: Spooled): Promise<Spooled> {
    if (!hasNul) return content;
    const octets = content.octets ?? (await readFile(content.file!));
    if (!octets.includes(0)) return content;
    const encoded = encodeBinaryParts(octets);
    if (!encoded) throw new BinaryRefused('NUL may only stand in parts whose encoding is 7bit, 8bit or binary');
    const spool = spools.use(store.spool());
    await spool.write(encoded);
    return spool.finish();
  }

  function refuseUnlessWhole(): void {
    if (messages.at(-1)?.size === 0) throw empty();
  }
  function tooBig(): Refusal {
    return new Refusal('TOOBIG', `Message too big: ${maximum} octets are the most`);
  }
}

// ------------------------------------------------------------------------------------------------------- arguments

/** Flags, a date, and what the message is made of. @returns whether it is whole, and no literal is to come first */
function messageSteps(input: Parser, steps: AppendStep[]): boolean {
  const flags = input.peek() === '(' ? input.flagList() : undefined;
  if (flags) input.sp();
  const internalDate = input.peek() === '"' ? input.dateTime() : undefined;
  if (internalDate) input.sp();
  steps.push({ type: 'message', flags: flags ?? [], internalDate });
  if (input.take('CATENATE (')) return partSteps(input, steps);
  steps.push(literalStep(input, false));
  return false;
}

function partSteps(input: Parser, steps: AppendStep[]): boolean {
  for (;;) {
    if (!input.take('URL ')) {
      if (!input.take('TEXT ') && !input.has('UTF8 ')) throw new BadSyntax('CATENATE takes TEXT, URL or UTF8');
      steps.push(literalStep(input, true));
      return false;
    }
    steps.push({ type: 'url', url: input.astring('a URL') });
    if (input.take(')')) return true;
    input.sp();
  }
}

function literalStep(input: Parser, catenate: boolean): AppendStep {
  const utf8 = input.take('UTF8 (');
  const literal = input.messageLiteral();
  if (utf8 && !literal.binary) throw new BadSyntax('UTF8 takes a literal8: UTF8 (~{size}');
  return { type: 'literal', literal, within: { catenate, utf8 } };
}

/** The chunk after a literal's octets. */
function followingSteps(input: Parser, { catenate, utf8 }: Within, most: 'one' | 'several'): AppendStep[] {
  const steps: AppendStep[] = [];
  if (utf8) input.expect(')');
  if (catenate && !input.take(')') && !partSteps(input.sp(), steps)) return steps;
  if (most === 'one' || input.atEnd()) input.end();
  else steps.push(...appendSteps(input, most));
  return steps;
}

function empty(): Refusal {
  return new Refusal('CANNOT', 'A message without octets cannot be kept');
}

/** Looks for 8-bit characters up to the end of the header. */
class HeaderWatch {
  #tail = '\n';
  #ended = false;

  hasEightBit(octets: Uint8Array): boolean {
    if (this.#ended) return false;
    const text = this.#tail + Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1');
    const end = /\n\r?\n/.exec(text)?.index;
    this.#ended = end !== undefined;
    this.#tail = text.slice(-2);
    return /[\x80-\xff]/.test(end === undefined ? text : text.slice(0, end));
  }
}
