/** SCRAM-SHA-256 by RFC 7677 §3's example, against a client written from RFC 5802 §3 alone, and its refusals. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { fc } from '../property.ts';
import { describe, expect, it } from 'vitest';
import { mechanisms, startSasl, type Credentials, type SaslExchange, type SaslStep } from '../../src/sasl/mechanism.ts';
import { formatScramRecord, makeScramRecord, parseScramRecord, verifyPassword } from '../../src/sasl/scram-record.ts';
import { ScramExchange, clientFinal, clientFirst } from '../../src/sasl/scram-sha-256.ts';

const octets = (text: string): Uint8Array => Buffer.from(text);
/** A challenge; of a failure, the error of RFC 5802 §7 that its message ends with. */
const textOf = (step: SaslStep): string => {
  if (step.type === 'challenge') return Buffer.from(step.data).toString();
  return step.type === 'failure' ? `e=${/\(([\w-]+)\)$/.exec(step.message)![1]!}` : step.type;
};

function credentialsOf(records: Record<string, string>): Credentials {
  return { findRecord: async (login) => records[login] };
}

/** A client as RFC 5802 §3 describes it. */
class Client {
  readonly nonce = randomBytes(12).toString('base64');
  readonly #password: string;
  readonly #login: string;
  readonly gs2: string;
  readonly binding: Uint8Array;
  serverSignature = '';

  constructor(login: string, password: string, gs2 = 'n,,', binding: Uint8Array = new Uint8Array(0)) {
    this.#login = login.replaceAll('=', '=3D').replaceAll(',', '=2C');
    this.#password = password;
    this.gs2 = gs2;
    this.binding = binding;
  }

  get bare(): string {
    return `n=${this.#login},r=${this.nonce}`;
  }

  first(): Uint8Array {
    return octets(this.gs2 + this.bare);
  }

