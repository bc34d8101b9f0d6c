/**
 * What Ethereal answers to nodemailer: with `ETHEREAL_API=http://localhost:8025`, `createTestAccount` makes an account
 * here, and `getTestMessageUrl` leads to the page of the message. The SMTP service ends its 250 for such accounts in
 * `[STATUS=new MSGID=…]`, of which that address is made.
 *
 * The ports are those without TLS from the start, since nobody trusts the certificate yet.
 */
import { randomBytes } from 'node:crypto';
import { newTestAddress } from '../../delivery/test-accounts.ts';
import { hostName } from '../access.ts';
import type { HttpParts } from '../parts.ts';
import { type App, json } from '../route.ts';

export function addEthereal(app: App, parts: HttpParts): void {
  app.post('/user', async (context) => {
    const refused = (status: number, error: string): Response => json({ status: 'error', error }, status);
    // There, accounts are people's.
    if (parts.mode === 'domain' && !parts.scope) return refused(403, 'only capture mode makes accounts for tests');
    if (!context.get('client').administers) return refused(403, 'not for this client: see the control token');
    const user = newTestAddress(parts.defaultDomain);
    const pass = randomBytes(12).toString('base64url');
    await parts.store.createAccount({ address: user, passwordRecord: await parts.passwordRecord(pass) });
    const services = parts.services();
    const host = hostName(context.req.header('host') ?? '') ?? 'localhost';
    const place = (service: string): object | null => {
      const endpoint = services[service];
      return endpoint ? { host, port: endpoint.port, secure: false } : null;
    };
    return json({
      status: 'success',
      user,
      pass,
      smtp: place('smtp'),
      imap: place('imap'),
      pop3: place('pop3'),
      web: new URL(context.req.url).origin,
    });
  });

  app.get('/message/:id', (context) => {
    const id = context.req.param('id');
    return /^[0-9A-Za-z]{22}$/.test(id) ? context.redirect(`/mail/${id}`, 302) : context.notFound();
  });
}
