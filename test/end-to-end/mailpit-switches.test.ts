/** What of Mailpit's API is off until it is asked for: chaos, release, webhooks, the link check, logins to send. */
import { once } from 'node:events';
import { type IncomingMessage, type RequestListener, createServer } from 'node:http';
import { type AddressInfo, createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import { MailpitClient } from 'mailpit-api';
import { type SendMailOptions, createTransport } from 'nodemailer';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket as WebSocketWithHeaders } from 'ws';
import { SERVICES, readConfig } from '../../src/config.ts';
import { startStack } from '../../src/stack.ts';
import { type TestStack, startTestStack } from '../test-stack.ts';

const base = (stack: TestStack): string => `http://127.0.0.1:${stack.port('http')}`;

function send(stack: TestStack, more: SendMailOptions = {}, login?: { readonly user: string; readonly pass: string }) {
  const transport = createTransport({
    host: '127.0.0.1',
    port: stack.port('smtp'),
    ...(login && { auth: login }),
  });
  return transport.sendMail({ from: 'a@red.test', to: 'alice@glass.localhost', subject: 'x', text: 'y', ...more });
}

/** An HTTP server of the test's own. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('chaos refuses at MAIL, RCPT and AUTH, and is put to rest again', async () => {
  await using stack = await startTestStack('--chaos', '--chaos-triggers', 'Sender:421:100');
  const mailpit = new MailpitClient(base(stack));
  expect((await mailpit.getConfiguration()).ChaosEnabled).toBe(true);
  expect(await mailpit.getChaosTriggers()).toEqual({
    Sender: { ErrorCode: 421, Probability: 100 },
    Recipient: { ErrorCode: 451, Probability: 0 },
    Authentication: { ErrorCode: 535, Probability: 0 },
  });
  await expect(send(stack)).rejects.toMatchObject({ command: 'MAIL FROM', response: '421 Chaos sender error' });
  const recipient = { Recipient: { ErrorCode: 550, Probability: 100 } };
  expect(await mailpit.setChaosTriggers(recipient)).toMatchObject({ Sender: { Probability: 0 }, ...recipient });
  await expect(send(stack)).rejects.toMatchObject({ command: 'RCPT TO', response: '550 Chaos recipient error' });
  await mailpit.setChaosTriggers({ Authentication: { ErrorCode: 0, Probability: 100 } });
  const login = { user: 'x', pass: 'y' };
  await expect(send(stack, {}, login)).rejects.toMatchObject({ response: '535 Chaos authentication error' });
  await send(stack);
  for (const [trigger, rule] of [
    [{ ErrorCode: 200, Probability: 1 }, 'error code must be between 400 and 599'],
    [{ ErrorCode: 451, Probability: 101 }, 'probability must be between 0 and 100'],
  ] as const) {
    await expect(mailpit.setChaosTriggers({ Sender: trigger })).rejects.toThrow(`400 Bad Request`);
    await expect(mailpit.setChaosTriggers({ Sender: trigger })).rejects.toThrow(rule);
  }
  const told = (await (await fetch(`${base(stack)}/api/glass/conversations?service=smtp`)).json()) as {
    readonly conversations: readonly { readonly id: string }[];
  };
  const hits = await Promise.all(
    told.conversations.map(async ({ id }) => (await fetch(`${base(stack)}/api/glass/conversations/${id}`)).text()),
  );
  for (const point of ['sender', 'recipient', 'authentication'])
    expect(hits.join()).toContain(`{"type":"fault","rule":"chaos","effect":"refuse","at":"${point}"}`);
  expect((await mailpit.getChaosTriggers()).Authentication.Probability).toBe(100);
  await mailpit.setChaosTriggers({});
  await send(stack, {}, login);
  expect((await mailpit.listMessages()).total).toBe(2);
  expect(stack.logged).toEqual([]);
});

test('a message is released through the relay, without what is secret', async () => {
  await using world = await startTestStack();
  await using stack = await startTestStack(
    ...['--relay-host', '127.0.0.1', '--relay-port', String(world.port('smtp')), '--relay-tls', 'none'],
    ...['--relay-auth', 'plain', '--relay-user', 'me', '--relay-password', 'secret'],
    ...['--relay-allowed', '@blue\\.test$', '--relay-blocked', '^no', '--relay-from', 'us@red.test'],
  );
  const mailpit = new MailpitClient(base(stack));
  expect((await mailpit.getConfiguration()).MessageRelay).toMatchObject({
    Enabled: true,
    SMTPServer: `127.0.0.1:${world.port('smtp')}`,
    AllowedRecipients: '@blue\\.test$',
    RecipientAllowlist: '@blue\\.test$',
    OverrideFrom: 'us@red.test',
  });
  await send(stack, { messageId: '<old@red.test>', headers: { Bcc: 'secret@red.test' }, subject: 'Released' });
  const { ID } = (await mailpit.listMessages()).messages[0]!;
  const refused = async (To: string[], rule: string) =>
    expect(mailpit.releaseMessage(ID, { To })).rejects.toThrow(`: ${rule}`);
  await refused([], 'No valid addresses found');
  await refused(['nobody'], 'Invalid email address: nobody');
  await refused(['a@blue.test', 'b@green.test'], 'Failed: 1 Address do not match the allowlist: b@green.test');
  await refused(['nobody@blue.test'], 'Failed: 1 Address found on blocklist: nobody@blue.test');
  expect(await mailpit.releaseMessage('latest', { To: ['a@blue.test', 'b@blue.test'] })).toBe('ok');

  const there = new MailpitClient(base(world));
  const { messages, total } = await there.listMessages();
  expect([total, messages[0]]).toMatchObject([
    1,
    { Username: 'me', From: { Address: 'us@red.test' }, Subject: 'Released' },
  ]);
  expect(messages[0]!.Bcc.map(({ Address }) => Address)).toEqual(['a@blue.test', 'b@blue.test']);
  const source = await there.getMessageSource();
  expect(source).not.toContain('secret@red.test');
  expect(source).not.toContain('old@red.test');
  expect(source).toContain('X-Original-From: a@red.test');
  expect(source.match(/^Received:/gim)).toHaveLength(1);
  await world[Symbol.asyncDispose]();
  await expect(mailpit.releaseMessage(ID, { To: ['a@blue.test'] })).rejects.toThrow(/400.*SMTP error/s);
  expect(stack.logged).toEqual([]);
});

test('a webhook is told of what arrives, once a second', async () => {
  const told: { body: unknown; label: unknown }[] = [];
  let look: () => void = () => undefined;
  const url = await serve((request: IncomingMessage, response) => {
    void text(request).then((body) => {
      told.push({ body: JSON.parse(body), label: request.headers['mailpit-label'] });
      response.end();
      look();
    });
  });
  await using stack = await startTestStack('--webhook-url', `${url}/hook`, '--label', 'Staging');
  const began = performance.now();
  await send(stack, { subject: 'first' });
  while (told.length === 0) await new Promise<void>((resolve) => (look = resolve));
  await send(stack, { subject: 'passed over' });
  const [summary] = (await new MailpitClient(base(stack)).searchMessages({ query: 'subject:first' })).messages;
  expect(told[0]).toEqual({ body: summary, label: 'Staging' });
  expect(told.length).toBeLessThanOrEqual(1 + Math.floor((performance.now() - began) / 1000));
  expect(stack.logged).toEqual([]);
});

test('a webhook that does not answer is told in the log, and mail is taken all the same', async () => {
  const url = await serve((_request, response) => {
    response.statusCode = 500;
    response.end();
  });
  const logged = Promise.withResolvers<string>();
  const config = readConfig(
    [
      '--data',
      'temp',
      '--durability',
      'process',
      '--host',
      '127.0.0.1',
      '--webhook-url',
      url,
      '--webhook-limit',
      '0',
    ].concat(SERVICES.flatMap((service) => [`--${service}-port`, '0'])),
    {},
  );
  await using stack = await startStack(config, { log: logged.resolve });
  await createTransport({ host: '127.0.0.1', port: stack.addresses('smtp')[0]!.port }).sendMail({
    from: 'a@red.test',
    to: 'alice@glass.localhost',
  });
  expect(await logged.promise).toMatch(/ warn webhook http:\/\/127\.0\.0\.1:\d+: 500$/);
});

test('links are asked where that is permitted', async () => {
  const asked: string[] = [];
  const url = await serve((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (request.url === '/there') response.end();
    else if (request.url === '/moved') response.writeHead(302, { Location: '/there' }).end();
    else if (request.url === '/get' && request.method === 'HEAD') response.writeHead(405).end();
    else if (request.url === '/get') response.end('body');
    else response.writeHead(404).end();
  });
  const html = ['there', 'moved', 'get', 'none', 'there'].map((path) => `<a href="${url}/${path}">x</a>`).join('');
  const more = { html: `${html}<a href="mailto:a@red.test">m</a>`, text: `See ${url}/text.` };
  await using open = await startTestStack('--link-check', 'internal');
  await send(open, more);
  const mailpit = new MailpitClient(base(open));
  const link = (path: string, StatusCode: number, Status: string) => ({ URL: `${url}/${path}`, StatusCode, Status });
  expect(await mailpit.linkCheck()).toEqual({
    Errors: 2,
    Links: [
      link('there', 200, 'OK'),
      link('moved', 302, 'Found'),
      link('get', 200, 'OK'),
      link('none', 404, 'Not Found'),
      link('text', 404, 'Not Found'),
    ],
  });
  expect((await mailpit.linkCheck('latest', true)).Links[1]).toEqual(link('moved', 200, 'OK'));
  expect(new Set(asked)).toContain('HEAD /there');

  asked.length = 0;
  await using careful = await startTestStack('--link-check', 'public');
  await send(careful, { html: `<a href="${url}/a"></a><a href="${url.replace('127.0.0.1', 'localhost')}/b"></a>` });
  const { Errors, Links } = await new MailpitClient(base(careful)).linkCheck('latest', true);
  expect([Errors, Links.map(({ StatusCode }) => StatusCode), asked]).toEqual([2, [0, 0], []]);
  for (const { Status } of Links) expect(Status).toMatch(/^blocked: (127\.0\.0\.1|::1) is not a public address$/);
  expect([...open.logged, ...careful.logged]).toEqual([]);
});

test('sending may have logins of its own', async () => {
  await using stack = await startTestStack('--http-auth', 'admin:secret', '--send-auth', 'app:one tool:two');
  const status = async (path: string, login?: string, method = 'POST') => {
    const response = await fetch(base(stack) + path, {
      method,
      ...(login !== undefined && { headers: { Authorization: `Basic ${btoa(login)}` } }),
      ...(method === 'POST' && {
        body: JSON.stringify({ From: { Email: 'a@red.test' }, To: [{ Email: 'alice@glass.localhost' }] }),
      }),
    });
    return response.status;
  };
  expect(await status('/api/v1/send')).toBe(401);
  expect(await status('/api/v1/send', 'admin:secret')).toBe(401);
  expect(await status('/api/v1/send', 'app:two')).toBe(401);
  expect(await status('/api/v1/send', 'tool:two')).toBe(200);
  expect(await status('/api/v1/info', 'tool:two', 'GET')).toBe(401);
  expect(await status('/api/v1/info', 'admin:secret', 'GET')).toBe(200);
  expect(await status('/readyz', undefined, 'GET')).toBe(200);
  const list = new MailpitClient(base(stack), { auth: { username: 'admin', password: 'secret' } });
  expect((await list.listMessages()).messages.map(({ Username }) => Username)).toEqual(['tool']);
});

test('in domain mode nothing leaves by sending', async () => {
  const flags = ['--domains', 'red.test', '--accounts', 'alice@red.test', '--http-auth', 'admin:secret'];
  await using stack = await startTestStack(...flags);
  const mailpit = new MailpitClient(base(stack), { auth: { username: 'admin', password: 'secret' } });
  const to = (Email: string) => mailpit.sendMessage({ From: { Email: 'a@red.test' }, To: [{ Email }] });
  await expect(to('someone@else.test')).rejects.toThrow(/400.*"Error":"else\.test is not a domain of this server/s);
  await expect(to('nobody@red.test')).rejects.toThrow(/400.*There is no account/s);
  expect(await to('alice@red.test')).toEqual({ ID: expect.stringMatching(/^\w{22}$/) as string });
});

test('old messages go, and the metrics tell', async () => {
  await using stack = await startTestStack('--max-messages', '2', '--log-level', 'info');
  const socket = new WebSocket(`ws://127.0.0.1:${stack.port('http')}/api/events`);
  const pruned = Promise.withResolvers<undefined>();
  socket.addEventListener('message', ({ data }) => {
    if ((JSON.parse(String(data)) as { Type: string }).Type === 'prune') pruned.resolve(undefined);
  });
  await once(socket, 'open');
  for (const subject of ['one', 'two', 'three']) await send(stack, { subject, headers: { 'X-Tags': 'kept' } });
  await pruned.promise;
  const mailpit = new MailpitClient(base(stack));
  expect((await mailpit.listMessages()).messages.map(({ Subject }) => Subject)).toEqual(['three', 'two']);
  const metrics = await (await fetch(`${base(stack)}/metrics`)).text();
  for (const line of [
    'glassmail_messages_removed_total 1',
    'mailpit_messages 2',
    'mailpit_messages_deleted_total 1',
    'mailpit_smtp_accepted_total 3',
    'mailpit_tag_messages{tag="kept"} 2',
  ])
    expect(metrics).toContain(`${line}\n`);
  expect(stack.logged.filter((line) => line.includes('retention'))).toEqual([
    expect.stringMatching(/ info retention: 1 old message removed$/),
  ]);
  socket.close();
});

test('what goes wrong between a client and POP3 or SMTP is an event', async () => {
  await using stack = await startTestStack();
  const [before, pop3, imap] = [
    await connect(stack, 'pop3'),
    await connect(stack, 'pop3'),
    await connect(stack, 'imap'),
  ];
  await before.ask('USER early');
  await before.ask('PASS wrong');
  const socket = new WebSocket(`ws://127.0.0.1:${stack.port('http')}/api/events`);
  const errors: unknown[] = [];
  const heard = Promise.withResolvers<undefined>();
  socket.addEventListener('message', ({ data }) => {
    const { Type, Data } = JSON.parse(String(data)) as { Type: string; Data: unknown };
    if (Type === 'stats') heard.resolve(undefined);
    if (Type === 'error') errors.push(Data);
  });
  await heard.promise;
  await imap.ask('a LOGIN nobody wrong');
  await pop3.ask('USER alice');
  await pop3.ask('PASS wrong');
  const Message = expect.stringMatching(/^login of alice\S* failed: /) as string;
  await expect.poll(() => errors).toEqual([{ Level: 'warning', Type: 'pop3', IP: '127.0.0.1', Message }]);
  socket.close();
  for (const { end } of [before, pop3, imap]) end();
});

/** Waits for the greeting. `ask` resolves with what is said next. */
async function connect(stack: TestStack, service: 'pop3' | 'imap') {
  const socket = createConnection(stack.port(service), '127.0.0.1').setEncoding('utf8');
  await once(socket, 'data');
  return {
    ask: async (line: string): Promise<string> => {
      const answered = once(socket, 'data');
      socket.write(`${line}\r\n`);
      return String((await answered)[0]);
    },
    end: () => socket.destroy(),
  };
}

