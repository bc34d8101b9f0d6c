/** The wire page: true, live, and without secrets. */
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestStack } from '../test-stack.ts';
import { launchBrowser, openPage } from './browser.ts';
import { send } from './letters.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

/** Says lines one after the other, each once the answer to the one before has ended. */
async function converse(socket: Socket, ...lines: readonly string[]): Promise<void> {
  socket.setEncoding('utf8');
  await once(socket, 'data');
  for (const line of lines) {
    socket.write(`${line}\r\n`);
    const tag = line.split(' ')[0]!;
    let heard = '';
    while (!new RegExp(`^${tag} .*\r\n`, 'm').test(heard)) heard += String((await once(socket, 'data'))[0]);
  }
}

test('a conversation appears and grows while it happens; its password does not', async () => {
  await using stack = await startTestStack();
  await using watched = await openPage(browser, `http://127.0.0.1:${stack.port('http')}`, '/wire');
  const { page } = watched;
  await page.getByRole('heading', { name: 'No conversations yet' }).waitFor();
  const socket = connect(stack.port('imap'), '127.0.0.1');
  await converse(socket, 'a1 LOGIN alice@glass.localhost glass');
  const row = page.locator('.row.conversation', { hasText: 'IMAP' });
  await row.getByRole('link').click();
  await page.locator('.wire-row.server', { hasText: 'OK' }).first().waitFor();
  await row.getByText('alice@glass.localhost').waitFor();
  await say(socket, 'a2 SELECT INBOX');
  await page.locator('.wire-row.client', { hasText: 'a2 SELECT INBOX' }).waitFor();
  await page.getByText('opened INBOX').waitFor();
  const client = page.locator('.wire-row.client', { hasText: 'a1 LOGIN' });
  expect(await client.textContent()).toMatch(/client:a1 LOGIN .*•/);
  // Not in the text, not in any attribute, under neither lens.
  expect(await page.locator('.wire-rows').innerHTML()).not.toContain('glass"');
  expect(await page.locator('.wire-rows').innerHTML()).not.toMatch(/localhost glass\b/);
  await page.keyboard.press('e');
  await page.getByText('secret readable').waitFor();
  expect(await page.locator('.wire-rows').innerHTML()).not.toMatch(/localhost glass\b/);
  await page.keyboard.press('e');
  socket.end();
  await page.getByText('The client closed the connection').waitFor();
  await page.reload();
  await page.getByText('opened INBOX').waitFor();
  expect(watched.errors).toEqual([]);
  expect(watched.strangers).toEqual([]);
});

/** The rest of a conversation that has begun. */
async function say(socket: Socket, line: string): Promise<void> {
  socket.write(`${line}\r\n`);
  await once(socket, 'data');
}

test('under TLS the server sees lines, the eavesdropper only how many octets', async () => {
  await using stack = await startTestStack();
  const socket = connectTls({ port: stack.port('imaps'), host: '127.0.0.1', rejectUnauthorized: false });
  await converse(socket, 'a1 LOGIN alice@glass.localhost glass', 'a2 LOGOUT');
  socket.destroy();
  await using watched = await openPage(browser, `http://127.0.0.1:${stack.port('http')}`, '/wire');
  const { page } = watched;
  await page.locator('.row.conversation').getByRole('link').click();
  await page.locator('.wire-row.client', { hasText: 'a2 LOGOUT' }).waitFor();
  await page.locator('.wire-row.band.tls', { hasText: 'TLS 1.3' }).waitFor();
  await page.getByRole('link', { name: 'Eavesdropper sees' }).click();
  await page
    .getByText(/\d+ octets, encrypted/)
    .first()
    .waitFor();
  expect(await page.locator('.wire-rows').textContent()).not.toContain('LOGOUT');
});

test('a message leads to its conversation, and that leads back', async () => {
  await using stack = await startTestStack();
  await send(stack, { subject: 'There and back', text: Array.from({ length: 60 }, (_, n) => `Line ${n}`).join('\n') });
  await using watched = await openPage(browser, `http://127.0.0.1:${stack.port('http')}`, '/mail');
  const { page } = watched;
  await page.locator('.row').getByRole('link').click();
  await page.getByRole('link', { name: 'the conversation' }).click();
  await page.locator('.wire-row.client', { hasText: 'RCPT TO:<alice@glass.localhost>' }).waitFor();
  // The body is folded, and opens.
  const fold = page.locator('.wire-row details', { hasText: 'more lines' });
  expect(await fold.getByText('Line 59').isVisible()).toBe(false);
  await fold.locator('summary').click();
  expect(await fold.getByText('Line 59').isVisible()).toBe(true);
  await page.getByRole('link', { name: 'open it' }).click();
  await page.getByRole('heading', { name: 'There and back', level: 2 }).waitFor();
  expect(watched.errors).toEqual([]);
});

test('the filter and the problem of a conversation', async () => {
  await using stack = await startTestStack();
  await send(stack, { subject: 'Fine' });
  const socket = connect(stack.port('imap'), '127.0.0.1');
  await converse(socket, 'a1 LOGIN alice@glass.localhost wrong');
  await using watched = await openPage(browser, `http://127.0.0.1:${stack.port('http')}`, '/wire');
  const { page } = watched;
  await expect.poll(() => page.locator('.row.conversation').count()).toBe(2);
  await page.getByRole('link', { name: '1 problem found' }).click();
  await expect.poll(() => page.locator('.row.conversation').count()).toBe(1);
  await page.locator('.row.conversation', { hasText: 'login of alice@glass.localhost failed' }).waitFor();
  await page.getByRole('textbox', { name: 'Filter conversations' }).fill('smtp');
  await page.locator('.row.conversation', { hasText: '1 message taken in' }).waitFor();
  expect(await page.locator('.row.conversation').count()).toBe(1);
  socket.destroy();
});

test('a conversation that never was is no blank page', async () => {
  await using stack = await startTestStack();
  await using watched = await openPage(browser, `http://127.0.0.1:${stack.port('http')}`, '/wire/zzzzzzzzzzz');
  await watched.page.getByRole('heading', { name: 'There never was such a conversation' }).waitFor();
});
