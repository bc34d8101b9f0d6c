/** What HTTP's heads and bodies say. */
import type { Meaning, RfcSection } from '../spoken.ts';
import type { Fields } from './fields.ts';
import type { Explained } from './meaning.ts';
import { findTerm, term, type Terms } from './term.ts';
import { octetsInWords } from './words.ts';

type Said = Pick<Meaning, 'what' | 'rfc'>;

/** RFC 9110 §9.3, and others that come. */
export const METHODS: Terms = {
  GET: term('The client asks for', 9110, '9.3.1'),
  HEAD: term('The client asks for the head alone of', 9110, '9.3.2'),
  POST: term('The client hands something in at', 9110, '9.3.3'),
  PUT: term('The client puts something in the place of', 9110, '9.3.4'),
  DELETE: term('The client removes', 9110, '9.3.5'),
  CONNECT: term('The client wants a tunnel to', 9110, '9.3.6'),
  OPTIONS: term('The client asks what may be done with', 9110, '9.3.7'),
  TRACE: term('The client wants to hear what arrives of its request for', 9110, '9.3.8'),
  PATCH: term('The client changes a part of', 5789, '2'),
  PROPFIND: term('The client asks for properties of', 4918, '9.1'),
};

/** RFC 9110 §15 */
const STATUSES: Terms = {
  '100': term('go on', 9110, '15.2.1'),
  '101': term('another protocol follows', 9110, '15.2.2'),
  '200': term('here it is', 9110, '15.3.1'),
  '201': term('it was made', 9110, '15.3.2'),
  '202': term('it was taken, and will be done', 9110, '15.3.3'),
  '204': term('done, and there is nothing to say', 9110, '15.3.5'),
  '206': term('here is a part of it', 9110, '15.3.7'),
  '301': term('it is elsewhere for good', 9110, '15.4.2'),
  '302': term('it is elsewhere for now', 9110, '15.4.3'),
  '303': term('look there', 9110, '15.4.4'),
  '304': term('it is as the client has it', 9110, '15.4.5'),
  '307': term('it is elsewhere for now', 9110, '15.4.8'),
  '308': term('it is elsewhere for good', 9110, '15.4.9'),
  '400': term('the request is wrong', 9110, '15.5.1'),
  '401': term('a login is needed', 9110, '15.5.2'),
  '403': term('it is not permitted', 9110, '15.5.4'),
  '404': term('there is no such thing', 9110, '15.5.5'),
  '405': term('this cannot be done with it', 9110, '15.5.6'),
  '406': term('there is nothing in a form that the client takes', 9110, '15.5.7'),
  '408': term('the client has taken too long', 9110, '15.5.9'),
  '409': term('it does not fit what there is', 9110, '15.5.10'),
  '410': term('it is gone for good', 9110, '15.5.11'),
  '411': term('the length is missing', 9110, '15.5.12'),
  '413': term('it is too large', 9110, '15.5.14'),
  '414': term('the address is too long', 9110, '15.5.15'),
  '415': term('this type is not taken', 9110, '15.5.16'),
  '421': term('this server does not answer to that name', 9110, '15.5.20'),
  '422': term('it is well formed, but makes no sense', 9110, '15.5.21'),
  '426': term('another protocol is needed', 9110, '15.5.22'),
  '429': term('too many requests', 6585, '4'),
  '500': term('the server has made a mistake', 9110, '15.6.1'),
  '501': term('the server does not know this method', 9110, '15.6.2'),
  '502': term('a server behind this one does not work', 9110, '15.6.3'),
  '503': term('not now', 9110, '15.6.4'),
  '504': term('a server behind this one does not answer', 9110, '15.6.5'),
  '505': term('this version of HTTP is not spoken', 9110, '15.6.6'),
  '507': term('there is no room', 4918, '11.5'),
};

const CLASSES: Readonly<Record<string, string>> = {
  '1': 'more follows',
  '2': 'it has worked',
  '3': 'it is elsewhere',
  '4': 'the client’s mistake',
  '5': 'the server’s mistake',
};

