/** Mistakes about TLS and ports, each made with a real socket or client, and what the doctor says of them over HTTP. */
import { readFileSync } from 'node:fs';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clientHello } from '../../client-hello.ts';
import { startTestStack, type TestStack } from '../../test-stack.ts';
import { Talker, diagnoses, seen } from './visit.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack('--lmtp-port', 'off');
});
afterAll(async () => {
  expect(stack.logged).toEqual([]);
  await stack[Symbol.asyncDispose]();
});

/** A handshake that fails, or is given up by the client once it has the certificate. @returns what was wrong */
function handshake(port: number, options: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectTls({ port, host: '127.0.0.1', ...options });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once('secureConnect', () => {
      socket.destroy();
      resolve('');
    });
  });
}

/** As OpenSSL refuses a certificate: with an alert that is not encrypted yet. */
async function refuses(port: number, alert: number): Promise<Talker> {
  const talker = await Talker.clear(port);
  talker.socket.write(await clientHello());
  await talker.hears(/\x16\x03\x03/);
  talker.socket.write(Buffer.from([0x15, 3, 3, 0, 2, 2, alert]));
  return talker;
}

describe('D01, TLS on a port that begins in clear', () => {
  test.each([
    ['imap', 'STARTTLS as the connection security, or port ', 'imaps'],
    ['pop3', 'STARTTLS as the connection security, or port ', 'pop3s'],
    ['submission', 'STARTTLS as the connection security, or port ', 'submissions'],
    ['smtp', 'no encryption for this port, or port ', 'submissions'],
  ] as const)('%s', async (service, words, right) => {
    await handshake(stack.port(service), { rejectUnauthorized: false });
    const found = await seen(stack, service, 'D01');
    expect(found.severity).toBe('problem');
    expect(found.sentence).toContain(`port ${stack.port(service)} begins in clear`);
    expect(found.remedy).toBe(`Choose ${words}${stack.port(right)}.`);
    expect(found.evidence[0]!.shows).toMatch(/^16 03 0[13] /);
    expect(found.shown[0]).toMatch(/^in 1603/);
  });
});

describe('D02, no TLS on a port that begins with it', () => {
  test('silence', async () => {
    const talker = await Talker.clear(stack.port('imaps'));
    await talker.hears(/\* BYE .*TLS/);
    const found = await seen(stack, 'imaps', 'D02');
    expect(found.sentence).toContain('waits for a greeting');
    expect(found.remedy).toBe(
      `Choose SSL/TLS (not STARTTLS) as the connection security, or port ${stack.port('imap')} for STARTTLS.`,
    );
    expect(found.shown).toEqual(['wrong-port']);
  });

  test('commands in clear', async () => {
    const talker = await Talker.clear(stack.port('submissions'));
    await talker.says('EHLO me', /554 5\.7\.0/);
    const found = await seen(stack, 'submissions', 'D02');
    expect(found.sentence).toContain('speaks in clear');
    expect(found.shown).toEqual(['in EHLO me\r\n']);
  });

  test('http:// where https:// is meant', async () => {
    const answer = await new Promise((resolve) => {
      request({ port: stack.port('https'), host: '127.0.0.1' }, ({ statusCode }) => resolve(statusCode)).end();
    });
    expect(answer).toBe(400);
    const found = await seen(stack, 'https', 'D02');
    expect(found.remedy).toBe(
      `Choose an address that begins with https://, or port ${stack.port('http')} with http://.`,
    );
  });
});

