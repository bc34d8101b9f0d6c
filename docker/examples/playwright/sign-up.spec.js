import { expect, test as base } from '@playwright/test';

const { APPLICATION_URL, MAIL_URL } = process.env;

/** Each test has a scope: a mail domain and a token of its own, so that it sees only what was sent to it. */
const test = base.extend({
  scope: async ({ request }, use, { title }) => {
    const made = await request.post(`${MAIL_URL}/api/glass/scopes`, { data: { name: title } });
    expect(made.status()).toBe(201);
    const scope = await made.json();
    const headers = { Authorization: `Bearer ${scope.token}` };
    await use({ ...scope, mail: (path) => request.get(`${MAIL_URL}/api/glass/${path}`, { headers }) });
    await request.delete(`${MAIL_URL}/api/glass/scopes/${scope.id}`, { headers });
  },
});

// The containers start side by side.
test.beforeEach(async ({ request }) => {
  for (const url of [APPLICATION_URL, `${MAIL_URL}/readyz`]) {
    await expect(async () => expect((await request.get(url)).ok()).toBe(true)).toPass({ timeout: 30_000 });
  }
});

test('a visitor signs up with the link in the mail', async ({ page, scope }) => {
  const address = `ada@${scope.domain}`;
  await page.goto('/');
  await page.getByLabel('E-mail').fill(address);
  await page.getByRole('button', { name: 'Sign up' }).click();
  await expect(page.getByRole('heading')).toHaveText('Look into your mail');

  // Answers as soon as the mail is there.
  const waited = await scope.mail(`messages/wait?to=${encodeURIComponent(address)}&timeout=20s`);
  const { messages, detail } = await waited.json();
  expect(waited.status(), detail).toBe(200);
  expect(messages[0].subject).toBe('Welcome to the shop');

  // The mail as a reader sees it: sanitised, nothing loaded from anywhere.
  const shown = await scope.mail(`messages/${messages[0].id}/html`);
  await page.setContent(await shown.text());
  await page.getByRole('link', { name: 'Confirm your address' }).evaluate((link) => (link.target = ''));
  await page.getByRole('link', { name: 'Confirm your address' }).click();
  await expect(page.getByRole('heading')).toHaveText('Welcome');
});

test('a link works once', async ({ page, scope }) => {
  const address = `grace@${scope.domain}`;
  await page.request.post('/sign-up', { form: { address } });
  await scope.mail(`messages/wait?to=${encodeURIComponent(address)}&timeout=20s`);
  const { links } = await (await scope.mail('messages/latest/extract')).json();
  await page.goto(links[0].url);
  await expect(page.getByRole('heading')).toHaveText('Welcome');
  await page.goto(links[0].url);
  await expect(page.getByRole('heading')).toHaveText('This link is not valid any more');
});
