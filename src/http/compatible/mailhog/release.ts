/**
 * POST /api/v1/messages/{id}/release: a captured message goes out after all, to a server with a name or to one that the
 * request names itself. Which ones it may be, the operator says: nothing leaves otherwise.
 */
import type { HttpParts } from '../../parts.ts';
import { type App, MAX_JSON, json, limitedText } from '../../route.ts';
import { faultOfRecipients, release } from '../mailpit/release.ts';
import { type MailpitSettings, NO_SETTINGS, type Relay } from '../mailpit/settings.ts';
import { withNames } from '../go-names.ts';
import { SERVER_NAMES, serverOf, textOf } from './servers.ts';

export function addRelease(app: App, { store, mailpit = NO_SETTINGS }: HttpParts): void {
  app.post('/api/v1/messages/:id/release', async (context) => {
    const id = context.req.param('id');
    const transaction = /^[0-9A-Za-z]{22}$/.test(id) ? await store.findTransaction(id) : undefined;
    const content = transaction && (await store.findContent(transaction.transactionId));
    // The npm package `mailhog` takes a body for JSON and fails on it; it is known by not saying what it accepts.
    const refusal = (reason: string, status: number): Response =>
      text(context.req.header('accept') === undefined ? '' : reason, status);
    if (!content) return refusal('there is no such message', 500);
    let body: unknown;
    try {
      body = JSON.parse(await limitedText(context.req.raw, MAX_JSON));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return refusal('the body must be JSON', 400);
    const given = withNames(body, SERVER_NAMES) as Readonly<Record<string, unknown>>;
    const chosen = chosenServer(given, mailpit);
    if (typeof chosen === 'string') return refusal(chosen, 400);
    const to = [textOf(given.Email) === '' ? chosen.email : textOf(given.Email)];
    const fault = faultOfRecipients(to, chosen.server);
    if (fault !== undefined) return refusal(fault, 400);
    try {
      await release({ transaction, ...content }, to, chosen.server);
      return text('');
    } catch (error) {
      return refusal(`SMTP error: ${(error as Error).message}`, 500);
    }
  });

  // Passwords are for the servers alone.
  app.get('/api/v2/outgoing-smtp', () => {
    const servers = [...named(mailpit)].map(([name, { host, port, email, user, auth }]) => [
      name,
      {
        Name: name,
        Save: false,
        Email: email,
        Host: host,
        Port: String(port),
        Username: user,
        Password: '',
        Mechanism: auth === undefined ? '' : auth.toUpperCase().replace('CRAM-MD5', 'CRAMMD5'),
      },
    ]);
    return json(Object.fromEntries(servers));
  });
}

type Named = Relay & { readonly email: string };

/** The relay of the configuration is one of them. */
function named({ relay, outgoing }: MailpitSettings): ReadonlyMap<string, Named> {
  return new Map([...(relay ? [['relay', { ...relay, email: '' }] as const] : []), ...outgoing]);
}

/** @returns a line that says why not */
function chosenServer(
  given: Readonly<Record<string, unknown>>,
  settings: MailpitSettings,
): { readonly server: Relay; readonly email: string } | string {
  const servers = named(settings);
  const name = textOf(given.Name);
  const known = servers.get(name);
  if (known) return { server: known, email: known.email };
  if (name !== '' && textOf(given.Host) === '') return `there is no server ${name.slice(0, 100)}`;
  const server = serverOf(given);
  if (typeof server === 'string') return server;
  const isThis = (host: string, port: number | undefined): boolean =>
    host.toLowerCase() === server.host.toLowerCase() && (port === undefined || port === server.port);
  const { releaseTo } = settings;
  if (releaseTo === 'any' || releaseTo.some(({ host, port }) => isThis(host, port))) return { server, email: '' };
  for (const one of servers.values()) if (isThis(one.host, one.port)) return { server: one, email: one.email };
  return `nothing is released to ${server.host}:${server.port}: --release-to would permit it`;
}

function text(body: string, status = 200): Response {
  return new Response(body, {
    status,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' },
  });
}
