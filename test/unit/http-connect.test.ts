/** What mail programs ask for to set themselves up: read by parsers that are not ours, asked for by hosts of every kind. */
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serverName } from '../../src/http/connect/offer.ts';
import { autoconfigXml } from '../../src/http/connect/autoconfig.ts';
import { dnsRecords } from '../../src/http/connect/dns-records.ts';
import { profilePlist } from '../../src/http/connect/profile.ts';
import { isPlain, textConfigurations } from '../../src/http/connect/text-configurations.ts';
import { connectProgress, connectSettings } from '../../src/http/schemas/connect.ts';
import type { ConnectProgress, ConnectSettings } from '../../src/http/schemas/connect.ts';
import { fc } from '../property.ts';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { type Answered, askRaw } from './raw-http.ts';

const execute = promisify(execFile);

/** `[tag, text, {attributes}, [children]]`, by Python's parser; fails for what is no XML. */
type Element = readonly [string, string, Readonly<Record<string, string>>, readonly Element[]];
async function parseXml(text: string): Promise<Element> {
  const script = `import sys, json, xml.etree.ElementTree as tree
def plain(e): return [e.tag, (e.text or '').strip(), e.attrib, [plain(c) for c in e]]
print(json.dumps(plain(tree.fromstring(sys.stdin.buffer.read()))))`;
  return JSON.parse(await python(script, text)) as Element;
}

/** Octets become text of base64. */
async function parsePlist(text: string): Promise<Record<string, unknown>> {
  const script = `import sys, json, plistlib, base64
value = plistlib.loads(sys.stdin.buffer.read())
print(json.dumps(value, default=lambda data: base64.b64encode(data).decode()))`;
  return JSON.parse(await python(script, text)) as Record<string, unknown>;
}

async function python(script: string, input: string): Promise<string> {
  const running = execute('python3', ['-c', script], { encoding: 'utf8' });
  running.child.stdin!.end(input);
  return (await running).stdout;
}

const childOf = ([, , , children]: Element, name: string): Element => children.find(([tag]) => tag.endsWith(name))!;
const childrenOf = ([, , , children]: Element, name: string): Element[] =>
  children.filter(([tag]) => tag.endsWith(name));
const textsOf = (element: Element): Record<string, string> =>
  Object.fromEntries(element[3].map(([tag, text]) => [tag.replace(/^\{.*\}/, ''), text]));

const SERVICES = [
  { service: 'imaps', protocol: 'imap', port: 1993, security: 'tls' },
  { service: 'submissions', protocol: 'smtp', port: 1465, security: 'tls' },
] as const;

let stack: TestStack;
let domains: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
  domains = await startTestStack(
    '--domains',
    'red.test',
    '--accounts',
    'alice',
    '--imaps-port',
    'off',
    '--pop3-port',
    'off',
  );
});
afterAll(async () => {
  expect(stack.logged).toEqual([]);
  expect(domains.logged).toEqual([]);
  await stack[Symbol.asyncDispose]();
  await domains[Symbol.asyncDispose]();
});

const ask = (
  path: string,
  {
    host = 'localhost',
    method = 'GET',
    body = '',
    of = stack,
  }: { host?: string; method?: string; body?: string; of?: TestStack } = {},
): Promise<Answered> => askRaw(of.port('http'), method, path, { host, body });

async function api<T>(path: string): Promise<T> {
  return JSON.parse((await ask(path)).text) as T;
}

