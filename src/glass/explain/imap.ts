/** What IMAP's commands and responses say, part by part. */
import type { Meaning, RfcSection } from '../spoken.ts';
import { type Fields, addWords } from './fields.ts';
import { IMAP_COMMANDS } from './imap-commands.ts';
import { explainCommand } from './imap-arguments.ts';
import { fetchValue } from './imap-items.ts';
import { capabilityInWords, flags, idPairs, mailboxField, rightsInWords, section } from './imap-parts.ts';
import { MAILBOX_ATTRIBUTES, QUOTA_RESOURCES, RESPONSE_CODES, RESULT_OPTIONS, STATUS_ITEMS } from './imap-words.ts';
import { textOfValue, type Value, valuesOf } from './imap-values.ts';
import type { Explained } from './meaning.ts';
import { messageInWords } from './message.ts';
import { findTerm, type Term, term } from './term.ts';
import { countInWords, listInWords, octetsInWords, setInWords } from './words.ts';

type Said = Pick<Meaning, 'what' | 'rfc'>;

export function explainImap(unit: Explained, fields: Fields): Said | null {
  const { role, side } = unit;
  if (role === 'data') return literal(unit);
  if (role === 'continuation') return side === 'client' ? continued(unit, fields) : continuation(unit, fields);
  if (role === 'command') return command(unit, fields);
  if (role === 'reply' || role === 'greeting') return response(unit, fields);
  return null;
}

function command({ name, text }: Explained, fields: Fields): Said | null {
  const found = findTerm(IMAP_COMMANDS, name);
  if (found === undefined) return null;
  const [tag = '', first = '', second = ''] = text.split(' ', 3);
  fields.add(0, tag.length, 'tag', 'the client’s name for this command: the answer bears it');
  const isUid = name.startsWith('UID ');
  const end = tag.length + 1 + first.length + (isUid ? 1 + second.length : 0);
  fields.add(tag.length + 1, end, 'command', name);
  const what = explainCommand(name, text, end, fields) ?? found.what;
  return { what, rfc: found.rfc };
}

/** What comes behind a literal in the same command. */
function continued({ name, about, text }: Explained, fields: Fields): Said {
  if (name === 'DONE')
    return { what: 'The client has heard enough news, and ends the waiting.', rfc: section(9051, '6.3.13') };
  const rfc = section(9051, '4.3');
  if (text.trim() === '') return { what: `The end of the command ${about.of ?? ''}, behind a literal.`, rfc };
  if (about.of !== undefined && about.of !== 'LOGIN') explainCommand('', text, 0, fields);
  return { what: `The command ${about.of ?? ''} goes on behind a literal.`, rfc };
}

function literal({ about, side, octets, text }: Explained): Said {
  const { of = '', item = '' } = about;
  const rfc = section(9051, '4.3');
  const size = octetsInWords(octets);
  if (side === 'client') {
    if (of === 'APPEND' || of.endsWith('REPLACE')) return messageInWords(text, `The message itself, ${size}`, rfc);
    return { what: `A literal of ${size}: a part of ${of === '' ? 'the command' : of}, counted and not quoted.`, rfc };
  }
  if (/^(?:BODY|RFC822|BINARY)/.test(item)) {
    const isHeader = item.includes('HEADER') || item.includes('MIME');
    const isMessage = item === 'BODY[]' || item === 'RFC822' || item === 'BINARY[]' || isHeader;
    const what = `The value of ${item}, ${size}`;
    return isMessage ? messageInWords(text, what, rfc) : { what: `${what}.`, rfc };
  }
  return { what: `A literal of ${size}: a part of the response, counted and not quoted.`, rfc };
}

/** `+` (RFC 9051 §7.6), or what comes behind a literal in the same response. */
function continuation({ name, about, text }: Explained, fields: Fields): Said {
  const rfc = section(9051, '7.6');
  if (name === '+') {
    if (about.item === 'literal') return { what: 'The server asks for the literal that was announced.', rfc };
    if (about.of === 'IDLE')
      return { what: 'The server begins to tell news as they come, until the client says DONE.', rfc };
    return { what: 'The server waits for the rest of the command.', rfc };
  }
  if (about.of === 'FETCH') {
    fetchValues(valuesOf(text), text, fields);
    return { what: 'The response goes on behind a literal.', rfc: section(9051, '7.5.2') };
  }
  return { what: 'The response goes on behind a literal.', rfc: section(9051, '4.3') };
}

