/** Fault rules: who is hit, how often, and what addresses ask for. */
import { describe, expect, test } from 'vitest';
import { ADDRESS_CODES, addressCode } from '../../src/faults/address-code.ts';
import { BadRules, parseRules, ruleDraft } from '../../src/faults/rule-schema.ts';
import { POINTS_OF } from '../../src/faults/rule.ts';
import { FaultRules, MOST_RULES } from '../../src/faults/rules.ts';
import type { Asked, Facts, FaultOptions } from '../../src/faults/rules.ts';

const FACTS: Facts = {
  service: 'imaps',
  protocol: 'imap',
  address: '192.0.2.1',
  serverName: undefined,
  login: 'alice@a.test',
  client: undefined,
  sender: undefined,
  recipients: [],
};
const NOOP: Asked = { at: 'command', command: 'NOOP' };

function rules(draft: object, options: FaultOptions = {}, scope?: string): FaultRules {
  const made = new FaultRules(options);
  made.add(ruleDraft.parse({ what: { type: 'refuse' }, ...draft }), scope);
  return made;
}

const isHit = (asked: FaultRules, at: Asked = NOOP, facts: Partial<Facts> = {}): boolean =>
  asked.match(at, { ...FACTS, ...facts }).length > 0;

test('a rule that is switched off does nothing, and goes on counting when it is on again', () => {
  const made = rules({ times: 2 }, {}, 's1');
  made.add(ruleDraft.parse({ what: { type: 'delay', ms: 1 }, where: { at: 'octets', octets: 1 }, on: false }));
  const own = { ...FACTS, login: 'a@s1' };
  const scoped = new FaultRules({ scopeOf: () => 's1' });
  scoped.add(ruleDraft.parse({ what: { type: 'refuse' }, times: 2 }), 's1');
  expect(scoped.countOn()).toBe(1);
  expect(scoped.match(NOOP, own)).toHaveLength(1);
  scoped.switch(false, undefined, 's2');
  expect(scoped.countOn()).toBe(1);
  scoped.switch(false, ['1'], 's1');
  expect(scoped.countOn()).toBe(0);
  expect(scoped.match(NOOP, own)).toEqual([]);
  expect(scoped.list()).toMatchObject([{ on: false, matches: 1, hits: 1 }]);
  scoped.switch(true, ['7']);
  expect(scoped.match(NOOP, own)).toEqual([]);
  scoped.switch(true, undefined);
  expect(scoped.match(NOOP, own)).toHaveLength(1);
  expect(scoped.match(NOOP, own)).toEqual([]);
  expect(made.countOn()).toBe(1);
  expect(made.countOn('s1')).toBe(1);
  expect(made.octetRules(FACTS)).toEqual([]);
  made.switch(true, undefined);
  expect(made.octetRules(FACTS)).toHaveLength(1);
});

describe('a rule is about', () => {
  test.each<[object, Partial<Facts>, boolean]>([
    [{}, {}, true],
    [{ where: { at: 'command' } }, {}, true],
    [{ where: { command: 'noop' } }, {}, true],
    [{ where: { command: 'FETCH' } }, {}, false],
    [{ where: { at: 'fetch' } }, {}, false],
    [{ where: { protocol: 'imap', service: 'imaps' } }, {}, true],
    [{ where: { protocol: 'pop3' } }, {}, false],
    [{ where: { service: 'imap' } }, {}, false],
    [{ whom: { login: 'ALICE@a.test' } }, {}, true],
    [{ whom: { login: 'alice' } }, {}, false],
    [{ whom: { login: '*@a.test' } }, {}, true],
    [{ whom: { login: 'a*e@*.test' } }, {}, true],
    [{ whom: { login: '*x*' } }, {}, false],
    [{ whom: { login: '*' } }, {}, true],
    [{ whom: { login: '*' } }, { login: undefined }, false],
    [{ whom: { login: 'alice@a.test*alice@a.test' } }, {}, false],
    [{ whom: { address: '192.0.2.*', client: 'Mutt*' } }, { client: 'mutt 2' }, true],
    [{ whom: { address: '192.0.2.*', client: 'Mutt*' } }, { client: 'pine' }, false],
    [{ whom: { recipient: 'b@*' } }, { recipients: ['a@x', 'b@x'] }, true],
    [{ whom: { recipient: 'c@*' } }, { recipients: ['a@x', 'b@x'] }, false],
  ])('%j: %j', (draft, facts, expected) => {
    expect(isHit(rules(draft), NOOP, facts)).toBe(expected);
  });

  test('FETCH and UID FETCH, or UID FETCH alone', () => {
    const fetch = { at: 'command', command: 'FETCH' } as const;
    const uidFetch = { at: 'command', command: 'UID FETCH' } as const;
    const both = rules({ where: { command: 'FETCH' } });
    expect([isHit(both, fetch), isHit(both, uidFetch)]).toEqual([true, true]);
    const one = rules({ where: { command: 'UID FETCH' } });
    expect([isHit(one, fetch), isHit(one, uidFetch)]).toEqual([false, true]);
  });

  test('patterns of many stars are no trap', () => {
    const before = performance.now();
    isHit(rules({ whom: { login: `${'*a'.repeat(150)}*b` } }), NOOP, { login: 'a'.repeat(5000) });
    expect(performance.now() - before).toBeLessThan(500);
  });
});

