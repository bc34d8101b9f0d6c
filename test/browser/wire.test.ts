/** The wire page: true, live, and without secrets. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type Socket, connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { ImapFlow } from 'imapflow';
import Pop3Command from 'node-pop3';
import { createTransport } from 'nodemailer';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ConversationDetail, ConversationList } from '../../src/http/schemas/conversations.ts';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { launchBrowser, openPage } from './browser.ts';
import { send } from './letters.ts';
import { startTalking } from './talkers.ts';

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
  expect(await client.textContent()).toMatch(/client: a1 LOGIN .*•/);
  // Not in the text, not in any attribute, under neither lens.
  expect(await page.locator('.wire-rows').innerHTML()).not.toContain('glass"');
  expect(await page.locator('.wire-rows').innerHTML()).not.toMatch(/localhost glass\b/);
  await page.keyboard.press('e');
  await page.getByText('secret readable').waitFor();
  expect(await page.locator('.wire-rows').innerHTML()).not.toMatch(/localhost glass\b/);
  await page.keyboard.press('e');
  await page.locator('.crossed', { hasText: 'secret readable' }).waitFor();
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
  await page.getByRole('link', { name: 'Eavesdropper' }).click();
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
  const fold = page.locator('.wire-row.content details', { hasText: /\d+ lines/ });
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
  await page.locator('.row.conversation', { hasText: 'Login refused' }).waitFor();
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

/** The number of the event in which something was said, and the conversation's id. */
async function placeOf(stack: TestStack, service: string, said: RegExp): Promise<{ id: string; seq: number }> {
  const origin = `http://127.0.0.1:${stack.port('http')}`;
  const { conversations } = (await (
    await fetch(`${origin}/api/glass/conversations?service=${service}`)
  ).json()) as ConversationList;
  for (const { id } of conversations) {
    const { spoken } = (await (await fetch(`${origin}/api/glass/conversations/${id}`)).json()) as ConversationDetail;
    const unit = spoken.find(({ text }) => said.test(text));
    if (unit) return { id, seq: unit.seq };
  }
  throw new Error(`nobody said ${said.source}`);
}

/** A program that reads its mail over STARTTLS, and one that sends over TLS with a login. */
async function clients(stack: TestStack): Promise<void> {
  const auth = { user: 'alice@glass.localhost', pass: 'glass' };
  const imap = new ImapFlow({
    ...{ host: '127.0.0.1', port: stack.port('imap'), secure: false, tls: { rejectUnauthorized: false } },
    ...{ auth, logger: false, disableCompression: true },
  });
  await imap.connect();
  await imap.mailboxOpen('INBOX');
  await imap.fetchAll('1:*', { envelope: true });
  await imap.logout();
  const transport = createTransport({
    ...{ host: '127.0.0.1', port: stack.port('submissions'), secure: true, tls: { rejectUnauthorized: false }, auth },
  });
  await transport.sendMail({ from: auth.user, to: 'bob@glass.localhost', subject: 'Secured', text: 'Hello Bob' });
  transport.close();
  const pop3 = new Pop3Command({ host: '127.0.0.1', port: stack.port('pop3'), user: auth.user, password: auth.pass });
  await pop3.UIDL();
  await pop3.QUIT();
}

test('both lenses side by side, and TLS in between: what real programs say, and what carries it', async () => {
  await using stack = await startTestStack();
  await send(stack, { subject: 'For the lens' });
  await clients(stack);
  const { id } = await placeOf(stack, 'imap', /SELECT INBOX/);
  await using watched = await openPage(browser, `http://127.0.0.1:${stack.port('http')}`, `/wire/${id}?lens=both`);
  const { page } = watched;
  // In clear at first: the eavesdropper reads the same.
  const greeting = page.locator('.wire-row.server').first();
  expect(await greeting.locator('.crossed').textContent()).toContain('glassmail is ready');
  const band = page.locator('.wire-row.band.tls', { hasText: 'TLS 1.3' });
  expect(await band.textContent()).toMatch(/TLS_\w+.*octets from the client, .* from the server/);
  // Then only how long it is, at the same height.
  const select = page.locator('.wire-row.client', { hasText: 'SELECT INBOX' });
  expect(await select.locator('.crossed').textContent()).toMatch(/^eavesdropper: ?\d+ octets, encrypted$/);
  expect(await select.locator('.crossed').textContent()).not.toContain('SELECT');
  await page.getByRole('link', { name: 'Eavesdropper' }).click();
  await page.locator('.wire-row.server', { hasText: 'glassmail is ready' }).waitFor();
  expect(await page.locator('.wire-rows').textContent()).not.toMatch(/SELECT INBOX|UID FETCH|EXISTS/);
  expect(await page.locator('.records.encrypted').count()).toBeGreaterThan(5);
  expect(await page.locator('.records.handshake').count()).toBeGreaterThan(0);
  // What a record's width says, the text says too.
  const wide = await page
    .locator('.records.encrypted .block')
    .evaluateAll((blocks) =>
      blocks.map((block) => [Number(block.getAttribute('title')?.replace(/\D/g, '')), block.clientWidth] as const),
    );
  const [small, large] = [...wide].sort(([a], [b]) => a - b).filter((_, at, all) => at === 0 || at === all.length - 1);
  expect(large![1]).toBeGreaterThan(small![1]);
  await page.getByRole('link', { name: 'Side by side' }).waitFor();
  expect(watched.errors).toEqual([]);
  expect(watched.strangers).toEqual([]);
});

