/** The arguments of IMAP's commands: which they are, in their order, and what each says. */
import { mechanismInWords } from './authentication.ts';
import type { Fields } from './fields.ts';
import { dateInWords, fetchItem, flagInWords } from './imap-items.ts';
import { capabilityInWords, flags, idPairs, mailboxField, rightsInWords } from './imap-parts.ts';
import {
  LIST_OPTIONS,
  NOTIFY_WORDS,
  QUOTA_RESOURCES,
  RESULT_OPTIONS,
  SEARCH_KEYS,
  SORT_KEYS,
  STATUS_ITEMS,
} from './imap-words.ts';
import { textOfValue, type Value, valuesOf } from './imap-values.ts';
import { findTerm, type Terms } from './term.ts';
import { setInWords } from './words.ts';

/** Names as RFC 9051 §9 has them; what is in the plural takes all that is left. */
type Kind =
  | 'mailbox'
  | 'sequence-set'
  | 'uid-set'
  | 'userid'
  | 'password'
  | 'mechanism'
  | 'initial response'
  | 'capabilities'
  | 'select parameters'
  | 'list arguments'
  | 'status items'
  | 'append arguments'
  | 'fetch items'
  | 'store arguments'
  | 'search keys'
  | 'sort arguments'
  | 'thread arguments'
  | 'id parameters'
  | 'identifier'
  | 'rights'
  | 'quota root'
  | 'quota resources'
  | 'metadata arguments'
  | 'notify arguments'
  | 'algorithm'
  | 'tags';

const ARGUMENTS: Readonly<Record<string, readonly Kind[]>> = {
  ID: ['id parameters'],
  AUTHENTICATE: ['mechanism', 'initial response'],
  LOGIN: ['userid', 'password'],
  ENABLE: ['capabilities'],
  SELECT: ['mailbox', 'select parameters'],
  EXAMINE: ['mailbox', 'select parameters'],
  CREATE: ['mailbox', 'list arguments'],
  DELETE: ['mailbox'],
  RENAME: ['mailbox', 'mailbox'],
  SUBSCRIBE: ['mailbox'],
  UNSUBSCRIBE: ['mailbox'],
  LIST: ['list arguments'],
  LSUB: ['list arguments'],
  STATUS: ['mailbox', 'status items'],
  APPEND: ['mailbox', 'append arguments'],
  COPY: ['sequence-set', 'mailbox'],
  MOVE: ['sequence-set', 'mailbox'],
  FETCH: ['sequence-set', 'fetch items'],
  STORE: ['sequence-set', 'store arguments'],
  SEARCH: ['search keys'],
  SORT: ['sort arguments'],
  THREAD: ['thread arguments'],
  REPLACE: ['sequence-set', 'mailbox', 'append arguments'],
  'UID COPY': ['uid-set', 'mailbox'],
  'UID MOVE': ['uid-set', 'mailbox'],
  'UID FETCH': ['uid-set', 'fetch items'],
  'UID STORE': ['uid-set', 'store arguments'],
  'UID SEARCH': ['search keys'],
  'UID SORT': ['sort arguments'],
  'UID THREAD': ['thread arguments'],
  'UID REPLACE': ['uid-set', 'mailbox', 'append arguments'],
  'UID EXPUNGE': ['uid-set'],
  ESEARCH: ['search keys'],
  CANCELUPDATE: ['tags'],
  COMPRESS: ['algorithm'],
  NOTIFY: ['notify arguments'],
  GETQUOTA: ['quota root'],
  GETQUOTAROOT: ['mailbox'],
  SETQUOTA: ['quota root', 'quota resources'],
  GETMETADATA: ['metadata arguments'],
  SETMETADATA: ['metadata arguments'],
  SETACL: ['mailbox', 'identifier', 'rights'],
  DELETEACL: ['mailbox', 'identifier'],
  GETACL: ['mailbox'],
  LISTRIGHTS: ['mailbox', 'identifier'],
  MYRIGHTS: ['mailbox'],
};

