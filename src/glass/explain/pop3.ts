/** What POP3's commands and responses say, part by part. */
import type { Meaning, RfcSection } from '../spoken.ts';
import { mechanismInWords } from './authentication.ts';
import type { Fields } from './fields.ts';
import type { Explained } from './meaning.ts';
import { dotsInWords, messageInWords, stuffedDots } from './message.ts';
import { POP3_COMMANDS } from './pop3-commands.ts';
import { findTerm, term, type Terms } from './term.ts';
import { countInWords, octetsInWords } from './words.ts';

type Said = Pick<Meaning, 'what' | 'rfc'>;

/** RFC 2449 §6, §8 and their registries: what CAPA lists. */
const CAPA_WORDS: Terms = {
  TOP: term('the head of a message can be had', 2449, '6.1'),
  USER: term('a login with USER and PASS', 2449, '6.2'),
  SASL: term('a login by these SASL mechanisms', 5034, '3'),
  'RESP-CODES': term('responses have codes for programs', 2449, '6.4'),
  'LOGIN-DELAY': term('so many seconds are to pass between two logins', 2449, '6.5'),
  PIPELINING: term('several commands may be sent at once', 2449, '6.6'),
  EXPIRE: term('how many days messages are kept at least', 2449, '6.7'),
  UIDL: term('messages have lasting names', 2449, '6.8'),
  IMPLEMENTATION: term('which program this is', 2449, '6.9'),
  STLS: term('TLS can begin on this connection', 2595, '4'),
  'AUTH-RESP-CODE': term('a failed login says whether the password was wrong', 3206, '6'),
  UTF8: term('messages and texts can be had in UTF-8', 6856, '2'),
  LANG: term('texts can be had in other languages', 6856, '3'),
};

/** RFC 2449 §8, RFC 3206 §4: in brackets, for programs. */
export const POP3_RESPONSE_CODES: Terms = {
  'IN-USE': term('somebody else reads this maildrop just now', 2449, '8.1.2'),
  'LOGIN-DELAY': term('the last login is not long enough ago', 2449, '8.1.1'),
  'SYS/TEMP': term('something does not work just now', 3206, '4'),
  'SYS/PERM': term('something does not work, and somebody must see to it', 3206, '4'),
  AUTH: term('user name or password are wrong, or may not be used so', 3206, '5'),
  UTF8: term('it needs UTF-8, which the client has not asked for', 6856, '5'),
};

export function explainPop3(unit: Explained, fields: Fields): Said | null {
  const { role, side, text, octets, about } = unit;
  if (side === 'client') return role === 'command' ? command(unit, fields) : null;
  if (role === 'continuation') {
    const isMessage = about.of === 'RETR' || about.of === 'TOP';
    return { what: `A line of one dot: the ${isMessage ? 'message' : 'list'} ends here.`, rfc: rfc(1939, '3') };
  }
  if (role !== 'data') return response(unit, fields);
  if (about.item !== 'message') return listLine(text, about.of ?? '', fields);
  const dots = stuffedDots(text, fields);
  const what =
    about.of === 'TOP'
      ? 'The head of the message, and of its body what was asked for'
      : `The message itself, ${octetsInWords(octets)}`;
  const said = messageInWords(text, what, rfc(1939, about.of === 'TOP' ? '7' : '5'));
  return { ...said, what: `${said.what}${dotsInWords(dots)}` };
}

function command({ name, text }: Explained, fields: Fields): Said | null {
  const found = findTerm(POP3_COMMANDS, name);
  if (found === undefined) return null;
  fields.add(0, name.length, 'command', name);
  const words: string[] = [];
  for (const match of text.matchAll(/•+|[^ •]+/g)) {
    if (match.index < name.length) continue;
    fields.add(match.index, match.index + match[0].length, ...argument(name, match[0], words.length));
    words.push(match[0]);
  }
  const [first] = words;
  if (first !== undefined && /^\d+$/.test(first)) {
    const sentences: Readonly<Record<string, string>> = {
      RETR: `The client fetches message ${first}.`,
      DELE: `The client marks message ${first} as deleted; QUIT removes it.`,
      TOP: `The client asks for the head of message ${first} and ${countInWords(Number(words[1] ?? 0), 'line')} of its body.`,
      LIST: `The client asks for the size of message ${first}.`,
      UIDL: `The client asks for the lasting name of message ${first}.`,
    };
    if (sentences[name] !== undefined) return { what: sentences[name], rfc: found.rfc };
  }
  return found;
}