test('the token of a test scope sees, tags and hears of its own mail alone', async () => {
  await using stack = await startTestStack('--chaos');
  const made = (await (await fetch(`${base(stack)}/api/glass/scopes`, { method: 'POST', body: '{}' })).json()) as {
    readonly domain: string;
    readonly token: string;
  };
  const headers = { Authorization: `Bearer ${made.token}` };
  const all = new MailpitClient(base(stack));
  const scoped = new MailpitClient(base(stack), { fetchOptions: { headers } });
  const socket = new WebSocketWithHeaders(`ws://127.0.0.1:${stack.port('http')}/api/events`, { headers });
  const told: string[] = [];
  let look: () => void = () => undefined;
  socket.on('message', (data: Buffer) => {
    const { Type, Data } = JSON.parse(data.toString()) as { readonly Type: string; readonly Data: unknown };
    if (Type !== 'stats') told.push(`${Type} ${JSON.stringify(Data)}`);
    look();
  });
  await once(socket, 'message');
  await send(stack, { subject: 'secret', headers: { 'X-Tags': 'secret, shared' } });
  await send(stack, { subject: 'mine', to: `app+mine@${made.domain}`, headers: { 'X-Tags': 'shared' } });
  const [mine, secret] = (await all.listMessages()).messages.map(({ ID }) => ID);
  expect(await scoped.getTags()).toEqual(['mine', 'shared']);
  expect((await scoped.getInfo()).Tags).toEqual({ mine: 1, shared: 1 });
  expect(await scoped.setTags({ IDs: [mine!, secret!], Tags: ['shared', 'new'] })).toBe('ok');
  expect(await scoped.renameTag('shared', 'ours')).toBe('ok');
  expect((await all.searchMessages({ query: 'subject:secret' })).messages[0]!.Tags).toEqual(['secret', 'shared']);
  expect((await scoped.getMessageSummary(mine)).Tags).toEqual(['new', 'ours']);
  await expect(scoped.getChaosTriggers()).rejects.toThrow('Chaos is not enabled');
  await scoped.deleteMessages();
  while (!told.some((line) => line.startsWith('delete'))) await new Promise<void>((resolve) => (look = resolve));
  expect(told.at(-1)).toBe(`delete {"ID":"${mine}"}`);
  expect(told.join()).not.toContain(secret);
  expect((await all.listMessages()).total).toBe(1);
  socket.terminate();
  expect(stack.logged).toEqual([]);
});
