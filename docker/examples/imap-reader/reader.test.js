// Writes to the help desk by SMTP and looks over HTTP what its reader did. Nothing sleeps: `wait` with `is=read` answers
// as soon as the message has been marked.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createTransport } from 'nodemailer';

const { SMTP_URL, MAIL_URL, ACCOUNT } = process.env;

/** The containers start side by side. */
before(async () => {
  for (let attempt = 1; attempt <= 60; attempt++) {
    const answer = await fetch(`${MAIL_URL}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await pause(500);
  }
  throw new Error(`${MAIL_URL} did not answer within 30 seconds`);
});

async function get(path) {
  const response = await fetch(`${MAIL_URL}/api/glass/${path}`);
  const body = await response.json();
  assert.equal(response.status, 200, body.detail);
  return body;
}

test('the reader sees a message that was sent by SMTP, and marks it', async () => {
  const subject = `My order ${randomUUID()}`;
  const text = 'Where is it?';
  await createTransport(SMTP_URL).sendMail({ from: 'ada@customer.example', to: ACCOUNT, subject, text });

  const { messages } = await get(`messages/wait?subject=${encodeURIComponent(subject)}&is=read&timeout=40s`);
  const [copy] = messages[0].copies;
  assert.equal(copy.account, ACCOUNT);
  assert.deepEqual([...copy.flags].sort(), ['$Ticket', '\\Seen']);
});