function argument(name: string, word: string, index: number): readonly [name: string, says: string] {
  switch (name) {
    case 'USER':
      return ['name', 'whose maildrop'];
    case 'PASS':
      return ['string', 'hidden here; without TLS everybody on the way can read it'];
    case 'APOP':
      return index === 0 ? ['name', 'whose maildrop'] : ['digest', 'of the greeting and the password'];
    case 'AUTH':
      return index === 0
        ? ['mechanism', mechanismInWords(word)]
        : ['initial response', 'the first answer already, in base64'];
    case 'TOP':
      return index === 0 ? ['msg', `message ${word}`] : ['n', `${countInWords(Number(word), 'line')} of the body`];
    case 'LANG':
      return ['language', 'in which language'];
    default:
      return ['msg', `message ${word}, by its number in this session`];
  }
}

function response({ text, name, role, about }: Explained, fields: Fields): Said | null {
  if (role === 'unknown' || role === 'sasl') return null;
  const ok = name === '+OK';
  fields.add(0, name.length, 'status indicator', ok ? 'it has worked' : 'it has not worked');
  const code = /^(?:\+OK|-ERR) \[([A-Z0-9/.-]+)\]/i.exec(text);
  const found = code === null ? undefined : findTerm(POP3_RESPONSE_CODES, code[1]!.toUpperCase());
  if (code !== null) {
    fields.add(name.length + 1, code[0].length, 'response code', found?.what ?? 'a code that is not explained here');
  }
  const rest = code?.[0].length ?? name.length;
  const at = text.length - text.slice(rest).trimStart().length;
  if (role === 'greeting') {
    fields.add(at, text.length, 'text', 'for people, and in no fixed form');
    const what = ok
      ? 'The server speaks first: it is ready.'
      : 'The server speaks first, and will not serve this client now.';
    return { what, rfc: rfc(1939, '4') };
  }
  const of = about.of ?? '';
  const said = ok ? result(of, text, fields) : undefined;
  if (said !== undefined) return said;
  fields.add(at, text.length, 'text', 'for people, and in no fixed form');
  const why = found === undefined ? '' : `: ${found.what}`;
  const done = of === '' ? 'The server says yes' : `${of} is done`;
  const failed = of === '' ? 'The server says no' : `${of} has failed`;
  return { what: `${ok ? done : failed}${why}.`, rfc: found?.rfc ?? rfc(1939, '3') };
}

/** Answers that carry figures. */
function result(of: string, text: string, fields: Fields): Said | undefined {
  const numbers = /^\+OK (\d+) (\S+)/i.exec(text);
  if (numbers === null) return undefined;
  const [whole, first = '', second = ''] = numbers;
  const end = 4 + first.length;
  if (of === 'STAT') {
    fields.add(4, end, 'nn', 'how many messages there are');
    fields.add(whole.length - second.length, whole.length, 'mm', 'how large they are together, in octets');
    return {
      what: `The maildrop has ${countInWords(Number(first), 'message')}, ${octetsInWords(Number(second))}.`,
      rfc: rfc(1939, '5'),
    };
  }
  if (of === 'LIST' || of === 'UIDL') return listLine(text, of, fields, 4);
  return undefined;
}

/** A line of a list: RFC 1939 §5, §7; RFC 2449 §5; RFC 6856 §3.2. */
function listLine(text: string, of: string, fields: Fields, from = 0): Said {
  const [first = '', ...rest] = text.slice(from).split(' ');
  const value = rest.join(' ');
  const start = from + first.length + 1;
  if (of === 'LIST') {
    fields.add(from, from + first.length, 'message-number', `message ${first}`);
    fields.add(start, text.length, 'exact-size', octetsInWords(Number.parseInt(value, 10)));
    return { what: `Message ${first} has ${octetsInWords(Number.parseInt(value, 10))}.`, rfc: rfc(1939, '5') };
  }
  if (of === 'UIDL') {
    fields.add(from, from + first.length, 'message-number', `message ${first}`);
    fields.add(start, text.length, 'unique-id', 'the same in every session');
    return { what: `The lasting name of message ${first}.`, rfc: rfc(1939, '7') };
  }
  if (of === 'LANG') {
    fields.add(from, from + first.length, 'language tag', 'a language that can be asked for');
    return { what: `The language ${first} can be asked for.`, rfc: rfc(6856, '3.1') };
  }
  if (of === 'AUTH') return { what: `${first}: ${mechanismInWords(first)}.`, rfc: rfc(5034, '4') };
  const found = findTerm(CAPA_WORDS, first.toUpperCase());
  const says = found?.what ?? 'a capability that is not explained here';
  fields.add(from, from + first.length, 'CAPA tag', says);
  let at = start;
  for (const word of rest) {
    fields.add(
      at,
      at + word.length,
      'argument',
      first.toUpperCase() === 'SASL' ? mechanismInWords(word) : 'a value of it',
    );
    at += word.length + 1;
  }
  return { what: `${first}: ${says}.`, rfc: found?.rfc ?? rfc(2449, '5') };
}

function rfc(number: number, section: string): RfcSection {
  return { number, section };
}