describe('autoconfig', () => {
  const PATHS = ['/mail/config-v1.1.xml', '/.well-known/autoconfig/mail/config-v1.1.xml'];

  test.each(PATHS)('%s names every service under TLS, the best first, with its real port', async (path) => {
    const { status, type, text } = await ask(`${path}?emailaddress=alice%40glass.localhost`, {
      host: 'autoconfig.glass.localhost',
    });
    expect([status, type]).toEqual([200, 'text/xml; charset=utf-8']);
    const config = await parseXml(text);
    expect([config[0], config[2].version]).toEqual(['clientConfig', '1.1']);
    const provider = childOf(config, 'emailProvider');
    expect(childOf(provider, 'domain')[1]).toBe('glass.localhost');
    const serversOf = (name: string) =>
      childrenOf(provider, name).map((server) => {
        const { hostname, port, socketType, authentication, username } = textsOf(server);
        expect([hostname, authentication, username]).toEqual(['localhost', 'password-cleartext', '%EMAILADDRESS%']);
        return [server[2].type, Number(port), socketType];
      });
    expect(serversOf('incomingServer')).toEqual([
      ['imap', stack.port('imaps'), 'SSL'],
      ['imap', stack.port('imap'), 'STARTTLS'],
      ['pop3', stack.port('pop3s'), 'SSL'],
      ['pop3', stack.port('pop3'), 'STARTTLS'],
    ]);
    expect(serversOf('outgoingServer')).toEqual([
      ['smtp', stack.port('submissions'), 'SSL'],
      ['smtp', stack.port('submission'), 'STARTTLS'],
    ]);
    // Never in clear, and nothing that is lost for other readers.
    expect(text).not.toContain('plain<');
    for (const pop3 of childrenOf(provider, 'incomingServer').filter(([, , { type: kind }]) => kind === 'pop3')) {
      expect(textsOf(childOf(pop3, 'pop3'))).toEqual({ leaveMessagesOnServer: 'true' });
    }
  });

  test('answers any host, with the name by which it was reached', async () => {
    const hostOf = async (host: string) => {
      const { status, text } = await ask(PATHS[0]!, { host });
      expect([host, status]).toEqual([host, 200]);
      return textsOf(childOf(childOf(await parseXml(text), 'emailProvider'), 'incomingServer')).hostname;
    };
    expect(await hostOf('autoconfig.elsewhere.example')).toBe('elsewhere.example');
    expect(await hostOf('Mail.Example:80')).toBe('mail.example');
    expect(await hostOf('192.168.1.20:8025')).toBe('192.168.1.20');
    expect(await hostOf('[fd00::1]:8025')).toBe('fd00::1');
    expect(await hostOf('[::1]:8025')).toBe('localhost');
  });

  test('without a login in domain mode, and of its own domains alone; services that are off are not there', async () => {
    const { text } = await ask(`${PATHS[0]!}?emailaddress=nobody@red.test`, { of: domains, host: 'mail.red.test' });
    const provider = childOf(await parseXml(text), 'emailProvider');
    expect(childrenOf(provider, 'incomingServer').map((server) => textsOf(server).port)).toEqual([
      String(domains.port('imap')),
      String(domains.port('pop3s')),
    ]);
    const other = await ask(`${PATHS[0]!}?emailaddress=alice@blue.test`, { of: domains });
    expect([other.status, other.text]).toEqual([404, 'this server has no mail of that domain\n']);
    // And nothing else without one.
    expect((await ask('/api/glass/connect', { of: domains })).status).toBe(403);
  });

  test('a server that has nothing to read by has no settings to tell', async () => {
    const off = ['imap', 'imaps', 'pop3', 'pop3s'].flatMap((service) => [`--${service}-port`, 'off']);
    await using quiet = await startTestStack(...off);
    expect((await ask(PATHS[0]!, { of: quiet })).status).toBe(404);
    expect((await ask('/connect/alice.mobileconfig', { of: quiet })).status).toBe(404);
  });

  test.each([
    '<x>',
    'a b',
    '"',
    'x&y',
    "x'",
    'x/../y',
    'a@b',
    'x..y',
    '-x',
    '1.2.3',
    '999.1.1.1',
    '[::g]',
    '%00',
    'ä.test',
  ])('the host %j is refused', async (host) => {
    expect(serverName(host)).toBeUndefined();
    for (const path of [PATHS[0]!, '/connect/alice.mobileconfig', '/Autodiscover/Autodiscover.xml']) {
      expect((await ask(path, { host })).status).toBe(400);
    }
  });

  test.each(['', '<script>', 'a b', '@', 'a@', '@b', 'a@<b>', 'a@b"c', 'a\u0001@b.test'])(
    'the address %j breaks nothing',
    async (address) => {
      const asked = encodeURIComponent(address);
      const { status, text } = await ask(`${PATHS[0]!}?emailaddress=${asked}`);
      expect(status).toBe(address === '' ? 200 : 400);
      if (status === 200) await parseXml(text);
      // Without any name it is no profile, but a page.
      if (address !== '') expect((await ask(`/connect/${asked}.mobileconfig`)).status).toBe(400);
    },
  );

  test('whatever is written into it, it is read back as it was', async () => {
    const texts = fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(texts, async (parts) => {
        // One process for many values.
        const all = parts.map((part) => part.replace(/\s/g, ' ').trim());
        const documents = all.map((domain) =>
          autoconfigXml({ host: 'h', domain, services: SERVICES }).replace(/^<\?xml.*\?>/, ''),
        );
        const read = await parseXml(`<all>${documents.join('')}</all>`);
        const domainsRead = read[3].map((config) => childOf(childOf(config, 'emailProvider'), 'domain')[1]);
        expect(domainsRead).toEqual(
          all.map((text) => text.replace(/[\x00-\x08\x0e-\x1f\ufffe\uffff]/g, '\ufffd').trim()),
        );
      }),
      { numRuns: 5 },
    );
  });
});

