// A small application: sends one message through the mail server, then reads it back over HTTP, IMAP and POP3, and
// compares the octets. Exit code 0 only if all three saw the same message. It uses only what any application could:
// npm clients for SMTP and IMAP, fetch for HTTP, a socket for POP3.
import { randomUUID } from 'node:crypto';
import { createConnection } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { ImapFlow } from 'imapflow';
import { createTransport } from 'nodemailer';

const host = process.env.MAIL_SERVER ?? 'localhost';
const web = `http://${host}:8025`;
const recipient = 'customer@shop.test';
const login = { user: recipient, pass: 'glass' };
const subject = `Your order ${randomUUID()}`;

async function waitUntilReady() {
  for (let attempt = 1; attempt <= 60; attempt++) {
    const answer = await fetch(`${web}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await pause(1000);
  }
  throw new Error(`${web}/readyz did not answer within a minute`);
}

async function send() {
  const transport = createTransport({ host, port: 1025, secure: false });
  const { response } = await transport.sendMail({
    from: 'shop@shop.test',
    to: recipient,
    subject,
    text: 'Grüße!\n.a line that begins with a dot\n',
    html: '<p>Grüße!</p>',
    attachments: [{ filename: 'invoice.txt', content: 'one, two, three\n' }],
  });
  return response;
}

async function readByHttp() {
  const query = encodeURIComponent(`subject:"${subject}"`);
  const found = await (await fetch(`${web}/api/v1/search?query=${query}`)).json();
  if (found.messages.length !== 1) throw new Error(`HTTP found ${found.messages.length} messages`);
  const raw = await fetch(`${web}/api/v1/message/${found.messages[0].ID}/raw`);
  return Buffer.from(await raw.arrayBuffer());
}

async function readByImap() {
  const client = new ImapFlow({ host, port: 1143, secure: false, doSTARTTLS: false, auth: login, logger: false });
  await client.connect();
  try {
    const lock = await client.getMailboxLock('INBOX');
    try {
      const uids = await client.search({ header: { subject } }, { uid: true });
      if (uids.length !== 1) throw new Error(`IMAP found ${uids.length} messages`);
      const message = await client.fetchOne(String(uids[0]), { source: true }, { uid: true });
      return message.source;
    } finally {
      lock.release();
    }
  } finally {
    await client.logout();
  }
}

/** RFC 1939: USER, PASS, RETR 1, QUIT; the lines of RETR without byte-stuffing. */
async function readByPop3() {
  const socket = createConnection({ host, port: 1110 });
  socket.setTimeout(20_000, () => socket.destroy(new Error('POP3 did not answer')));
  let received = Buffer.alloc(0);
  const commands = [`USER ${login.user}`, `PASS ${login.pass}`, 'RETR 1'];
  const end = Buffer.from('\r\n.\r\n');
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk]);
    const multiline = commands.length === 0;
    if (multiline ? received.indexOf(end) < 0 : received.indexOf('\r\n') < 0) continue;
    if (!received.subarray(0, 3).equals(Buffer.from('+OK'))) throw new Error(`POP3: ${received.toString('latin1')}`);
    if (multiline) break;
    socket.write(`${commands.shift()}\r\n`);
    received = Buffer.alloc(0);
  }
  socket.end('QUIT\r\n');
  const text = received.toString('latin1');
  const message = text.slice(text.indexOf('\r\n') + 2, text.lastIndexOf('\r\n.\r\n') + 2);
  return Buffer.from(message.replace(/^\./gm, ''), 'latin1');
}

await waitUntilReady();
console.log(`sent: ${await send()}`);
const [http, imap, pop3] = [await readByHttp(), await readByImap(), await readByPop3()];
for (const [name, octets] of Object.entries({ HTTP: http, IMAP: imap, POP3: pop3 }))
  console.log(`${name}: ${octets.length} octets`);
const same = http.includes(subject) && http.equals(imap) && http.equals(pop3);
console.log(same ? 'all three saw the same message' : 'the three differ');
process.exit(same ? 0 : 1);
