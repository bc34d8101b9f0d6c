import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';

test('the variables of a compose file for Mailpit', () => {
  const config = readConfig([], {
    MP_DATABASE: '/data/mailpit.db',
    MP_MAX_MESSAGES: '5000',
    MP_MAX_AGE: '7d',
    MP_MAX_MESSAGE_SIZE: '5',
    MP_LABEL: 'Staging',
    MP_VERBOSE: 'true',
    MP_UI_BIND_ADDR: '0.0.0.0:9025',
    MP_SMTP_BIND_ADDR: '[::]:2525',
    MP_POP3_BIND_ADDR: '127.0.0.1:2110',
    MP_UI_AUTH: 'admin:secret',
    MP_SEND_API_AUTH: 'a:b c:d',
    MP_SMTP_AUTH_ACCEPT_ANY: '1',
    MP_SMTP_AUTH_ALLOW_INSECURE: 'true',
    MP_SMTP_MAX_RECIPIENTS: '7',
    MP_ENABLE_CHAOS: 'yes',
    MP_CHAOS_TRIGGERS: 'Sender:421:10, Authentication:550:5',
    MP_TAGS_DISABLE: 'x-tags',
    MP_TAGS_USERNAME: 'true',
    MP_TAGS_TITLE_CASE: 'false',
    MP_ALLOW_INTERNAL_HTTP_REQUESTS: 'true',
    MP_HIDE_DELETE_ALL_BUTTON: 'true',
    MP_WEBHOOK_URL: 'http://hooks.test/x',
    MP_WEBHOOK_LIMIT: '5',
    MP_SMTP_RELAY_HOST: 'relay.test',
    MP_SMTP_RELAY_PORT: '587',
    MP_SMTP_RELAY_STARTTLS: 'true',
    MP_SMTP_RELAY_AUTH: 'CRAM-MD5',
    MP_SMTP_RELAY_USERNAME: 'me',
    MP_SMTP_RELAY_SECRET: 'pass',
    MP_SMTP_RELAY_ALLOWED_RECIPIENTS: '@red\\.test$',
    MP_DISABLE_WAL: '1',
    MP_ENABLE_PROMETHEUS: 'true',
    MP_WEBROOT: '/',
  });
  expect(config).toMatchObject({
    data: '/data',
    maximumMessages: 5000,
    maximumAgeMs: 7 * 86_400_000,
    maximumMessageOctets: 5 * 1024 * 1024,
    logLevel: 'debug',
    hosts: ['0.0.0.0', '::'],
    ports: { http: 9025, smtp: 2525, pop3: 2110, imap: 1143 },
    httpAuth: ['admin:secret'],
    smtpAuth: 'any',
    allowPlaintextAuth: true,
    maximumRecipients: 7,
    chaos: { sender: { code: 421, probability: 10 }, authentication: { code: 550, probability: 5 } },
    tagging: { disabled: ['x-tags'], login: true, titleCase: false },
    mailpit: {
      label: 'Staging',
      hideDeleteAll: true,
      sendAuth: ['a:b', 'c:d'],
      linkCheck: 'internal',
      webhook: { url: 'http://hooks.test/x', perSecond: 5, delaySeconds: 0 },
      relay: {
        host: 'relay.test',
        port: 587,
        tls: 'required',
        auth: 'cram-md5',
        user: 'me',
        password: 'pass',
        allowed: /@red\.test$/i,
      },
    },
    notices: [],
  });
});

test('our own variables and flags beat them', () => {
  const environment = { MP_SMTP_BIND_ADDR: '127.0.0.1:2525', MP_LABEL: 'theirs', GLASSMAIL_LABEL: 'ours' };
  const config = readConfig(['--smtp-port', '3025'], environment);
  expect([config.ports.smtp, config.hosts, config.mailpit.label]).toEqual([3025, ['127.0.0.1'], 'ours']);
});

test('what is set and not understood is named in one line', () => {
  const environment = { MP_SMTP_RELAY_ALL: '1', MP_NONSENSE: 'x', MP_TAG: '', MP_QUIET: 'false' };
  expect(readConfig([], environment).notices).toEqual([
    "of Mailpit's variables, these change nothing here: MP_NONSENSE, MP_SMTP_RELAY_ALL",
  ]);
  expect(readConfig([], { MH_STORAGE: 'memory', MH_NONSENSE: 'x' }).notices).toEqual([
    "of MailHog's variables, these change nothing here: MH_NONSENSE",
  ]);
});