test('what would change nothing is no hit', () => {
  const literal = rules({ what: { type: 'wrong-literal', by: 1 } });
  expect(isHit(literal, { at: 'fetch', saysOctets: false })).toBe(false);
  expect(isHit(literal, { at: 'fetch', saysOctets: true })).toBe(true);
  const readOnly = rules({ what: { type: 'read-only' } });
  const delivered = { at: 'mailbox', mailbox: 'INBOX', doing: 'write' } as const;
  expect([isHit(readOnly, delivered, { protocol: 'smtp' }), isHit(readOnly, delivered)]).toEqual([false, true]);
  const full = rules({ what: { type: 'full-mailbox' } });
  expect([isHit(full, { ...delivered, doing: 'open' }), isHit(full, delivered)]).toEqual([false, true]);
});

describe('counting', () => {
  const run = (draft: object, count: number): string => {
    const made = rules(draft);
    return Array.from({ length: count }, () => (isHit(made) ? 'x' : '.')).join('');
  };

  test.each([
    [{}, 'xxxxxx'],
    [{ times: 2 }, 'xx....'],
    [{ skip: 2 }, '..xxxx'],
    [{ skip: 1, times: 2 }, '.xx...'],
    [{ nth: 3 }, '..x...'],
  ])('%j: %s', (draft, expected) => {
    expect(run(draft, 6)).toBe(expected);
  });

  test('a share is a share, the same one for the same seed', () => {
    const one = run({ share: 0.3, seed: 5 }, 2000);
    expect(run({ share: 0.3, seed: 5 }, 2000)).toBe(one);
    expect(run({ share: 0.3, seed: 6 }, 2000)).not.toBe(one);
    const hits = one.replaceAll('.', '').length;
    expect(hits).toBeGreaterThan(500);
    expect(hits).toBeLessThan(700);
    // Small seeds do not all begin alike.
    const starts = new Set(Array.from({ length: 50 }, (_, seed) => run({ share: 0.5, seed }, 16)));
    expect(starts.size).toBeGreaterThan(40);
  });

  test('matches and hits are told; another rule counts anew', () => {
    const made = rules({ skip: 1, times: 1 });
    for (let i = 0; i < 5; i++) isHit(made);
    expect(made.find('1')).toMatchObject({ matches: 2, hits: 1 });
    made.replace('1', ruleDraft.parse({ what: { type: 'refuse' } }));
    expect(made.find('1')).toMatchObject({ matches: 0, hits: 0 });
    expect(isHit(made)).toBe(true);
    expect(made.remove('1')).toBe(true);
    expect([isHit(made), made.remove('1')]).toEqual([false, false]);
  });

  test('there is a limit', () => {
    const made = rules({});
    for (let i = 1; i < MOST_RULES; i++) expect(made.add(ruleDraft.parse({ what: { type: 'refuse' } }))).toBeDefined();
    expect(made.add(ruleDraft.parse({ what: { type: 'refuse' } }))).toBeUndefined();
  });
});