  final(serverFirst: string): Uint8Array {
    const { r = '', s = '', i = '' } = attributes(serverFirst);
    const salted = pbkdf2Sync(this.#password, Buffer.from(s, 'base64'), Number(i), 32, 'sha256');
    const clientKey = createHmac('sha256', salted).update('Client Key').digest();
    const storedKey = createHash('sha256').update(clientKey).digest();
    const bound = Buffer.concat([octets(this.gs2), this.binding]).toString('base64');
    const withoutProof = `c=${bound},r=${r}`;
    const authMessage = `${this.bare},${serverFirst},${withoutProof}`;
    const signature = createHmac('sha256', storedKey).update(authMessage).digest();
    const serverKey = createHmac('sha256', salted).update('Server Key').digest();
    this.serverSignature = createHmac('sha256', serverKey).update(authMessage).digest('base64');
    return octets(
      `${withoutProof},p=${Buffer.from(clientKey.map((octet, at) => octet ^ signature[at]!)).toString('base64')}`,
    );
  }
}

function attributes(message: string): Partial<Record<string, string>> {
  return Object.fromEntries(message.split(',').map((part) => [part.slice(0, 1), part.slice(2)]));
}

async function logIn(exchange: SaslExchange, client: Client): Promise<{ last: string; outcome: SaslStep }> {
  const challenge = await exchange.step(client.first());
  const serverFirst = textOf(challenge);
  if (serverFirst.startsWith('e=')) return { last: serverFirst, outcome: await exchange.step(new Uint8Array(0)) };
  const last = textOf(await exchange.step(client.final(serverFirst)));
  return { last, outcome: await exchange.step(new Uint8Array(0)) };
}

describe('the example of RFC 7677 §3', () => {
  it('is spoken octet by octet', async () => {
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
    const record = await makeScramRecord('pencil', { salt });
    const exchange = new ScramExchange(
      credentialsOf({ user: record }),
      false,
      undefined,
      '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
    );
    expect(textOf(await exchange.step(octets('n,,n=user,r=rOprNGfwEbeRWgbNEkqO')))).toBe(
      'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    );
    const final =
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=';
    expect(textOf(await exchange.step(octets(final)))).toBe('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
    expect(await exchange.step(new Uint8Array(0))).toEqual({ type: 'success', login: 'user' });
  });
});

describe('an exchange', () => {
  it('succeeds for names with the two escapes, and with an empty first challenge', async () => {
    const record = await makeScramRecord('glass');
    const exchange = startSasl('scram-sha-256', credentialsOf({ 'a=b,c@x.test': record }))!;
    expect(exchange.mechanism).toBe('SCRAM-SHA-256');
    expect(await exchange.step(undefined)).toEqual({ type: 'challenge', data: new Uint8Array(0) });
    const client = new Client('a=b,c@x.test', 'glass');
    const { last, outcome } = await logIn(exchange, client);
    expect(last).toBe(`v=${client.serverSignature}`);
    expect(outcome).toEqual({ type: 'success', login: 'a=b,c@x.test' });
  });

  it('prepares passwords: a form and its equivalent are one', async () => {
    const record = await makeScramRecord('\u2168 \u00E9\u00AD');
    const { outcome } = await logIn(startSasl('SCRAM-SHA-256', credentialsOf({ u: record }))!, new Client('u', 'IX é'));
    expect(outcome.type).toBe('success');
  });

  it('tells a wrong password from an unknown name by nothing', async () => {
    const credentials = credentialsOf({ alice: await makeScramRecord('glass') });
    const answers: string[] = [];
    for (const login of ['alice', 'nobody']) {
      const exchange = startSasl('SCRAM-SHA-256', credentials)!;
      const client = new Client(login, 'wrong');
      const serverFirst = textOf(await exchange.step(client.first()));
      const { r = '', s = '', i } = attributes(serverFirst);
      expect(r.startsWith(client.nonce) && r.length > client.nonce.length + 20).toBe(true);
      expect(Buffer.from(s, 'base64')).toHaveLength(16);
      expect(i).toBe('4096');
      expect(textOf(await exchange.step(client.final(serverFirst)))).toBe('e=invalid-proof');
      answers.push(JSON.stringify(await exchange.step(new Uint8Array(0))).replace(login, '*'));
    }
    expect(answers[0]).toBe(answers[1]);
    expect(answers[0]).toContain('"reason":"invalid-credentials"');
  });

  it('gives an unknown name the same salt each time, however it is written', async () => {
    const credentials = { ...credentialsOf({}), addressOf: (login: string) => `${login.split('@')[0]!}@x.test` };
    const saltOf = async (login: string): Promise<string | undefined> =>
      attributes(textOf(await startSasl('SCRAM-SHA-256', credentials)!.step(octets(`n,,n=${login},r=abc`)))).s;
    const salt = await saltOf('nobody');
    expect(await saltOf('NOBODY')).toBe(salt);
    expect(await saltOf('nobody@x.test')).toBe(salt);
    expect(await saltOf('somebody')).not.toBe(salt);
  });

  it('takes an authorization identity only if it is the login', async () => {
    const credentials = credentialsOf({ alice: await makeScramRecord('glass') });
    const same = await logIn(startSasl('SCRAM-SHA-256', credentials)!, new Client('alice', 'glass', 'n,a=Alice,'));
    expect(same.outcome).toEqual({ type: 'success', login: 'alice', authorizationId: 'Alice' });
    const other = await logIn(startSasl('SCRAM-SHA-256', credentials)!, new Client('alice', 'glass', 'n,a=bob,'));
    expect(other).toMatchObject({ last: 'e=other-error', outcome: { type: 'failure', reason: 'authorization' } });
  });

  it.each([
    ['n,,n=alice,r=abc', 'c=biws,r=abc,p=AAAA', 'e=other-error'], // the server's part of the nonce is missing
    ['n,,n=alice,r=abc', 'c=eSws,r={r},p=AAAA', 'e=channel-bindings-dont-match'],
    ['n,,n=alice,r=abc', 'c=biws,r={r},p=AAAA', 'e=invalid-proof'],
    ['n,,n=alice,r=abc', 'c=biws,r={r}', 'e=invalid-encoding'],
    ['n,,n=alice,r=abc', 'c=b!ws,r={r},p=AAAA', 'e=invalid-encoding'],
  ])('refuses %s, %s', async (first, final, error) => {
    const exchange = startSasl('SCRAM-SHA-256', credentialsOf({ alice: await makeScramRecord('glass') }))!;
    const { r = '' } = attributes(textOf(await exchange.step(octets(first))));
    expect(textOf(await exchange.step(octets(final.replace('{r}', r))))).toBe(error);
    expect(await exchange.step(new Uint8Array(0))).toMatchObject({ type: 'failure' });
  });

  it.each([
    ['', 'invalid-encoding'],
    ['x,,n=alice,r=abc', 'invalid-encoding'],
    ['n,,n=alice', 'invalid-encoding'],
    ['n,,n=alice,r=', 'invalid-encoding'],
    ['n,,n=,r=abc', 'invalid-username-encoding'],
    ['n,,n=a=b,r=abc', 'invalid-username-encoding'],
    ['n,a=,n=a,r=abc', 'invalid-username-encoding'],
    ['n,,m=x,n=alice,r=abc', 'extensions-not-supported'],
    ['p=tls-unique,,n=alice,r=abc', 'channel-binding-not-supported'],
  ])('refuses the first message %j', async (first, error) => {
    const exchange = startSasl('SCRAM-SHA-256', credentialsOf({}))!;
    expect(textOf(await exchange.step(octets(first)))).toBe(`e=${error}`);
    expect(await exchange.step(undefined)).toMatchObject({ type: 'failure' });
  });

  it('refuses what is too long or not UTF-8', async () => {
    for (const response of [Buffer.alloc(5000, 'a'), Buffer.from([0x6e, 0x2c, 0x2c, 0xff])]) {
      expect(textOf(await startSasl('SCRAM-SHA-256', credentialsOf({}))!.step(response))).toBe('e=invalid-encoding');
    }
  });

  it('ends in its own errors whatever comes', async () => {
    const message = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc
        .array(
          fc.constantFrom('n', 'y', 'p=', ',', 'n=', 'r=', 'c=', 'biws', 'm=', 'a=', '=2C', '=', 'user', 'abc', '\0'),
        )
        .map((parts) => octets(parts.join(''))),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 4 }), async (messages) => {
        const exchange = startSasl('SCRAM-SHA-256', credentialsOf({}))!;
        for (const response of messages) expect((await exchange.step(response)).type).not.toBe('success');
      }),
    );
  });
});

