import { fc } from '../property.ts';
import { describe, expect, test } from 'vitest';
import {
  type Asking,
  credentials,
  hostAllowed,
  hostName,
  isPrivateAddress,
  judge,
  sameOrigin,
} from '../../src/http/access.ts';

describe('host names', () => {
  test.each([
    ['localhost:8025', 'localhost'],
    ['LOCALHOST', 'localhost'],
    ['127.0.0.1:8025', '127.0.0.1'],
    ['[::1]:8025', '::1'],
    ['[::1]', '::1'],
    ['mail.red.test.', 'mail.red.test'],
    ['mail.red.test.:80', 'mail.red.test'],
  ])('%s', (field, name) => {
    expect(hostName(field)).toBe(name);
  });
  test.each(['', 'a b', 'a/b', 'a@b', 'a:b:c', '[::1', 'x:', '[x]'])('%s is none', (field) => {
    expect(hostName(field)).toBeUndefined();
  });

  const domains = ['red.example'];
  const hosts = ['mail.corp.example', '.lan.example'];
  test.each([
    'localhost',
    'localhost:8025',
    '127.0.0.1:8025',
    '192.168.1.7',
    '[::1]:8025',
    'glassmail:8025',
    'glass.localhost:8025',
    'a.b.test',
    'red.example',
    'mail.red.example',
    'mail.corp.example',
    'lan.example',
    'x.y.lan.example',
  ])('%s is answered', (host) => {
    expect(hostAllowed(host, domains, hosts)).toBe(true);
  });
  test.each([
    'evil.example',
    'localhost.evil.example',
    'xred.example',
    'sub.mail.corp.example',
    '127.0.0.1.nip.io',
    'a b',
    'test.evil.com',
  ])('%s is not', (host) => {
    expect(hostAllowed(host, domains, hosts)).toBe(false);
  });
  test('a star allows all', () => {
    expect(hostAllowed('evil.example', [], ['*'])).toBe(true);
  });
});

describe('origins', () => {
  test.each([
    [undefined, 'localhost:8025', true],
    ['http://localhost:8025', 'localhost:8025', true],
    ['http://LOCALHOST:8025', 'localhost:8025', true],
    ['https://mail.test', 'mail.test', true],
    ['https://mail.test', 'mail.test:443', true],
    ['http://mail.test', 'mail.test:80', true],
    ['http://[::1]:8025', '[::1]:8025', true],
    ['http://localhost:3000', 'localhost:8025', false],
    ['http://evil.test', 'localhost:8025', false],
    ['null', 'localhost:8025', false],
    ['', 'localhost:8025', false],
    ['file://', 'localhost:8025', false],
    ['http://localhost:8025', undefined, false],
    ['http://localhost:8025', 'a b', false],
  ])('%s at %s: %s', (origin, host, expected) => {
    expect(sameOrigin(origin, host)).toBe(expected);
  });
});

test.each([
  ['127.0.0.1', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['10.1.2.3', true],
  ['172.16.0.1', true],
  ['172.32.0.1', false],
  ['192.168.0.1', true],
  ['fe80::1%eth0', true],
  ['fd00::1', true],
  ['2001:db8::1', false],
  ['8.8.8.8', false],
  ['::ffff:8.8.8.8', false],
  ['', false],
  [undefined, false],
])('private: %s %s', (address, expected) => {
  expect(isPrivateAddress(address)).toBe(expected);
});

describe('credentials', () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  test('the login', () => {
    expect(credentials(basic('user:pässword'), 'token', 'user:pässword').type).toBe('accepted');
    expect(credentials(basic('user:wrong'), 'token', 'user:password').type).toBe('refused');
    expect(credentials(undefined, 'token', 'user:password').type).toBe('none');
    expect(credentials(basic('a:b'), 'token', undefined).type).toBe('none');
  });
  test('the token', () => {
    expect(credentials('Bearer token', 'token', undefined).type).toBe('accepted');
    expect(credentials('bearer token', 'token', 'user:password').type).toBe('accepted');
    expect(credentials('Bearer other', 'token', undefined).type).toBe('refused');
    // An empty token opens nothing.
    expect(credentials('Bearer ', '', undefined).type).not.toBe('accepted');
    expect(credentials('Bearer x', '', undefined).type).toBe('refused');
  });
  test('no field is accepted by chance', () => {
    fc.assert(fc.property(fc.string(), (field) => credentials(field, 'secret-token', 'u:p').type !== 'accepted'));
  });
});