/** What a command says of itself once its arguments are known; `{0}` is what the first of them says. */
const SENTENCES: Readonly<Record<string, string>> = {
  SELECT: 'The client opens {0}, to read and to change it.',
  EXAMINE: 'The client opens {0} for reading only.',
  CREATE: 'The client makes {0}.',
  DELETE: 'The client removes {0} with everything in it.',
  SUBSCRIBE: 'The client subscribes to {0}: it is to be shown.',
  UNSUBSCRIBE: 'The client no longer subscribes to {0}.',
  STATUS: 'The client asks for figures of {0} without opening it.',
  APPEND: 'The client puts a message into {0}.',
  FETCH: 'The client asks for {0}: {1}.',
  'UID FETCH': 'The client asks for {0}: {1}.',
  STORE: 'The client changes flags of {0}.',
  'UID STORE': 'The client changes flags of {0}.',
  COPY: 'The client copies {0} into {1}.',
  'UID COPY': 'The client copies {0} into {1}.',
  MOVE: 'The client moves {0} into {1}.',
  'UID MOVE': 'The client moves {0} into {1}.',
  'UID EXPUNGE': 'The client has {0} removed, as far as they are marked as deleted.',
};

/**
 * @param name empty for what goes on behind a literal: only what can be told without its place is
 * @param from where the arguments begin
 * @returns a sentence, if there is a better one than the table's
 */
export function explainCommand(name: string, text: string, from: number, fields: Fields): string | undefined {
  const values = valuesOf(text, from);
  if (name === '') {
    for (const value of values) if (value.type === 'literal') literalField(value, fields);
    return undefined;
  }
  const kinds = ARGUMENTS[name] ?? [];
  const said: (string | undefined)[] = [];
  let at = 0;
  for (const kind of kinds) {
    const isLast = isRest(kind);
    const taken = isLast ? values.slice(at) : values.slice(at, at + 1);
    if (taken.length === 0) break;
    said.push(explainArgument(kind, taken, fields));
    at += taken.length;
  }
  for (const value of values) if (value.type === 'literal') literalField(value, fields);
  const sentence = SENTENCES[name];
  if (sentence === undefined) return undefined;
  const wanted = [...sentence.matchAll(/\{(\d)\}/g)].map(([, index]) => said[Number(index)]);
  if (wanted.includes(undefined)) return undefined;
  return sentence.replace(/\{(\d)\}/g, (_, index: string) => said[Number(index)]!);
}

function isRest(kind: Kind): boolean {
  return kind.endsWith('s') && kind !== 'rights';
}

function literalField(value: Value, fields: Fields): void {
  if (value.type !== 'literal') return;
  const octets = /\d+/.exec(value.text)![0];
  const waits =
    value.text.endsWith('+}') || value.text.endsWith('-}')
      ? 'and the client does not wait'
      : 'once the server asks for them';
  fields.add(value.start, value.end, 'literal', `${octets} octets follow, ${waits}`);
}

function explainArgument(kind: Kind, values: readonly Value[], fields: Fields): string | undefined {
  const [value] = values as [Value];
  const word = textOfValue(value);
  const plain = (says: string): string | undefined => {
    fields.add(value.start, value.end, kind, says);
    return undefined;
  };
  switch (kind) {
    case 'mailbox':
      return mailboxField(value, fields);
    case 'sequence-set':
    case 'uid-set': {
      const says = setInWords(word ?? '', kind === 'uid-set' ? 'UID' : 'message');
      plain(says);
      return says;
    }
    case 'userid':
      return plain('whose mail');
    case 'password':
      return plain('hidden here; without TLS everybody on the way can read it');
    case 'mechanism':
      return plain(mechanismInWords(word ?? ''));
    case 'initial response':
      return plain('the first answer of the mechanism already, in base64');
    case 'rights':
      return plain(rightsInWords((word ?? '').replace(/^[+-]/, '')));
    case 'identifier':
      return plain(
        word === 'anyone' ? 'everybody' : (word ?? '').startsWith('-') ? 'these rights are withheld' : 'whose rights',
      );
    case 'quota root':
      return plain('what the limit is counted over');
    case 'algorithm':
      return plain('how it is compressed: RFC 1951');
    case 'capabilities':
      return words(values, fields, 'capability', capabilityInWords);
    case 'tags':
      return words(values, fields, 'tag', () => 'the command whose news are not wanted any more');
    case 'id parameters':
      return idPairs(values, fields);
    case 'fetch items':
      return fetchItems(values, fields);
    case 'status items':
      return tableWords(flat(values), fields, 'status item', STATUS_ITEMS);
    case 'select parameters':
      return selectParameters(values, fields);
    case 'store arguments':
      return storeArguments(values, fields);
    case 'append arguments':
      return appendArguments(values, fields);
    case 'list arguments':
      return listArguments(values, fields);
    case 'quota resources':
      return tableWords(flat(values), fields, 'resource', QUOTA_RESOURCES);
    case 'notify arguments':
      return tableWords(flat(values), fields, 'notify', NOTIFY_WORDS);
    case 'search keys':
      return searchKeys(values, fields);
    case 'sort arguments':
      return sortArguments(values, fields);
    case 'thread arguments':
      plain(/REFERENCES/i.test(word ?? '') ? 'by who answered whom' : 'by subject');
      return searchKeys(values.slice(2), fields);
    case 'metadata arguments':
      return metadataArguments(values, fields);
  }
  return undefined;
}

