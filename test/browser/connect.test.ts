/** The page that connects a mail program: true values, and a list that turns green while a real client connects. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { ImapFlow } from 'imapflow';
import { createTransport } from 'nodemailer';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeHome } from '../clients/program.ts';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { launchBrowser, openPage } from './browser.ts';
import { send } from './letters.ts';

const execute = promisify(execFile);

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const ALICE = 'alice@glass.localhost';
const originOf = (stack: TestStack): string => `http://127.0.0.1:${stack.port('http')}`;
const step = (page: Page, name: string, state: string) => page.locator(`.step.${state}`, { hasText: name });

test('each step turns green while a client takes it', async () => {
  await using stack = await startTestStack();
  await send(stack, { subject: 'Waiting' });
  const ca = await readFile(stack.authorityFile!, 'utf8');
  await using watched = await openPage(browser, originOf(stack), '/connect');
  const { page } = watched;
  await page.locator('.feed-state.live').waitFor();
  await page.getByText('Nothing has arrived on any of these ports').waitFor();
  await fetch(`${originOf(stack)}/mail/config-v1.1.xml?emailaddress=${ALICE}`);
  await step(page, 'asked for settings', 'done').getByText('autoconfig').waitFor();
  await using _ = Object.assign(
    new ImapFlow({
      host: 'localhost',
      port: stack.port('imaps'),
      secure: true,
      tls: { ca },
      auth: { user: ALICE, pass: 'glass' },
      logger: false,
    }),
    {
      async [Symbol.asyncDispose](this: ImapFlow) {
        await this.logout();
      },
    },
  );
  const client: ImapFlow = _;
  await client.connect();
  await step(page, 'reached a port', 'done').getByText('IMAP').waitFor();
  await step(page, 'agreed on TLS', 'done').getByText('TLS 1.3').waitFor();
  await step(page, 'logged in', 'done').waitFor();
  await step(page, 'opened a mailbox', 'waiting').waitFor();
  await client.mailboxOpen('INBOX');
  await step(page, 'opened a mailbox', 'done').getByText('INBOX').waitFor();
  await client.fetchOne('1', { source: true });
  await step(page, 'read a message', 'done').waitFor();
  const transport = createTransport({
    host: 'localhost',
    port: stack.port('submissions'),
    secure: true,
    tls: { ca },
    auth: { user: ALICE, pass: 'glass' },
  });
  await transport.sendMail({ from: ALICE, to: 'bob@glass.localhost', subject: 'Sent', text: 'Hello' });
  await step(page, 'sent a message', 'done').getByText('Submission').waitFor();
  await step(page, 'stored a copy', 'waiting').waitFor();
  await client.append('Sent', 'Subject: Sent\r\n\r\nHello\r\n');
  await step(page, 'stored a copy', 'done').waitFor();
  await watched.screenshot('connect-done');
  // Whoever does not see it is told the last step.
  await expect.poll(() => page.locator('.watch [role=status]').textContent()).toContain('stored a copy in Sent: done');
  expect(await page.locator('.step.done').count()).toBe(8);
  await page.getByRole('link', { name: 'sent a message: conversation' }).click();
  await page.locator('.wire-row.client', { hasText: 'RCPT TO:<bob@glass.localhost>' }).waitFor();
  expect(watched.errors).toEqual([]);
  expect(watched.strangers).toEqual([]);
});

test('a client that does not trust the certificate, and one with a wrong password, are told why', async () => {
  await using stack = await startTestStack();
  await using watched = await openPage(browser, originOf(stack), '/connect/mutt');
  const { page } = watched;
  await page.locator('.feed-state.live').waitFor();
  await execute('curl', ['-s', `imaps://localhost:${stack.port('imaps')}/`]).catch(() => undefined);
  await step(page, 'agreed on TLS', 'failed').getByText('unknown_ca').waitFor();
  await step(page, 'logged in', 'waiting').waitFor();
  await execute('curl', ['-s', '-k', '-u', `${ALICE}:wrong`, `imaps://localhost:${stack.port('imaps')}/`]).catch(
    () => undefined,
  );
  await step(page, 'agreed on TLS', 'done').waitFor();
  await step(page, 'logged in', 'failed').getByText(`login of ${ALICE} failed`).waitFor();
  await watched.screenshot('connect-failed');
  await page.getByRole('button', { name: 'Start over' }).click();
  await step(page, 'reached a port', 'waiting').waitFor();
  // The choice is part of the address.
  await page.reload();
  await step(page, 'reached a port', 'waiting').waitFor();
  await page.getByRole('button', { name: 'Show earlier attempts too' }).click();
  await step(page, 'logged in', 'failed').waitFor();
  expect(watched.errors).toEqual([]);
});

test('programs, accounts and places are chosen by keyboard, and stay in the address', async () => {
  await using stack = await startTestStack();
  await using watched = await openPage(browser, originOf(stack), '/connect');
  const { page } = watched;
  await page.getByRole('combobox', { name: 'Program' }).focus();
  await page.keyboard.type('msmtp');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'msmtp', level: 2 }).waitFor();
  expect(new URL(page.url()).pathname).toBe('/connect/msmtp');
  await page.getByText('tls_trust_file ~/glassmail-ca.pem').waitFor();
  await page.getByRole('combobox', { name: 'Account' }).selectOption('bob@glass.localhost');
  await page.getByText('user bob@glass.localhost').waitFor();
  await page.getByRole('combobox', { name: 'From' }).selectOption('another container');
  await page.getByText('host glassmail').waitFor();
  await page.getByText('The certificate does not name glassmail').waitFor();
  const name = page.getByRole('textbox', { name: 'Server name' });
  await name.fill('mail.test');
  await name.press('Enter');
  await page.getByText('host mail.test').waitFor();
  await page.reload();
  await page.getByText('host mail.test').waitFor();
  await page.getByText('user bob@glass.localhost').waitFor();
  await name.fill('no host at all');
  await name.press('Enter');
  await page.getByText('must be a host name or an address').waitFor();
  await page.getByText('host mail.test').waitFor();
});

describe('the QR code for a telephone', () => {
  /** What a scanner reads off the screen. */
  async function scanned(page: Page): Promise<unknown> {
    await using home = await makeHome();
    const file = join(home.path, 'code.png');
    await writeFile(file, await page.locator('svg.qr').screenshot());
    const { stdout } = await execute('zbarimg', ['--quiet', '--raw', '--oneshot', file]);
    return JSON.parse(stdout) as unknown;
  }

  test('is shown on a click alone, and has a password only if one is typed', async () => {
    await using stack = await startTestStack();
    const path = '/connect/android?from=network&host=192.168.1.20';
    await using watched = await openPage(browser, originOf(stack), path);
    const { page } = watched;
    const [imaps, submissions] = [stack.port('imaps'), stack.port('submissions')];
    await page.getByRole('button', { name: 'Show the QR code' }).waitFor();
    expect(await page.locator('svg.qr').count()).toBe(0);
    await page.getByRole('button', { name: 'Show the QR code' }).click();
    await page.locator('svg.qr').waitFor();
    expect(await scanned(page)).toEqual([
      1,
      [1, 1],
      [0, '192.168.1.20', imaps, 3, 1, ALICE, 'Glassmail (alice)'],
      [
        [
          [0, '192.168.1.20', submissions, 3, 1, ALICE],
          [ALICE, 'alice'],
        ],
      ],
    ]);
    await page.getByRole('checkbox', { name: 'with the password' }).click();
    await page.getByRole('textbox', { name: 'Password' }).fill('Größe "9"');
    await watched.screenshot('connect-code');
    await expect
      .poll(() => scanned(page))
      .toEqual([
        1,
        [1, 1],
        [0, '192.168.1.20', imaps, 3, 1, ALICE, 'Glassmail (alice)', 'Größe "9"'],
        [
          [
            [0, '192.168.1.20', submissions, 3, 1, ALICE, 'Größe "9"'],
            [ALICE, 'alice'],
          ],
        ],
      ]);
    expect(watched.errors).toEqual([]);
  });
});