// ---------------------------------------------------------------------------------------------------- responses

function response(unit: Explained, fields: Fields): Said | null {
  const { text, name, about } = unit;
  const [first = ''] = text.split(' ', 1);
  if (first === '*')
    fields.add(0, 1, 'untagged', 'no answer to one command in particular: news, or data that were asked for');
  else fields.add(0, first.length, 'tag', about.of === undefined ? 'a tag' : `the answer to the client’s ${about.of}`);
  const at = first.length + 1;
  switch (name) {
    case 'OK':
    case 'NO':
    case 'BAD':
    case 'BYE':
    case 'PREAUTH':
      return status(unit, at, fields);
    default:
      return data(name, text, at, fields);
  }
}

const STATUS: Readonly<Record<string, RfcSection>> = {
  OK: section(9051, '7.1.1'),
  NO: section(9051, '7.1.2'),
  BAD: section(9051, '7.1.3'),
  PREAUTH: section(9051, '7.1.4'),
  BYE: section(9051, '7.1.5'),
};

function status({ text, name, role, about }: Explained, at: number, fields: Fields): Said {
  fields.add(at, at + name.length, 'status', STATUS_WORDS[name] ?? '');
  const rest = at + name.length + 1;
  const code = text[rest] === '[' ? responseCode(text, rest, fields) : undefined;
  const textAt = code?.end ?? rest;
  const words = text.slice(textAt).trim();
  if (words !== '')
    fields.add(
      text.length - text.slice(textAt).trimStart().length,
      text.length,
      'text',
      'for people, and in no fixed form',
    );
  const meant = code?.term === undefined ? '' : `: ${code.term.what}`;
  const rfc = code?.term?.rfc ?? STATUS[name] ?? null;
  if (role === 'greeting') return { what: GREETINGS[name] ?? '', rfc: STATUS[name] ?? null };
  if (about.of !== undefined) {
    const done: Readonly<Record<string, string>> = {
      OK: `${about.of} is done${meant}.`,
      NO: `${about.of} has failed${meant}.`,
      BAD: `${about.of} was not understood, or not permitted now${meant}.`,
    };
    return { what: done[name] ?? '', rfc };
  }
  const loose: Readonly<Record<string, string>> = {
    OK: `The server remarks${meant === '' ? ' something' : meant}.`,
    NO: `The server warns${meant === '' ? '' : meant}.`,
    BAD: `The server has not understood something${meant}.`,
    BYE: `The server ends the connection${meant}.`,
    PREAUTH: 'The client is logged in already.',
  };
  return { what: loose[name] ?? '', rfc };
}

const STATUS_WORDS: Readonly<Record<string, string>> = {
  OK: 'it has worked',
  NO: 'it has not worked',
  BAD: 'the command was wrong',
  BYE: 'good-bye',
  PREAUTH: 'logged in already',
};

const GREETINGS: Readonly<Record<string, string>> = {
  OK: 'The server speaks first: it is ready.',
  PREAUTH: 'The server speaks first: it knows who this is, and no login is needed.',
  BYE: 'The server speaks first, and will not serve this client now.',
};

/** RFC 9051 §7.1: what stands in brackets is for programs. */
function responseCode(
  text: string,
  at: number,
  fields: Fields,
): { readonly end: number; readonly term: Term | undefined } | undefined {
  const end = closing(text, at);
  if (end === -1) return undefined;
  const inside = text.slice(at + 1, end - 1);
  const name = /^[^ ]+/.exec(inside)?.[0].toUpperCase() ?? '';
  const found = findTerm(RESPONSE_CODES, name);
  const argument = at + 2 + name.length;
  const says = found?.what ?? 'a code that is not explained here';
  if (name === 'CAPABILITY') {
    fields.add(at + 1, argument - 1, 'response code', says);
    addWords(fields, text.slice(0, end - 1), argument, (word) => ['capability', capabilityInWords(word)]);
  } else if (name === 'PERMANENTFLAGS') {
    fields.add(at + 1, argument - 1, 'response code', says);
    flags(valuesOf(text.slice(0, end - 1), argument), fields);
  } else {
    fields.add(at + 1, end - 1, 'response code', `${says}${codeArgument(name, inside.slice(name.length + 1))}`);
  }
  return { end, term: found };
}