test('a clear password is readable, and says so; a line explains itself unless told not to', async () => {
  await using stack = await startTestStack();
  await clients(stack);
  const { id } = await placeOf(stack, 'pop3', /^PASS/);
  await using watched = await openPage(browser, `http://127.0.0.1:${stack.port('http')}`, `/wire/${id}`);
  const { page } = watched;
  const command = page.locator('.wire-row.client', { hasText: 'UIDL' });
  const rfc = command.getByRole('link', { name: 'RFC 1939 §7' });
  expect(await rfc.getAttribute('href')).toBe('https://www.rfc-editor.org/rfc/rfc1939#section-7');
  expect(await rfc.getAttribute('rel')).toBe('noreferrer');
  await page.getByRole('checkbox', { name: 'Explanations' }).click();
  await expect.poll(() => page.locator('.meaning').count()).toBe(0);
  await page.reload();
  await command.waitFor();
  expect(await page.locator('.meaning').count()).toBe(0);
  await page.getByRole('link', { name: 'Eavesdropper' }).click();
  await page.locator('.wire-row.client', { hasText: 'PASS' }).getByText('secret readable').waitFor();
});

test('a permanent link marks its line and opens the drawer: fields and octets show each other', async () => {
  await using stack = await startTestStack();
  await send(stack, { subject: 'For the drawer' });
  const { id, seq } = await placeOf(stack, 'smtp', /^MAIL FROM/);
  await using watched = await openPage(browser, `http://127.0.0.1:${stack.port('http')}`, `/wire/${id}#e${seq}`);
  const { page } = watched;
  await page.locator('.wire-row.target', { hasText: 'MAIL FROM:<shop@app.test>' }).waitFor();
  const drawer = page.getByRole('region', { name: 'The chosen line' });
  expect(await drawer.locator('.hex').textContent()).toMatch(/^0000 {2}4d 41 49 4c 20 46 52 4f .*MAIL FRO/);
  const link = await drawer.getByRole('link', { name: 'Try in the Console' }).getAttribute('href');
  expect(link).toMatch(/^\/console\/smtp\?line=MAIL\+FROM/);
  // On by the keyboard, over what was sent in one go; the address follows.
  await page.locator('.wire-row.target .at').focus();
  for (const command of ['RCPT TO', 'DATA']) {
    await page.keyboard.press('j');
    await page.locator('.wire-row.target.client', { hasText: command }).waitFor();
  }
  await page.keyboard.press('j');
  await page.locator('.wire-row.target.server').waitFor();
  await drawer.getByText('The server took').waitFor();
  expect(new URL(page.url()).hash).toMatch(/^#e\d+$/);
  await drawer.getByRole('link', { name: 'this command' }).click();
  await page.locator('.wire-row.target', { hasText: 'MAIL FROM' }).waitFor();
  await page.keyboard.press('Escape');
  await expect.poll(() => drawer.count()).toBe(0);
  expect(new URL(page.url()).hash).toBe('');
  // With the focus on a line: Enter opens it, Space pauses.
  await page.keyboard.press('k');
  await page.keyboard.press('Enter');
  await drawer.waitFor();
  await page.keyboard.press('Space');
  await page.getByRole('button', { name: 'Resume live updates' }).waitFor();
  await page.keyboard.press('Space');
  await page.locator('.feed-state.live').waitFor();
  expect(watched.errors).toEqual([]);
});

test('fields mark their octets, and a secret shows when it is asked for and confirmed', async () => {
  await using stack = await startTestStack();
  await clients(stack);
  const { id, seq } = await placeOf(stack, 'pop3', /^USER/);
  const origin = `http://127.0.0.1:${stack.port('http')}`;
  await using watched = await openPage(browser, origin, `/wire/${id}#e${seq}`);
  const { page } = watched;
  const drawer = page.getByRole('region', { name: 'The chosen line' });
  const field = drawer.locator('.fields button', { hasText: 'alice@glass.localhost' });
  await field.click();
  expect(await field.getAttribute('aria-pressed')).toBe('true');
  const marked = await drawer.locator('.hex .chosen').allTextContents();
  const octets = marked.filter((words) => /^[\da-f]{2} *$/.test(words)).map((words) => words.trim());
  expect(Buffer.from(octets.join(''), 'hex').toString()).toBe('alice@glass.localhost');
  // And back: the octet chooses its field.
  await field.click();
  expect(await drawer.locator('.hex .chosen').count()).toBe(0);
  await drawer
    .locator('.hex span', { hasText: /^6c ?$/ })
    .first()
    .click();
  expect(await field.getAttribute('aria-pressed')).toBe('true');
  const pass = await placeOf(stack, 'pop3', /^PASS/);
  await page.goto(`${origin}/wire/${pass.id}#e${pass.seq}`);
  await page.locator('.wire-row.target', { hasText: 'PASS' }).waitFor();
  await drawer.getByRole('button', { name: 'Show the secret' }).click();
  expect(await page.locator('#item').innerHTML()).not.toMatch(/\bPASS glass\b/);
  await page.getByRole('button', { name: 'Show it', exact: true }).click();
  await drawer.locator('.revealed mark', { hasText: 'glass' }).waitFor();
  // It is remarked, and stays in the drawer.
  await page.locator('.wire-row', { hasText: 'secrets shown to 127.0.0.1' }).waitFor();
  expect(await page.locator('.wire-rows').textContent()).not.toMatch(/\bPASS glass\b/);
  await page.keyboard.press('Escape');
  await expect.poll(() => drawer.count()).toBe(0);
  expect(watched.errors).toEqual([]);
});

test('exports: one conversation, and all that the filter leaves', async () => {
  await using stack = await startTestStack();
  await clients(stack);
  const { id } = await placeOf(stack, 'pop3', /^PASS/);
  await using watched = await openPage(browser, `http://127.0.0.1:${stack.port('http')}`, `/wire/${id}`);
  const { page } = watched;
  const saved = async (press: () => Promise<void>): Promise<Buffer> => {
    const [download] = await Promise.all([page.waitForEvent('download'), press()]);
    return readFile(await download.path());
  };
  await page.getByRole('button', { name: 'Export', exact: true }).click();
  const text = (await saved(() => page.getByRole('link', { name: 'Text' }).click())).toString();
  expect(text).toContain('UIDL');
  expect(text).not.toContain('PASS glass');
  await page.getByRole('button', { name: 'Export', exact: true }).click();
  const capture = await saved(() => page.getByRole('link', { name: 'pcapng, for Wireshark' }).click());
  expect(capture.readUInt32LE(0)).toBe(0x0a0d0d0a);
  await page.keyboard.press('Escape');
  await page.getByRole('textbox', { name: 'Filter conversations' }).fill('user:alice');
  await expect.poll(() => page.locator('.row.conversation').count()).toBe(3);
  await page.getByRole('button', { name: 'Export the listed conversations' }).click();
  const list = JSON.parse(
    (await saved(() => page.getByRole('button', { name: 'JSON' }).click())).toString(),
  ) as ConversationDetail[];
  expect(list.map(({ service }) => service)).toEqual(['pop3', 'submissions', 'imap']);
  expect(list.every(({ spoken }) => spoken.length > 0)).toBe(true);
  expect(watched.errors).toEqual([]);
});

test('a link into what is folded opens it, and words are found there', async () => {
  await using stack = await startTestStack();
  const socket = connect(stack.port('imap'), '127.0.0.1');
  socket.setEncoding('utf8');
  await once(socket, 'data');
  // More lines of one side in a row than are shown.
  socket.write(Array.from({ length: 40 }, (_, index) => `n${index} NOOP\r\n`).join(''));
  let heard = '';
  while ((heard.match(/\r\n/g) ?? []).length < 40) heard += String((await once(socket, 'data'))[0]);
  const { id, seq } = await placeOf(stack, 'imap', /^n30 NOOP$/);
  await using watched = await openPage(browser, `http://127.0.0.1:${stack.port('http')}`, `/wire/${id}`);
  const { page } = watched;
  await page
    .getByRole('button', { name: /37 more lines/ })
    .first()
    .waitFor();
  expect(await page.locator('.wire-row', { hasText: 'n30 NOOP' }).count()).toBe(0);
  await page.getByRole('textbox', { name: 'Find in this conversation' }).fill('N30 noop');
  await page.getByText('0 of 1').waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.wire-row.target', { hasText: 'n30 NOOP' }).waitFor();
  await page.locator('.wire-row.target mark', { hasText: 'n30 NOOP' }).waitFor();
  await page.getByText('1 of 1').waitFor();
  const { href } = new URL(page.url());
  await page.goto('about:blank');
  await page.goto(href);
  const row = page.locator('.wire-row.target', { hasText: 'n30 NOOP' });
  await row.waitFor();
  expect(await row.evaluate((element) => element.getBoundingClientRect().top < innerHeight)).toBe(true);
  expect(seq).toBeGreaterThan(0);
  socket.destroy();
});

test('the list: what was said, deleting what is closed, and filters in the address', async () => {
  await using stack = await startTestStack();
  await send(stack, { subject: 'Needle in this one' });
  await send(stack, { subject: 'Hay' });
  await clients(stack);
  const socket = connect(stack.port('imap'), '127.0.0.1');
  await converse(socket, 'a1 NOOP');
  await using watched = await openPage(browser, `http://127.0.0.1:${stack.port('http')}`, '/wire');
  const { page } = watched;
  const rows = page.locator('.row.conversation');
  await expect.poll(() => rows.count()).toBe(6);
  const filter = page.getByRole('textbox', { name: 'Filter conversations' });
  await filter.fill('smtp text:"needle IN"');
  await expect.poll(() => rows.count()).toBe(1);
  expect(new URL(page.url()).searchParams.get('q')).toBe('smtp text:"needle IN"');
  await filter.fill('user:alice has:tls');
  await expect.poll(() => rows.count()).toBe(2);
  await page.reload();
  await expect.poll(() => rows.count()).toBe(2);
  // A secret is not found.
  await filter.fill('pop3 text:"PASS glass"');
  await page.getByText('No conversation passes the filter').waitFor();
  await filter.fill('');
  await expect.poll(() => rows.count()).toBe(6);
  await page.getByRole('button', { name: 'Forget the closed conversations?' }).click();
  await page.getByRole('button', { name: 'Forget them' }).click();
  await page.getByText('5 conversations forgotten').waitFor();
  await expect.poll(() => rows.count()).toBe(1);
  socket.destroy();
  expect(watched.errors).toEqual([]);
});

test.each([
  ['on a computer of today', 1],
  ['on one that is four times as slow', 4],
])('nothing moves under the reader: what is new waits, and a pause stops all; %s', async (_, slowness) => {
  await using stack = await startTestStack();
  const socket = connect(stack.port('imap'), '127.0.0.1');
  await converse(socket, ...Array.from({ length: 40 }, (_, index) => `a${index} NOOP`));
  const { id } = await placeOf(stack, 'imap', /a1 NOOP/);
  await using watched = await openPage(browser, `http://127.0.0.1:${stack.port('http')}`, `/wire/${id}`);
  const { page } = watched;
  const tools = await page.context().newCDPSession(page);
  await tools.send('Emulation.setCPUThrottlingRate', { rate: slowness });
  // The end is followed.
  const last = page.locator('.wire-row', { hasText: 'a39 OK' });
  await last.waitFor();
  const scroller = page.locator('.wire-scroller');
  await expect.poll(() => scroller.evaluate((e) => e.scrollHeight - e.scrollTop - e.clientHeight)).toBeLessThan(24);
  await say(socket, 'b1 NOOP');
  await page.locator('.wire-row', { hasText: 'b1 OK' }).waitFor();
  await scroller.hover();
  await page.mouse.wheel(0, -4000);
  // Rows that come near are laid out, and push a little.
  await expect.poll(() => scroller.evaluate((e) => e.scrollTop)).toBeLessThan(200);
  const top = await topRow(page);
  await say(socket, 'b2 NOOP');
  await page.getByRole('button', { name: /new rows/ }).waitFor();
  expect(await page.locator('.wire-row', { hasText: 'b2 NOOP' }).count()).toBe(0);
  expect(await topRow(page)).toBe(top);
  await page.getByRole('button', { name: /new rows/ }).click();
  await page.locator('.wire-row', { hasText: 'b2 OK' }).waitFor();
  await page.getByRole('button', { name: 'Pause live updates' }).click();
  await say(socket, 'b3 NOOP');
  await page.getByRole('button', { name: 'Resume live updates' }).click();
  await page.locator('.wire-row', { hasText: 'b3 OK' }).waitFor();
  socket.destroy();
  await page.getByText('The client closed the connection').waitFor();
});

/** What the reader sees at the top. */
function topRow(page: Page): Promise<string | null | undefined> {
  return page.evaluate(() => {
    const { left, top, width } = document.querySelector('.wire-scroller')!.getBoundingClientRect();
    return document.elementFromPoint(left + width / 2, top + 16)?.closest('li')?.textContent;
  });
}

test('many conversations at once: the page follows to the end, answers, and says what it missed', async () => {
  await using stack = await startTestStack();
  await using talkers = await startTalking({
    port: stack.port('imap'),
    ...{ conversations: 60, eventsPerSecond: 1200, loudest: 300 },
  });
  const { conversations } = (await (
    await fetch(`http://127.0.0.1:${stack.port('http')}/api/glass/conversations?limit=100&service=imap`)
  ).json()) as ConversationList;
  const id = conversations.at(-1)!.id;
  await using watched = await openPage(browser, `http://127.0.0.1:${stack.port('http')}`, `/wire/${id}`);
  const { page } = watched;
  await expect.poll(() => page.locator('.row.conversation').count()).toBe(60);
  await expect.poll(() => talkers.answers, { timeout: 30_000 }).toBeGreaterThan(1500);
  // While it rushes by, the page is the reader's.
  await page.getByRole('link', { name: 'Eavesdropper' }).click();
  await page.getByRole('link', { name: 'Both ends' }).click();
  // A page that did not listen for long is told how much it missed, and can have it.
  await page.keyboard.press('Space');
  await page.getByRole('button', { name: 'Resume live updates' }).waitFor();
  const before = talkers.answers;
  await expect.poll(() => talkers.answers, { timeout: 60_000 }).toBeGreaterThan(before + 4000);
  await page.keyboard.press('Space');
  const lastTag = await talkers.quiet();
  await page.locator('.wire-row.server', { hasText: `${lastTag} OK` }).waitFor();
  expect(await page.locator('.wire-row').count()).toBeLessThan(2100);
  await page.getByRole('textbox', { name: 'Find in this conversation' }).fill(`${lastTag} OK`);
  await page.getByText('of 1').waitFor();
  expect(watched.errors).toEqual([]);
  expect(stack.logged).toEqual([]);
});

test('320 pixels are wide enough for every lens and the drawer', async () => {
  await using stack = await startTestStack();
  await send(stack, { subject: 'Narrow' });
  const { id, seq } = await placeOf(stack, 'smtp', /^RCPT TO/);
  const options = { viewport: { width: 320, height: 640 } };
  for (const lens of ['server', 'eavesdropper', 'both']) {
    await using watched = await openPage(
      browser,
      `http://127.0.0.1:${stack.port('http')}`,
      `/wire/${id}?lens=${lens}#e${seq}`,
      options,
    );
    const { page } = watched;
    await page.getByRole('region', { name: 'The chosen line' }).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
    const wide = await page.locator('.wire-scroller').evaluate((e) => e.scrollWidth - e.clientWidth);
    expect([lens, wide]).toEqual([lens, 0]);
  }
});

test('requests over HTTP, however many, leave the mail conversations in the list, under the names of their programs', async () => {
  await using stack = await startTestStack();
  const origin = `http://127.0.0.1:${stack.port('http')}`;
  const socket = connect(stack.port('imap'), '127.0.0.1');
  await converse(socket, 'a1 ID ("name" "Mutt" "version" "2.2")', 'a2 NOOP');
  await using watched = await openPage(browser, origin, '/wire');
  const { page } = watched;
  const row = page.locator('.row.conversation', { hasText: 'Mutt 2.2' });
  await row.waitFor();
  const ask = async (): Promise<void> => {
    const answer = await fetch(`${origin}/api/glass/status`, { headers: { connection: 'close' } });
    await answer.arrayBuffer();
  };
  for (let round = 0; round < 52; round++) await Promise.all(Array.from({ length: 10 }, ask));
  for (const look of ['live', 'loaded anew']) {
    if (look === 'loaded anew') await page.reload();
    await row.waitFor();
    expect(await page.locator('.row.conversation').count()).toBe(1);
  }
  await page.getByRole('checkbox', { name: 'HTTP too' }).check();
  await expect.poll(() => page.locator('.row.conversation', { hasText: 'HTTP' }).count()).toBeGreaterThan(400);
  await page.getByRole('checkbox', { name: 'HTTP too' }).uncheck();
  await row.getByRole('link').click();
  await page.locator('.conversation-title', { hasText: 'Mutt 2.2' }).waitFor();
  await page.getByRole('button', { name: 'Help' }).click();
  await page.getByRole('dialog', { name: 'Help' }).getByText('text:LOGIN').waitFor();
  socket.destroy();
  expect(watched.errors).toEqual([]);
});
