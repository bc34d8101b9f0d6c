// The application under test: a page with a form, which sends a mail whose link completes the sign-up.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createTransport } from 'nodemailer';

const { SMTP_URL, PUBLIC_URL } = process.env;
const transport = createTransport(SMTP_URL);
/** Sign-ups that wait for their mail to be read: token → address. */
const pending = new Map();

const page = (content) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>The shop</title><main>${content}</main></html>`;
const FORM = `<h1>Sign up</h1>
<form method="post" action="/sign-up">
  <label>E-mail <input name="address" type="email" required></label>
  <button>Sign up</button>
</form>`;

async function signUp(address) {
  const token = randomUUID();
  pending.set(token, address);
  const link = `${PUBLIC_URL}/confirm/${token}`;
  await transport.sendMail({
    from: 'Shop <welcome@shop.example>',
    to: address,
    subject: 'Welcome to the shop',
    text: `Confirm your address: ${link}`,
    html: `<h1>Welcome!</h1><p><a href="${link}">Confirm your address</a></p>`,
  });
}

async function answer(request) {
  if (request.method === 'POST' && request.url === '/sign-up') {
    const form = new URLSearchParams((await request.toArray()).join(''));
    await signUp(form.get('address'));
    return [200, '<h1>Look into your mail</h1>'];
  }
  const token = /^\/confirm\/([\w-]+)$/.exec(request.url)?.[1];
  if (token === undefined) return [200, FORM];
  return pending.delete(token) ? [200, '<h1>Welcome</h1>'] : [404, '<h1>This link is not valid any more</h1>'];
}

createServer(async (request, response) => {
  const [status, content] = await answer(request).catch((error) => [500, `<h1>${error.name}</h1>`]);
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8' }).end(page(content));
}).listen(3000);

process.once('SIGTERM', () => process.exit());