/** Fields that are seen here. */
export const HEADER_FIELDS: Terms = {
  accept: term('which types the client takes', 9110, '12.5.1'),
  'accept-encoding': term('which codings the client takes', 9110, '12.5.3'),
  'accept-language': term('which languages the reader knows', 9110, '12.5.4'),
  authorization: term('the login, hidden here', 9110, '11.6.2'),
  'cache-control': term('how long the answer may be kept', 9111, '5.2'),
  connection: term('what is to become of the connection', 9110, '7.6.1'),
  'content-encoding': term('how the body is coded', 9110, '8.4'),
  'content-length': term('how many octets the body has', 9110, '8.6'),
  'content-security-policy': { what: 'what the page may do', rfc: null },
  'referrer-policy': { what: 'what others are told of where the reader was', rfc: null },
  'cross-origin-resource-policy': { what: 'which pages may use it', rfc: null },
  'x-content-type-options': { what: 'the type is to be believed', rfc: null },
  'content-type': term('what the body is', 9110, '8.3'),
  cookie: term('what the server has given the client to keep, hidden here', 6265, '4.2'),
  date: term('when this was said', 9110, '6.6.1'),
  etag: term('a name of just this version', 9110, '8.8.3'),
  expect: term('what the client wants to hear first', 9110, '10.1.1'),
  host: term('which name the client used', 9110, '7.2'),
  'if-modified-since': term('only if it is newer', 9110, '13.1.3'),
  'if-none-match': term('only if it is another version', 9110, '13.1.2'),
  'keep-alive': term('how long the connection may be kept', 9112, 'Appendix C.2.2'),
  'last-modified': term('when it was changed last', 9110, '8.8.2'),
  location: term('where to look', 9110, '10.2.2'),
  origin: term('which page sends the client', 6454, '7'),
  referer: term('from where the reader came', 9110, '10.1.3'),
  server: term('which program the server is', 9110, '10.2.4'),
  'set-cookie': term('something for the client to keep, hidden here', 6265, '4.1'),
  'transfer-encoding': term('how the body is cut', 9112, '6.1'),
  upgrade: term('to which protocol to change', 9110, '7.8'),
  'user-agent': term('which program the client is', 9110, '10.1.5'),
  vary: term('what the answer depends on', 9110, '12.5.5'),
  'www-authenticate': term('which login is wanted', 9110, '11.6.1'),
};

export function explainHttp(unit: Explained, fields: Fields): Said | null {
  switch (unit.role) {
    case 'command':
      return request(unit, fields);
    case 'reply':
      return status(unit, fields);
    case 'continuation':
      return field(unit, fields);
    case 'data':
      return body(unit);
    case 'greeting':
    case 'sasl':
    case 'unknown':
      return null;
  }
}

function request({ text, name }: Explained, fields: Fields): Said {
  const [method = '', target = '', version = ''] = text.split(' ');
  const found = findTerm(METHODS, name);
  fields.add(
    0,
    method.length,
    'method',
    found === undefined ? 'a method that is not explained here' : `${found.what} …`,
  );
  fields.add(method.length + 1, method.length + 1 + target.length, 'request-target', 'which resource');
  fields.add(text.length - version.length, text.length, 'HTTP-version', 'how the client speaks');
  const shown = target.length > 200 ? `${target.slice(0, 200)}…` : target;
  return { what: `${found?.what ?? `The client wants ${name} of`} ${shown}.`, rfc: found?.rfc ?? rfc(9110, '9') };
}

function status({ text, name, about }: Explained, fields: Fields): Said {
  const [version = ''] = text.split(' ', 1);
  const found = findTerm(STATUSES, name);
  const says = `${CLASSES[name[0] ?? ''] ?? 'unknown'}${found === undefined ? '' : `: ${found.what}`}`;
  fields.add(0, version.length, 'HTTP-version', 'how the server speaks');
  fields.add(version.length + 1, version.length + 4, 'status-code', says);
  fields.add(version.length + 5, text.length, 'reason-phrase', 'for people, and without meaning');
  const of = about.of === undefined || about.of === '' ? '' : ` to the ${about.of}`;
  return { what: `The answer${of}: ${found?.what ?? says}.`, rfc: found?.rfc ?? rfc(9110, '15') };
}

function field({ text, name, about }: Explained, fields: Fields): Said | null {
  switch (about.item) {
    case 'end':
      return { what: 'An empty line: the head ends here.', rfc: rfc(9112, '2.1') };
    case 'empty':
      return { what: 'An empty line before a request, which means nothing.', rfc: rfc(9112, '2.2') };
    case 'chunk-size': {
      const octets = Number.parseInt(text, 16);
      fields.add(0, /^[0-9a-f]*/i.exec(text)![0].length, 'chunk-size', octetsInWords(octets));
      const what =
        octets === 0
          ? 'No more chunks: the body is complete.'
          : `A chunk of ${octetsInWords(octets)} follows; the number is hexadecimal.`;
      return { what, rfc: rfc(9112, '7.1') };
    }
    case 'chunk-end':
      return { what: 'The line end behind a chunk.', rfc: rfc(9112, '7.1') };
    case undefined:
    default:
  }
  if (text === '') return { what: 'An empty line: the message ends here.', rfc: rfc(9112, '7.1') };
  const found = findTerm(HEADER_FIELDS, name);
  fields.add(0, name.length, 'field-name', found?.what ?? 'a field that is not explained here');
  const at = text.length - text.slice(name.length + 1).trimStart().length;
  fields.add(at, text.length, 'field-value', found?.what ?? 'its value');
  return {
    what:
      found === undefined
        ? `The field ${name}, which is not explained here.`
        : `${text.slice(0, name.length)}: ${found.what}.`,
    rfc: found?.rfc ?? rfc(9110, '5'),
  };
}

function body({ about, octets, side }: Explained): Said {
  const size = octetsInWords(octets);
  if (about.item === 'upgraded')
    return { what: `${size} of another protocol: what was agreed on before.`, rfc: rfc(9110, '7.8') };
  if (about.item === 'chunk') return { what: `A chunk of the body, ${size}.`, rfc: rfc(9112, '7.1') };
  return { what: `The body of the ${side === 'client' ? 'request' : 'response'}, ${size}.`, rfc: rfc(9112, '6') };
}

function rfc(number: number, section: string): RfcSection {
  return { number, section };
}
