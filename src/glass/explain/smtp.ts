/** What the commands and replies of SMTP and LMTP say, part by part. */
import type { Meaning, RfcSection } from '../spoken.ts';
import { mechanismInWords } from './authentication.ts';
import type { Fields } from './fields.ts';
import type { Explained } from './meaning.ts';
import { dotsInWords, messageInWords, stuffedDots } from './message.ts';
import { SMTP_COMMANDS } from './smtp-commands.ts';
import {
  EHLO_WORDS,
  PARAMETER_VALUES,
  PARAMETERS,
  REPLY_CLASSES,
  REPLY_CODES,
  STATUS_CLASSES,
  STATUS_CODES,
} from './smtp-words.ts';
import { findTerm } from './term.ts';
import { octetsInWords } from './words.ts';

type Said = Pick<Meaning, 'what' | 'rfc'>;

export function explainSmtp(unit: Explained, fields: Fields): Said | null {
  const { role, side, about, text, octets } = unit;
  if (side === 'server') return reply(unit, fields);
  if (role === 'command') return command(unit, fields);
  if (role === 'continuation') {
    return {
      what: 'A line of one dot: the message ends here, and the server is to take it over.',
      rfc: rfc(5321, '4.1.1.4'),
    };
  }
  if (role !== 'data') return null;
  if (about.of === 'BDAT')
    return messageInWords(text, `A piece of the message, ${octetsInWords(octets)} as they are`, rfc(3030, '2'));
  const dots = stuffedDots(text, fields);
  const said = messageInWords(text, `The message itself, ${octetsInWords(octets)}`, rfc(5321, '4.1.1.4'));
  return { ...said, what: `${said.what}${dotsInWords(dots)}` };
}

function command({ name, text }: Explained, fields: Fields): Said | null {
  const found = findTerm(SMTP_COMMANDS, name);
  if (found === undefined) return null;
  fields.add(0, name.length, 'command', name);
  const argument = text.slice(name.length).trim();
  const at = text.length - text.slice(name.length).trimStart().length;
  switch (name) {
    case 'EHLO':
    case 'HELO':
    case 'LHLO':
      fields.add(at, at + argument.length, 'domain', 'what the client calls itself; an address stands in brackets');
      break;
    case 'MAIL':
    case 'RCPT':
      return { what: path(name, text, fields) ?? found.what, rfc: found.rfc };
    case 'AUTH': {
      const [mechanism = '', initial = ''] = argument.split(/ +|(?=•)/, 2);
      fields.add(at, at + mechanism.length, 'mechanism', mechanismInWords(mechanism));
      fields.add(
        text.length - initial.length,
        text.length,
        'initial-response',
        'the first answer of the mechanism already, in base64',
      );
      break;
    }
    case 'BDAT': {
      const [size = '', last] = argument.split(/ +/);
      fields.add(
        at,
        at + size.length,
        'chunk-size',
        `so many octets follow this line: ${Number(size).toLocaleString('en')}`,
      );
      if (last !== undefined)
        fields.add(text.length - last.length, text.length, 'end-marker', 'and the message is complete');
      break;
    }
    default:
      fields.add(at, at + argument.length, 'argument', 'what the command is about');
  }
  return { what: found.what, rfc: found.rfc };
}

/** Reverse-path or forward-path, and parameters: RFC 5321 §4.1.1.2, §4.1.1.3. */
function path(name: string, text: string, fields: Fields): string | undefined {
  const found = /^[A-Z]+\s+(?:FROM|TO):\s*(<[^>]*>?|\S*)/i.exec(text);
  if (found === null) return undefined;
  const whole = found[1]!;
  const start = found[0].length - whole.length;
  const address = whole.replace(/^<|>$/g, '');
  const isFrom = name === 'MAIL';
  const says = isFrom
    ? address === ''
      ? 'nobody: this is itself a report, and no report of it may be sent'
      : 'where reports of failure go; it may differ from From:'
    : 'to whom it is to be delivered; it may differ from To:';
  fields.add(start, found[0].length, isFrom ? 'reverse-path' : 'forward-path', says);
  for (const match of text.slice(found[0].length).matchAll(/\S+/g)) {
    const at = found[0].length + match.index;
    fields.add(at, at + match[0].length, 'parameter', parameter(match[0]));
  }
  if (isFrom) return address === '' ? 'A new message, from nobody: a report.' : `A new message, from ${address}.`;
  return `One more recipient: ${address}.`;
}

function parameter(word: string): string {
  const [keyword = '', value] = word.split(/=(.*)/s, 2);
  const found = findTerm(PARAMETERS, keyword.toUpperCase());
  if (found === undefined) return 'a parameter that is not explained here';
  if (value === undefined) return found.what;
  const said = value.split(',').map((each) => PARAMETER_VALUES[each.toUpperCase()] ?? xtext(each));
  return `${found.what}: ${said.join(', ')}`;
}

