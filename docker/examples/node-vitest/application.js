// The application under test. POST /sign-up with an address sends a mail; its link or its code completes the sign-up.
import { randomInt, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createTransport } from 'nodemailer';

const { SMTP_URL, PUBLIC_URL } = process.env;
const transport = createTransport(SMTP_URL);
/** Sign-ups that wait for their mail to be read: token → address and code. */
const pending = new Map();

async function signUp(address) {
  const token = randomUUID();
  const code = String(randomInt(100_000, 1_000_000));
  pending.set(token, { address, code });
  const link = `${PUBLIC_URL}/confirm/${token}`;
  await transport.sendMail({
    from: 'Shop <welcome@shop.example>',
    to: address,
    subject: 'Welcome to the shop',
    text: `Your code is ${code}. Or open ${link}`,
    html: `<p>Your code is <b>${code}</b>.</p><p><a href="${link}">Confirm your address</a></p>`,
  });
}

function confirm(found) {
  if (!found) return [404, 'This link or code is not valid (any more).'];
  const [token, { address }] = found;
  pending.delete(token);
  return [200, `Welcome, ${address}`];
}

async function answer({ method, url, body }) {
  if (method === 'POST' && url === '/sign-up') {
    await signUp(body.address);
    return [202, 'Look into your mail.'];
  }
  if (method === 'POST' && url === '/confirm') {
    return confirm([...pending].find(([, each]) => each.address === body.address && each.code === body.code));
  }
  const token = /^\/confirm\/([\w-]+)$/.exec(url)?.[1];
  return confirm([...pending].find(([each]) => each === token));
}

createServer(async (request, response) => {
  let status, text;
  try {
    const octets = (await request.toArray()).join('');
    const body = octets === '' ? {} : JSON.parse(octets);
    [status, text] = await answer({ method: request.method, url: request.url, body });
  } catch (error) {
    [status, text] = [500, String(error)];
  }
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(text);
}).listen(3000);

process.once('SIGTERM', () => process.exit());