function flat(values: readonly Value[]): Exclude<Value, { type: 'list' }>[] {
  return values.flatMap((value) => (value.type === 'list' ? flat(value.items) : [value]));
}

function words(
  values: readonly Value[],
  fields: Fields,
  name: string,
  says: (word: string) => string,
): string | undefined {
  for (const value of flat(values)) fields.add(value.start, value.end, name, says(value.text));
  return undefined;
}

/** Words of a table; numbers, names and values beside them are left alone. */
function tableWords(
  values: readonly Exclude<Value, { type: 'list' }>[],
  fields: Fields,
  name: string,
  terms: Terms,
): string | undefined {
  for (const value of values) {
    const found = findTerm(terms, value.text.toUpperCase());
    if (found !== undefined && value.type === 'atom') fields.add(value.start, value.end, name, found.what);
  }
  return undefined;
}

function fetchItems(values: readonly Value[], fields: Fields): string | undefined {
  const said: string[] = [];
  const [first, modifiers] = values;
  const items = first?.type === 'list' ? first.items : first === undefined ? [] : [first];
  for (const item of items) {
    if (item.type !== 'atom') continue;
    const says = fetchItem(item.text);
    fields.add(item.start, item.end, 'fetch item', says);
    said.push(says);
  }
  const modifier = modifiers === undefined ? [] : flat([modifiers]);
  modifier.forEach((value, i) => {
    const word = value.text.toUpperCase();
    const number = modifier[i + 1]?.text ?? '';
    if (word === 'CHANGEDSINCE')
      fields.add(
        value.start,
        modifier[i + 1]?.end ?? value.end,
        'modifier',
        `only what has changed after the change ${number}`,
      );
    else if (word === 'VANISHED') fields.add(value.start, value.end, 'modifier', 'and tell which are gone');
    else if (word === 'PARTIAL')
      fields.add(value.start, modifier[i + 1]?.end ?? value.end, 'modifier', `only these of them: ${number}`);
  });
  if (said.length === 0) return undefined;
  return said.length > 5 ? `${said.slice(0, 4).join('; ')}; and ${said.length - 4} more` : said.join('; ');
}

function selectParameters(values: readonly Value[], fields: Fields): string | undefined {
  for (const value of flat(values)) {
    const word = value.text.toUpperCase();
    if (word === 'CONDSTORE')
      fields.add(value.start, value.end, 'parameter', 'tell the numbers of changes (RFC 7162 §3.1)');
    else if (word === 'QRESYNC')
      fields.add(
        value.start,
        value.end,
        'parameter',
        'the client was here before: tell it what has changed and gone (RFC 7162 §3.2.5)',
      );
  }
  return undefined;
}

/** RFC 9051 §6.4.6 */
function storeArguments(values: readonly Value[], fields: Fields): string | undefined {
  for (const value of values) {
    if (value.type === 'list') {
      const [first, second] = value.items;
      if (textOfValue(first)?.toUpperCase() === 'UNCHANGEDSINCE') {
        fields.add(
          value.start,
          value.end,
          'modifier',
          `only if nobody has changed it after the change ${textOfValue(second) ?? ''}`,
        );
      } else flags([value], fields);
      continue;
    }
    const [, sign, silent] = /^([+-]?)FLAGS(\.SILENT)?$/i.exec(value.text) ?? [];
    if (sign === undefined) fields.add(value.start, value.end, 'flag', flagInWords(value.text));
    else {
      const says =
        { '+': 'add these flags', '-': 'take these flags away', '': 'these flags and no others' }[sign] ?? '';
      fields.add(
        value.start,
        value.end,
        'operation',
        `${says}${silent === undefined ? '' : ', and do not tell me what I know'}`,
      );
    }
  }
  return undefined;
}

/** RFC 9051 §6.3.12 */
function appendArguments(values: readonly Value[], fields: Fields): string | undefined {
  for (const value of values) {
    if (value.type === 'list') {
      const isFlags = value.items.every((item) => item.type === 'atom' && /^[\\$A-Z]/i.test(item.text));
      if (isFlags) flags([value], fields);
    } else if (value.type === 'string')
      fields.add(value.start, value.end, 'date-time', `as if it had arrived on ${dateInWords(value.text)}`);
    else if (value.type === 'atom' && value.text.toUpperCase() === 'CATENATE') {
      fields.add(value.start, value.end, 'catenate', 'the message is put together of these parts (RFC 4469)');
    }
  }
  return undefined;
}

