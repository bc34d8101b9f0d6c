/** Mailboxes on the page beside real mail programs: what the one does, the other sees at once. */
import { ImapFlow } from 'imapflow';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ConversationList } from '../../src/http/schemas/conversations.ts';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { type WatchedPage, launchBrowser, openPage } from './browser.ts';
import { LETTERS, send } from './letters.ts';

const ALICE = 'alice@glass.localhost';
const INBOX = `/mail?account=${encodeURIComponent(ALICE)}&mailbox=INBOX`;

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

interface Context {
  readonly stack: TestStack;
  readonly page: Page;
  readonly watched: WatchedPage;
  /** Logged in as Alice. */
  readonly imap: () => Promise<ImapFlow>;
}

/** A server with letters in it, and a page that must have stayed clean when the test is over. */
async function withPage(
  path: string,
  run: (context: Context) => Promise<void>,
  letters: Parameters<typeof send>[1][] = [...LETTERS],
): Promise<void> {
  await using stack = await startTestStack();
  await send(stack, ...letters);
  await using watched = await openPage(browser, `http://127.0.0.1:${stack.port('http')}`, path);
  const { page, errors, strangers } = watched;
  await page.locator('.feed-state.live').waitFor();
  const clients: ImapFlow[] = [];
  const imap = async (): Promise<ImapFlow> => {
    const client = new ImapFlow({
      host: '127.0.0.1',
      port: stack.port('imap'),
      secure: false,
      doSTARTTLS: false,
      auth: { user: ALICE, pass: 'glass' },
      logger: false,
    });
    clients.push(client);
    await client.connect();
    return client;
  };
  try {
    await run({ stack, page, watched, imap });
  } finally {
    for (const client of clients) client.close();
  }
  expect(errors).toEqual([]);
  expect(strangers).toEqual([]);
  expect(stack.logged).toEqual([]);
}

const row = (page: Page, text: string) => page.locator('.row', { hasText: text });
const subjects = (page: Page): Promise<string[]> => page.locator('.row-subject').allTextContents();
const mailbox = (page: Page, name: string) =>
  page.getByRole('list', { name: `Mailboxes of ${ALICE}` }).getByRole('link', { name });

/** What an IMAP client in IDLE hears next. */
function heard(client: ImapFlow, event: 'exists' | 'expunge' | 'flags'): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  client.once(event, resolve);
  return promise;
}