describe('Autodiscover', () => {
  const request = (
    address: string,
    schema = 'http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a',
  ) =>
    `<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request><EMailAddress>${address}</EMailAddress><AcceptableResponseSchema>${schema}</AcceptableResponseSchema></Request></Autodiscover>`;
  const post = (path: string, body: string, host = 'autodiscover.glass.localhost') =>
    ask(path, { method: 'POST', body, host });

  test.each(['/autodiscover/autodiscover.xml', '/Autodiscover/Autodiscover.xml', '/AutoDiscover/AutoDiscover.XML'])(
    'POST %s tells the settings',
    async (path) => {
      const { status, type, text } = await post(path, request('alice@glass.localhost'));
      expect([status, type]).toEqual([200, 'text/xml; charset=utf-8']);
      const document = await parseXml(text);
      expect(document[0]).toBe('{http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006}Autodiscover');
      const response = childOf(document, 'Response');
      expect(response[0]).toContain('outlook/responseschema/2006a}');
      const account = childOf(response, 'Account');
      expect(textsOf(account)).toMatchObject({ AccountType: 'email', Action: 'settings' });
      const protocols = childrenOf(account, 'Protocol').map(textsOf);
      expect(protocols.map(({ Type, Port, Encryption }) => [Type, Number(Port), Encryption])).toEqual([
        ['IMAP', stack.port('imaps'), 'SSL'],
        ['IMAP', stack.port('imap'), 'TLS'],
        ['POP3', stack.port('pop3s'), 'SSL'],
        ['POP3', stack.port('pop3'), 'TLS'],
        ['SMTP', stack.port('submissions'), 'SSL'],
        ['SMTP', stack.port('submission'), 'TLS'],
      ]);
      for (const protocol of protocols) {
        const common = {
          Server: 'localhost',
          LoginName: 'alice@glass.localhost',
          SSL: 'on',
          SPA: 'off',
          AuthRequired: 'on',
        };
        expect(protocol).toMatchObject(common);
      }
    },
  );

  test('says what it does not take', async () => {
    const phones = await post(
      '/autodiscover/autodiscover.xml',
      request('a@b.test', 'http://schemas.microsoft.com/x/mobilesync'),
    );
    expect(textsOf(childOf(childOf(await parseXml(phones.text), 'Response'), 'Error')).ErrorCode).toBe('601');
    const empty = await post('/autodiscover/autodiscover.xml', '<a/>');
    expect(empty.status).toBe(400);
    expect(textsOf(childOf(childOf(await parseXml(empty.text), 'Response'), 'Error')).ErrorCode).toBe('600');
    expect((await post('/autodiscover/autodiscover.xml', request('x &lt;y&gt; z'))).status).toBe(400);
    expect((await post('/autodiscover/autodiscover.xml', 'x'.repeat(100_000))).status).toBe(413);
    const amp = await post('/autodiscover/autodiscover.xml', request('a&amp;b@glass.localhost'));
    expect(textsOf(childOf(childOf(await parseXml(amp.text), 'Response'), 'User')).DisplayName).toBe(
      'a&b@glass.localhost',
    );
  });

  test('GET leads to HTTPS if there is one, and is refused otherwise; the newer form is not there', async () => {
    const asked = await ask('/autodiscover/autodiscover.xml', { host: 'autodiscover.red.test:80' });
    expect([asked.status, asked.headers.location]).toEqual([
      302,
      `https://red.test:${stack.port('https')}/autodiscover/autodiscover.xml`,
    ]);
    await using plain = await startTestStack('--https-port', 'off');
    expect((await ask('/autodiscover/autodiscover.xml', { of: plain })).status).toBe(405);
    for (const path of [
      '/autodiscover/autodiscover.json',
      '/Autodiscover/Autodiscover.json/v1.0/a@b.test?Protocol=x',
    ]) {
      expect((await ask(path, { host: 'autodiscover.elsewhere.example' })).status).toBe(404);
    }
  });
});