describe('D08, the certificate is not trusted', () => {
  test('Node: no alert, gone when it has the certificate', async () => {
    expect(await handshake(stack.port('imaps'), { servername: 'localhost' })).toMatch(/SELF_SIGNED|UNABLE_TO/);
    const found = await seen(stack, 'imaps', 'D08');
    expect(found.sentence).toMatch(/usually means/);
    expect(found.remedy).toMatch(/authority/);
    expect(found.shown[0]).toMatch(/^tls failed|^closed by peer/);
  });

  test.each([
    [48, 'unknown_ca'],
    [42, 'bad_certificate'],
    [46, 'certificate_unknown'],
  ])('OpenSSL: alert %i, in clear', async (alert, name) => {
    const since = Date.now();
    const talker = await refuses(stack.port('pop3s'), alert);
    await talker.isLeft();
    const found = await seen(stack, 'pop3s', 'D08', since);
    expect(found.sentence).toBe('Your program does not trust our certificate.');
    expect(found.evidence[0]!.shows).toBe(`alert ${alert}, ${name}`);
    expect(found.shown).toEqual(['tls failed']);
  });

  test('a handshake that is done, and closed at once without a word', async () => {
    const since = Date.now();
    const talker = await Talker.tls(stack.port('submissions'), { servername: 'localhost' });
    await talker.leaves();
    const found = await seen(stack, 'submissions', 'D08', since);
    expect(found.evidence[0]!.shows).toMatch(/^closed \d+ ms after the handshake/);
    expect(found.shown).toEqual(['closed by peer']);
  });

  test('over once the same computer has logged in by that protocol', async () => {
    const before = (await diagnoses(stack, '?service=imaps&severity=problem')).conversations;
    expect(before.some(({ solved }) => solved)).toBe(false);
    const talker = await Talker.tls(stack.port('imaps'), { servername: 'localhost' });
    await talker.says('a LOGIN alice@glass.localhost glass', /a OK/);
    const after = await diagnoses(stack, '?service=imaps&severity=problem');
    expect(after.conversations.every(({ solved }) => solved)).toBe(true);
    expect(after.counts.problem).toBe(0);
    await talker.says('b LOGOUT', /b OK/);
    await talker.leaves();
  });
});

test('D08b, silence after the handshake: shown when the time has come', async () => {
  const since = Date.now();
  const talker = await Talker.tls(stack.port('pop3s'), { servername: 'localhost' });
  await talker.hears(/\+OK/);
  const found = await seen(stack, 'pop3s', 'D08b', since);
  expect(found.severity).toBe('note');
  expect(found.sentence).toContain('2 s or more');
  expect(found.shown).toEqual(['tls end']);
  await talker.says('QUIT', /\+OK/);
  await talker.leaves();
  const later = await seen(stack, 'pop3s', 'D08b', since);
  expect(later.shown).toEqual(['tls end', 'in QUIT\r\n']);
});

test('D09, called by a name that the certificate has not', async () => {
  const ca = readFileSync(stack.authorityFile!);
  expect(await handshake(stack.port('imaps'), { servername: 'mail.bank.example', ca })).toBe(
    'ERR_TLS_CERT_ALTNAME_INVALID',
  );
  const found = await seen(stack, 'imaps', 'D09');
  expect(found.sentence).toMatch(/called this server mail\.bank\.example; the certificate names .*localhost/);
  expect(found.remedy).toContain('--tls-names');
  expect(found.shown[0]).toMatch(/^in 1603/);
  expect(found.evidence[0]!.shows).toBe('the client asked for mail.bank.example');
});

test('D11, a version of TLS that is too old', async () => {
  const options = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  expect(await handshake(stack.port('imaps'), { ...options, rejectUnauthorized: false })).not.toBe('');
  const found = await seen(stack, 'imaps', 'D11');
  expect(found.sentence).toBe('Your program offers at most TLS 1.1; this server speaks TLS 1.2 and 1.3.');
  expect(found.shown).toEqual([expect.stringMatching(/^in 1603/), 'tls failed']);
});

test('D10, the certificate has expired, as the program sees it', async () => {
  const talker = await refuses(stack.port('imaps'), 45);
  await talker.isLeft();
  const found = await seen(stack, 'imaps', 'D10');
  expect(found.sentence).toContain('its clock');
  expect(found.shown).toEqual(['tls failed']);
});