describe('channel binding (RFC 5802 §6, RFC 9266)', () => {
  const channelBinding = randomBytes(32);

  it('binds SCRAM-SHA-256-PLUS to the TLS connection', async () => {
    const credentials = credentialsOf({ alice: await makeScramRecord('glass') });
    expect(mechanisms(credentials, { channelBinding })).toContain('SCRAM-SHA-256-PLUS');
    const start = (): SaslExchange => startSasl('SCRAM-SHA-256-PLUS', credentials, { channelBinding })!;
    const right = new Client('alice', 'glass', 'p=tls-exporter,,', channelBinding);
    expect((await logIn(start(), right)).outcome.type).toBe('success');
    const between = new Client('alice', 'glass', 'p=tls-exporter,,', randomBytes(32));
    expect(await logIn(start(), between)).toMatchObject({
      last: 'e=channel-bindings-dont-match',
      outcome: { type: 'failure' },
    });
    const unique = new Client('alice', 'glass', 'p=tls-unique,,', channelBinding);
    expect((await logIn(start(), unique)).last).toBe('e=unsupported-channel-binding-type');
    expect((await logIn(start(), new Client('alice', 'glass'))).last).toBe('e=channel-binding-not-supported');
  });

  it('notices when somebody took -PLUS from the list', async () => {
    const credentials = credentialsOf({ alice: await makeScramRecord('glass') });
    const client = (): Client => new Client('alice', 'glass', 'y,,');
    const offered = startSasl('SCRAM-SHA-256', credentials, { channelBinding })!;
    expect((await logIn(offered, client())).last).toBe('e=server-does-support-channel-binding');
    const notOffered = startSasl('SCRAM-SHA-256', credentials)!;
    expect((await logIn(notOffered, client())).outcome.type).toBe('success');
    expect(startSasl('SCRAM-SHA-256-PLUS', credentials)).toBeUndefined();
  });
});

