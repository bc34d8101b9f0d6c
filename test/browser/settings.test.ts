/** The settings: what is done there holds for real clients. */
import { ImapFlow } from 'imapflow';
import { createTransport } from 'nodemailer';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { launchBrowser, openPage } from './browser.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const open = (stack: TestStack, path: string) => openPage(browser, `http://127.0.0.1:${stack.port('http')}`, path);

async function logsIn(stack: TestStack, user: string, pass: string): Promise<boolean> {
  const client = new ImapFlow({
    host: '127.0.0.1',
    port: stack.port('imap'),
    secure: false,
    doSTARTTLS: false,
    auth: { user, pass },
    logger: false,
  });
  try {
    await client.connect();
  } catch {
    return false;
  }
  await client.logout();
  return true;
}

test('an account is added, gets another password and limits, and is deleted', async () => {
  await using stack = await startTestStack();
  await using watched = await open(stack, '/settings');
  const { page } = watched;
  const row = page.getByRole('row', { name: /carol@glass\.localhost/ });
  await page.getByRole('row', { name: /alice@glass\.localhost/ }).waitFor();

  await page.getByLabel('Address').fill('carol@');
  await page.getByRole('button', { name: 'Add an account' }).click();
  await page.getByText('must be local-part@domain').waitFor();
  await page.getByLabel('Address').fill('carol@glass.localhost');
  await page.getByLabel('Password', { exact: true }).fill('first');
  await page.getByRole('button', { name: 'Add an account' }).click();
  await row.waitFor();
  expect(await logsIn(stack, 'carol@glass.localhost', 'first')).toBe(true);

  await page.getByRole('button', { name: 'Change the password of carol@glass.localhost' }).click();
  await page.getByLabel('New password').fill('second');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('carol@glass.localhost has a new password').waitFor();
  expect(await logsIn(stack, 'carol@glass.localhost', 'first')).toBe(false);
  expect(await logsIn(stack, 'carol@glass.localhost', 'second')).toBe(true);

  await page.getByRole('button', { name: 'Change the limits of carol@glass.localhost' }).click();
  await page.getByLabel('Messages at most').fill('7');
  await page.getByRole('button', { name: 'Save' }).click();
  await row.getByText('7 messages').waitFor();

  await page.getByRole('button', { name: 'Delete carol@glass.localhost' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await row.waitFor({ state: 'detached' });
  expect(await logsIn(stack, 'carol@glass.localhost', 'second')).toBe(false);
  expect(watched.errors.filter((error) => !error.includes('400'))).toEqual([]);
  expect(watched.strangers).toEqual([]);
});

test('a rule makes mail fail as long as it is on, and every page says so', async () => {
  await using stack = await startTestStack();
  await using watched = await open(stack, '/settings/faults');
  const { page } = watched;
  const hand = () =>
    createTransport({ host: '127.0.0.1', port: stack.port('smtp') }).sendMail({
      envelope: { from: 'a@red.test', to: ['bob@slow.test'] },
      raw: 'Subject: late\r\n\r\nhello\r\n',
    });
  await page.getByText('everything works as it should').waitFor();

  await page.getByLabel(/^The rule/).fill('{"what": {"type": "delay"}}');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByText('what.ms').waitFor();
  await page.getByLabel(/^The rule/).fill('not json');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByText('This is not JSON').waitFor();

  await page.getByLabel('Start from').selectOption('slowFetch');
  await page.getByLabel('Start from').selectOption('tempfail');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const rule = page.getByRole('listitem').filter({ hasText: 'RCPT to *@slow.test, then refuse with 451' });
  await rule.waitFor();
  await page.getByRole('link', { name: '1 fault on' }).waitFor();
  await expect(hand()).rejects.toThrow('451');
  await rule.getByText('hit 1 of 1').waitFor();

  await rule.getByRole('switch').click();
  await page.getByRole('link', { name: '1 fault on' }).waitFor({ state: 'detached' });
  await hand();
  await rule.getByRole('switch').click();
  await page.getByRole('link', { name: '1 fault on' }).waitFor();
  await expect(hand()).rejects.toThrow('451');
  // It goes on where it stood: two hits are all that it has.
  await hand();

  await rule.getByRole('button', { name: /^Remove the rule/ }).click();
  await page.getByText('everything works as it should').waitFor();
  expect(watched.errors.filter((error) => !error.includes('400'))).toEqual([]);
});

test('what is held, and that all of it can go', async () => {
  await using stack = await startTestStack();
  await createTransport({ host: '127.0.0.1', port: stack.port('smtp') }).sendMail({
    envelope: { from: 'a@red.test', to: ['bob@glass.localhost'] },
    raw: 'Subject: one\r\n\r\nhello\r\n',
  });
  await using watched = await open(stack, '/settings/data');
  const { page } = watched;
  await page.getByText('1 accepted message, 1 copy').waitFor();
  await page.getByRole('button', { name: 'Delete all mail' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete all mail' }).click();
  await page.getByText('0 accepted messages, 0 copies').waitFor();
  await page.getByRole('link', { name: 'Listeners' }).click();
  const imaps = page.getByRole('row').filter({ hasText: `127.0.0.1:${stack.port('imaps')}` });
  await imaps.getByText('from the start').waitFor();
  await page.getByRole('link', { name: 'Domains and DNS' }).click();
  await page.getByText('_imaps._tcp').waitFor();
  await page.getByRole('link', { name: 'About' }).click();
  await page.getByText('API reference').waitFor();
  expect(watched.errors).toEqual([]);
});

test('a section that there is not has a clear page', async () => {
  await using stack = await startTestStack();
  await using watched = await open(stack, '/settings/nonsense');
  await watched.page.getByText('no settings called “nonsense”').waitFor();
  await watched.page.getByRole('link', { name: 'Faults' }).click();
  await watched.page.getByRole('heading', { name: 'Faults' }).waitFor();
  expect(watched.errors).toEqual([]);
});