/** Where the bracket closes that opens here; a badly formed code has none. */
function closing(text: string, at: number): number {
  const close = text.indexOf(']', at);
  return close === -1 ? -1 : close + 1;
}

function codeArgument(name: string, argument: string): string {
  if (argument === '') return '';
  if (name === 'APPENDUID') {
    const [validity = '', uids = ''] = argument.split(' ');
    return ` (${setInWords(uids, 'UID')}, UIDVALIDITY ${validity})`;
  }
  if (name === 'COPYUID') {
    const [, from = '', to = ''] = argument.split(' ');
    return ` (${setInWords(from, 'UID')} became ${setInWords(to, 'UID')})`;
  }
  return ` (${argument})`;
}

/** RFC 9051 §7.2 to §7.5, and those of extensions. */
function data(name: string, text: string, at: number, fields: Fields): Said | null {
  const numbered = /^\* (\d+) /.exec(text);
  if (numbered) return numberedData(name, Number(numbered[1]), text, fields);
  fields.add(at, at + name.length, 'response', name);
  const values = valuesOf(text, at + name.length);
  const found = DATA[name];
  if (found === undefined) return null;
  const what = found.explain?.(values, text, fields) ?? found.term.what;
  return { what, rfc: found.term.rfc };
}

interface DataTerm {
  readonly term: Term;
  readonly explain?: (values: readonly Value[], text: string, fields: Fields) => string | undefined;
}

const DATA: Readonly<Record<string, DataTerm>> = {
  CAPABILITY: {
    term: term('What the server can do.', 9051, '7.2.2'),
    explain: (values, _text, fields) => each(values, fields, 'capability', capabilityInWords),
  },
  ENABLED: {
    term: term('These extensions are switched on now.', 9051, '7.2.1'),
    explain: (values, _text, fields) => each(values, fields, 'capability', capabilityInWords),
  },
  FLAGS: {
    term: term('The flags that messages of this mailbox can have.', 9051, '7.3.5'),
    explain: (values, _text, fields) => flags(values, fields),
  },
  LIST: { term: term('A mailbox.', 9051, '7.3.1'), explain: list },
  LSUB: { term: term('A mailbox that is subscribed to.', 3501, '7.2.3'), explain: list },
  NAMESPACE: { term: term('Where the own, others’ and shared mailboxes begin.', 9051, '7.3.2'), explain: namespace },
  STATUS: { term: term('Figures of a mailbox.', 9051, '7.3.3'), explain: statusData },
  SEARCH: {
    term: term('What the search has found.', 3501, '7.2.5'),
    explain: (values) =>
      values.length === 0
        ? 'The search has found nothing.'
        : `The search has found ${countInWords(values.filter((value) => value.type === 'atom').length, 'message')}.`,
  },
  SORT: {
    term: term('The messages in their order.', 5256, '4'),
    explain: (values) =>
      `${countInWords(values.filter((value) => value.type === 'atom').length, 'message')}, in their order.`,
  },
  THREAD: {
    term: term('The messages in their threads.', 5256, '4'),
    explain: (values) => `${countInWords(values.length, 'thread')}: answers stand behind what they answer.`,
  },
  ESEARCH: { term: term('What the search has found.', 9051, '7.3.4'), explain: esearch },
  VANISHED: { term: term('Messages that are gone.', 7162, '3.2.10'), explain: vanished },
  ID: {
    term: term('What the server says of itself.', 2971, '3.2'),
    explain: (values, _text, fields) => idPairs(values, fields),
  },
  QUOTA: { term: term('How much of a limit is used up.', 9208, '4.2.1'), explain: quota },
  QUOTAROOT: {
    term: term('Which limits hold for this mailbox.', 9208, '4.2.2'),
    explain: firstMailbox('The limits that hold for'),
  },
  ACL: { term: term('Who has which rights on this mailbox.', 4314, '3.6'), explain: acl },
  LISTRIGHTS: {
    term: term('Which rights could be given; those that stand together go together.', 4314, '3.7'),
    explain: acl,
  },
  MYRIGHTS: { term: term('The own rights on this mailbox.', 4314, '3.8'), explain: myRights },
  METADATA: { term: term('Annotations.', 5464, '4.4'), explain: firstMailbox('Annotations of') },
};