/** RFC 9051 §6.3.9, RFC 5258; RFC 6154 §3 for CREATE. */
function listArguments(values: readonly Value[], fields: Fields): string | undefined {
  const plain = values.filter((value) => value.type !== 'list' && textOfValue(value)?.toUpperCase() !== 'RETURN');
  const [reference, pattern] = plain;
  if (reference && reference.type !== 'list') {
    fields.add(
      reference.start,
      reference.end,
      'reference name',
      reference.text === '' ? 'from the top' : 'below this one',
    );
  }
  if (pattern && pattern.type !== 'list')
    fields.add(pattern.start, pattern.end, 'mailbox pattern', patternInWords(pattern.text));
  tableWords(
    flat(values.filter((value) => value.type === 'list' || textOfValue(value)?.toUpperCase() === 'RETURN')),
    fields,
    'option',
    {
      ...STATUS_ITEMS,
      ...LIST_OPTIONS,
    },
  );
  return undefined;
}

function patternInWords(pattern: string): string {
  if (pattern === '') return 'only tell what separates levels';
  if (pattern === '*') return 'all names';
  if (pattern === '%') return 'all names of the highest level';
  if (/[*%]/.test(pattern)) return 'names that fit: * stands for anything, % for anything within a level';
  return 'this name';
}

function searchKeys(values: readonly Value[], fields: Fields): string | undefined {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const before = textOfValue(values[i - 1])?.toUpperCase();
    if (value.type === 'list') {
      if (before === 'RETURN') tableWords(flat([value]), fields, 'result option', RESULT_OPTIONS);
      else searchKeys(value.items, fields);
      continue;
    }
    const word = value.text.toUpperCase();
    if (word === 'RETURN') fields.add(value.start, value.end, 'result options', 'what of the result is to be told');
    else if (word === 'IN') fields.add(value.start, value.end, 'source options', 'where to search (RFC 7377)');
    else if (Object.hasOwn(SEARCH_KEYS, word) && value.type === 'atom') i += searchKey(word, values, i, fields);
    else if (value.type === 'atom' && /^[\d*$]/.test(word))
      fields.add(value.start, value.end, 'sequence-set', setInWords(word, 'message'));
  }
  return undefined;
}

/** @returns how many values it takes beside its name */
function searchKey(word: string, values: readonly Value[], at: number, fields: Fields): number {
  const { what, values: count } = SEARCH_KEYS[word]!;
  const value = values[at]!;
  const next = values.slice(at + 1, at + 1 + count);
  const said = next.map((each) => argumentInWords(word, textOfValue(each)));
  const says = said.length === 0 ? what : `${what}: ${said.join(', ')}`;
  fields.add(value.start, next.at(-1)?.end ?? value.end, 'search key', says);
  return next.length;
}

function argumentInWords(key: string, text: string | undefined): string {
  if (text === undefined) return 'what follows';
  if (key === 'UID') return setInWords(text, 'UID');
  return dateInWords(text);
}

/** RFC 5256 §3 */
function sortArguments(values: readonly Value[], fields: Fields): string | undefined {
  const keys = values.findIndex(
    (value, i) => value.type === 'list' && textOfValue(values[i - 1])?.toUpperCase() !== 'RETURN',
  );
  const list = values[keys];
  if (list !== undefined) tableWords(flat([list]), fields, 'sort key', SORT_KEYS);
  searchKeys(values.slice(0, Math.max(0, keys)), fields);
  const charset = values[keys + 1];
  if (charset) fields.add(charset.start, charset.end, 'charset', 'in which charset the words are');
  searchKeys(values.slice(keys + 2), fields);
  return undefined;
}

/** RFC 5464 §4.2, §4.3 */
function metadataArguments(values: readonly Value[], fields: Fields): string | undefined {
  const isOptions = (value: Value): boolean =>
    value.type === 'list' && /^(?:MAXSIZE|DEPTH)$/i.test(textOfValue(value.items[0]) ?? '');
  const [mailbox, ...rest] = values.filter((value) => !isOptions(value));
  mailboxField(mailbox, fields);
  for (const value of flat(rest)) {
    if (!value.text.startsWith('/')) continue;
    const says = value.text.startsWith('/private') ? 'an annotation of this user' : 'an annotation that all see';
    fields.add(value.start, value.end, 'entry', says);
  }
  return undefined;
}
