/** Mail written on a page goes over the submission port; a message is read by every port. All of it shows on the wire. */
import { createTransport } from 'nodemailer';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Mailbox, MailboxList, MailboxMessageList } from '../../src/http/schemas/accounts.ts';
import { problem } from '../../src/http/schemas/common.ts';
import { type ComposeBody, composed, handedIn } from '../../src/http/schemas/compose.ts';
import type { ConversationDetail } from '../../src/http/schemas/conversations.ts';
import type { Message, MessageList } from '../../src/http/schemas/messages.ts';
import { type Readings, readings } from '../../src/http/schemas/readings.ts';
import { itemsOf } from '../../src/http/readings.ts';
import { Errands, MOST_ERRANDS } from '../../src/sasl/errands.ts';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { jsonBody } from './http-harness.ts';

const ALICE = 'alice@glass.localhost';
const BOB = 'bob@glass.localhost';

let stack: TestStack;
beforeEach(async () => {
  stack = await startTestStack();
});
afterEach(async () => {
  await stack[Symbol.asyncDispose]();
  expect(stack.logged).toEqual([]);
});

const ask = (path: string, init?: RequestInit, from = stack): Promise<Response> =>
  fetch(`http://127.0.0.1:${from.port('http')}/api/glass${path}`, init);
const get = async <T>(path: string): Promise<T> => (await (await ask(path)).json()) as T;
const compose = (body: ComposeBody, from = stack): Promise<Response> => ask('/compose', jsonBody('POST', body), from);

async function named(account: string, name: string): Promise<Mailbox> {
  const { mailboxes } = await get<MailboxList>(`/accounts/${account}/mailboxes`);
  const found = mailboxes.find((mailbox) => mailbox.name === name);
  if (!found) throw new Error(`there is no ${name}`);
  return found;
}

const list = async (account: string, name: string) =>
  get<MailboxMessageList>(`/accounts/${account}/mailboxes/${(await named(account, name)).id}/messages`);

async function raw(account: string, name: string, uid: number): Promise<string> {
  const { id } = await named(account, name);
  return (await ask(`/accounts/${account}/mailboxes/${id}/messages/${uid}/raw`)).text();
}

/** What the client said in a conversation, secrets hidden. */
async function clientSaid(id: string | null): Promise<string> {
  const { events } = await get<ConversationDetail>(`/conversations/${id}`);
  return events
    .flatMap((event) =>
      event.type === 'text' && event.direction === 'in' && event.view !== 'network' ? [event.text] : [],
    )
    .join('');
}