describe('greylisting', () => {
  const at = (recipient: string): Asked => ({ at: 'recipient', recipients: [recipient] });

  test('until the nth try, or until it is time', () => {
    const tries = rules({ what: { type: 'greylist', tries: 3 } });
    expect([1, 2, 3, 4].map(() => isHit(tries, at('a@x')))).toEqual([true, true, false, false]);
    expect(isHit(tries, at('b@x'))).toBe(true);
    expect(isHit(tries, at('a@x'), { address: '192.0.2.2' })).toBe(true);
    expect(isHit(tries, at('a@x'), { sender: 'c@y' })).toBe(true);
    let now = 0;
    const timed = rules({ what: { type: 'greylist', seconds: 10 } }, { now: () => now });
    expect(isHit(timed, at('a@x'))).toBe(true);
    now = 9_999;
    expect(isHit(timed, at('a@x'))).toBe(true);
    now = 10_000;
    expect(isHit(timed, at('a@x'))).toBe(false);
  });
});

describe('a scope', () => {
  const scopeOf = (address: string): string | undefined => /@(?:.*\.)?(one|two)\.test$/.exec(address)?.[1];
  const made = rules({ where: { at: 'command' } }, { scopeOf }, 'one');
  const about = (recipients: string[], login?: string): boolean =>
    isHit(made, { at: 'command', command: 'RCPT' }, { recipients, login });

  test('is hit by its rules, and nobody else', () => {
    expect(about([], 'a@one.test')).toBe(true);
    expect(about([], 'a@two.test')).toBe(false);
    expect(about([])).toBe(false);
    expect(about(['x@one.test', 'y@one.test'])).toBe(true);
    expect(about(['x@one.test', 'y@two.test'])).toBe(false);
    expect(about(['y@two.test'], 'a@one.test')).toBe(false);
  });

  test('gets second copies beside others', () => {
    const twice = rules({ what: { type: 'duplicate' } }, { scopeOf }, 'one');
    const recipients = ['x@one.test', 'y@two.test'];
    expect(twice.match({ at: 'delivery', recipients }, FACTS)).toMatchObject([{ recipients: ['x@one.test'] }]);
  });

  test('sees its own rules alone, and they go with it', () => {
    made.add(ruleDraft.parse({ what: { type: 'read-only' } }));
    expect([made.list().length, made.list('one').length, made.list('two').length]).toEqual([2, 1, 0]);
    expect([made.find('1', 'two'), made.remove('1', 'two')]).toEqual([undefined, false]);
    expect(made.clear('one')).toBe(1);
    expect(made.list()).toHaveLength(1);
  });

  test('is asked for a name in TLS apart from the others', () => {
    const named = rules({ what: { type: 'expired-certificate' } }, { scopeOf }, 'one');
    const asked = { at: 'tls', named: true } as const;
    const nobody = { login: undefined, serverName: 'a.one.test' };
    expect(isHit(named, { at: 'tls' }, nobody)).toBe(false);
    expect(isHit(named, asked, nobody)).toBe(true);
    expect(isHit(named, asked, { ...nobody, serverName: 'two.test' })).toBe(false);
  });
});