function each(
  values: readonly Value[],
  fields: Fields,
  name: string,
  says: (word: string) => string,
): string | undefined {
  for (const value of values) if (value.type === 'atom') fields.add(value.start, value.end, name, says(value.text));
  return undefined;
}

function firstMailbox(what: string): NonNullable<DataTerm['explain']> {
  return ([mailbox], _text, fields) => {
    const says = mailboxField(mailbox, fields);
    return says === undefined ? undefined : `${what} ${says}.`;
  };
}

/** RFC 9051 §7.3.1 */
function list(
  [attributes, delimiter, mailbox, extended]: readonly Value[],
  _text: string,
  fields: Fields,
): string | undefined {
  const uses: string[] = [];
  if (attributes?.type === 'list') {
    for (const value of attributes.items) {
      if (value.type === 'list') continue;
      const found = findTerm(MAILBOX_ATTRIBUTES, value.text.toUpperCase());
      fields.add(value.start, value.end, 'attribute', found?.what ?? 'an attribute that is not explained here');
      if (found?.rfc?.number === 6154) uses.push(found.what);
    }
  }
  const separator = textOfValue(delimiter);
  if (delimiter) {
    const says =
      separator === undefined ? 'there are no levels' : `what stands between the levels of a name: ${separator}`;
    fields.add(delimiter.start, delimiter.end, 'hierarchy delimiter', says);
  }
  const says = mailboxField(mailbox, fields);
  if (extended) fields.add(extended.start, extended.end, 'extended data', 'more about it, as it was asked for');
  if (says === undefined) return undefined;
  return `There is ${says}${uses.length === 0 ? '' : `, ${listInWords(uses)}`}.`;
}

/** RFC 9051 §7.3.2 */
function namespace(values: readonly Value[], _text: string, fields: Fields): string | undefined {
  const whose = ['one’s own mailboxes', 'mailboxes of others', 'shared mailboxes'];
  values.slice(0, 3).forEach((value, i) => {
    const isNone = value.type !== 'list';
    fields.add(
      value.start,
      value.end,
      'namespace',
      isNone ? `there are no ${whose[i]}` : `where ${whose[i]} begin, and what separates levels`,
    );
  });
  return undefined;
}

/** RFC 9051 §7.3.3 */
function statusData([mailbox, items]: readonly Value[], _text: string, fields: Fields): string | undefined {
  const says = mailboxField(mailbox, fields);
  if (items?.type === 'list') {
    for (let i = 0; i < items.items.length; i += 2) {
      const [item, value] = items.items.slice(i, i + 2);
      if (item === undefined || item.type === 'list') continue;
      const found = findTerm(STATUS_ITEMS, item.text.toUpperCase());
      fields.add(
        item.start,
        value?.end ?? item.end,
        'status item',
        found?.what ?? 'an item that is not explained here',
      );
    }
  }
  return says === undefined ? undefined : `Figures of ${says}.`;
}

/** RFC 9051 §7.3.4 */
function esearch(values: readonly Value[], _text: string, fields: Fields): string | undefined {
  let what: string | undefined;
  const isUid = values.some((value) => value.type === 'atom' && value.text.toUpperCase() === 'UID');
  values.forEach((value, i) => {
    if (value.type === 'list') {
      fields.add(value.start, value.end, 'search correlator', 'which command this belongs to');
      return;
    }
    const word = value.text.toUpperCase();
    const next = values[i + 1];
    const found = findTerm(RESULT_OPTIONS, word);
    if (word === 'UID') fields.add(value.start, value.end, 'uid', 'the numbers are UIDs');
    else if (found !== undefined && next !== undefined) {
      const number = textOfValue(next);
      const isSet = word === 'ALL' && number !== undefined;
      fields.add(value.start, next.end, 'result', isSet ? setInWords(number, isUid ? 'UID' : 'message') : found.what);
      if (word === 'COUNT' && number !== undefined)
        what = `The search has found ${countInWords(Number(number), 'message')}.`;
    }
  });
  return what;
}