test('logins, files, tags, TLS of the pages and where they are', () => {
  const config = readConfig([], {
    MP_UI_AUTH: 'a:b c:d:e f',
    MP_UI_AUTH_FILE: '/auth',
    MP_UI_TLS_CERT: '/cert',
    MP_UI_TLS_KEY: '/key',
    MP_UI_BIND_ADDR: '0.0.0.0:9025',
    MP_API_CORS: 'https://App.test:8443/, http://localhost:3000',
    MP_WEBROOT: 'mail//pit',
    MP_SEND_API_AUTH_FILE: '/send',
    MP_SMTP_AUTH: 'app:secret',
    MP_SMTP_AUTH_FILE: '/smtp',
    MP_SMTP_ALLOWED_RECIPIENTS: '@red\\.test$',
    MP_SMTP_RELAY_CONFIG: '/relay.yml',
    MP_TAG: 'Shop,Order="from:shop@a.test subject:order" Big=larger:1m',
    MP_TAGS_CONFIG: '/tags.yml',
    MP_TAGS_DISABLE: 'plus-addressing,xtags',
  });
  expect(config).toMatchObject({
    httpAuth: ['a:b', 'c:d:e f'],
    httpAuthFile: '/auth',
    tlsCertificate: '/cert',
    tlsKey: '/key',
    ports: { https: 9025, http: 0 },
    smtpStartTls: false,
    httpCors: ['https://app.test:8443', 'http://localhost:3000'],
    webroot: '/mail/pit/',
    sendAuthFile: '/send',
    smtpLogins: ['app:secret'],
    smtpLoginsFile: '/smtp',
    allowedRecipients: /@red\.test$/i,
    relayFile: '/relay.yml',
    tagRules: [
      { tags: ['Shop', 'Order'], search: 'from:shop@a.test subject:order' },
      { tags: ['Big'], search: 'larger:1m' },
    ],
    tagRulesFile: '/tags.yml',
    tagging: { disabled: ['plus-addresses', 'x-tags'] },
    notices: [],
  });
});

test('the variables of a compose file for MailHog', () => {
  const config = readConfig([], {
    MH_SMTP_BIND_ADDR: '0.0.0.0:2525',
    MH_API_BIND_ADDR: '0.0.0.0:9025',
    MH_HOSTNAME: 'mail.test',
    MH_STORAGE: 'memory',
    MH_CORS_ORIGIN: '*',
    MH_UI_WEB_PATH: 'hog',
    MH_AUTH_FILE: '/auth',
    MH_OUTGOING_SMTP: '/out.json',
    MH_INVITE_JIM: 'true',
  });
  expect(config).toMatchObject({
    hosts: ['0.0.0.0', '::'],
    ports: { smtp: 2525, http: 9025 },
    serverName: 'mail.test',
    httpCors: ['*'],
    webroot: '/hog/',
    httpAuthFile: '/auth',
    outgoingFile: '/out.json',
    inviteJim: true,
    apiV1: 'mailhog',
    notices: [],
  });
  expect(readConfig([], {}).apiV1).toBe('mailpit');
});

test('nothing is removed, sent, asked or refused by itself', () => {
  expect(readConfig([], {})).toMatchObject({
    maximumMessages: undefined,
    maximumAgeMs: undefined,
    chaos: undefined,
    mailpit: { sendAuth: undefined, linkCheck: 'off', relay: undefined, webhook: undefined },
  });
});

test.each([
  [{ MP_MAX_AGE: 'soon' }, 'MP_MAX_AGE: "soon" is not a time'],
  [{ MP_WEBHOOK_URL: 'ftp://x' }, 'MP_WEBHOOK_URL: "ftp://x" is not an address of the web'],
  [{ MP_ENABLE_CHAOS: '1', MP_CHAOS_TRIGGERS: 'Sender:200:1' }, 'error code must be between 400 and 599'],
  [{ MP_ENABLE_CHAOS: '1', MP_CHAOS_TRIGGERS: 'Nobody:451:1' }, 'MP_CHAOS_TRIGGERS: "Nobody:451:1" is not like'],
  [{ MP_SMTP_RELAY_HOST: 'x', MP_SMTP_RELAY_BLOCKED_RECIPIENTS: '(' }, 'is not a regular expression'],
  [{ MP_SEND_API_AUTH: 'nobody' }, 'MP_SEND_API_AUTH needs the form user:password'],
  [{ MP_TAG: 'alone' }, 'MP_TAG: "alone" is not like Tag=search'],
  [{ MP_TAG: 'A=larger:much' }, 'MP_TAG: larger:much: '],
  [{ MP_TAG: 'Ü=x' }, 'is no tag'],
  [{ MP_WEBROOT: '/a/../b' }, 'MP_WEBROOT: "/a/../b" is not a path'],
  [{ MP_API_CORS: 'localhost' }, 'MP_API_CORS: "localhost" is not an origin'],
  [{ GLASSMAIL_RELEASE_TO: 'http://x' }, 'GLASSMAIL_RELEASE_TO: "http://x" is not a host'],
  [{ MP_TAGS_DISABLE: 'all' }, 'MP_TAGS_DISABLE: "all" is not one of plus-addresses, x-tags'],
])('%j stops the start', (environment, message) => {
  expect(() => readConfig([], environment)).toThrow(message);
});