describe('a configuration profile', () => {
  /** Of Apple's schema for `com.apple.mail.managed`, with their types. */
  const MAIL_KEYS: Readonly<Record<string, 'string' | 'number' | 'boolean'>> = {
    EmailAccountDescription: 'string',
    EmailAccountName: 'string',
    EmailAccountType: 'string',
    EmailAddress: 'string',
    IncomingMailServerAuthentication: 'string',
    IncomingMailServerHostName: 'string',
    IncomingMailServerPortNumber: 'number',
    IncomingMailServerUseSSL: 'boolean',
    IncomingMailServerUsername: 'string',
    OutgoingMailServerAuthentication: 'string',
    OutgoingMailServerHostName: 'string',
    OutgoingMailServerPortNumber: 'number',
    OutgoingMailServerUseSSL: 'boolean',
    OutgoingMailServerUsername: 'string',
    OutgoingPasswordSameAsIncomingPassword: 'boolean',
  };
  const COMMON = ['PayloadType', 'PayloadVersion', 'PayloadIdentifier', 'PayloadUUID', 'PayloadDisplayName'];

  test('has the authority and the account, with the keys that Apple knows, and no password', async () => {
    const { status, type, text } = await ask('/connect/alice.mobileconfig', { host: '192.168.1.20:8025' });
    expect([status, type]).toEqual([200, 'application/x-apple-aspen-config']);
    const profile = await parsePlist(text);
    expect(profile).toMatchObject({ PayloadType: 'Configuration', PayloadVersion: 1 });
    const [root, mail] = profile.PayloadContent as Record<string, unknown>[];
    expect(root!.PayloadType).toBe('com.apple.security.root');
    const der = Buffer.from(root!.PayloadContent as string, 'base64');
    expect(new X509Certificate(der).ca).toBe(true);
    expect(
      Object.keys(mail!)
        .filter((key) => !COMMON.includes(key))
        .sort(),
    ).toEqual(Object.keys(MAIL_KEYS).sort());
    for (const [key, kind] of Object.entries(MAIL_KEYS)) expect([key, typeof mail![key]]).toEqual([key, kind]);
    expect(mail).toMatchObject({
      PayloadType: 'com.apple.mail.managed',
      EmailAccountType: 'EmailTypeIMAP',
      EmailAddress: 'alice@glass.localhost',
      IncomingMailServerHostName: '192.168.1.20',
      IncomingMailServerPortNumber: stack.port('imaps'),
      OutgoingMailServerPortNumber: stack.port('submissions'),
    });
    for (const payload of [profile, root!, mail!]) {
      expect(payload.PayloadUUID).toMatch(/^[0-9A-F]{8}-[0-9A-F]{4}-8[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$/);
    }
    expect(text).not.toContain('glass</string>');
  });

  test('has the same identifiers each time, so that it replaces itself, and others for others', async () => {
    const identity = async (path: string, host = 'localhost') => {
      const { PayloadIdentifier, PayloadUUID } = await parsePlist((await ask(path, { host })).text);
      return [PayloadIdentifier, PayloadUUID];
    };
    const first = await identity('/connect/alice.mobileconfig');
    expect(await identity('/connect/ALICE%40glass.localhost.mobileconfig', '10.0.0.1')).toEqual(first);
    const other = await identity('/connect/bob.mobileconfig');
    expect(other[0]).not.toBe(first[0]);
    expect(other[1]).not.toBe(first[1]);
  });

  test('leads to another host only if that is none of strangers', async () => {
    const to = async (host: string) => ask(`/connect/alice.mobileconfig?host=${encodeURIComponent(host)}`);
    const profile = await parsePlist((await to('192.168.1.20')).text);
    expect((profile.PayloadContent as Record<string, unknown>[])[1]!.IncomingMailServerHostName).toBe('192.168.1.20');
    expect((await to('evil.example')).status).toBe(400);
    expect((await to('<b>')).status).toBe(400);
  });

  test('holds what could break it, as it is', async () => {
    const account = `a<&>"'b@glass.localhost`;
    const plist = profilePlist({ host: 'localhost', account, services: SERVICES, authority: undefined })!;
    const profile = await parsePlist(plist);
    const content = profile.PayloadContent as Record<string, unknown>[];
    expect(content.length).toBe(1);
    expect(content[0]!.EmailAddress).toBe(account);
  });
});

test('the authority is there as DER and as PEM, for any host', async () => {
  const host = 'elsewhere.example';
  const [der, pem] = [await ask('/ca.crt', { host }), await ask('/ca.pem', { host })];
  expect([der.type, pem.type]).toEqual(['application/x-x509-ca-cert', 'application/x-pem-file']);
  const certificate = new X509Certificate(der.octets);
  expect(certificate.raw.equals(new X509Certificate(pem.text).raw)).toBe(true);
  expect(certificate.ca).toBe(true);
  const { authority } = await api<ConnectSettings>('/api/glass/connect');
  expect(authority!.sha256.replaceAll(' ', '')).toBe(certificate.fingerprint256.replaceAll(':', ''));
  expect(authority!.sha1).toMatch(/^(?:[0-9A-F]{4} ){9}[0-9A-F]{4}$/);
});

describe('the settings for the page', () => {
  test('have everything, and the password only where it is the default still', async () => {
    const settings = connectSettings.parse(await api('/api/glass/connect?account=alice'));
    expect(settings).toMatchObject({ account: 'alice@glass.localhost', host: 'localhost', password: 'glass' });
    expect(settings.services.map(({ service }) => service)).toEqual([
      'imaps',
      'imap',
      'pop3s',
      'pop3',
      'submissions',
      'submission',
    ]);
    expect(settings.configurations.map(({ program }) => program)).toEqual([
      ...['mutt', 'neomutt', 'aerc', 'himalaya', 'mbsync', 'msmtp', 'fetchmail', 'mpop', 'getmail', 'curl', 'openssl'],
      ...['swaks', 'nodemailer', 'imapflow', 'python', 'php', 'java', 'spring', 'django', 'rails', 'laravel'],
    ]);
    expect((await ask('/api/glass/connect?account=nobody')).status).toBe(404);
    expect((await ask('/api/glass/connect?host=%3Cx%3E')).status).toBe(400);
    expect((await ask('/api/glass/connect?host=a..b')).status).toBe(400);
  });

  test('texts have a password only if it is the default one, and harmless', async () => {
    await using other = await startTestStack('--password', 'hush.hush');
    await other.store.createAccount({ address: 'carol@glass.localhost', passwordRecord: undefined });
    const of = async (account: string) =>
      JSON.parse((await ask(`/api/glass/connect?account=${account}`, { of: other })).text) as ConnectSettings;
    const [alice, carol] = [await of('alice'), await of('carol')];
    expect([alice.password, carol.password]).toEqual(['hush.hush', null]);
    expect(alice.configurations.filter((each) => JSON.stringify(each).includes('hush.hush')).length).toBe(16);
    expect(JSON.stringify(carol)).not.toContain('hush');
    await using hostile = await startTestStack('--password', `a'$(b)`);
    const { password, configurations } = JSON.parse(
      (await ask('/api/glass/connect', { of: hostile })).text,
    ) as ConnectSettings;
    expect(password).toBe(`a'$(b)`);
    expect(JSON.stringify(configurations)).not.toContain('$(b)');
  });

  test('texts never hold what a shell could run', () => {
    const names = fc.string({ unit: 'binary', minLength: 1 });
    fc.assert(
      fc.property(names, (name) => {
        if (isPlain(name)) expect(name).not.toMatch(/[\s"'`$\\;|&<>(){}[\]*?!#~%^,:/\x00-\x1f]/);
      }),
    );
    for (const safe of ['alice@glass.localhost', 'a.b+tag=1_x-y@jürgen.test']) expect(isPlain(safe)).toBe(true);
    for (const unsafe of ['-rf@x', '"a b"@x', '$(x)@y', 'a`b`@c', "a'@b", '']) expect(isPlain(unsafe)).toBe(false);
  });

  test('texts for services under STARTTLS alone demand it', () => {
    const services = [
      { service: 'imap', protocol: 'imap', port: 143, security: 'starttls' },
      { service: 'submission', protocol: 'smtp', port: 587, security: 'starttls' },
    ] as const;
    const made = textConfigurations({
      host: 'mail.test',
      account: 'a@b.test',
      password: undefined,
      services,
      application: undefined,
      authorityUrl: 'http://mail.test:8025/ca.pem',
    });
    const textOf = (program: string) => {
      const { files, run } = made.find((each) => each.program === program)!;
      return [...files.map(({ text }) => text), run].join('\n');
    };
    expect(textOf('mutt')).toContain('ssl_force_tls = yes');
    expect(textOf('msmtp')).toContain('tls_starttls on');
    expect(textOf('curl')).toContain('--ssl-reqd');
    expect(textOf('nodemailer')).toContain('requireTLS: true');
    expect(textOf('imapflow')).toContain('doSTARTTLS: true');
    expect(textOf('python')).toContain('starttls(context');
    expect(textOf('openssl')).toContain('-starttls imap');
    expect(textOf('mbsync')).toContain('SSLType STARTTLS');
    expect(textOf('django')).toContain('EMAIL_USE_TLS = True');
    // It knows no STARTTLS, and would go in clear.
    expect(made.some(({ program }) => program === 'getmail')).toBe(false);
    // Without POP3 it is asked over IMAP.
    expect(textOf('fetchmail')).toContain('protocol IMAP port 143');
    for (const { files } of made)
      for (const { text } of files) expect(text).not.toMatch(/rejectUnauthorized|verify none/);
  });

  test('DNS records lead to names, and say of what is off that it is not there', () => {
    expect(
      dnsRecords('red.test', 'mail.red.test', SERVICES, undefined)
        .split('\n')
        .map((line) => line.split(/ +/)),
    ).toEqual([
      ['_imaps._tcp.red.test.', '3600', 'IN', 'SRV', '0', '1', '1993', 'mail.red.test.'],
      ['_imap._tcp.red.test.', '3600', 'IN', 'SRV', '0', '0', '0', '.'],
      ['_pop3s._tcp.red.test.', '3600', 'IN', 'SRV', '0', '0', '0', '.'],
      ['_pop3._tcp.red.test.', '3600', 'IN', 'SRV', '0', '0', '0', '.'],
      ['_submissions._tcp.red.test.', '3600', 'IN', 'SRV', '0', '1', '1465', 'mail.red.test.'],
      ['_submission._tcp.red.test.', '3600', 'IN', 'SRV', '0', '0', '0', '.'],
      ['autoconfig.red.test.', '3600', 'IN', 'CNAME', 'mail.red.test.'],
      [''],
    ]);
    const byAddress = dnsRecords('red.test', '10.0.0.9', SERVICES, 8443);
    expect(byAddress).toMatch(/_autodiscover\._tcp\.red\.test\. +3600 IN SRV +0 1 8443 mail\.red\.test\.\n/);
    expect(byAddress).toMatch(/^mail\.red\.test\. +3600 IN A +10\.0\.0\.9$/m);
  });

  test('the progress says that nothing has come, and a scope sees nothing of others', async () => {
    const progress = connectProgress.parse(await api('/api/glass/connect/progress?account=bob'));
    expect(progress.steps.map(({ step }) => step)).toEqual([
      'settings',
      'reached',
      'secured',
      'login',
      'opened',
      'read',
      'sent',
      'copied',
    ]);
    expect(progress.steps.slice(1).every(({ state }) => state === 'waiting')).toBe(true);
    expect(progress.services.every(({ connections }) => connections === 0)).toBe(true);
    const made = await ask('/api/glass/scopes', { method: 'POST', body: '{"name":"mine"}' });
    const { token } = JSON.parse(made.text) as { token: string };
    const asScope = (path: string) => askRaw(stack.port('http'), 'GET', path, { host: 'localhost', token });
    const own = JSON.parse((await asScope('/api/glass/connect/progress')).text) as ConnectProgress;
    expect(own.steps.every(({ state }) => state === 'waiting')).toBe(true);
    expect(own.services.every(({ connections }) => connections === null)).toBe(true);
    expect((await asScope('/api/glass/connect?account=alice@glass.localhost')).status).toBe(404);
    const settings = JSON.parse((await asScope('/api/glass/connect')).text) as ConnectSettings;
    expect(settings.password).toBeNull();
  });
});