/** `+2B` is a plus sign: RFC 3461 §4. */
function xtext(value: string): string {
  return value.replace(/\+([0-9A-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

// ------------------------------------------------------------------------------------------------------- replies

function reply(unit: Explained, fields: Fields): Said | null {
  const { text, name, role, about } = unit;
  if (role === 'unknown') return null;
  const found = findTerm(REPLY_CODES, name);
  const says = `${REPLY_CLASSES[name[0] ?? ''] ?? ''}${found === undefined ? '' : `: ${found.what}`}`;
  fields.add(0, 3, 'reply code', says);
  if (text[3] === '-') fields.add(3, 4, 'hyphen', 'more lines of this reply follow');
  const status = statusCode(text, fields);
  const of = about.of ?? '';
  if (/^(?:EHLO|LHLO)$/.test(of) && name === '250') return announced(text, about.later === true, fields);
  const rest = status?.end ?? 4;
  const isNextStep = name === '334' || name === '354';
  fields.add(rest, text.length, 'text', 'for people, and in no fixed form');
  if (role === 'greeting') {
    const what =
      name === '220'
        ? 'The server speaks first: it is ready.'
        : 'The server speaks first, and will not serve this client now.';
    return { what, rfc: rfc(5321, '4.2') };
  }
  if (isNextStep) return { what: sentence(found?.what ?? ''), rfc: found?.rfc ?? null };
  const more = status?.what ?? found?.what;
  const why = more === undefined || more === 'done' || more === 'nothing more is said' ? '' : `: ${more}`;
  const whom = about.recipient === undefined ? '' : ` for ${about.recipient}`;
  return { what: `${outcome(of, name)}${whom}${why}.`, rfc: status?.rfc ?? found?.rfc ?? rfc(5321, '4.2.1') };
}

function outcome(of: string, code: string): string {
  const ok = code.startsWith('2');
  const later = code.startsWith('4');
  if (of === 'DATA' || of === 'BDAT') {
    if (ok) return 'The server has taken the message over, and answers for it from now on';
    return later
      ? 'The message is not taken now; the client should try again later'
      : 'The message is refused for good';
  }
  const what = of === '' ? 'The server says' : of;
  if (of === '') return what;
  if (ok) return `${what} is done`;
  return later ? `${what} has failed for now` : `${what} is refused`;
}

/** `5.1.1`: RFC 2034 §4, RFC 3463 §2. */
function statusCode(
  text: string,
  fields: Fields,
): { readonly end: number; readonly what: string | undefined; readonly rfc: RfcSection | null } | undefined {
  const found = /^\d{3}[ -]([245])\.(\d{1,3})\.(\d{1,3})(?= |$)/.exec(text);
  if (found === null) return undefined;
  const [whole, kind = '', subject, detail] = found;
  const code = findTerm(STATUS_CODES, `${subject}.${detail}`) ?? findTerm(STATUS_CODES, `${subject}.0`);
  fields.add(
    4,
    whole.length,
    'status code',
    `${STATUS_CLASSES[kind]}: ${code?.what ?? 'a code that is not explained here'}`,
  );
  return { end: whole.length + 1, what: code?.what, rfc: code?.rfc ?? null };
}

/** RFC 5321 §4.1.1.1: the first line greets, each other one announces something. */
function announced(text: string, isLater: boolean, fields: Fields): Said {
  if (!isLater) {
    fields.add(4, text.length, 'greeting', 'the server’s name, and words for people');
    return {
      what: 'The server greets back; what it can do follows, if there are more lines.',
      rfc: rfc(5321, '4.1.1.1'),
    };
  }
  const [keyword = '', ...values] = text.slice(4).split(' ');
  const found = findTerm(EHLO_WORDS, keyword.toUpperCase().replace(/=.*/, ''));
  fields.add(4, 4 + keyword.length, 'ehlo-keyword', found?.what ?? 'an extension that is not explained here');
  let at = 4 + keyword.length + 1;
  for (const value of values) {
    fields.add(at, at + value.length, 'ehlo-param', ehloParameter(keyword.toUpperCase(), value));
    at += value.length + 1;
  }
  const number =
    keyword.toUpperCase() === 'SIZE' && values[0] !== undefined ? ` (${octetsInWords(Number(values[0]))})` : '';
  return {
    what: `${keyword}: ${found === undefined ? 'an extension that is not explained here' : `${found.what}${number}`}.`,
    rfc: found?.rfc ?? rfc(5321, '4.1.1.1'),
  };
}

function ehloParameter(keyword: string, value: string): string {
  if (keyword === 'AUTH') return mechanismInWords(value);
  if (keyword === 'SIZE') return octetsInWords(Number(value));
  if (value.startsWith('RCPTMAX=')) return `at most ${value.slice(8)} recipients of one message`;
  if (value.startsWith('MAILMAX=')) return `at most ${value.slice(8)} messages in one connection`;
  return 'a value of it';
}

function sentence(text: string): string {
  return text === '' ? '' : `${text[0]!.toUpperCase()}${text.slice(1)}.`;
}

function rfc(number: number, section: string): RfcSection {
  return { number, section };
}
