import { describe, expect, test } from 'vitest';
import { ConfigError, SETTINGS, readConfig, variableOf } from '../../src/config.ts';

describe('defaults', () => {
  test('capture mode: every domain is local, both loopback addresses, the ports of the contract', () => {
    const config = readConfig([], {});
    expect(config).toMatchObject({
      mode: 'capture',
      defaultDomain: 'glass.localhost',
      hosts: ['127.0.0.1', '::1'],
      accounts: ['alice@glass.localhost', 'bob@glass.localhost'],
      password: 'glass',
      smtpAuth: 'any',
      smtpStartTls: false,
      durability: 'power',
      maximumMessageOctets: 52_428_800,
      maximumRecipients: 1000,
      recordOctets: 67_108_864,
    });
    expect(config.ports).toEqual({
      smtp: 1025,
      submission: 1587,
      submissions: 1465,
      imap: 1143,
      imaps: 1993,
      pop3: 1110,
      pop3s: 1995,
      http: 8025,
      https: 8443,
      lmtp: undefined,
    });
  });

  test('the ports of GreenMail; one of its own flag wins, wherever it is given', () => {
    const ports = { smtp: 3025, submissions: 3465, imap: 3143, imaps: 3993, pop3: 3110, pop3s: 3995, http: 8080 };
    const others = { submission: undefined, https: undefined, lmtp: undefined };
    expect(readConfig(['--ports', 'greenmail'], {}).ports).toEqual({ ...ports, ...others });
    const given = readConfig(['--imap-port', '1', '--ports', 'greenmail'], { GLASSMAIL_SMTP_PORT: '2' });
    expect(given.ports).toEqual({ ...ports, ...others, imap: 1, smtp: 2 });
    expect(given.openSubmissions).toBe(true);
    expect(readConfig(['--ports', 'greenmail', '--domains', 'red.test'], {}).openSubmissions).toBe(false);
    expect(() => readConfig([], { GLASSMAIL_PORTS: 'green' })).toThrow(
      new ConfigError('GLASSMAIL_PORTS: "green" is not one of glassmail, greenmail'),
    );
  });

  test('domain mode: no accounts, no password, no recording, STARTTLS offered', () => {
    const config = readConfig(['--domains', 'Red.test,blue.test'], {});
    expect(config).toMatchObject({
      mode: 'domain',
      domains: ['red.test', 'blue.test'],
      defaultDomain: 'red.test',
      accounts: [],
      password: undefined,
      smtpAuth: 'none',
      smtpStartTls: true,
      recordOctets: 0,
      serverName: 'mail.red.test',
    });
  });
});

describe('where a value comes from', () => {
  test('a flag beats a variable beats the default', () => {
    const environment = { GLASSMAIL_SMTP_PORT: '2025', GLASSMAIL_IMAP_PORT: 'off' };
    const { ports } = readConfig(['--smtp-port=3025'], environment);
    expect(ports).toMatchObject({ smtp: 3025, imap: undefined, pop3: 1110 });
  });

  test('a switch may stand alone, before another flag or at the end', () => {
    expect(readConfig(['--smtp-starttls', '--imap-port', '0'], {}).smtpStartTls).toBe(true);
    expect(readConfig(['--imap-port', '0', '--allow-plaintext-auth'], {}).allowPlaintextAuth).toBe(true);
    expect(readConfig(['--smtp-starttls', 'off'], {}).smtpStartTls).toBe(false);
  });

  test('a local part alone is an account of the default domain', () => {
    const { accounts } = readConfig(['--accounts', 'carol,dave@Other.test', '--domains', 'a.test'], {});
    expect(accounts).toEqual(['carol@a.test', 'dave@other.test']);
  });

  test('variables that an orchestrator sets beside a service named glassmail are not meant for us', () => {
    const config = readConfig([], {
      GLASSMAIL_SMTP_PORT: 'tcp://10.0.0.1:1025',
      GLASSMAIL_PORT_1025_TCP: 'tcp://10.0.0.1:1025',
      GLASSMAIL_SERVICE_HOST: '10.0.0.1',
      GLASSMAIL_PORT: 'tcp://10.0.0.1:1025',
    });
    expect(config.ports.smtp).toBe(1025);
    expect(config.notices).toEqual([]);
  });

  test('a variable that looks like ours and is not is told', () => {
    expect(readConfig([], { GLASSMAIL_SMPT_PORT: '25' }).notices).toEqual([
      expect.stringContaining('GLASSMAIL_SMPT_PORT is no variable of glassmail'),
    ]);
  });
});

test('what POP3 clients see, and what they are told', () => {
  const pop3 = (...args: string[]) => {
    const { pop3Messages, pop3Delete, pop3LoginDelaySeconds, pop3ExpireDays } = readConfig(args, {});
    return [pop3Messages, pop3Delete, pop3LoginDelaySeconds, pop3ExpireDays];
  };
  expect(pop3()).toEqual(['all', 'expunge', undefined, undefined]);
  expect(pop3('--pop3-expire', 'never', '--pop3-login-delay', '0')).toEqual(pop3());
  const set = ['--pop3-messages', 'unread', '--pop3-delete', 'trash', '--pop3-login-delay', '60', '--pop3-expire', '0'];
  expect(pop3(...set)).toEqual(['unread', 'trash', 60, 0]);
});

