/**
 * Requests made from an OpenAPI document: what it allows, what it just does not, and what nobody should send. The
 * document's own JSON Schemas are read here, those parts of them that ours has.
 */
import { type IncomingHttpHeaders, type Agent, METHODS, request as send } from 'node:http';
import { fc } from '../property.ts';

export interface Schema {
  readonly $ref?: string;
  /** Absent: any. */
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'null' | 'array' | 'object';
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

interface Media {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: 'path' | 'query';
    readonly schema: Schema;
  }[];
  readonly requestBody?: Media;
  readonly responses: Readonly<Record<string, Media>>;
}

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Omit<Operation, 'method' | 'path'>>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

export function operationsOf({ paths }: Document): readonly Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
  );
}

export interface Asked {
  readonly method: string;
  /** With its query, encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly type: string;
  readonly text: string;
}

/** An answer that takes longer has not come. */
const ANSWER_MS = 10_000;

/** Of a stream that has no end, the first event is the answer. */
export function ask(agent: Agent, port: number, asked: Asked): Promise<Answered> {
  const { method, path, headers, body } = asked;
  return new Promise((resolve, reject) => {
    const octets = body === undefined ? undefined : Buffer.from(body as string);
    const length = octets === undefined ? {} : { 'Content-Length': octets.length };
    const signal = AbortSignal.timeout(ANSWER_MS);
    const request = send({ agent, signal, port, host: '127.0.0.1', method, path, headers: { ...length, ...headers } });
    // Whoever is refused in the middle of a body may find the connection closed; the answer has come before.
    let answered = false;
    request.on('error', (error) => answered || reject(error));
    request.on('response', (response) => {
      answered = true;
      let text = '';
      const type = response.headers['content-type'] ?? '';
      const end = (): void => resolve({ status: response.statusCode!, headers: response.headers, type, text });
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
        if (type !== 'text/event-stream' || !text.includes('\n\n')) return;
        request.destroy();
        end();
      });
      response.on('end', end).on('error', end);
    });
    request.end(octets);
  });
}

// ------------------------------------------------------------------------------------------------------- values

const DEEP = 20_000;

/** Text that has broken programs. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    ...[
      '',
      ' ',
      '\0',
      'a\0b',
      '\ud800',
      '\udfff\ud800',
      '../',
      '../../etc/passwd',
      '..\\..\\',
      '%2e%2e%2f',
      '%',
      '%zz',
    ],
    ...['%00', '%ff%fe', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'null', 'undefined', 'NaN'],
    ...['-1', '1e999', '0x10', '00', '9007199254740993', '18446744073709551616', '-0', '1.5', '٣', '１', 'latest'],
    ...["' OR 1=1 --", '"', '\\', '";DROP TABLE messages', '*', '%_', '(', ')', '[', '{', '(a OR', 'NEAR(a b)', '"""'],
    ...['\r\nX-Injected: 1', '\r\n\r\n', '\u202e', '\ufeff', '𝒳', 'İ', 'ß', 'a\u0301', '=?utf-8?q?=00?=', '<>', '<b>'],
    ...['@', 'a@', '@a', 'a@b@c', '"a b"@c.test', 'a@[127.0.0.1]', 'a@xn--', 'a@.', `${'a'.repeat(300)}@b.test`],
    ...[
      '-',
      '--',
      '!',
      ':',
      'from:',
      'is:',
      'is:x',
      '-is:read',
      'before:',
      'after:0',
      'larger:9e99',
      'id:',
      'NOT',
      'OR',
    ],
    ...[
      '0000-01-01T00:00:00Z',
      '9999-12-31T23:59:59.999Z',
      '2024-02-30T00:00:00Z',
      '2024-01-01T23:59:60Z',
      '0s',
      '-1s',
    ],
    ...[
      '00000000.0.0',
      'ffffffff.9999999999999999.9999999999999999',
      '1.2.3',
      '1',
      '0',
      '1.1',
      '2147483648',
      '4294967295',
    ],
    ...[
      'Etc/Nowhere',
      'Europe/Berlin',
      '+25:00',
      '\\Seen',
      '\\',
      '\\Recent',
      '$a $b',
      'Inbox/x',
      'inbox/',
      '/',
      '//',
      'a/../b',
    ],
    'x'.repeat(5001),
    '("a" '.repeat(900),
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 40 }),
);

const hostileJson: fc.Arbitrary<unknown> = fc.oneof(
  hostileText,
  fc.constantFrom<unknown>(null, true, false, 0, -1, 1.5, 1e308, -1e308, 2 ** 53, Number.MAX_SAFE_INTEGER, 0xffff_ffff),
  fc.constantFrom<unknown>([], {}, [[]], [null], { length: 1 }, { $ref: '#' }, JSON.parse('{"__proto__":{"a":1}}')),
  fc.jsonValue({ maxDepth: 3 }),
);

const hostileBody: fc.Arbitrary<string | Uint8Array> = fc.oneof(
  fc.constantFrom<string | Uint8Array>(
    ...[
      '',
      ' ',
      '{',
      '}',
      'null',
      '0',
      '""',
      '[]',
      '{}',
      '{"a":1,"a":2}',
      '{"__proto__":{"ids":[]}}',
      'NaN',
      '\ufeff{}',
    ],
    ...['{"constructor":{"prototype":{"x":1}}}', '"\\ud800"', '{"query":"\\u0000"}', '1e999', '[1,]', '{"a"', '{}{}'],
    ...['['.repeat(DEEP), `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`, `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`],
    `{"ids":${'['.repeat(DEEP)}${']'.repeat(DEEP)}}`,
    Buffer.from([0xff, 0xfe, 0x00, 0x7b]),
    Buffer.from([0x7b, 0x22, 0xc0, 0x80, 0x22, 0x3a, 0x31, 0x7d]),
  ),
  hostileJson.map((value) => JSON.stringify(value)),
  fc.uint8Array({ maxLength: 60 }),
);

/** What a test knows to exist, by the parameter's name: ids, addresses. */
export type Known = Readonly<Record<string, readonly string[]>>;