describe('an address', () => {
  test.each([
    ['550', 'recipient', { type: 'refuse', code: '550' }, undefined],
    ['451-first2', 'recipient', { type: 'refuse', code: '451' }, 2],
    ['data-552', 'delivery', { type: 'refuse', code: '552' }, undefined],
    ['data-451-first10', 'delivery', { type: 'refuse', code: '451' }, 10],
    ['greylist', 'recipient', { type: 'greylist' }, undefined],
    ['greylist-30s', 'recipient', { type: 'greylist', seconds: 30 }, undefined],
    ['delay-3s', 'recipient', { type: 'delay', ms: 3000 }, undefined],
    ['delay-500ms', 'recipient', { type: 'delay', ms: 500 }, undefined],
    ['data-delay-1s', 'delivery', { type: 'delay', ms: 1000 }, undefined],
    ['duplicate', 'delivery', { type: 'duplicate', copies: 2 }, undefined],
    ['duplicate-3', 'delivery', { type: 'duplicate', copies: 3 }, undefined],
    ['cut-rst', 'delivery', { type: 'cut', when: 'before', how: 'rst' }, undefined],
  ])('%s@ asks for a fault', (localPart, at, what, times) => {
    expect(addressCode(localPart)).toMatchObject({ at, what });
    expect(addressCode(localPart)?.times).toBe(times);
  });

  test.each([
    '250',
    '354',
    '600',
    '5500',
    '451-first0',
    '451-first',
    'cutter',
    'full-house',
    'delay',
    'data',
    'duplicate-1',
    'alice',
    '',
  ])('%s@ does not', (localPart) => {
    expect(addressCode(localPart)).toBeUndefined();
  });

  test('every documented form is one', () => {
    for (const [forms] of ADDRESS_CODES)
      for (const form of forms.split(', '))
        expect([form, addressCode(form.slice(0, -1))]).not.toEqual([form, undefined]);
  });

  test('counts for itself, without case, and only where addresses may ask', () => {
    const asked = (address: string): Asked => ({ at: 'recipient', recipients: [address] });
    const made = new FaultRules({ addressCodes: true });
    expect(isHit(made, asked('451-first1@a.test'))).toBe(true);
    expect(isHit(made, asked('451-FIRST1@A.test'))).toBe(false);
    expect(isHit(made, asked('451-first1@b.test'))).toBe(true);
    expect(isHit(new FaultRules(), asked('550@a.test'))).toBe(false);
  });
});

describe('a rule as people write it', () => {
  test('each effect has a usual place', () => {
    const whats = [
      { type: 'refuse' },
      { type: 'delay', ms: 1 },
      { type: 'slow', octetsPerSecond: 1 },
      { type: 'cut' },
      { type: 'hide-capability', capability: 'x' },
      { type: 'wrong-literal', by: -1 },
      { type: 'new-uidvalidity' },
      { type: 'read-only' },
      { type: 'full-mailbox' },
      { type: 'expired-certificate' },
      { type: 'duplicate' },
      { type: 'greylist' },
    ] as const;
    expect(whats.map(({ type }) => type).sort()).toEqual(Object.keys(POINTS_OF).sort());
    for (const what of whats) expect(ruleDraft.parse({ what }).where.at).not.toBe(undefined);
    expect(ruleDraft.parse({ what: { type: 'slow', octetsPerSecond: 1 }, where: { command: 'data' } }).where).toEqual({
      at: 'command',
      command: 'DATA',
    });
  });

  test.each([
    ['{', /^not JSON: /],
    ['{}', /^must be a list of rules/],
    ['null', /^must be a list of rules/],
    ['[5]', /^rule 1: /],
    ['[{"what":{"type":"cut"}},{"name":"b","what":{"type":"cut","how":"axe"}}]', /^rule 2 \("b"\), what\.how: /],
    ['{"rules":[{"what":{"type":"refuse"},"where":{"at":"octets"}}]}', /^rule 1, where\.at: must be one of command, /],
  ])('a file that holds %s is refused', (text, message) => {
    expect(() => parseRules(text)).toThrow(BadRules);
    expect(() => parseRules(text)).toThrow(message);
  });
});

test('a speed between two is another one for each hit, and the same for the same seed', () => {
  const what = { type: 'slow', octetsPerSecond: 100, upTo: 200 };
  const speeds = (): number[] => {
    const made = rules({ what, where: { at: 'command' } });
    return Array.from({ length: 50 }, () => {
      const [hit] = made.match(NOOP, FACTS);
      return hit?.what.type === 'slow' ? hit.what.octetsPerSecond : NaN;
    });
  };
  const found = speeds();
  expect(found.every((speed) => speed >= 100 && speed <= 200)).toBe(true);
  expect(new Set(found).size).toBeGreaterThan(20);
  expect(speeds()).toEqual(found);
  expect(ruleDraft.safeParse({ what: { ...what, upTo: 99 } }).error?.issues[0]?.path).toEqual(['what', 'upTo']);
});