describe('what is written', () => {
  test('goes over the submission port with a login, a copy goes to Sent, blind copies stay blind', async () => {
    const answer = await compose({
      from: 'alice',
      name: 'Älice',
      to: 'Bob <bob>, "Carol, C." <carol@app.test>',
      bcc: 'dave@app.test',
      subject: 'Grüße',
      text: 'Hello\n.\n..two dots\n',
      attachments: [{ fileName: 'a.txt', contentType: 'text/plain', base64: Buffer.from('file').toString('base64') }],
    });
    expect(answer.status).toBe(201);
    const { transactionId, conversation, service, reply, refused, sent } = composed.parse(await answer.json());
    expect([service, refused]).toEqual(['submission', []]);
    expect(reply).toContain(transactionId);
    const said = await clientSaid(conversation);
    expect(said).toMatch(/STARTTLS[^]*AUTH XOAUTH2[ •]+[^]*MAIL FROM:<alice@glass\.localhost>/);
    expect(said).toContain('RCPT TO:<dave@app.test>');
    const message = await get<Message>(`/messages/${transactionId}`);
    expect(message).toMatchObject({
      subject: 'Grüße',
      from: { name: 'Älice', address: ALICE },
      bcc: [],
      attachments: [{ fileName: 'a.txt' }],
      transaction: { service: 'submission', login: ALICE, conversation },
    });
    expect(message.text.replaceAll('\r\n', '\n')).toBe('Hello\n.\n..two dots\n');
    expect(message.to.map(({ address }) => address)).toEqual([BOB, 'carol@app.test']);
    expect(sent).toMatchObject({ account: ALICE, mailboxName: 'Sent' });
    expect(await raw(ALICE, 'Sent', sent!.uid)).toMatch(/^Bcc: dave@app\.test\r\n/);
    expect(await raw(BOB, 'INBOX', 1)).not.toContain('dave');
    expect((await list(ALICE, 'Sent')).messages[0]!.flags).toEqual(['\\Seen']);
    // Its token is good for nothing afterwards, and is offered to nobody.
    expect((await get<{ tokens: unknown[] }>('/tokens')).tokens).toEqual([]);
  });

  test('as an answer names its ancestors, and marks the one that it answers', async () => {
    const transport = createTransport({ host: '127.0.0.1', port: stack.port('smtp'), ignoreTLS: true });
    const references = ['<a@x.test>', '<b@x.test>'];
    await transport.sendMail({ from: BOB, to: ALICE, subject: 'Plan', text: 'x', messageId: '<c@x.test>', references });
    transport.close();
    const { messages } = await get<MessageList>('/messages');
    const { id: mailbox } = await named(ALICE, 'INBOX');
    const answers = { id: messages[0]!.emailId, kind: 'reply' as const, mailbox, uid: 1 };
    expect((await compose({ from: ALICE, to: BOB, subject: 'Re: Plan', text: 'yes', answers })).status).toBe(201);
    const reply = (await raw(BOB, 'INBOX', 1)).replace(/\r\n[ \t]+/g, ' ');
    expect(reply).toContain('In-Reply-To: <c@x.test>\r\n');
    expect(reply).toContain('References: <a@x.test> <b@x.test> <c@x.test>\r\n');
    expect((await list(ALICE, 'INBOX')).messages[0]!.flags).toEqual(['\\Answered']);
    await compose({ from: ALICE, to: BOB, subject: 'Fwd: Plan', answers: { ...answers, kind: 'forward' } });
    const forward = (await raw(BOB, 'INBOX', 2)).replace(/\r\n[ \t]+/g, ' ');
    expect(forward).not.toContain('In-Reply-To');
    expect(forward).toContain('References: <a@x.test> <b@x.test> <c@x.test>\r\n');
    expect((await list(ALICE, 'INBOX')).messages[0]!.flags).toEqual(['\\Answered', '$Forwarded']);
  });

  test.each<[string, object, number, string]>([
    ['nobody', { to: '' }, 400, 'to'],
    ['no address', { to: '@@' }, 400, 'to'],
    ['two lines as an address', { to: 'a@b.test\r\nRCPT TO:<x@y.test>' }, 400, 'to'],
    ['two lines as a subject', { to: BOB, subject: 'a\r\nBcc: x@y.test' }, 400, 'subject'],
    ['two lines as a name', { to: BOB, name: 'a\nb' }, 400, 'name'],
    ['a stranger as the writer', { from: 'nobody@else.test', to: BOB }, 404, ''],
    ['an attachment that is no base64', { to: BOB, attachments: [{ fileName: 'a', base64: '*' }] }, 400, 'attachments'],
    ['a message to answer that is not there', { to: BOB, answers: { id: '999', kind: 'reply' } }, 404, ''],
    ['a field that is none', { to: BOB, html: '<p>' }, 400, ''],
  ])('with %s is refused', async (_, body, status, field) => {
    const answer = await compose({ from: ALICE, ...body });
    const said = problem.parse(await answer.json());
    expect([said.status, said.errors?.[0]?.field.split('.')[0] ?? '']).toEqual([status, field]);
    expect((await get<MessageList>('/messages')).total).toBe(0);
  });

  test('and refused by the server comes back with its words and its conversation', async () => {
    const rule = { where: { command: 'RCPT' }, what: { type: 'refuse', code: '550', text: 'Not today' } };
    const made = await ask('/faults', jsonBody('POST', rule));
    expect(made.status).toBe(201);
    const answer = await compose({ from: ALICE, to: BOB, text: 'x' });
    expect(answer.status).toBe(422);
    const said = (await answer.json()) as { detail: string; reply: string; conversation: string };
    expect(said.reply).toMatch(/^550 .*Not today/);
    expect(said.detail).toContain(said.reply);
    expect(await clientSaid(said.conversation)).toContain('RCPT TO:<bob@glass.localhost>');
    expect((await list(ALICE, 'Sent')).matches).toBe(0);
  });

  test('a page of another site may not', async () => {
    const init = jsonBody('POST', { from: ALICE, to: BOB });
    const headers = { ...(init.headers as object), Origin: 'https://evil.test' };
    expect((await ask('/compose', { ...init, headers })).status).toBe(403);
  });

  test('in domain mode it takes the login of the HTTP port, and goes to its own accounts', async () => {
    const flags = ['--mode', 'domain', '--domains', 'red.test', '--http-auth', 'me:secret', '--accounts', 'a@red.test'];
    await using domain = await startTestStack(...flags.slice(2, 6));
    const headers = { Authorization: `Basic ${Buffer.from('me:secret').toString('base64')}` };
    const as = (path: string, body: object) => {
      const init = jsonBody('POST', body);
      return ask(path, { ...init, headers: { ...(init.headers as object), ...headers } }, domain);
    };
    expect((await as('/accounts', { address: 'a@red.test', password: 'p' })).status).toBe(201);
    expect((await compose({ from: 'a@red.test', to: 'a@red.test' }, domain)).status).toBe(401);
    expect((await as('/compose', { from: 'a@red.test', to: 'a@red.test', text: 'x' })).status).toBe(201);
    const elsewhere = await as('/compose', { from: 'a@red.test', to: 'x@blue.test', text: 'x' });
    expect(elsewhere.status).toBe(422);
    expect(problem.parse(await elsewhere.json()).detail).toMatch(/refused: 550/);
    expect(domain.logged).toEqual([]);
  });

  test('without a submission port, or with one that others hold, it is told so', async () => {
    await using closed = await startTestStack('--submission-port', 'off', '--submissions-port', 'off');
    const answer = await compose({ from: ALICE, to: BOB }, closed);
    expect(problem.parse(await answer.json())).toMatchObject({ status: 503 });
    await using implicit = await startTestStack('--submission-port', 'off');
    const taken = await compose({ from: ALICE, to: BOB }, implicit);
    expect(composed.parse(await taken.json()).service).toBe('submissions');
  });

  test('what was received can be handed in once more, as it was', async () => {
    await compose({ from: ALICE, to: BOB, subject: 'once', text: 'x' });
    const { messages } = await get<MessageList>('/messages');
    const again = await ask(`/messages/${messages[0]!.id}/redeliver`, jsonBody('POST', { to: 'carol' }));
    const { transactionId, service } = handedIn.parse(await again.json());
    expect(service).toBe('smtp');
    const [one, other] = await Promise.all(
      [messages[0]!.id, transactionId].map(async (id) => (await ask(`/messages/${id}/source?received=1`)).text()),
    );
    expect(other).toBe(one);
    expect(await get<Message>(`/messages/${transactionId}`)).toMatchObject({
      transaction: { forwardPaths: [{ address: 'carol@glass.localhost' }] },
    });
  });
});

