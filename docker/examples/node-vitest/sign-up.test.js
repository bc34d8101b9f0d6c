// Each test opens a scope: a mail domain and a token of its own, so that tests may run side by side and see only what
// was sent to them. Nothing sleeps: `wait` answers as soon as the mail is there.
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

const { APPLICATION_URL, MAIL_URL } = process.env;

/** The containers start side by side. */
async function answers(url) {
  for (let attempt = 1; attempt <= 60; attempt++) {
    if (await fetch(url).catch(() => undefined)) return;
    await pause(500);
  }
  throw new Error(`${url} did not answer within 30 seconds`);
}

beforeAll(async () => {
  await answers(APPLICATION_URL);
  await answers(`${MAIL_URL}/readyz`);
}, 70_000);

let scope;
beforeEach(async () => {
  const body = JSON.stringify({ name: expect.getState().currentTestName });
  const response = await fetch(`${MAIL_URL}/api/glass/scopes`, { method: 'POST', body });
  expect(response.status).toBe(201);
  scope = await response.json();
});
afterEach(() => mail(`scopes/${scope.id}`, { method: 'DELETE' }));

/** Glassmail's API, as the token of the scope sees it. */
function mail(path, options = {}) {
  return fetch(`${MAIL_URL}/api/glass/${path}`, { ...options, headers: { Authorization: `Bearer ${scope.token}` } });
}

function post(path, body) {
  return fetch(`${APPLICATION_URL}${path}`, { method: 'POST', body: JSON.stringify(body) });
}

/** Signs up and reads what the mail says. */
async function signUp(address) {
  expect((await post('/sign-up', { address })).status).toBe(202);
  const waited = await mail(`messages/wait?to=${encodeURIComponent(address)}&timeout=20s`);
  const { messages, detail } = await waited.json();
  expect(waited.status, detail).toBe(200);
  const found = await mail(`messages/${messages[0].id}/extract`);
  return { message: messages[0], ...(await found.json()) };
}

test('the link in the mail completes a sign-up', async () => {
  const address = `ada@${scope.domain}`;
  const { message, links } = await signUp(address);
  expect(message).toMatchObject({ subject: 'Welcome to the shop', from: { address: 'welcome@shop.example' } });
  const { url } = links.find(({ text }) => text === 'Confirm your address');
  const confirmed = await fetch(url);
  expect([confirmed.status, await confirmed.text()]).toEqual([200, `Welcome, ${address}`]);
  expect((await fetch(url)).status).toBe(404);
});

test('so does its code', async () => {
  const address = `grace@${scope.domain}`;
  const { codes } = await signUp(address);
  expect(codes).toHaveLength(1);
  expect((await post('/confirm', { address, code: '000000' })).status).toBe(404);
  expect((await post('/confirm', { address, code: codes[0].code })).status).toBe(200);
});