/** What the schema allows, as far as it says so. */
function allowed(schema: Schema, document: Document, known: Known, name = ''): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) return allowed(resolve(schema.$ref, document), document, known, name);
  const { [name]: values, ...others } = known;
  if (values && schema.type !== 'array') {
    const other = allowed(schema, document, others, name);
    return fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: other });
  }
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return fc.oneof(...either.map((each) => allowed(each, document, known, name)));
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const { type = 'string' } = schema;
  switch (type) {
    case 'integer':
    case 'number': {
      const [min, max] = [schema.minimum ?? Number.MIN_SAFE_INTEGER, schema.maximum ?? Number.MAX_SAFE_INTEGER];
      return fc.oneof(fc.integer({ min, max: Math.min(max, min + 20) }), fc.constantFrom(min, max));
    }
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(allowed(schema.items ?? {}, document, known, name.replace(/s$/, '')), { maxLength: 4 });
    case 'object': {
      const properties = Object.entries(schema.properties ?? {});
      const fields = properties.map(([key, each]) => [key, allowed(each, document, known, key)] as const);
      return fc.record(Object.fromEntries(fields), { requiredKeys: [...(schema.required ?? [])] });
    }
    case 'string':
      return text(schema);
  }
}

function text({ format, pattern, maxLength = 40 }: Schema): fc.Arbitrary<string> {
  if (format === 'date-time') {
    return fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-12-31') })
      .map((at) => at.toISOString());
  }
  if (pattern !== undefined && !/\(\?[=!<]|\\[xupk]/.test(pattern)) {
    return fc.stringMatching(new RegExp(pattern), { maxLength });
  }
  return fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9.@-]{1,20}$/);
}

function resolve(ref: string, { components }: Document): Schema {
  const name = ref.replace('#/components/schemas/', '');
  const found = components.schemas[name];
  if (!found) throw new Error(`the document refers to ${ref}, which is not there`);
  return found;
}

/** A body that is nearly right: a field is changed, left out, or added. */
function nearly(schema: Schema, document: Document, known: Known): fc.Arbitrary<unknown> {
  const resolved = schema.$ref === undefined ? schema : resolve(schema.$ref, document);
  const names = Object.keys(resolved.properties ?? {});
  const name = fc.constantFrom(...names, '__proto__', 'constructor', 'toString', '');
  return fc.tuple(allowed(schema, document, known), name, fc.option(hostileJson)).map(([value, key, other]) => {
    const fields = Object.entries(value as object).filter(([each]) => each !== key);
    // Not an assignment: `__proto__` shall arrive as a field.
    return Object.fromEntries<unknown>(other === null ? fields : [...fields, [key, other]]);
  });
}

