/**
 * Addresses: RFC 5322 §3.4, the obsolete forms of §4.4, and the letters of RFC 6532.
 *
 * A recursive descent over text that was unfolded. It throws nothing and loses little: what is no address by the
 * grammar still gives the mailboxes that can be seen in it. Encoded words stay as they are (RFC 2047 §6.2 has them
 * decoded after the parsing). The text may be one character for each octet, or decoded.
 */
import { domainToASCII } from 'node:url';
import { isAscii, isBlank, trimBlanks } from './octets.ts';
import { commentEnd } from './parameters.ts';

export interface Mailbox {
  readonly type: 'mailbox';
  /** The display name, else the comment beside the address, without quotes; encoded words as they are. */
  readonly name: string | undefined;
  /** Without the quotes of a quoted string; '' if it is missing. */
  readonly localPart: string;
  /** '' if it is missing; a domain literal has its brackets. */
  readonly domain: string;
  /** The source route of RFC 5322 §4.4, such as `@a,@b`. */
  readonly route?: string;
}

export interface Group {
  readonly type: 'group';
  readonly name: string;
  readonly members: readonly Mailbox[];
}

export type AddressItem = Mailbox | Group;

/** Addresses beyond this number are not read: a bound on what a header of megabytes becomes. */
const MAX_ADDRESSES = 10_000;

/** `text` is the unfolded body of one of the address fields. */
export function parseAddressList(text: string): readonly AddressItem[] {
  return new AddressParser(text).addressList();
}

/** All mailboxes, those of groups among them. */
export function mailboxesOf(items: readonly AddressItem[]): readonly Mailbox[] {
  return items.flatMap((item) => (item.type === 'group' ? item.members : [item]));
}

/** `local-part@domain`, the local part quoted where it must be (RFC 5322 §3.4.1). */
export function addrSpec({ localPart, domain }: { readonly localPart: string; readonly domain: string }): string {
  const local = localPart === '' || DOT_ATOM.test(localPart) ? localPart : quoted(localPart);
  return domain === '' ? local : `${local}@${domain}`;
}

/** As it stands in a header field: `Name <local-part@domain>`. */
export function formatAddress(mailbox: Pick<Mailbox, 'name' | 'localPart' | 'domain'>): string {
  const { name } = mailbox;
  if (name === undefined || name === '') return addrSpec(mailbox);
  return `${PHRASE.test(name) ? name : quoted(name)} <${addrSpec(mailbox)}>`;
}

