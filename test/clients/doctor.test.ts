/** Programs that people use, each set up wrongly, and what the doctor says of them over HTTP. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Service } from '../../src/config.ts';
import { seen } from '../end-to-end/doctor/visit.ts';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { deposit, letter } from './mail.ts';
import { makeHome, run } from './program.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack('--host', '127.0.0.1,::1');
});
afterAll(() => stack[Symbol.asyncDispose]());

const ALICE = 'alice@glass.localhost';
/** Every program is given a few seconds: some would wait for ever. */
const TIME = { time: 8_000 };

async function diagnosed(service: Service, id: string, command: string, ...args: readonly string[]): Promise<string> {
  const since = Date.now();
  const { code } = await run(command, args, TIME);
  expect(code).not.toBe(0);
  const { sentence, shown } = await seen(stack, service, id, since);
  expect(shown).not.toContain('nothing');
  return sentence;
}

const curl = (scheme: string, service: Service, ...more: readonly string[]): readonly string[] => [
  ...['--silent', '--max-time', '5', '--user', `${ALICE}:glass`, ...more],
  `${scheme}://localhost:${stack.port(service)}/`,
];

describe('curl', () => {
  test.each([
    ['D01', 'imap', 'imaps', []],
    ['D01', 'pop3', 'pop3s', []],
    ['D01', 'submission', 'smtps', []],
    ['D02', 'imaps', 'imap', []],
    ['D05', 'smtp', 'http', ['--fail']],
    ['D08', 'imaps', 'imaps', []],
    ['D08', 'submission', 'smtp', ['--ssl-reqd']],
    ['D11', 'imaps', 'imaps', ['--insecure', '--tls-max', '1.1', '--ciphers', 'DEFAULT@SECLEVEL=0']],
  ] as const)('%s on %s', async (id, service, scheme, more) => {
    await diagnosed(service, id, 'curl', ...curl(scheme, service, ...more));
  });

  test('D04, IMAP’s command on the POP3 port', async () => {
    const args = ['--silent', '--max-time', '5', '--insecure', `pop3://localhost:${stack.port('imap')}/`];
    await diagnosed('imap', 'D04', 'curl', ...args).catch(async () => {
      // It waits for another greeting, and says nothing.
      await seen(stack, 'imap', 'D04');
    });
  });

  test('D07, TLS demanded where there is none', async () => {
    await diagnosed('smtp', 'D07', 'curl', ...curl('smtp', 'smtp', '--ssl-reqd'));
  });

  test('D14, Caps Lock', async () => {
    const args = ['--silent', '--insecure', '--user', `${ALICE}:GLASS`, `imaps://localhost:${stack.port('imaps')}/`];
    expect(await diagnosed('imaps', 'D14', 'curl', ...args)).toContain('capitals');
  });
});

describe('OpenSSL', () => {
  test('D08, an authority that it does not know: alert 48', async () => {
    const port = String(stack.port('pop3s'));
    const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', 'localhost', '-verify_return_error'];
    expect(await diagnosed('pop3s', 'D08', 'openssl', ...args)).toBe('Your program does not trust our certificate.');
  });
});

describe('Python', () => {
  const python = (service: Service, id: string, code: string) => diagnosed(service, id, 'python3', '-c', code);

  test('D08', async () => {
    await python(
      'imaps',
      'D08',
      `import imaplib,ssl\nimaplib.IMAP4_SSL('localhost',${stack.port('imaps')},ssl_context=ssl.create_default_context())`,
    );
  });

  test('D09, by a name that the certificate has not', async () => {
    const code = `import socket,ssl
context=ssl.create_default_context(cafile='${stack.authorityFile!}')
context.wrap_socket(socket.create_connection(('127.0.0.1',${stack.port('imaps')})),server_hostname='mail.bank.example')`;
    expect(await python('imaps', 'D09', code)).toContain('mail.bank.example');
  });

  test('D15, sending without a login', async () => {
    const code = `import smtplib,ssl
s=smtplib.SMTP_SSL('localhost',${stack.port('submissions')},context=ssl._create_unverified_context())
s.sendmail('${ALICE}','bob@glass.localhost','x')`;
    await python('submissions', 'D15', code);
  });
});

describe('programs with a file of settings', () => {
  test('mbsync, D08: it leaves after the handshake without an alert', async () => {
    await using home = await makeHome();
    const file = join(home.path, '.mbsyncrc');
    await mkdir(join(home.path, 'mail'));
    await mkdir(join(home.path, '.mbsync'));
    await writeFile(
      file,
      `IMAPAccount a\nHost localhost\nPort ${stack.port('imaps')}\nUser ${ALICE}\nPass glass\nSSLType IMAPS\n\n` +
        `IMAPStore r\nAccount a\n\nMaildirStore l\nPath ${home.path}/mail/\nInbox ${home.path}/mail/INBOX\n\n` +
        'Channel c\nFar :r:\nNear :l:\nPatterns INBOX\nCreate Near\n',
    );
    const since = Date.now();
    await run('mbsync', ['--all'], { home: home.path, ...TIME });
    const { sentence, shown } = await seen(stack, 'imaps', 'D08', since);
    expect(sentence).toMatch(/usually means/);
    expect(shown).toEqual(['closed by peer']);
  });

  test('msmtp, D01 and D08', async () => {
    await using home = await makeHome();
    const file = join(home.path, 'msmtprc');
    const settings = (service: Service, starttls: string): string =>
      `account default\nhost localhost\nport ${stack.port(service)}\ntls on\ntls_starttls ${starttls}\nauth on\nuser ${ALICE}\n` +
      `password glass\nfrom ${ALICE}\n`;
    for (const [service, starttls, id] of [
      ['submission', 'off', 'D01'],
      ['submissions', 'on', 'D02'],
      ['submissions', 'off', 'D08'],
    ] as const) {
      await writeFile(file, settings(service, starttls), { mode: 0o600 });
      await diagnosed(service, id, 'msmtp', '-C', file, '--timeout=4', 'bob@glass.localhost');
    }
  });

  test('fetchmail without keep, D19', async () => {
    await using home = await makeHome();
    const since = Date.now();
    await deposit(stack, 'alice', 'INBOX', letter('to be fetched'));
    const file = join(home.path, '.fetchmailrc');
    await writeFile(
      file,
      `set no bouncemail
poll localhost protocol POP3 port ${stack.port('pop3s')}
  user "${ALICE}" password "glass" is root here
  ssl sslcertck sslcertfile "${stack.authorityFile!}"
  no rewrite mda "cat"
`,
      { mode: 0o600 },
    );
    await run('fetchmail', ['--invisible', '--nosyslog'], {
      home: home.path,
      environment: { USER: 'root', LOGNAME: 'root' },
      ...TIME,
    });
    expect((await seen(stack, 'pop3s', 'D19', since)).sentence).toContain('deleted 1 message');
  });
});
