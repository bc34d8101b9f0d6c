/** The journey of a message: real clients on one side, its drawing on the other. */
import { ImapFlow } from 'imapflow';
import Pop3Command from 'node-pop3';
import { createTransport } from 'nodemailer';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { launchBrowser, openPage } from './browser.ts';

let browser: Browser;
let stack: TestStack;
let origin: string;

beforeAll(async () => {
  browser = await launchBrowser();
  stack = await startTestStack();
  origin = `http://127.0.0.1:${stack.port('http')}`;
});
afterAll(async () => {
  await browser.close();
  await stack[Symbol.asyncDispose]();
});

/** @returns the message's id */
async function submit(subject: string): Promise<string> {
  const transport = createTransport({
    host: '127.0.0.1',
    port: stack.port('submissions'),
    secure: true,
    tls: { rejectUnauthorized: false },
    auth: { user: 'bob@glass.localhost', pass: 'glass' },
  });
  const { response } = await transport.sendMail({
    from: 'Bob <bob@glass.localhost>',
    to: 'Alice <alice@glass.localhost>, Dora <dora@elsewhere.test>',
    bcc: 'carol@glass.localhost',
    envelope: { from: 'bounces@glass.localhost', to: ['alice@glass.localhost', 'carol@glass.localhost'] },
    headers: { 'X-Mailer': 'Sender 1.0' },
    dsn: { id: 'id-1', return: 'headers', notify: ['failure'], recipient: 'carol@glass.localhost' },
    subject,
    text: 'Hello.\n',
  });
  transport.close();
  return /[0-9A-Za-z]{22}/.exec(response)![0];
}

async function imap(use: (client: ImapFlow) => Promise<unknown>): Promise<void> {
  const client = new ImapFlow({
    ...{ host: '127.0.0.1', port: stack.port('imap'), secure: false, doSTARTTLS: false, logger: false },
    auth: { user: 'alice@glass.localhost', pass: 'glass' },
  });
  await client.connect();
  await client.mailboxOpen('INBOX');
  await use(client);
  await client.logout();
}

async function pop3(): Promise<void> {
  const client = new Pop3Command({
    ...{ host: '127.0.0.1', port: stack.port('pop3') },
    ...{ user: 'carol@glass.localhost', password: 'glass' },
  });
  await client.RETR(1);
  await client.command('DELE', '1');
  await client.QUIT();
}

test('what real clients do appears step by step, and each step leads to its lines', async () => {
  const id = await submit('Step by step');
  await using watched = await openPage(browser, origin, `/mail/${id}/journey`);
  const { page } = watched;
  await page.getByRole('heading', { level: 1, name: 'Journey of “Step by step”' }).waitFor();
  const steps = page.locator('.steps > .step');
  await steps.filter({ hasText: 'says that it is stored' }).waitFor();
  const before = await steps.allTextContents();
  expect(before[0]).toContain('connects');
  // While the page is open.
  await imap(async (client) => {
    await client.fetchOne('*', { envelope: true });
    await client.fetchOne('*', { source: true });
    await client.messageFlagsAdd('*', ['\\Flagged']);
  });
  await steps.filter({ hasText: 'adds \\Flagged' }).waitFor();
  await steps.filter({ hasText: 'looks at it' }).filter({ hasText: 'ENVELOPE' }).waitFor();
  await pop3();
  await steps.filter({ hasText: 'removes it' }).waitFor();
  // What was there stands where it stood.
  expect((await steps.allTextContents()).slice(0, before.length)).toEqual(before);
  expect(await page.locator('.heads .head').allTextContents()).toEqual([
    'Sender 1.0bob@glass.localhost',
    `Submission ${stack.port('submissions')}`,
    'INBOXalice@glass.localhost',
    'INBOXcarol@glass.localhost',
    expect.stringMatching(/^imapflow .*IMAP · alice@glass.localhost$/),
    expect.stringMatching(/^a program, POP3carol@glass.localhost$/),
  ]);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await watched.screenshot(`journey-${colorScheme}`);
    await page.setViewportSize({ width: 1400, height: 2400 });
    await watched.screenshot(`journey-whole-${colorScheme}`);
    await page.setViewportSize({ width: 390, height: 3800 });
    await watched.screenshot(`journey-narrow-whole-${colorScheme}`);
    await page.setViewportSize({ width: 900, height: 900 });
    await watched.screenshot(`journey-tablet-${colorScheme}`);
    await page.setViewportSize({ width: 1400, height: 860 });
  }

  const envelope = page.getByRole('region', { name: 'Envelope', exact: true });
  expect(await envelope.textContent()).toContain('carol@glass.localhostnamed in no field');
  expect(await envelope.textContent()).toContain('NOTIFY=FAILURE');
  expect(await page.getByRole('region', { name: 'Header', exact: true }).textContent()).toContain(
    'dora@elsewhere.test>not in the envelope',
  );
  await page.locator('.trace-fields').getByText('SMTP with extensions, under TLS, after a login').waitFor();
  await page.locator('.copies').getByText('\\Flagged').waitFor();

  await steps.filter({ hasText: 'retrieves it' }).getByRole('link').click();
  await page.locator('.wire-row.target', { hasText: 'RETR 1' }).waitFor();
  await page.goBack();
  await steps.filter({ hasText: 'gives the envelope' }).getByRole('link').click();
  await page.locator('.wire-row.target', { hasText: 'MAIL FROM:<bounces@glass.localhost>' }).waitFor();
  await page.goBack();
  await page.getByRole('link', { name: 'Back to the message' }).click();
  await page.getByRole('heading', { level: 2, name: 'Step by step' }).waitFor();
  expect(watched.errors).toEqual([]);
  expect(watched.strangers).toEqual([]);
});