// atext of RFC 5322 §3.2.3 with the letters of RFC 6532 §3.2.
const DOT_ATOM = /^[\w!#$%&'*+/=?^`{|}~\x80-\u{10ffff}-]+(?:\.[\w!#$%&'*+/=?^`{|}~\x80-\u{10ffff}-]+)*$/u;
const PHRASE = /^[\w!#$%&'*+/=?^`{|}~\x80-\u{10ffff}-]+(?: [\w!#$%&'*+/=?^`{|}~\x80-\u{10ffff}-]+)*$/u;

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&').replace(/[\r\n\0]/g, ' ')}"`;
}

/**
 * An address cut at its last `@` outside quotes; undefined if one of its halves is missing. The local part comes
 * without its quotes: `"john"@x` and `john@x` are the same mailbox (RFC 5321 §4.1.2).
 */
export function splitAddress(address: string): { localPart: string; domain: string } | undefined {
  let at = -1;
  let isQuoted = false;
  for (let index = 0; index < address.length; index++) {
    const char = address.charCodeAt(index);
    if (char === 0x5c && isQuoted) index++;
    else if (char === 0x22) isQuoted = !isQuoted;
    else if (char === 0x40 && !isQuoted) at = index;
  }
  if (at <= 0 || at === address.length - 1) return undefined;
  const local = address.slice(0, at);
  const isString = local.length >= 2 && local.startsWith('"') && local.endsWith('"');
  const localPart = isString ? local.slice(1, -1).replace(/\\([^])/g, '$1') : local;
  return localPart === '' ? undefined : { localPart, domain: address.slice(at + 1) };
}

/** Lower case, and the ASCII form of international names (RFC 5891), so that equal domains are equal strings. */
export function normalizeDomain(domain: string): string {
  const lower = domain.toLowerCase();
  // Domain literals stay, and so does what is ASCII: domainToASCII would read `127.1` as an IPv4 address.
  if (lower.startsWith('[') || isAscii(lower)) return lower;
  return domainToASCII(lower) || lower;
}

/** Whether two login names or addresses mean the same account here: all of it is compared without case. */
export function sameAddress(one: string, other: string): boolean {
  return comparable(one) === comparable(other);
}

function comparable(address: string): string {
  const parts = splitAddress(address.trim());
  if (!parts) return address.trim().toLowerCase();
  return `${parts.localPart.toLowerCase()}@${normalizeDomain(parts.domain)}`;
}

interface Word {
  readonly text: string;
  readonly isQuoted: boolean;
  /** Blanks or comments stand before it. */
  readonly isApart: boolean;
}

class AddressParser {
  readonly #text: string;
  #at = 0;
  #count = 0;
  #comments: string[] = [];
  // After one that never closes, the character means nothing more: it is looked for once.
  #commentsClose = true;
  #quotesClose = true;

  constructor(text: string) {
    this.#text = text;
  }

  addressList(): readonly AddressItem[] {
    const items: AddressItem[] = [];
    while (this.#at < this.#text.length && this.#count < MAX_ADDRESSES) {
      const item = this.#address(true);
      if (item) items.push(item);
    }
    return items;
  }

  /** One address, or undefined where there is only a separator (obs-addr-list, RFC 5322 §4.4). */
  #address(mayBeGroup: boolean): AddressItem | undefined {
    this.#comments = [];
    const words: Word[] = [];
    for (;;) {
      const isApart = this.#cfws();
      const char = this.#text[this.#at];
      if (char === undefined || char === ',' || char === ';') {
        if (char === ',' || mayBeGroup) this.#at++;
        return this.#nameless(words);
      }
      if (char === '<') return this.#nameAddress(words);
      if (char === '@') return this.#addressOf(words);
      if (char === ':' && mayBeGroup) return this.#group(words);
      if (char === '>') this.#at++;
      else words.push(this.#word(isApart));
    }
  }

  #group(words: readonly Word[]): Group {
    this.#at++;
    this.#count++;
    const members: Mailbox[] = [];
    while (this.#at < this.#text.length && this.#text[this.#at] !== ';' && this.#count < MAX_ADDRESSES) {
      const item = this.#address(false);
      if (item?.type === 'mailbox') members.push(item);
    }
    this.#at++;
    return { type: 'group', name: phrase(words), members };
  }

  /** `phrase <…>`: RFC 5322 §3.4 name-addr. */
  #nameAddress(words: readonly Word[]): Mailbox {
    while (this.#text[this.#at] === '<' || this.#cfws()) if (this.#text[this.#at] === '<') this.#at++;
    const route = this.#text[this.#at] === '@' ? this.#route() : undefined;
    const local: Word[] = [];
    let domain = '';
    for (;;) {
      const isApart = this.#cfws();
      const char = this.#text[this.#at];
      if (char === undefined || char === '>' || char === ',') break;
      if (char === '@') {
        this.#at++;
        this.#takeAtSignsInto(local, domain);
        domain = this.#domain();
      } else if (domain !== '' || char === '<') {
        this.#at++; // What follows a domain inside the brackets belongs to nothing.
      } else local.push(this.#word(isApart));
    }
    if (this.#text[this.#at] === '>') this.#at++;
    this.#cfws(); // `<user@domain> (Real Name)`: the comment is read while it still belongs to this address.
    return this.#mailbox(phrase(words), phrase(local), domain, route);
  }

  /**
   * `local-part@domain` without brackets; words that stand apart before it are taken for a name, and so is a comment
   * after it: `user@domain (Real Name)` was the way before there were names.
   */
  #addressOf(words: readonly Word[]): Mailbox {
    let first = Math.max(0, words.length - 1);
    while (first > 0 && isJoined(words[first - 1]!, words[first]!)) first--;
    const local = words.slice(first);
    let domain = '';
    while (this.#text[this.#at] === '@') {
      this.#at++;
      this.#takeAtSignsInto(local, domain);
      domain = this.#domain();
      this.#cfws();
    }
    // `john@x.test <john@x.test>`: the first is the name that somebody forgot to quote.
    if (this.#text[this.#at] === '<') {
      const name = `${localPart(local)}@${domain}`;
      return this.#nameAddress([...words.slice(0, first), { text: name, isQuoted: true, isApart: true }]);
    }
    return this.#mailbox(phrase(words.slice(0, first)), localPart(local), domain, undefined);
  }

  /** Words without any `@`: one is a local part without its domain, several or a quoted string are a name alone. */
  #nameless(words: readonly Word[]): Mailbox | undefined {
    if (words.length === 0) return undefined;
    const isLocalPart = words.every(
      (word, index) => !word.isQuoted && (index === 0 || isJoined(words[index - 1]!, word)),
    );
    return isLocalPart
      ? this.#mailbox('', localPart(words), '', undefined)
      : this.#mailbox(phrase(words), '', '', undefined);
  }

  #mailbox(name: string, local: string, domain: string, route: string | undefined): Mailbox {
    this.#count++;
    const shown = name === '' ? trimBlanks(this.#comments.join(' ')) : name;
    return {
      type: 'mailbox',
      name: shown === '' ? undefined : shown,
      localPart: local,
      domain,
      ...(route !== undefined && { route }),
    };
  }

  /** In `a@b@c` the last `@` divides: what seemed the domain before belongs to the local part. */
  #takeAtSignsInto(local: Word[], domain: string): void {
    if (domain !== '') local.push({ text: `@${domain}`, isQuoted: false, isApart: false });
  }

  /** `@a,@b:` before an address; without its colon it is the domain of an address that has no local part. */
  #route(): string | undefined {
    const start = this.#at;
    const hosts: string[] = [];
    while (this.#text[this.#at] === '@') {
      this.#at++;
      hosts.push(`@${this.#domain()}`);
      while (this.#cfws() || this.#text[this.#at] === ',') if (this.#text[this.#at] === ',') this.#at++;
      if (this.#text[this.#at] === ':') {
        this.#at++;
        return hosts.join(',');
      }
    }
    this.#at = start;
    return undefined;
  }

  #domain(): string {
    this.#cfws();
    if (this.#text[this.#at] === '[') return this.#domainLiteral();
    const words: Word[] = [];
    for (;;) {
      const start = this.#at;
      const isApart = this.#cfws();
      const char = this.#text[this.#at];
      const previous = words.at(-1);
      if (char === undefined || DOMAIN_END.has(char)) break;
      // obs-domain permits blanks around the dots; elsewhere they end the domain.
      if (previous && isApart && !previous.text.endsWith('.') && char !== '.') {
        this.#at = start;
        break;
      }
      words.push(this.#word(isApart));
    }
    return words.map((word) => word.text).join('');
  }

  #domainLiteral(): string {
    const start = this.#at;
    while (this.#at < this.#text.length && !LITERAL_END.has(this.#text[this.#at]!)) this.#at++;
    if (this.#text[this.#at] === ']') this.#at++;
    return this.#text.slice(start, this.#at).replace(/\s+/g, '');
  }

  #word(isApart: boolean): Word {
    const char = this.#text[this.#at];
    if (char === '"') {
      const text = this.#quotedString();
      if (text !== undefined) return { text, isQuoted: true, isApart };
    }
    // Encoded words with a comma or a bracket inside are against RFC 2047 §5 (3) and common: they are taken whole.
    ENCODED_WORD.lastIndex = this.#at;
    const encoded = ENCODED_WORD.exec(this.#text);
    const start = this.#at;
    if (encoded) this.#at += encoded[0].length;
    else {
      this.#at++;
      while (this.#at < this.#text.length && this.#isAtom(this.#text.charCodeAt(this.#at))) this.#at++;
    }
    return { text: this.#text.slice(start, this.#at), isQuoted: false, isApart };
  }

  /** Letters beyond ASCII, dots and what has no business in an atom all count: only the separators do not. */
  #isAtom(code: number): boolean {
    if (isBlank(code)) return false;
    switch (code) {
      case 0x22: // "
        return !this.#quotesClose;
      case 0x28: // (
        return !this.#commentsClose;
      case 0x2c: // ,
      case 0x3a: // :
      case 0x3b: // ;
      case 0x3c: // <
      case 0x3e: // >
      case 0x40: // @
        return false;
      default:
        return true;
    }
  }

  #quotedString(): string | undefined {
    if (!this.#quotesClose) return undefined;
    let end = this.#at + 1;
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === '\\' ? 2 : 1;
    if (end >= this.#text.length) {
      this.#quotesClose = false;
      return undefined;
    }
    const content = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return content.includes('\\') ? content.replace(/\\([^])/g, '$1') : content;
  }

  /** Steps over blanks and comments; true if there were any. */
  #cfws(): boolean {
    const start = this.#at;
    while (this.#at < this.#text.length) {
      const code = this.#text.charCodeAt(this.#at);
      if (isBlank(code)) this.#at++;
      else if (code !== 0x28 || !this.#comment()) break;
    }
    return this.#at > start;
  }

  #comment(): boolean {
    if (!this.#commentsClose) return false;
    const end = commentEnd(this.#text, this.#at);
    if (end === -1) {
      this.#commentsClose = false;
      return false;
    }
    this.#comments.push(trimBlanks(this.#text.slice(this.#at + 1, end - 1).replace(/\\([^])/g, '$1')));
    this.#at = end;
    return true;
  }
}

const ENCODED_WORD = /=\?[^?\s]{1,80}\?[BbQq]\?[^?\s]{0,2000}\?=/y;
const DOMAIN_END = new Set(['@', '<', '>', ',', ';', ':', '(']);
const LITERAL_END = new Set([']', '>', ',', '<']);

function isJoined(left: Word, right: Word): boolean {
  return !right.isApart || left.text.endsWith('.') || right.text.startsWith('.');
}

/** Words with one blank where there were blanks or comments. */
function phrase(words: readonly Word[]): string {
  let text = '';
  for (const word of words) text += text !== '' && word.isApart ? ` ${word.text}` : word.text;
  return text;
}

function localPart(words: readonly Word[]): string {
  return words.map((word) => word.text).join('');
}