describe('the verdict', () => {
  const rules = {
    mode: 'capture' as 'capture' | 'domain',
    domains: ['glass.localhost'],
    defaultDomain: 'glass.localhost',
    hosts: [],
    token: 'the-token',
    auth: undefined as string | undefined,
  };
  const asking = (more: Partial<Asking> = {}, headers: Readonly<Record<string, string>> = {}): Asking => ({
    method: 'GET',
    path: '/api/glass/status',
    upgrade: false,
    address: '127.0.0.1',
    header: (name) => ({ host: 'localhost:8025', ...headers })[name],
    ...more,
  });
  const status = (verdict: ReturnType<typeof judge>) => (verdict.type === 'permitted' ? 200 : verdict.status);

  test('capture mode: everybody reads, private addresses administer', () => {
    expect(judge(asking(), rules)).toEqual({ type: 'permitted', administers: true });
    expect(judge(asking({ address: '8.8.8.8' }), rules)).toEqual({ type: 'permitted', administers: false });
    const withToken = judge(asking({ address: '8.8.8.8' }, { authorization: 'Bearer the-token' }), rules);
    expect(withToken).toEqual({ type: 'permitted', administers: true });
  });

  test('domain mode without a login serves health and set-up alone', () => {
    const domain = { ...rules, mode: 'domain' as const };
    expect(judge(asking(), domain)).toMatchObject({
      status: 403,
      detail: expect.stringContaining('GLASSMAIL_HTTP_AUTH') as string,
    });
    for (const path of ['/livez', '/readyz', '/mail/config-v1.1.xml', '/Autodiscover/Autodiscover.xml']) {
      expect(status(judge(asking({ path }, { host: 'autoconfig.anything.example' }), domain))).toBe(200);
    }
    expect(status(judge(asking({}, { authorization: 'Bearer the-token' }), domain))).toBe(200);
    expect(status(judge(asking({ path: '/metrics' }), domain))).toBe(403);
  });

  test('a login is asked for, and then gives all', () => {
    const withLogin = { ...rules, mode: 'domain' as const, auth: 'u:p' };
    expect(judge(asking(), withLogin)).toMatchObject({
      status: 401,
      challenge: 'Basic realm="glassmail", charset="UTF-8"',
    });
    const authorization = `Basic ${Buffer.from('u:p').toString('base64')}`;
    expect(judge(asking({}, { authorization }), withLogin)).toEqual({ type: 'permitted', administers: true });
    expect(judge(asking({}, { authorization: 'Basic eDp5' }), withLogin)).toMatchObject({
      status: 401,
      wrongCredentials: true,
    });
    expect(status(judge(asking({ path: '/livez' }), withLogin))).toBe(200);
  });

  test('another host name is another site', () => {
    expect(judge(asking({}, { host: 'evil.example' }), rules)).toMatchObject({
      status: 421,
      detail: expect.stringContaining('evil.example') as string,
    });
    // What is wrong is said in one line, whatever the name holds.
    const odd = judge(asking({}, { host: 'evil\r\nX: y' }), rules);
    expect(odd.type === 'refused' && /^[\x20-\x7e]+$/.test(odd.detail)).toBe(true);
  });

  test('pages of other sites change nothing and open no WebSocket', () => {
    const elsewhere = { origin: 'http://evil.test' };
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      expect(status(judge(asking({ method }, elsewhere), rules))).toBe(403);
      expect(status(judge(asking({ method }, { origin: 'http://localhost:8025' }), rules))).toBe(200);
      expect(status(judge(asking({ method }, { 'sec-fetch-site': 'cross-site' }), rules))).toBe(403);
    }
    expect(status(judge(asking({ upgrade: true }, elsewhere), rules))).toBe(403);
    expect(status(judge(asking({ upgrade: true }), rules))).toBe(200);
    expect(status(judge(asking({ method: 'POST' }, { ...elsewhere, authorization: 'Bearer the-token' }), rules))).toBe(
      403,
    );
  });

  test('pages of other sites link here, and embed nothing from here', () => {
    const navigation = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    expect(status(judge(asking({ path: '/mail' }, navigation), rules))).toBe(200);
    for (const site of ['cross-site', 'same-site']) {
      expect(status(judge(asking({}, { 'sec-fetch-site': site, 'sec-fetch-mode': 'no-cors' }), rules))).toBe(403);
    }
    expect(status(judge(asking({}, { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }), rules))).toBe(200);
  });
});
