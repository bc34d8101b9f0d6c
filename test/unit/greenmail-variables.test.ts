import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';

const read = (text: string, args: readonly string[] = []) => readConfig(args, { GREENMAIL_OPTS: text });

test('the options of GreenMail, as its image has them by default', () => {
  const config = read(
    '-Dgreenmail.setup.test.all -Dgreenmail.hostname=0.0.0.0 -Dgreenmail.auth.disabled -Dgreenmail.verbose',
  );
  expect(config).toMatchObject({
    ports: { smtp: 3025, submissions: 3465, imap: 3143, imaps: 3993, pop3: 3110, pop3s: 3995, http: 8080 },
    hosts: ['0.0.0.0', '::'],
    openSubmissions: true,
    accounts: [],
    checksLogins: false,
    logLevel: 'debug',
    notices: [],
  });
});

test('users with passwords: a login without a domain is looked for in that of the first', () => {
  const { accounts, accountPasswords, defaultDomain, checksLogins } = read(
    ' -Dgreenmail.setup.test.smtp  -Dgreenmail.users=user1:pwd1@localhost,user2:p:w@red.test,user3:pwd3 ',
  );
  expect(accounts).toEqual(['user1@localhost', 'user2@red.test', 'user3@localhost']);
  expect([...accountPasswords.values()]).toEqual(['pwd1', 'p:w', 'pwd3']);
  expect({ defaultDomain, checksLogins }).toEqual({ defaultDomain: 'localhost', checksLogins: true });
  const whole = read('-Dgreenmail.users=foo@bar.test:secret -Dgreenmail.users.login=email');
  expect([...whole.accountPasswords]).toEqual([['foo@bar.test', 'secret']]);
});

test('ports', () => {
  expect(read('-Dgreenmail.setup.all').ports).toMatchObject({ smtp: 25, imap: 143, pop3s: 995, http: 8080 });
  expect(read('-Dgreenmail.setup.imap -Dgreenmail.api.port=9090').ports).toMatchObject({
    smtp: 3025,
    imap: 143,
    http: 9090,
  });
  expect(read('-Dgreenmail.smtps.port=4465 -Dgreenmail.smtps.hostname=127.0.0.1')).toMatchObject({
    ports: { submissions: 4465 },
    hosts: ['127.0.0.1'],
  });
});

test('our own beat them, and what does nothing here is named', () => {
  const config = read('-Dgreenmail.preload.dir=/x -Xmx64m', ['--smtp-port', '0']);
  expect(config.ports).toMatchObject({ smtp: 0, imap: 3143 });
  expect(config.notices).toEqual(['in GREENMAIL_OPTS, these change nothing here: -Xmx64m, preload.dir']);
});

test('without it nothing changes', () => {
  expect(readConfig([], {})).toMatchObject({
    ports: { smtp: 1025 },
    accounts: ['alice@glass.localhost', 'bob@glass.localhost'],
  });
});
