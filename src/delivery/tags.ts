/**
 * Tags that a message brings along, as Mailpit gives them: what follows a plus in an address, the field X-Tags, the
 * login name. The octets stay as they are.
 */
import { open } from 'node:fs/promises';
import { addrSpec, mailboxesOf, parseAddressList, splitAddress } from '../mail/address.ts';
import { allFields, decodeEncodedWords, parseHeader } from '../mail/headers.ts';
import { bufferOver } from '../mail/octets.ts';
import type { Spooled } from '../store/mail-store.ts';

export const TAG_SOURCES = ['plus-addresses', 'x-tags'] as const;
export type TagSource = (typeof TAG_SOURCES)[number];

export interface Tagging {
  /** Sources that give none. */
  readonly disabled: readonly TagSource[];
  /** Whether the login name is a tag. */
  readonly login: boolean;
  /** Whether words begin with a capital. */
  readonly titleCase: boolean;
}

export interface Taggable {
  readonly reversePath: string;
  readonly recipients: readonly { readonly address: string }[];
  readonly content: Spooled;
  readonly origin: { readonly login: string | undefined };
}

/** Longer headers are looked at so far. */
const HEADER_OCTETS = 64 * 1024;
const LONGEST = 100;
const MOST = 50;

/** Each once, whatever its case. */
export async function automaticTags(mail: Taggable, tagging: Tagging): Promise<readonly string[]> {
  const found: string[] = [];
  const { login } = mail.origin;
  if (tagging.login && login !== undefined) found.push(login);
  const addresses = !tagging.disabled.includes('plus-addresses');
  const field = !tagging.disabled.includes('x-tags');
  if (addresses) found.push(...mail.recipients.flatMap(({ address }) => tagsOfAddress(address)));
  if (addresses || field) found.push(...tagsOfHeader(await beginningOf(mail.content), addresses, field));
  return distinctTags(tagging.titleCase ? found.map(titleCase) : found);
}

/** What can be a tag of these, each once. */
export function distinctTags(texts: readonly string[]): readonly string[] {
  const tags = new Map<string, string>();
  for (const text of texts) {
    const tag = cleanTag(text);
    if (tag !== '' && tags.size < MOST && !tags.has(tag.toLowerCase())) tags.set(tag.toLowerCase(), tag);
  }
  return [...tags.values()];
}

/** What of a text can be a tag: letters, digits, blanks and `-_.@`; '': nothing, or too much. */
export function cleanTag(text: string): string {
  const tag = text.replace(/[^a-zA-Z0-9\-_.@]+/g, ' ').trim();
  return tag.length > LONGEST ? '' : tag;
}

function tagsOfHeader(octets: Uint8Array, addresses: boolean, field: boolean): string[] {
  const end = bufferOver(octets).indexOf('\r\n\r\n');
  const text = bufferOver(octets).toString('latin1', 0, end === -1 ? HEADER_OCTETS : end);
  // Almost no message has any: the grammar is asked only where it could find some.
  const hasPlus = addresses && /\+[^\s@+]{0,100}@/.test(text);
  const hasField = field && /^x-tags[ \t]*:/im.test(text);
  if (!hasPlus && !hasField) return [];
  const header = parseHeader(octets);
  const fields = (name: string): string[] => allFields(octets, header, name).map(decodeEncodedWords);
  const found: string[] = [];
  if (hasField) found.push(...fields('X-Tags').flatMap((value) => value.split(',')));
  if (hasPlus) {
    const lists = ['To', 'Cc', 'Bcc', 'From'].flatMap(fields);
    const mailboxes = lists.flatMap((value) => mailboxesOf(parseAddressList(value)));
    found.push(...mailboxes.flatMap((mailbox) => tagsOfAddress(addrSpec(mailbox))));
  }
  return found;
}

/** `alice+one+two@` has the tags `one` and `two`. */
function tagsOfAddress(address: string): string[] {
  if (!address.includes('+')) return [];
  const [name, ...tags] = (splitAddress(address)?.localPart ?? '').split('+');
  return name === '' ? [] : tags;
}

const titleCase = (text: string): string =>
  text.toLowerCase().replace(/(?<![a-z0-9])[a-z]/g, (letter) => letter.toUpperCase());

async function beginningOf({ octets, file }: Spooled): Promise<Uint8Array> {
  if (octets) return octets;
  if (file === undefined) return new Uint8Array();
  await using handle = await open(file, 'r');
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(HEADER_OCTETS), 0, HEADER_OCTETS, 0);
  return buffer.subarray(0, bytesRead);
}