test('by keyboard alone: to a step, to its lines, back to the message', async () => {
  const id = await submit('By keyboard');
  await using watched = await openPage(browser, origin, `/mail/${id}/journey`);
  const { page } = watched;
  const link = page.locator('.steps > .step', { hasText: 'hands in' }).getByRole('link');
  await link.waitFor();
  for (let presses = 0; presses < 60; presses++) {
    if (await link.evaluate((element) => element === document.activeElement)) break;
    await page.keyboard.press('Tab');
  }
  // The moment itself is there for who has no pointer.
  expect(await page.locator('.step:focus-within .at .absolute').isVisible()).toBe(true);
  await page.keyboard.press('Enter');
  // MAIL, RCPT and DATA came in one piece: it begins there.
  await page.locator('.wire-row.target', { hasText: /MAIL FROM|DATA/ }).waitFor();
  await page.goBack();
  await link.waitFor();
  await page.keyboard.press('u');
  await page.getByRole('heading', { level: 2, name: 'By keyboard' }).waitFor();
});

test('a telephone has the same steps as a list', async () => {
  const id = await submit('Narrow');
  await using watched = await openPage(browser, origin, `/mail/${id}/journey`, {
    viewport: { width: 390, height: 800 },
  });
  const { page } = watched;
  const step = page.locator('.steps > .step', { hasText: 'gives the envelope' });
  await step.waitFor();
  expect(await step.locator('.arrow').isVisible()).toBe(false);
  expect(await step.locator('.ends').isVisible()).toBe(true);
  expect(await step.locator('.ends').textContent()).toMatch(/^Sender 1.0 \(bob@glass.localhost\) to Submission \d+:$/);
  await watched.screenshot('journey-narrow');
});

test('a message that is gone, one that never was, and one whose conversation is not kept', async () => {
  const id = await submit('Gone soon');
  const post = (path: string, body: unknown) =>
    fetch(`${origin}${path}`, { method: 'POST', body: JSON.stringify(body) });
  await post('/api/glass/messages/delete', { ids: [id] });
  await using watched = await openPage(browser, origin, `/mail/${id}/journey`);
  const { page } = watched;
  await page.getByText('The last copy of this message was removed').waitFor();
  await page.locator('.steps > .step', { hasText: 'removes it' }).waitFor();
  await watched.screenshot('journey-gone');
  await page.goto(`${origin}/mail/AAAAAAAAAAAAAAAAAAAAAA/journey`);
  await page.getByRole('heading', { level: 1, name: 'There is no such message' }).waitFor();
  await watched.screenshot('journey-missing');
  await using silent = await startTestStack('--record', '0');
  const transport = createTransport({ host: '127.0.0.1', port: silent.port('smtp'), ignoreTLS: true });
  const letter = { from: 'a@app.test', to: 'alice@glass.localhost', subject: 'Unrecorded', text: '' };
  const { response } = await transport.sendMail(letter);
  transport.close();
  const other = /[0-9A-Za-z]{22}/.exec(response)![0];
  await using unrecorded = await openPage(browser, `http://127.0.0.1:${silent.port('http')}`, `/mail/${other}/journey`);
  await unrecorded.page.getByText('Conversations are not recorded on this server').waitFor();
  await unrecorded.page.locator('.steps > .step', { hasText: 'stores it' }).getByText('lines not kept').waitFor();
  await unrecorded.screenshot('journey-unrecorded');
});

test('many readings fold, and many recipients are one column', async () => {
  const to = Array.from({ length: 300 }, (_, n) => `r${n}@many.test`);
  const transport = createTransport({ host: '127.0.0.1', port: stack.port('smtp'), ignoreTLS: true });
  const letter = { from: 'list@app.test', to: 'list@many.test', subject: 'To many', text: 'Hello.\n' };
  const { response } = await transport.sendMail({ ...letter, envelope: { from: 'list@app.test', to } });
  transport.close();
  const id = /[0-9A-Za-z]{22}/.exec(response)![0];
  for (let n = 0; n < 200; n++) {
    const headers = { 'user-agent': `poller-${n % 2}/1` };
    await (await fetch(`${origin}/api/glass/messages/${id}`, { headers })).arrayBuffer();
  }
  for (let n = 0; n < 9; n++) await (await fetch(`${origin}/api/glass/messages/${id}`)).arrayBuffer();
  await using watched = await openPage(browser, origin, `/mail/${id}/journey`);
  const { page } = watched;
  await page.locator('.head', { hasText: '300 mailboxes' }).waitFor();
  await page.getByText('and 8 more times').click();
  expect(await page.locator('.repeated[open] a').count()).toBe(8);
  await watched.screenshot('journey-many');
  const rows = page.locator('.steps > .step');
  expect(await rows.count()).toBeLessThan(70);
  await page.getByRole('button', { name: /^Show \d+ more steps between$/ }).click();
  await expect.poll(() => rows.count()).toBeGreaterThan(200);
  await page.getByText('and 288 more copies').waitFor();
  await page.getByText('and 280 more; of all, 300 are named in no field').waitFor();
});