describe('what is spoken where', () => {
  test('D04, another protocol: IMAP on the POP3 port', async () => {
    const talker = await Talker.clear(stack.port('pop3'));
    await talker.hears(/\+OK/);
    await talker.says('32 capability', /-ERR/);
    await talker.leaves();
    const found = await seen(stack, 'pop3', 'D04');
    expect(found.sentence).toBe('This is the POP3 port; your program seems to speak IMAP.');
    expect(found.remedy).toContain(`port ${stack.port('imap')}`);
    expect(found.shown).toEqual(['in 32 capability\r\n', expect.stringMatching(/^out -ERR/)]);
  });

  test.each([
    ['imap', 'EHLO me', /BAD/, 'SMTP'],
    ['imap', 'USER alice', /BAD/, 'POP3'],
    ['submission', 'CAPA', /5\d\d/, 'POP3'],
    ['submission', 'a1 CAPABILITY', /5\d\d/, 'IMAP'],
  ] as const)('D04 on %s: %s', async (service, line, answer, name) => {
    const since = Date.now();
    const talker = await Talker.clear(stack.port(service));
    await talker.says(line, answer);
    await talker.leaves();
    expect((await seen(stack, service, 'D04', since)).sentence).toContain(`seems to speak ${name}`);
  });

  test('D04, silence after a greeting: shown when the time has come', async () => {
    const since = Date.now();
    const talker = await Talker.clear(stack.port('imap'));
    await talker.hears(/\* OK/);
    const found = await seen(stack, 'imap', 'D04', since);
    expect(found.severity).toBe('advice');
    expect(found.shown[0]).toMatch(/^out \* OK/);
    await talker.leaves();
  });

  test.each(['smtp', 'imap', 'pop3'] as const)('D05, HTTP on %s', async (service) => {
    const talker = await Talker.clear(stack.port(service));
    await talker.says('GET / HTTP/1.1\r\nHost: localhost\r\n', /HTTP\/1\.1 400/);
    const found = await seen(stack, service, 'D05');
    expect(found.remedy).toBe(`The web pages and the API are at http://localhost:${stack.port('http')}/.`);
    expect(found.shown[0]).toMatch(/^in GET \/ HTTP/);
  });

  test('D05 within TLS', async () => {
    const talker = await Talker.tls(stack.port('imaps'));
    await talker.says('GET / HTTP/1.1\r\nHost: localhost\r\n', /HTTP\/1\.1 400/);
    expect((await seen(stack, 'imaps', 'D05')).shown[0]).toMatch(/^in GET \/ HTTP/);
  });

  test.each([
    ['SSH', 'SSH-2.0-OpenSSH_9.2', 'smtp'],
    ['SOCKS 5', '\x05\x01\x00', 'pop3s'],
  ] as const)('D28, %s', async (name, octets, service) => {
    const talker = await Talker.clear(stack.port(service));
    await talker.says(octets, /./);
    await talker.leaves();
    const found = await seen(stack, service, 'D28');
    expect(found.sentence).toContain(`what came is ${name}`);
    expect(found.shown).toHaveLength(1);
    const { conversations } = await diagnoses(stack, `?service=${service}`);
    const ids = conversations
      .find(({ conversation }) => conversation === found.conversation)!
      .diagnoses.map(({ id }) => id);
    expect(ids).not.toContain('D02');
  });

  test('D28, a browser’s TLS on a mail port', async () => {
    const talker = await Talker.tls(stack.port('pop3s'), {
      ALPNProtocols: ['h2', 'http/1.1'],
      servername: 'localhost',
    });
    await talker.leaves();
    expect((await seen(stack, 'pop3s', 'D28')).evidence[0]!.shows).toBe('ALPN offers h2, http/1.1');
  });

  test('D27, a health check is a note', async () => {
    const talker = await Talker.clear(stack.port('submission'));
    await talker.leaves();
    const found = await seen(stack, 'submission', 'D27');
    expect(found.severity).toBe('note');
    expect(found.shown).toEqual(['closed by peer']);
  });

  test('D30, a program that looks for settings and calendars is a note', async () => {
    const base = `http://127.0.0.1:${stack.port('http')}`;
    await fetch(`${base}/autodiscover/autodiscover.xml`, { method: 'POST', body: '<Autodiscover/>' });
    const found = await seen(stack, 'http', 'D30');
    expect(found.severity).toBe('note');
    expect(found.sentence).toContain('Outlook');
    const talker = await Talker.clear(stack.port('submission'));
    await talker.says('EHLO we-guess.mozilla.org', /250 /);
    await talker.says('QUIT', /221/);
    await talker.leaves();
    const guess = await seen(stack, 'submission', 'D30');
    expect(guess.sentence).toContain('Thunderbird');
    const { conversations } = await diagnoses(stack, '?service=submission&severity=problem');
    expect(conversations.map(({ conversation }) => conversation)).not.toContain(guess.conversation);
  });
});
