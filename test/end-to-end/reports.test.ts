/** Bounces and other reports, asked for over HTTP and found in the sender's mailbox. */
import { simpleParser } from 'mailparser';
import { type SendMailOptions, createTransport } from 'nodemailer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(async () => {
  expect(stack.logged).toEqual([]);
  await stack[Symbol.asyncDispose]();
});

async function send(options: SendMailOptions): Promise<string> {
  const transport = createTransport({ host: '127.0.0.1', port: stack.port('smtp'), ignoreTLS: true });
  const { response } = await transport.sendMail({ subject: 'Hello', text: 'x', ...options });
  transport.close();
  return /queued as (\w+)/.exec(response)![1]!;
}

async function report(id: string, body: object, token?: string) {
  const headers = {
    'content-type': 'application/json',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  const url = `http://127.0.0.1:${stack.port('http')}/api/glass/messages/${id}/report`;
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as { id: string; to: string; detail: string } };
}

async function stored(id: string) {
  const transaction = (await stack.store.findTransaction(id))!;
  const { content, tree } = (await stack.store.findContent(id))!;
  const pieces: Uint8Array[] = [];
  for await (const piece of content.read(0, content.size)) pieces.push(piece);
  const octets = Buffer.concat(pieces);
  // mailparser shows the fields for programs among the text, so the parts are taken from the tree.
  const [, fields] = tree.children;
  return {
    parsed: await simpleParser(octets),
    types: tree.children.map(({ type, subtype }) => `${type}/${subtype}`.toLowerCase()),
    status: octets.toString('utf8', fields!.bodyStart, fields!.end),
    from: transaction.reversePath,
    to: transaction.forwardPaths.map(({ address }) => address),
    mailboxes: transaction.copies.map(({ address, mailboxName }) => `${address} ${mailboxName}`),
  };
}

const DSN = { id: 'env+2Bone', return: 'headers', notify: ['failure'], recipient: 'rfc822;Bob@old.test' } as const;

describe('POST /api/glass/messages/{id}/report', () => {
  test('a bounce comes back to the sender, with what DSN parameters asked for', async () => {
    const envelope = { from: 'alice@glass.localhost', to: ['bob@glass.localhost'], dsn: DSN };
    const id = await send({ from: 'Alice <alice@glass.localhost>', to: 'bob@glass.localhost', envelope });
    const made = await report(id, {});
    expect(made).toMatchObject({ status: 201, body: { type: 'failed', to: 'alice@glass.localhost' } });
    const { parsed, types, status, from, to, mailboxes } = await stored(made.body.id);
    expect([from, to, mailboxes]).toEqual(['', ['alice@glass.localhost'], ['alice@glass.localhost INBOX']]);
    expect(parsed.subject).toBe('Undelivered mail returned to sender');
    expect(types).toEqual(['text/plain', 'message/delivery-status', 'text/rfc822-headers']);
    expect(parsed.text).toContain('<bob@glass.localhost>: 550 5.1.1 No such user here');
    expect(status).toContain(
      'Original-Recipient: rfc822; Bob@old.test\r\nFinal-Recipient: rfc822; bob@glass.localhost\r\n',
    );
    expect(status).toMatch(/^Original-Envelope-Id: env\S*one\r\n/);
    expect(status).toContain(
      'Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 No such user here\r\n',
    );
  });

  test('of one recipient, with a status and the words of another server', async () => {
    const id = await send({ from: 'alice@glass.localhost', to: ['bob@glass.localhost', 'carol@red.test'] });
    const words = { diagnostic: '452 4.2.2 Mailbox full', remoteMta: 'mx.red.test', status: '4.2.2' };
    const made = await report(id, { type: 'delayed', recipient: 'Carol@red.test', ...words });
    const { status, types } = await stored(made.body.id);
    expect(status).toContain('Final-Recipient: rfc822; carol@red.test\r\nAction: delayed\r\nStatus: 4.2.2\r\n');
    expect(status).toContain('Remote-MTA: dns; mx.red.test\r\nDiagnostic-Code: smtp; 452 4.2.2 Mailbox full\r\n');
    expect(status).not.toContain('bob@');
    // RFC 3461 §4.3: nothing failed, so the header alone goes back.
    expect(types[2]).toBe('text/rfc822-headers');
  });

  test.each([
    ['delivered', 'Action: delivered\r\nStatus: 2.1.5\r\n', 'alice@glass.localhost'],
    ['relayed', 'Action: relayed\r\nStatus: 2.1.9\r\n', 'alice@glass.localhost'],
    ['displayed', 'Disposition: manual-action/MDN-sent-manually; displayed\r\n', 'read@glass.localhost'],
    ['complaint', 'Feedback-Type: abuse\r\n', 'alice@glass.localhost'],
  ])('%s', async (type, expected, to) => {
    const headers = { 'Disposition-Notification-To': 'Alice <read@glass.localhost>' };
    const id = await send({ from: 'alice@glass.localhost', to: 'bob@glass.localhost', headers });
    const made = await report(id, { type });
    expect(made.body.to).toBe(to);
    const { status, from } = await stored(made.body.id);
    expect([status.includes(expected), from]).toEqual([true, '']);
  });

  test('goes to nobody unless somebody wants it', async () => {
    const nobody = await send({
      from: 'alice@glass.localhost',
      to: 'bob@glass.localhost',
      envelope: { from: '', to: ['bob@glass.localhost'] },
    });
    expect((await report(nobody, {})).status).toBe(409);
    expect((await report(nobody, { type: 'displayed' })).status).toBe(409);
    expect((await report(nobody, { to: 'carol@red.test' })).body.to).toBe('carol@red.test');
  });

  test.each([
    [{ type: 'failed', status: '2.0.0' }, 'status'],
    [{ type: 'delivered', status: '5.0.0' }, 'status'],
    [{ status: 'bad' }, 'status'],
    [{ diagnostic: 'a\r\nb' }, 'diagnostic'],
    [{ to: 'nobody' }, 'to'],
    [{ type: 'lost' }, 'type'],
    [{ what: 1 }, ''],
  ])('refuses %j', async (body, field) => {
    const { status, body: problem } = await report('latest', body);
    expect([status, problem.detail]).toEqual([
      400,
      expect.stringContaining(`body${field === '' ? '' : ` ${field}`}: `),
    ]);
  });

  test("a scope's token reports on the scope's mail alone", async () => {
    const made = await fetch(`http://127.0.0.1:${stack.port('http')}/api/glass/scopes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"name":"a test"}',
    });
    const scope = (await made.json()) as { token: string; address: string };
    const others = await send({ from: 'alice@glass.localhost', to: 'bob@glass.localhost' });
    expect((await report(others, {}, scope.token)).status).toBe(404);
    const own = await send({ from: scope.address, to: scope.address });
    expect((await report(own, {}, scope.token)).status).toBe(201);
  });
});