describe('records (RFC 5803 §3)', () => {
  it('verify the password that they were made of, and no other', async () => {
    const record = await makeScramRecord('glass');
    expect(record).toMatch(/^SCRAM-SHA-256\$4096:[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$/);
    expect(await makeScramRecord('glass')).not.toBe(record);
    // Twice: the second time from memory.
    for (let i = 0; i < 2; i++) {
      expect(await verifyPassword(record, 'glass')).toBe(true);
      expect(await verifyPassword(record, 'Glass')).toBe(false);
      expect(await verifyPassword(record, '')).toBe(false);
    }
    expect(await verifyPassword(await makeScramRecord('other'), 'glass')).toBe(false);
  });

  it('remember matches only, and cheaply', async () => {
    const record = await makeScramRecord('glass', { iterations: 400_000 });
    await verifyPassword(record, 'glass');
    const before = process.cpuUsage();
    for (let i = 0; i < 50; i++) expect(await verifyPassword(record, 'glass')).toBe(true);
    const { user, system } = process.cpuUsage(before);
    // Fifty derivations of 400,000 iterations would be seconds of CPU time.
    expect(user + system).toBeLessThan(1_000_000);
  });

  it('are printed as they were read', async () => {
    const record = await makeScramRecord('glass', { iterations: 5000 });
    expect(formatScramRecord(parseScramRecord(record)!)).toBe(record);
  });

  it.each([
    '',
    'glass',
    'SCRAM-SHA-1$4096:AAAA$AAAA:AAAA',
    'SCRAM-SHA-256$4096:AAAA$AAAA:AAAA',
    'SCRAM-SHA-256$x:AAAA$A:A',
  ])('%j is none, and opens nothing', async (record) => {
    expect(parseScramRecord(record)).toBeUndefined();
    expect(await verifyPassword(record, 'glass')).toBe(false);
  });

  it('are refused for few iterations and prohibited passwords', async () => {
    await expect(makeScramRecord('glass', { iterations: 1000 })).rejects.toThrow('4096');
    await expect(makeScramRecord('gl\u0007ass')).rejects.toThrow(RangeError);
    await expect(makeScramRecord('')).rejects.toThrow(RangeError);
    await expect(makeScramRecord('\u00AD')).rejects.toThrow(RangeError);
  });
});

describe('the grammar (RFC 5802 §7)', () => {
  it('reads the client-first-message', () => {
    expect(clientFirst('p=tls-exporter,a=x=2Cy,n=user,r=abc,z=ext')).toEqual({
      gs2Header: 'p=tls-exporter,a=x=2Cy,',
      binding: { type: 'p', name: 'tls-exporter' },
      authorizationId: 'x,y',
      bare: 'n=user,r=abc,z=ext',
      login: 'user',
      nonce: 'abc',
    });
  });

  it('reads the client-final-message, whose proof comes last', () => {
    expect(clientFinal('c=biws,r=abc,z=ext,p=AAAA')).toMatchObject({
      nonce: 'abc',
      withoutProof: 'c=biws,r=abc,z=ext',
      bindInput: Buffer.from('n,,'),
    });
    expect(clientFinal('c=biws,r=abc,p=AAAA,z=ext')).toBe('invalid-encoding');
  });
});