function vanished(values: readonly Value[], _text: string, fields: Fields): string | undefined {
  const earlier = values.some((value) => value.type === 'list');
  const uids = values.findLast((value) => value.type === 'atom');
  if (uids?.type !== 'atom') return undefined;
  const says = setInWords(uids.text, 'UID');
  fields.add(uids.start, uids.end, 'known-uids', says);
  return earlier ? `Gone since this client was here last: ${says}.` : `Gone: ${says}.`;
}

/** RFC 9208 §4.2.1 */
function quota([root, resources]: readonly Value[], _text: string, fields: Fields): string | undefined {
  if (root) fields.add(root.start, root.end, 'quota root', 'what the limit is counted over');
  if (resources?.type !== 'list') return undefined;
  const found: string[] = [];
  for (let i = 0; i + 2 < resources.items.length; i += 3) {
    const [resource, usage, limit] = resources.items.slice(i, i + 3) as [Value, Value, Value];
    const name = textOfValue(resource)?.toUpperCase() ?? '';
    const says = `${textOfValue(usage)} of ${textOfValue(limit)}`;
    fields.add(resource.start, limit.end, 'resource', `${findTerm(QUOTA_RESOURCES, name)?.what ?? name}: ${says} used`);
    found.push(`${says} (${name})`);
  }
  return found.length === 0 ? 'There is no limit.' : `Used: ${listInWords(found)}.`;
}

function acl([mailbox, ...rest]: readonly Value[], _text: string, fields: Fields): string | undefined {
  const says = mailboxField(mailbox, fields);
  rest.forEach((value) => {
    const word = textOfValue(value) ?? '';
    const isRights = /^[lrswipkxteacd]*$/.test(word);
    fields.add(value.start, value.end, isRights ? 'rights' : 'identifier', isRights ? rightsInWords(word) : word);
  });
  return says === undefined ? undefined : `Rights on ${says}.`;
}

function myRights([mailbox, rights]: readonly Value[], _text: string, fields: Fields): string | undefined {
  const says = mailboxField(mailbox, fields);
  const word = textOfValue(rights);
  if (rights === undefined || word === undefined || says === undefined) return undefined;
  fields.add(rights.start, rights.end, 'rights', rightsInWords(word));
  return `The own rights on ${says}: ${rightsInWords(word)}.`;
}

function numberedData(name: string, number: number, text: string, fields: Fields): Said | null {
  const digits = String(number).length;
  switch (name) {
    case 'EXISTS':
      fields.add(2, 2 + digits, 'number', 'how many messages there are');
      return { what: `The mailbox has ${countInWords(number, 'message')} now.`, rfc: section(9051, '7.4.1') };
    case 'RECENT':
      fields.add(2, 2 + digits, 'number', 'how many are new to every session');
      return { what: `${countInWords(number, 'message')} nobody was told of before.`, rfc: section(3501, '7.3.2') };
    case 'EXPUNGE':
      fields.add(2, 2 + digits, 'message sequence number', 'its number until now');
      return { what: `Message ${number} is gone; those behind it move up by one.`, rfc: section(9051, '7.5.1') };
    case 'FETCH':
    case 'UIDFETCH': {
      const isUid = name === 'UIDFETCH';
      fields.add(
        2,
        2 + digits,
        isUid ? 'uid' : 'message sequence number',
        isUid ? 'its UID' : 'which message this is, by its place',
      );
      const from = text.indexOf('(');
      const names = from === -1 ? [] : fetchValues(valuesOf(text, from), text, fields);
      const shown = names.length === 0 ? '' : `: ${listInWords(names.slice(0, 8))}`;
      const rfc = isUid ? section(9586, '3') : section(9051, '7.5.2');
      return { what: `Of message ${isUid ? 'with UID ' : ''}${number}${shown}.`, rfc };
    }
    default:
      return null;
  }
}

/** @returns the names of the items */
function fetchValues(values: readonly Value[], text: string, fields: Fields): string[] {
  const [list] = values;
  const items = list?.type === 'list' ? list.items : values;
  const names: string[] = [];
  for (let i = 0; i < items.length; i += 2) {
    const [item, value] = [items[i]!, items[i + 1]];
    if (item.type !== 'atom') {
      i--;
      continue;
    }
    names.push(item.text.toUpperCase());
    fetchValue(item, value, text, fields);
  }
  return names;
}
