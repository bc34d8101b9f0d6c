/** The command as users run it: what it prints, how it stops, and how it says that something is wrong. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FREE_PORTS, runCommand, startServerProcess } from './server-process.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glassmail-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('start', () => {
  test('prints each address, the accounts with their password, the folder, the web address, and last ready', async () => {
    await using server = await startServerProcess(folder);
    const text = server.lines.join('\n');
    for (const service of ['smtp', 'submission', 'submissions', 'imap', 'imaps', 'pop3', 'pop3s', 'http', 'https'])
      expect(server.port(service)).toBeGreaterThan(0);
    expect(text).toContain('alice@glass.localhost, bob@glass.localhost');
    expect(text).toContain('password: glass');
    expect(text).toContain(folder);
    expect(text).toContain(`web: http://localhost:${server.port('http')}`);
    expect(server.lines.at(-1)).toBe('ready');
    expect((await fetch(`http://127.0.0.1:${server.port('http')}/readyz`)).status).toBe(200);
  });

  test('the lines that libraries wait for which start Mailpit, MailHog, GreenMail or Inbucket in a container', async () => {
    await using server = await startServerProcess(folder);
    const text = server.lines.join('\n');
    const [smtp, http] = [server.port('smtp'), server.port('http')];
    expect(text).toMatch(/.*\[http\] accessible via.*\n/); // the extension of Quarkus
    expect(text).toContain(`[http] accessible via http://localhost:${http}/`);
    expect(text).toContain(`Serving under http://127.0.0.1:${http}/`);
    expect(text).toContain(`[SMTP] Binding to address: 127.0.0.1:${smtp}`);
    expect(text).toContain(`[HTTP] Binding to address: 127.0.0.1:${http}`);
    expect(text).toMatch(/Starting GreenMail standalone/);
    expect(text).toMatch(/SMTP listening/i);
  });

  test('and none of them for a real site', async () => {
    await using server = await startServerProcess(folder, ['--domains', 'red.test']);
    expect(server.lines.join('\n')).not.toMatch(/accessible via|GreenMail/);
  });

  test('readyz looks where the variables say, which may be those of Mailpit', async () => {
    const server = await startServerProcess(folder);
    const [http, https] = [server.port('http'), server.port('https')];
    const ask = (environment: Record<string, string>) => runCommand(['readyz'], { environment });
    expect(await ask({ GLASSMAIL_HTTP_PORT: String(http), GLASSMAIL_HOST: '0.0.0.0,::' })).toMatchObject({ code: 0 });
    expect(await ask({ MP_UI_BIND_ADDR: `127.0.0.1:${http}` })).toMatchObject({ code: 0 });
    const tls = { GLASSMAIL_HTTP_PORT: 'off', GLASSMAIL_HTTPS_PORT: String(https) };
    expect(await ask(tls)).toMatchObject({ code: 0, stderr: '' });
    await server.stop();
    expect(await ask({ MP_UI_BIND_ADDR: `127.0.0.1:${http}` })).toMatchObject({
      code: 1,
      stderr: `glassmail: http port ${http} of 127.0.0.1: ECONNREFUSED\n`,
    });
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s: exit code 0, and the mail is there after the next start',
    async (signal) => {
      const first = await startServerProcess(folder);
      const transport = createTransport({ host: '127.0.0.1', port: first.port('smtp') });
      await transport.sendMail({ from: 'a@b.test', to: 'alice@glass.localhost', subject: 'kept', text: 'hello' });
      expect(await first.stop(signal)).toEqual({ code: 0, signal: null });
      await using second = await startServerProcess(folder);
      const list = await fetch(`http://127.0.0.1:${second.port('http')}/api/v1/messages`);
      expect(await list.json()).toMatchObject({ total: 1, messages: [{ Subject: 'kept' }] });
    },
  );

  test('data "temp" is a fresh folder that is gone after the stop', async () => {
    const server = await startServerProcess('temp');
    const path = server.lines.find((line) => line.startsWith('data: '))!.slice('data: '.length);
    expect((await stat(path)).isDirectory()).toBe(true);
    await server.stop();
    await expect(stat(path)).rejects.toThrow('ENOENT');
  });

  test('a folder in use, one line that names it', async () => {
    await using _first = await startServerProcess(folder);
    const { code, stderr } = await runCommand(['start', '--data', folder, ...FREE_PORTS]);
    expect(code).toBe(1);
    expect(stderr.trimEnd().split('\n')).toEqual([expect.stringContaining(folder)]);
  });

  test('a port in use, one line that names service, port and flag', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const { code, stderr } = await runCommand(['start', '--data', folder, ...FREE_PORTS, '--imap-port', `${port}`]);
    other.close();
    expect(code).toBe(1);
    expect(stderr.trimEnd().split('\n')).toEqual([expect.stringMatching(new RegExp(`imap.*${port}.*--imap-port`))]);
  });

  test.each([
    [['start', '--imap-prot', '1'], '--imap-prot'],
    [['start', '--imap-port', 'x'], '--imap-port: "x"'],
    [['strat'], '"strat" is not a command'],
  ])('%j names itself in one line, exit code 2', async (args, words) => {
    const { code, stderr } = await runCommand(args);
    expect(code).toBe(2);
    expect(stderr.trimEnd().split('\n')).toEqual([expect.stringContaining(words)]);
  });

  test('domain mode: no default account, unknown recipients and other domains are refused at once', async () => {
    await using server = await startServerProcess(folder, ['--domains', 'red.test']);
    expect(server.lines.join('\n')).toContain('glassmail accounts add');
    const made = await runCommand(['accounts', 'add', 'rose', '--password-stdin', '--data', folder], {
      stdin: 'thorn\n',
    });
    expect(made).toMatchObject({ code: 0 });
    const transport = createTransport({
      host: '127.0.0.1',
      port: server.port('smtp'),
      tls: { rejectUnauthorized: false },
    });
    const send = (to: string) => transport.sendMail({ from: 'a@b.test', to, subject: 's', text: 't' });
    expect((await send('rose@red.test')).response).toMatch(/^250 2\.0\.0/);
    await expect(send('nobody@red.test')).rejects.toThrow(/550 5\.1\.1/);
    await expect(send('someone@elsewhere.test')).rejects.toThrow(/550 5\.7\.1/);
  });
});

describe('help', () => {
  test('lists every command, and each has a help of its own that shows examples', async () => {
    const { code, stdout } = await runCommand(['--help']);
    expect(code).toBe(0);
    const commands = ['start', 'check', 'send', 'accounts', 'import', 'export', 'readyz'];
    for (const command of commands) {
      expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
      const help = await runCommand([command, '--help']);
      expect(help.code).toBe(0);
      expect(help.stdout).toMatch(/^Usage: glassmail /);
      expect(help.stdout).toContain('Examples:');
    }
  });

  test('--version', async () => {
    const { version } = JSON.parse(await readFile(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
      version: string;
    };
    expect((await runCommand(['--version'])).stdout).toBe(`glassmail ${version}\n`);
  });
});