test('an account with a name that could break out of a text gets no texts', async () => {
  await using stack = await startTestStack();
  const evil = '"$(reboot)"@glass.localhost';
  await stack.store.createAccount({ address: evil, passwordRecord: undefined });
  const path = `/connect/curl?account=${encodeURIComponent(evil)}`;
  await using watched = await openPage(browser, originOf(stack), path);
  await watched.page.getByText('There are no ready-made texts for this account').waitFor();
  await watched.page.getByRole('combobox', { name: 'Program' }).selectOption('Thunderbird');
  await watched.page.locator('.steps').getByText(evil).waitFor();
});

test('with the recording off, the page says so', async () => {
  await using stack = await startTestStack('--record', '0');
  await using watched = await openPage(browser, originOf(stack), '/connect');
  await watched.page.getByText('Recording is off').waitFor();
});

test('a service that nobody has reached is counted as that, and one that was as often as it was', async () => {
  await using stack = await startTestStack();
  const socket = connectTls({ port: stack.port('pop3s'), host: '127.0.0.1', rejectUnauthorized: false });
  await new Promise((resolve) => socket.once('data', resolve));
  await using watched = await openPage(browser, originOf(stack), '/connect');
  await watched.page
    .locator('.ports li', { hasText: `POP3 ${stack.port('pop3s')}` })
    .getByText('1', { exact: true })
    .waitFor();
  socket.destroy();
});