test('quotas of accounts', () => {
  expect(readConfig([], {}).quota).toEqual({ octets: undefined, messages: undefined });
  const environment = { GLASSMAIL_QUOTA_STORAGE: '1G', GLASSMAIL_QUOTA_MESSAGES: '10000' };
  expect(readConfig([], environment).quota).toEqual({ octets: 1024 ** 3, messages: 10_000 });
  const none = ['--quota-storage', 'none', '--quota-messages', 'none'];
  expect(readConfig(none, environment).quota).toEqual({ octets: undefined, messages: undefined });
});

describe('a wrong value stops the start with one line that names it', () => {
  test.each([
    [['--smtp-port', '70000'], {}, '--smtp-port: "70000" is not a port'],
    [[], { GLASSMAIL_HTTP_PORT: 'eighty' }, 'GLASSMAIL_HTTP_PORT: "eighty" is not a port'],
    [['--lmtp-port', '25'], {}, "--lmtp-port: port 25 is SMTP's"],
    [['--smpt-port', '1'], {}, '--smpt-port is not a flag'],
    [['--imap'], {}, 'did you mean --imap-port'],
    [['--data'], {}, '--data needs a value'],
    [['stop'], {}, '"stop" is not a flag'],
    [['--durability', 'none'], {}, '"none" is not one of power, process'],
    [['--max-message-size', '5 bananas'], {}, 'is not a size'],
    [['--max-recipients', '0'], {}, 'is not a whole number from 1'],
    [['--quota-storage', 'much'], {}, '--quota-storage: "much" is not a size'],
    [['--quota-storage', 'off'], {}, '--quota-storage: "off" is not a size'],
    [[], { GLASSMAIL_QUOTA_MESSAGES: '1K' }, 'GLASSMAIL_QUOTA_MESSAGES: "1K" is not a whole number from 1'],
    [['--smtp-starttls', 'maybe'], {}, 'neither on nor off'],
    [['--pop3-messages', 'read'], {}, '--pop3-messages: "read" is not one of all, unread'],
    [[], { GLASSMAIL_POP3_DELETE: 'keep' }, 'GLASSMAIL_POP3_DELETE: "keep" is not one of expunge, trash'],
    [['--pop3-login-delay', '86401'], {}, '--pop3-login-delay: "86401" is not a whole number from 0 to 86400'],
    [['--pop3-expire', 'soon'], {}, '--pop3-expire: "soon" is not a number of days'],
    [['--pop3-expire', '-1'], {}, 'is not a number of days'],
    [['--domains', 'exa mple'], {}, '"exa mple" is not a domain name'],
    [['--default-domain', 'a.test', '--domains', 'b.test'], {}, 'it is the first of the domains'],
    [['--login-check', 'none', '--domains', 'b.test'], {}, 'by capture mode alone'],
    [['--accounts', '@b.test'], {}, '"@b.test" is not an account'],
    [['--tls-key', 'key.pem'], {}, 'belong together'],
    [['--http-auth', 'nobody'], {}, 'user:password'],
    [['--route', 'mx', '--domains', 'a.test'], {}, '"mx" is not one of none'],
  ])('%j %j', (args, environment, message) => {
    expect(() => readConfig(args, environment)).toThrow(ConfigError);
    expect(() => readConfig(args, environment)).toThrow(message);
    try {
      readConfig(args, environment);
    } catch (error) {
      expect((error as Error).message).not.toContain('\n');
    }
  });
});

describe('limits of IMAP commands', () => {
  test.each([
    [[], undefined],
    [['--imap-message-limit', 'off', '--imap-save-limit', 'off'], undefined],
    [['--imap-message-limit', '1000'], { limits: 'everything', messages: 1000 }],
    [['--imap-message-limit', 'off', '--imap-save-limit', '5'], { limits: 'saving', messages: 5 }],
  ])('%j', (args, limit) => {
    expect(readConfig(args, {}).messageLimit).toEqual(limit);
  });

  test.each([
    [['--imap-message-limit', '0'], '"0" is not a whole number from 1'],
    [['--imap-message-limit', 'many'], '"many" is not a whole number'],
    [['--imap-message-limit', '5', '--imap-save-limit', '5'], '--imap-message-limit and --imap-save-limit cannot both'],
    [['--admin-contact', 'me'], '"me" is not a URI'],
    [['--admin-contact', 'mailto:a b'], 'is not a URI'],
  ])('%j', (args, message) => {
    expect(() => readConfig(args, {})).toThrow(message);
  });

  test('the operator is postmaster of the default domain', () => {
    expect(readConfig(['--domains', 'red.test,blue.test'], {}).adminContact).toBe('mailto:postmaster@red.test');
    expect(readConfig(['--admin-contact', 'tel:+49301234'], {}).adminContact).toBe('tel:+49301234');
  });
});

test('every setting has a variable of its own and a line of help', () => {
  const variables = SETTINGS.map(({ flag }) => variableOf(flag));
  expect(new Set(variables).size).toBe(SETTINGS.length);
  expect(variables).toContain('GLASSMAIL_SMTP_PORT');
  for (const { help } of SETTINGS) expect(help.length).toBeGreaterThan(20);
});