describe('one message, read by every port', () => {
  const DOTS = 'Hello\r\n.\r\n.hidden\r\nend\r\n';

  async function read(uid = 1, mailbox = 'INBOX'): Promise<Readings> {
    const { id } = await named(ALICE, mailbox);
    const answer = await ask(`/accounts/${ALICE}/mailboxes/${id}/messages/${uid}/readings`, { method: 'POST' });
    return readings.parse(await answer.json());
  }

  test('is the same but for what each does to it, and stays unread', async () => {
    const transport = createTransport({ host: '127.0.0.1', port: stack.port('smtp'), ignoreTLS: true });
    const letter = `From: x@app.test\r\nTo: ${ALICE}\r\nSubject: Dots (and "quotes")\r\n\r\n${DOTS}`;
    await transport.sendMail({ envelope: { from: 'x@app.test', to: ALICE }, raw: letter });
    transport.close();
    const { received, traceOctets, imap, pop3 } = await read();
    expect(received!.text).toBe(letter);
    const stored = await raw(ALICE, 'INBOX', 1);
    expect([imap.problem, imap.body!.text]).toEqual([null, stored]);
    expect(stored.slice(traceOctets)).toBe(letter);
    expect(imap.literal).toBe(`BODY[] {${stored.length}}`);
    const item = (name: string) => imap.items.find((each) => each.name === name)?.value;
    expect(item('RFC822.SIZE')).toBe(String(stored.length));
    expect(item('ENVELOPE')).toContain('"Dots (and \\"quotes\\")"');
    expect(item('FLAGS')).toBe('(\\Recent)');
    expect(item('BODYSTRUCTURE')).toMatch(/^\("TEXT" "PLAIN" /i);
    expect([pop3.problem, pop3.command, pop3.stuffed]).toEqual([null, 'TOP', 2]);
    expect(pop3.body!.text).toBe(`${stored.replace(/^\./gm, '..')}.\r\n`);
    expect(pop3.uniqueId).toMatch(/^\d+\.1$/);
    expect((await list(ALICE, 'INBOX')).messages[0]!.flags).toEqual([]);
    expect(await clientSaid(imap.conversation)).toMatch(/a3 EXAMINE "INBOX"\r\n[^]*BODY\.PEEK\[\]/);
    expect(await clientSaid(pop3.conversation)).toMatch(/AUTH XOAUTH2[ •]+\s*STAT\r\nUIDL\r\nTOP 1 /);
    for (const { said } of [imap, pop3]) expect(JSON.stringify(said)).not.toMatch(/XOAUTH2 [A-Za-z0-9]/);
  });

  test('read already, POP3 has it by RETR; in another mailbox, not at all; named in any script', async () => {
    await compose({ from: ALICE, to: ALICE, subject: 'one', text: 'x' });
    const inbox = await named(ALICE, 'INBOX');
    const at = `/accounts/${ALICE}/mailboxes/${inbox.id}`;
    await ask(`${at}/flags`, jsonBody('POST', { uids: [1], add: ['\\Seen'] }));
    expect((await read()).pop3.command).toBe('RETR');
    await ask(`/accounts/${ALICE}/mailboxes`, jsonBody('POST', { name: 'Entwürfe & "Co" \\ 例' }));
    await ask(`${at}/move`, jsonBody('POST', { uids: [1], to: 'Entwürfe & "Co" \\ 例' }));
    const { imap, pop3 } = await read(1, 'Entwürfe & "Co" \\ 例');
    expect([imap.problem, imap.body?.octets]).toEqual([null, (await raw(ALICE, 'Entwürfe & "Co" \\ 例', 1)).length]);
    expect(pop3.problem).toContain('INBOX alone');
  });

  test('a large one is read in part', async () => {
    const text = `${'x'.repeat(70)}\r\n`.repeat(10_000);
    await compose({ from: ALICE, to: ALICE, subject: 'large', text });
    const { imap, pop3, received } = await read();
    expect([imap.problem, pop3.problem]).toEqual([null, null]);
    expect(imap.body!.shown).toBe(64 * 1024);
    expect(imap.literal).toBe('BODY[]<0> {65536}');
    expect(pop3.command).toBe('TOP');
    expect(received!.octets).toBeGreaterThan(700_000);
    expect(received!.shown).toBe(64 * 1024);
  });

  test('a port that is off, and a maildrop that another session holds, are what there is to show', async () => {
    await compose({ from: ALICE, to: ALICE, text: 'x' });
    const alice = (await stack.store.findAccount(ALICE))!;
    await using _held = (await stack.store.lockMaildrop(alice.id))!;
    const { imap, pop3 } = await read();
    expect(imap.problem).toBeNull();
    expect(pop3.problem).toMatch(/^-ERR \[IN-USE\]/);
    expect((await ask(`/accounts/${ALICE}/mailboxes/1/messages/77/readings`, { method: 'POST' })).status).toBe(404);
  });
});

describe('the items of a FETCH response', () => {
  test.each<[string, [string, string][]]>([
    [
      '* 1 FETCH (UID 7 FLAGS (\\Seen $a))\r\n',
      [
        ['UID', '7'],
        ['FLAGS', '(\\Seen $a)'],
      ],
    ],
    [
      '* 1 FETCH (A "x) (\\"" B {3}\r\n)") C NIL)\r\n',
      [
        ['A', '"x) (\\""'],
        ['B', '{3}\r\n)")'],
        ['C', 'NIL'],
      ],
    ],
    [
      '* 1 FETCH (E ("a(" (("b")) {2}\r\n)( x) U 1)\r\n',
      [
        ['E', '("a(" (("b")) {2}\r\n)( x)'],
        ['U', '1'],
      ],
    ],
    ['* 1 FETCH (A "unended\r\n', []],
    ['* 1 FETCH ()\r\n', []],
    ['nonsense', []],
  ])('%j', (text, items) => {
    expect(itemsOf(text).map(({ name, value }) => [name, value])).toEqual(items);
  });
});

describe('an errand', () => {
  test('is for one account and one service, and ends', () => {
    let now = 0;
    const errands = new Errands(() => now);
    const errand = errands.begin('a@x.test', 'imap')!;
    const token = errand.token.reveal();
    expect([errands.verify(token, 'imap'), errands.verify(token, 'pop3')]).toEqual(['a@x.test', undefined]);
    expect(errands.verify(`${token}x`, 'imap')).toBeUndefined();
    now = 60_000;
    expect(errands.verify(token, 'imap')).toBeUndefined();
    const other = errands.begin('a@x.test', 'imap')!;
    other[Symbol.dispose]();
    expect([errands.verify(other.token.reveal(), 'imap'), errands.any]).toEqual([undefined, false]);
    for (let number = 0; number < MOST_ERRANDS; number++) expect(errands.begin('a@x.test', 'imap')).toBeDefined();
    expect(errands.begin('a@x.test', 'imap')).toBeUndefined();
  });

  test('opens no port to anybody else: without one, XOAUTH2 is neither offered nor taken', async () => {
    const transport = createTransport({
      host: '127.0.0.1',
      port: stack.port('submission'),
      tls: { rejectUnauthorized: false },
      auth: { type: 'OAuth2', user: ALICE, accessToken: 'x'.repeat(43) },
    });
    await expect(transport.verify()).rejects.toThrow(/504|not known/);
    transport.close();
  });
});