describe('the pane of accounts', () => {
  test('folds out to mailboxes, with counts that follow IMAP', async () => {
    await withPage('/mail', async ({ page, imap }) => {
      await page.getByRole('button', { name: `Mailboxes of ${ALICE}` }).click();
      await mailbox(page, 'Trash').waitFor();
      const names = await page.locator('.mailboxes .account-name').allTextContents();
      expect(names).toEqual(['INBOX', 'Drafts', 'Sent', 'Junk', 'Trash', 'Archive']);
      await mailbox(page, 'INBOX').getByText('4 messages, 4 unread').waitFor({ state: 'attached' });
      const client = await imap();
      await client.mailboxCreate('Work/2026');
      await mailbox(page, '2026').waitFor();
      await client.mailboxOpen('INBOX');
      await client.messageFlagsAdd('1', ['\\Seen']);
      await mailbox(page, 'INBOX').getByText('4 messages, 3 unread').waitFor({ state: 'attached' });
      await mailbox(page, 'INBOX').click();
      await expect.poll(() => subjects(page)).toHaveLength(4);
      expect(new URL(page.url()).search).toBe(`?account=${encodeURIComponent(ALICE)}&mailbox=INBOX`);
      await page.reload();
      await expect.poll(() => subjects(page)).toHaveLength(4);
      await page.getByRole('heading', { name: 'INBOX alice' }).waitFor();
    });
  });

  test('makes, renames and deletes mailboxes, which a mail program sees', async () => {
    await withPage(INBOX, async ({ page, watched, imap }) => {
      const client = await imap();
      const names = async () => (await client.list()).map(({ path }) => path);
      await page.getByRole('button', { name: 'New mailbox …' }).click();
      const name = page.getByRole('textbox', { name: 'Name' });
      await name.fill('INBOX');
      await page.getByRole('button', { name: 'Create' }).click();
      await page.getByRole('dialog').getByRole('alert').waitFor();
      watched.permitRefusals(); // the browser notes the 409
      await name.fill('Büro/Rechnungen');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Büro/Rechnungen' }).waitFor();
      await page.getByText('This mailbox is empty').waitFor();
      expect(await names()).toContain('Büro/Rechnungen');
      await page.getByRole('button', { name: 'More about this mailbox' }).click();
      await page.getByRole('button', { name: 'Rename …' }).click();
      await name.fill('Büro/Belege');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Büro/Belege' }).waitFor();
      expect(await names()).toContain('Büro/Belege');
      await page.getByRole('button', { name: 'More about this mailbox' }).click();
      await page.getByRole('button', { name: 'Delete this mailbox …' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      await page.getByRole('heading', { name: 'INBOX alice' }).waitFor();
      expect(await names()).not.toContain('Büro/Belege');
    });
  });
});

describe('a mailbox', () => {
  test('that the page changes is changed for an IMAP client in IDLE, and the reverse', async () => {
    await withPage(INBOX, async ({ page, imap }) => {
      const client = await imap();
      await client.mailboxOpen('INBOX');
      void client.idle();
      let news = heard(client, 'flags');
      await row(page, 'Your code').getByRole('link').click();
      await page.getByRole('heading', { name: 'Your code is 281734', level: 2 }).waitFor();
      expect(await news).toMatchObject({ flags: new Set(['\\Seen']) });
      expect(new URL(page.url()).searchParams.get('uid')).toBe('2');
      news = heard(client, 'flags');
      await page.getByRole('group', { name: 'Actions' }).getByRole('button', { name: 'Flag', exact: true }).click();
      expect(await news).toMatchObject({ flags: new Set(['\\Seen', '\\Flagged']) });
      await row(page, 'Your code').getByText('flagged').waitFor({ state: 'attached' });
      // The reverse.
      const other = await imap();
      await other.mailboxOpen('INBOX');
      await other.messageFlagsAdd('2', ['\\Answered', '$Label1'], { uid: true });
      await page.locator('.flag-list').getByText('$Label1').waitFor();
      await page.locator('.flag-chip').getByText('answered').waitFor();
      // Moved by the page: gone for the client.
      news = heard(client, 'expunge');
      await page
        .getByRole('group', { name: 'Actions' })
        .getByRole('button', { name: 'Move to another mailbox' })
        .click();
      await page.getByRole('dialog', { name: 'Move to …' }).getByRole('button', { name: 'Archive' }).click();
      await news;
      await page.getByText('1 message moved to Archive').waitFor();
      await expect.poll(() => subjects(page)).toHaveLength(3);
      // Taken back.
      news = heard(client, 'exists');
      await page.getByRole('button', { name: 'Undo' }).click();
      await news;
      await row(page, 'Your code').waitFor();
      // Moved by a client: gone from the page.
      await other.messageMove('1', 'Junk', { uid: true });
      await expect.poll(() => subjects(page)).not.toContain('Invoice 2026-0119');
    });
  });

  test('deletes to the trash without a question, restores, and for good with one', async () => {
    await withPage(INBOX, async ({ page, imap }) => {
      await row(page, 'Your code').getByRole('checkbox').click();
      await row(page, 'Invoice').getByRole('checkbox').click();
      await page.getByRole('button', { name: 'Move to the trash' }).click();
      await page.getByText('2 messages moved to the trash').waitFor();
      await expect.poll(() => subjects(page)).toHaveLength(2);
      await page.getByRole('button', { name: 'Undo' }).click();
      await expect.poll(() => subjects(page)).toHaveLength(4);
      await row(page, 'Your code').locator('.row-link').focus();
      await page.keyboard.press('#');
      await expect.poll(() => subjects(page)).toHaveLength(3);
      await mailbox(page, 'Trash').click();
      await row(page, 'Your code').getByRole('link').click();
      await page.getByRole('button', { name: 'Restore from the trash' }).click();
      await page.getByText('1 message restored to INBOX').waitFor();
      await mailbox(page, 'INBOX').click();
      await row(page, 'Your code').getByRole('checkbox').click();
      await page.getByRole('button', { name: 'Move to the trash' }).click();
      await mailbox(page, 'Trash').click();
      await row(page, 'Your code').getByRole('checkbox').click();
      await page.getByRole('button', { name: 'Delete for good' }).click();
      await page.getByRole('heading', { name: 'Delete this message for good?' }).waitFor();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete for good' }).click();
      await page.getByText('Nothing has been deleted.').waitFor();
      const client = await imap();
      expect((await client.status('Trash', { messages: true })) as object).toMatchObject({ messages: 0 });
    });
  });

  test('by thread holds a conversation together', async () => {
    const reply = (id: string, to: string) => ({ messageId: `<${id}@a.test>`, inReplyTo: `<${to}@a.test>` });
    await withPage(
      INBOX,
      async ({ page, stack, watched }) => {
        await expect.poll(() => subjects(page)).toEqual(['Re: Plan', 'Other', 'Plan']);
        await page.getByRole('button', { name: 'More about this mailbox' }).click();
        await page.getByRole('checkbox', { name: 'By thread' }).click();
        await expect.poll(() => subjects(page)).toEqual(['Plan', 'Re: Plan', 'Other']);
        await row(page, 'Plan').first().getByText('2 in this thread').waitFor({ state: 'attached' });
        expect(await page.locator('.row.below').count()).toBe(1);
        await send(stack, { subject: 'Re: Plan', ...reply('p3', 'p2') });
        await expect.poll(() => subjects(page)).toEqual(['Plan', 'Re: Plan', 'Re: Plan', 'Other']);
        expect(new URL(page.url()).searchParams.get('threads')).toBe('1');
        await watched.screenshot('threads');
      },
      [
        { subject: 'Plan', messageId: '<p1@a.test>' },
        { subject: 'Other', messageId: '<o1@a.test>' },
        { subject: 'Re: Plan', ...reply('p2', 'p1') },
      ],
    );
  });

  test('that is not there, and a message that is not there any more, are told so', async () => {
    await withPage('/mail?account=alice%40glass.localhost&mailbox=Nowhere', async ({ page, watched, imap }) => {
      await page.getByText('There is no mailbox “Nowhere” in this account.').waitFor();
      await page.goto(new URL(INBOX, page.url()).href);
      await row(page, 'Your code').getByRole('link').click();
      await page.getByRole('heading', { name: 'Your code is 281734', level: 2 }).waitFor();
      const client = await imap();
      await client.mailboxOpen('INBOX');
      await client.messageMove('2', 'Archive', { uid: true });
      await page.getByText('This message is no longer in this mailbox.').waitFor();
      await page.locator('#item').getByRole('link', { name: 'Archive' }).click();
      await page.getByRole('heading', { name: 'Archive alice' }).waitFor();
      await page.getByRole('heading', { name: 'Your code is 281734', level: 2 }).waitFor();
      watched.permitRefusals(); // the browser notes each 404
    });
  });
});

describe('writing', () => {
  test('goes over the submission port, and the page leads to the wire', async () => {
    await withPage(INBOX, async ({ page, watched, stack }) => {
      await page.getByRole('link', { name: 'Write' }).click();
      const dialog = page.getByRole('dialog', { name: 'Write' });
      await dialog.getByRole('textbox', { name: 'To' }).fill('Bob <bob>');
      await dialog.getByRole('textbox', { name: 'Subject' }).fill('Written here');
      await dialog.getByRole('textbox', { name: 'Text' }).fill('Hello Bob\n.\n');
      await dialog.locator('input[type=file]').setInputFiles({
        name: 'note.txt',
        mimeType: 'text/plain',
        buffer: Buffer.from('a note'),
      });
      await dialog.getByText('note.txt').waitFor();
      await watched.screenshot('compose');
      // A draft survives a reload, but for its files.
      await page.reload();
      await expect.poll(() => dialog.getByRole('textbox', { name: 'Subject' }).inputValue()).toBe('Written here');
      await dialog.getByRole('button', { name: 'Send' }).click();
      await dialog.getByText('Handed in').waitFor();
      await watched.screenshot('compose-sent');
      await dialog.getByRole('link', { name: 'Watch it on the wire' }).click();
      await page.locator('.wire-row', { hasText: 'AUTH XOAUTH2' }).first().waitFor();
      await page.locator('.wire-row', { hasText: 'MAIL FROM:<alice@glass.localhost>' }).first().waitFor();
      await page.goBack();
      const bob = (await stack.store.findAccount('bob@glass.localhost'))!;
      const inbox = (await stack.store.findMailbox(bob.id, 'INBOX'))!;
      expect(inbox.messages).toBe(3);
    });
  });

  test('an answer is addressed, quoted, threaded, and marks what it answers', async () => {
    await withPage(INBOX, async ({ page, imap }) => {
      await row(page, 'Grüße').getByRole('link').click();
      await page.getByRole('link', { name: 'Reply to all' }).click();
      const dialog = page.getByRole('dialog', { name: 'Reply to all' });
      const value = (name: string) => dialog.getByRole('textbox', { name, exact: true }).inputValue();
      await expect.poll(() => value('To')).toBe('"Jürgen Müller" <j@red.test>');
      expect(await value('Cc')).toBe('bob@glass.localhost, Carol <carol@app.test>');
      expect(await value('Subject')).toMatch(/^Re: Grüße aus Zürich/);
      expect(await value('Text')).toContain('> Ich bin gut angekommen.');
      await page.keyboard.type('Danke!');
      await dialog.getByRole('button', { name: 'Send' }).click();
      await dialog.getByText('Handed in').waitFor();
      await dialog.getByRole('button', { name: 'Close' }).last().click();
      await row(page, 'Grüße').getByText('answered').waitFor({ state: 'attached' });
      const client = await imap();
      await client.mailboxOpen('Sent');
      const sent = await client.fetchOne('*', { envelope: true, flags: true });
      expect(sent && [sent.envelope?.inReplyTo, [...(sent.flags ?? [])]]).toEqual([
        expect.stringMatching(/^<.+>$/),
        ['\\Seen'],
      ]);
    });
  });

  test('what the server refuses is shown in its words', async () => {
    await withPage('/mail?write=new', async ({ page, watched, stack }) => {
      const rule = { where: { command: 'RCPT' }, what: { type: 'refuse', code: '550', text: 'Not today' } };
      await fetch(`http://127.0.0.1:${stack.port('http')}/api/glass/faults`, {
        method: 'POST',
        body: JSON.stringify(rule),
        headers: { 'Content-Type': 'application/json' },
      });
      const dialog = page.getByRole('dialog', { name: 'Write' });
      await dialog.getByRole('button', { name: 'Send' }).click();
      await dialog.getByRole('alert').getByText('must name somebody').waitFor();
      await dialog.getByRole('textbox', { name: 'To' }).fill('bob');
      await dialog.getByRole('button', { name: 'Send' }).click();
      await dialog.getByRole('alert').getByText('Not today').waitFor();
      await watched.screenshot('compose-refused');
      watched.permitRefusals(); // the browser notes the 400 and the 422
      await dialog.getByRole('alert').getByRole('link', { name: 'Watch it on the wire' }).click();
      await page.locator('.wire-row', { hasText: 'RCPT TO:<bob@glass.localhost>' }).first().waitFor();
    });
  });
});

describe('a message', () => {
  test('is shown as each protocol has it, and stays as it was', async () => {
    await withPage(
      '/mail',
      async ({ page, watched, stack }) => {
        await row(page, 'Dots').getByRole('link').click();
        await page.getByRole('link', { name: 'As others see it' }).click();
        const way = (name: string) => page.locator('.way-column', { hasText: name });
        await way('IMAP shows it').getByText('announced as BODY[] {').waitFor();
        await way('POP3 hands it out').getByText('2 lines dot-stuffed').waitFor();
        await way('HTTP returns it').getByText('message/rfc822').waitFor();
        expect(await way('SMTP took it in').locator('pre').textContent()).toContain('\n.hidden\n');
        expect(await way('POP3 hands it out').locator('.mark-stuffed').first().textContent()).toBe('dot-stuffed');
        expect(await way('POP3 hands it out').locator('pre').textContent()).toContain('\n..hidden\n');
        expect(await way('POP3 hands it out').locator('pre').textContent()).toMatch(/\n\.\n$/);
        await watched.screenshot('others');
        // Nobody shall take it for a mail program, with its steps and its mistakes.
        const origin = `http://127.0.0.1:${stack.port('http')}`;
        const asked = (await (await fetch(`${origin}/api/glass/conversations?http=false`)).json()) as ConversationList;
        const own = asked.conversations.filter(({ protocol }) => protocol !== 'smtp');
        expect(own.map(({ protocol }) => protocol).sort()).toEqual(['imap', 'pop3']);
        expect(own.map(({ program, diagnoses }) => [program, diagnoses])).toEqual([
          ['glassmail', []],
          ['glassmail', []],
        ]);
        await way('IMAP shows it').getByRole('link', { name: 'on the wire' }).click();
        await page.locator('.wire-row', { hasText: 'EXAMINE "INBOX"' }).first().waitFor();
        await page.goBack();
        const alice = (await stack.store.findAccount(ALICE))!;
        const inbox = (await stack.store.findMailbox(alice.id, 'INBOX'))!;
        expect([inbox.messages, inbox.deleted]).toEqual([1, 0]);
      },
      [{ subject: 'Dots', text: 'Hello\n.\n.hidden\nend\n' }],
    );
  });

  test('has its checks, its tags, and words for others to ask for it', async () => {
    await withPage('/mail', async ({ page, watched }) => {
      await row(page, 'Invoice').getByRole('link').click();
      await page.getByRole('link', { name: 'Checks', exact: true }).click();
      await page.getByRole('cell', { name: 'https://evil.test/login' }).waitFor();
      await page.getByText('its text names another host').waitFor();
      await page.locator('.checks-view').getByText('http://tracker.test/pixel.gif').waitFor();
      await watched.screenshot('checks');
      await page.getByRole('button', { name: 'Add a tag' }).click();
      await page.getByRole('textbox', { name: 'Add a tag' }).fill('to pay');
      await page.keyboard.press('Enter');
      await row(page, 'Invoice').getByText('to pay').waitFor();
      await page.locator('#item').getByRole('link', { name: 'to pay' }).click();
      await expect.poll(() => subjects(page)).toEqual(['Invoice 2026-0119']);
      await row(page, 'Invoice').getByRole('link').click();
      await page.getByRole('button', { name: 'Remove the tag to pay' }).click();
      await page.getByRole('button', { name: 'More', exact: true }).click();
      await page.getByRole('button', { name: 'Copy as …' }).click();
      const dialog = page.getByRole('dialog', { name: 'Copy as …' });
      await dialog.getByText('a5 UID FETCH 1 BODY.PEEK[]').waitFor();
      await watched.screenshot('copy-as');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'More', exact: true }).click();
      await page.getByRole('button', { name: 'Hand in once more' }).click();
      await page.getByText(/Handed in once more: 250/).waitFor();
    });
  });
});