// ----------------------------------------------------------------------------------------------------- requests

/** As a URL carries it; what has no encoding (half a surrogate) as the octets that a careless program sends. */
const encode = (value: string): string =>
  [...Buffer.from(value.replace(/[\ud800-\udfff](?<![\ud800-\udbff][\udc00-\udfff])/g, '\u0001'))]
    .map((octet) => (octet === 1 ? '%ED%A0%80' : encodeOctet(octet)))
    .join('');
const encodeOctet = (octet: number): string =>
  /[\w.~@-]/.test(String.fromCharCode(octet)) ? String.fromCharCode(octet) : `%${hex(octet)}`;
const hex = (octet: number): string => octet.toString(16).toUpperCase().padStart(2, '0');

/** In a path also what is encoded twice, badly, or not at all. */
const segment = (value: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 6, arbitrary: value.map(encode) },
    { weight: 1, arbitrary: value.map((each) => encode(encode(each))) },
    { weight: 1, arbitrary: fc.constantFrom('%', '%zz', '%c3', '%ff', '..', '.', '%2e%2e', 'a%2fb', ';a=b', '', '*') },
  );

const hostileHeaders: fc.Arbitrary<Record<string, string>> = fc.dictionary(
  fc.constantFrom(
    'Content-Type',
    'Accept',
    'Accept-Encoding',
    'Range',
    'If-None-Match',
    'Last-Event-ID',
    'X-A',
    'Cookie',
  ),
  fc.oneof(
    fc.constantFrom(
      '',
      '*/*',
      'application/xml',
      'text/plain',
      'multipart/form-data',
      'bytes=5-2',
      'gzip;q=9',
      '\u00ff',
    ),
    fc.stringMatching(/^[!-~]{0,60}$/),
  ),
  { maxKeys: 2 },
);

/** Mostly as the operation wants it; every part of it may also be anything. */
export function requestsFor(operation: Operation, document: Document, known: Known): fc.Arbitrary<Asked> {
  const ofParameter = (name: string, schema: Schema): fc.Arbitrary<string> =>
    fc.oneof(
      { weight: 4, arbitrary: allowed(schema, document, known, name).map(String) },
      { weight: 1, arbitrary: hostileText },
    );
  const named = (where: 'path' | 'query') => operation.parameters.filter((each) => each.in === where);
  const path = fc
    .tuple(
      ...named('path').map(({ name, schema }) => segment(ofParameter(name, schema)).map((at) => [name, at] as const)),
    )
    .map((values) => {
      const at = Object.fromEntries(values);
      return operation.path.replace(/\{(\w+)\}/g, (_, name: string) => at[name]!);
    });
  const field = fc.oneof(
    ...named('query').map(({ name, schema }) => ofParameter(name, schema).map((value) => [name, value] as const)),
    fc.tuple(hostileText, hostileText),
  );
  const query = fc.array(field, { maxLength: 4 });
  const method = fc.oneof(
    { weight: 20, arbitrary: fc.constant(operation.method) },
    { weight: 1, arbitrary: fc.constantFrom(...METHODS.filter((each) => each !== 'CONNECT')) },
  );
  return fc
    .record({ method, path, query, body: bodyFor(operation, document, known), headers: hostileHeaders })
    .map(({ query, path, ...rest }) => {
      const search = query.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
      return { ...rest, path: search === '' ? path : `${path}?${search}` };
    });
}

function bodyFor(
  { requestBody }: Operation,
  document: Document,
  known: Known,
): fc.Arbitrary<string | Uint8Array | undefined> {
  const schema = requestBody?.content?.['application/json']?.schema;
  const other: fc.Arbitrary<string | Uint8Array | undefined> = hostileBody;
  if (!schema) return fc.option(other, { nil: undefined, freq: 3 });
  return fc.oneof(
    { weight: 4, arbitrary: allowed(schema, document, known).map((value) => JSON.stringify(value)) },
    { weight: 4, arbitrary: nearly(schema, document, known).map((value) => JSON.stringify(value)) },
    { weight: 2, arbitrary: other },
  );
}
