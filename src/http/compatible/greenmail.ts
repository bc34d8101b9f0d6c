/**
 * The HTTP API of GreenMail: its users are accounts here. Paths, shapes and status codes are GreenMail's; with
 * `--ports greenmail` the services listen where its clients look for them.
 *
 * What differs: a login is an address, or its local part where the domain is the default one; whatever login a user is
 * made with, the answer tells the one that opens the account. A reset takes away all mail and all accounts but those of
 * the configuration. Accounts of test scopes are left alone by both, unless it is the scope's token that asks.
 */
import { decodeEncodedWords, firstField, parseHeader } from '../../mail/headers.ts';
import { guessText } from '../../mail/octets.ts';
import type { Account, FetchedMessage } from '../../store/mail-store.ts';
import type { Endpoint } from '../../wire/connection.ts';
import { streamOf, wholeContent } from '../content.ts';
import type { HttpParts } from '../parts.ts';
import { HttpProblem, problemOf } from '../problem.ts';
import { type App, type HttpContext, MAX_JSON, json, limitedText } from '../route.ts';
import { accountNamed, deleteAccount, localAddress } from '../routes/accounts.ts';

export function addGreenmail(app: App, parts: HttpParts): void {
  const { store } = parts;

  app.get('/api/configuration', () =>
    json({
      serverSetups: Object.entries(parts.services()).flatMap(([service, endpoint]) => setupOf(service, endpoint) ?? []),
      authenticationDisabled: parts.checksLogins === false,
      sieveIgnoreDetail: false,
      preloadDirectory: null,
    }),
  );

  app.get('/api/user', async () => json((await ownAccounts(parts)).map((account) => userOf(parts, account))));

  app.post('/api/user', (context) =>
    answered(context, async () => {
      const { email, password } = await userBody(context);
      const passwordRecord = await parts.passwordRecord(password);
      const made = await store.createAccount({ address: localAddress(parts, email), passwordRecord });
      return userOf(parts, made);
    }),
  );

  app.delete('/api/user/:user', (context) =>
    answered(context, async () => {
      const account = await accountNamed(parts, context.req.param('user'));
      await deleteAccount(parts, account.id);
      return { message: `User '${context.req.param('user')}' deleted` };
    }),
  );

  for (const path of ['/api/user/:user/messages', '/api/user/:user/messages/:folder']) {
    app.on('GET', [path, `${path}/`], async (context) => {
      const account = await store.findAccount(nameOf(parts, context.req.param('user') ?? ''));
      const folder = context.req.param('folder') ?? 'INBOX';
      const name = folder.toUpperCase() === 'INBOX' ? 'INBOX' : folder;
      const mailbox = account && (await store.findMailbox(account.id, name));
      if (!account) return message(`User '${context.req.param('user')}' not found`, 400);
      if (!mailbox) return message(`Folder '${folder}' not found`, 400);
      const { uids, count } = await store.snapshot(account.id, mailbox.id);
      const batches = store.fetchMessages(account.id, mailbox.id, uids.subarray(0, count), { content: true });
      return new Response(streamOf(messageList(batches)), {
        headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' },
      });
    });
  }

  app.post('/api/mail/purge', (context) =>
    answered(context, async () => {
      for (const account of await ownAccounts(parts)) await purge(parts, account);
      return { message: 'Purged mails' };
    }),
  );

  app.post('/api/service/reset', (context) =>
    answered(context, async () => {
      const kept = new Set(parts.firstAccounts?.map((address) => address.toLowerCase()));
      for (const account of await ownAccounts(parts)) {
        if (kept.has(account.address)) await purge(parts, account);
        else await deleteAccount(parts, account.id);
      }
      return { message: 'Performed reset' };
    }),
  );

  app.get('/api/service/readiness', () =>
    parts.ready() ? message('Service running') : message('Service not running', 503),
  );
}

function message(text: string, status = 200): Response {
  return json({ message: text }, status);
}

/** Errors are 400 with a sentence, whatever was wrong. */
async function answered(context: HttpContext, act: () => Promise<object>): Promise<Response> {
  if (!context.get('client').administers) return message('not for this client: see the control token', 403);
  try {
    return json(await act());
  } catch (error) {
    const problem = problemOf(error);
    if (!problem) throw error;
    return message(problem.message, problem.status >= 500 || problem.status === 413 ? problem.status : 400);
  }
}

/** @throws HttpProblem 400, 413 */
async function userBody(context: HttpContext): Promise<{ readonly email: string; readonly password: string }> {
  const wrong = new HttpProblem(400, 'the body must be JSON with email, login and password');
  let body: unknown;
  try {
    body = JSON.parse(await limitedText(context.req.raw, MAX_JSON));
  } catch (error) {
    throw error instanceof SyntaxError ? wrong : error;
  }
  const { email, login, password } = (body ?? {}) as Partial<Record<string, unknown>>;
  const name = email ?? login;
  if (typeof name !== 'string' || name.length > 320 || typeof password !== 'string' || password === '') throw wrong;
  return { email: name, password };
}

function nameOf(parts: HttpParts, user: string): string {
  return user.includes('@') ? user.toLowerCase() : `${user}@${parts.defaultDomain}`.toLowerCase();
}

function userOf(
  { defaultDomain }: HttpParts,
  { address }: Account,
): { readonly login: string; readonly email: string } {
  const suffix = `@${defaultDomain}`;
  return { login: address.endsWith(suffix) ? address.slice(0, -suffix.length) : address, email: address };
}

async function ownAccounts(parts: HttpParts): Promise<readonly Account[]> {
  const accounts = await parts.store.listAccounts();
  return parts.scope ? accounts : accounts.filter(({ owner }) => owner === undefined);
}

/** Also what an IMAP client put there. */
async function purge({ store }: HttpParts, account: Account): Promise<void> {
  for (const { id } of await store.listMailboxes(account.id)) {
    await store.expunge(account.id, id, { onlyDeleted: false });
  }
}

function setupOf(service: string, { address, port }: Endpoint): object | undefined {
  const protocol = PROTOCOLS.get(service);
  if (protocol === undefined) return undefined;
  return {
    port,
    address,
    protocol,
    isSecure: protocol.endsWith('s'),
    readTimeout: -1,
    writeTimeout: -1,
    connectionTimeout: -1,
    serverStartupTimeout: 2000,
    isDynamicPort: false,
  };
}

const PROTOCOLS = new Map([
  ['smtp', 'smtp'],
  ['submissions', 'smtps'],
  ['pop3', 'pop3'],
  ['pop3s', 'pop3s'],
  ['imap', 'imap'],
  ['imaps', 'imaps'],
]);

async function* messageList(batches: AsyncIterable<readonly FetchedMessage[]>): AsyncGenerator<Uint8Array> {
  let separator = '[';
  for await (const batch of batches) {
    for (const fetched of batch) {
      if (!fetched.content) continue;
      yield Buffer.from(separator + JSON.stringify(toMessage(fetched.uid, await wholeContent(fetched.content))));
      separator = ',';
    }
  }
  yield Buffer.from(separator === '[' ? '[]' : ']');
}

/** `Message-ID` is what GreenMail answers, `messageId` what its documentation says. */
function toMessage(uid: number, octets: Uint8Array): object {
  const header = parseHeader(octets);
  const messageId = firstField(octets, header, 'Message-ID') ?? null;
  return {
    uid: String(uid),
    'Message-ID': messageId,
    messageId,
    subject: decodeEncodedWords(firstField(octets, header, 'Subject') ?? ''),
    contentType: firstField(octets, header, 'Content-Type') ?? 'text/plain',
    mimeMessage: guessText(octets),
  };
}
