/** The TypeScript client against the server that it starts itself, as a test of an application uses both. */
import { createTransport } from 'nodemailer';
import { afterAll, beforeAll, describe, expect, test as base } from 'vitest';
import { connect, GlassmailError, MailClient, type NoSuchMail, type MessageSummary } from '../../src/client/client.ts';
import { glassmailFixtures } from '../../src/client/fixtures.ts';
import { startGlassmail, type Glassmail } from '../../src/client/start.ts';

let server: Glassmail;
const logged: string[] = [];
beforeAll(async () => {
  server = await startGlassmail({ log: (line) => logged.push(line) });
});
afterAll(async () => {
  await server.close();
  expect(logged).toEqual([]);
});

async function send(port: number, mail: { to: string; subject: string; text?: string; html?: string; from?: string }) {
  const transport = createTransport({ host: '127.0.0.1', port, ignoreTLS: true });
  await transport.sendMail({ from: 'App <app@app.test>', text: 'hello', ...mail });
  transport.close();
}

describe('waiting', () => {
  base('by text and by pattern, also for the text of the message', async () => {
    await using scope = await server.scope({ name: 'sign-up' });
    const waiting = scope.waitFor({ subject: /reset\b/i, to: scope.addressFor('eve'), text: /code is \d{6}/ });
    for (const [to, subject, text] of [
      ['eve', 'Welcome', 'your code is 111111'],
      ['mallory', 'Reset your password', 'your code is 222222'],
      ['eve', 'Reset your password', 'no number'],
      ['eve', 'Your reset', 'your code is 333333'],
    ] as const) {
      await send(server.ports.smtp!, { to: scope.addressFor(to), subject, text });
    }
    expect(await waiting).toMatchObject({ subject: 'Your reset', code: '333333' });
    expect(await scope.waitFor({ from: 'app@app.test', query: '"222222"' })).toMatchObject({ code: '222222' });
  });

  base('in vain: says what came instead', async () => {
    await using scope = await server.scope();
    const { cursor } = await scope.messages({ limit: 0 });
    await send(server.ports.smtp!, { to: scope.address, subject: 'something else' });
    const error = await scope
      .waitFor({ subject: /never/ }, { since: cursor, timeout: 50 })
      .catch((reason: unknown) => reason);
    expect((error as NoSuchMail).arrived.map(({ subject }) => subject)).toEqual(['something else']);
    expect((error as Error).message).toContain(`this did: "something else" to ${scope.address}`);
    const since = await scope.waitFor({}, { since: new Date(), timeout: 50 }).catch((reason: unknown) => reason);
    expect((since as Error).message).toBe('no message with anything came within 50 ms; nothing else came either');
  });

  base('ends when its signal says so', async () => {
    const leaving = new AbortController();
    const waiting = server.waitFor({ subject: 'never' }, { signal: leaving.signal });
    leaving.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});

base('reads, extracts, follows and deletes', async () => {
  await using scope = await server.scope();
  const leaving = new AbortController();
  const heard: MessageSummary[] = [];
  const stream = scope.stream({ subject: 'invitation' }, leaving.signal);
  const first = stream.next();
  // The stream is open once its conversation is: what was sent before is found by waiting.
  const html = '<p>Open <a href="https://app.test/join?i=7">this</a></p>';
  const sending = (async () => {
    while (heard.length === 0) {
      await send(server.ports.smtp!, {
        to: scope.address,
        subject: 'Your invitation',
        html,
        text: 'see https://app.test',
      });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  const step = await first;
  if (step.value) heard.push(step.value);
  await sending;
  leaving.abort();
  expect(heard.map(({ subject }) => subject)).toEqual(['Your invitation']);
  const { id } = await scope.waitFor({ subject: 'invitation' });
  expect((await scope.extract(id)).links.map(({ url }) => url)).toContain('https://app.test/join?i=7');
  expect(Buffer.from(await scope.source(id)).toString()).toContain('Subject: Your invitation\r\n');
  expect((await scope.conversations({ service: 'smtp' })).total).toBeGreaterThan(0);
  expect(await scope.delete({ subject: 'other' })).toBe(0);
  expect(await scope.delete()).toBeGreaterThan(0);
  expect((await scope.messages()).total).toBe(0);
});

describe('faults', () => {
  base('within a scope: counted, told in the conversation, and taken back', async () => {
    await using scope = await server.scope();
    await using other = await server.scope();
    const refusing = await scope.fail({
      name: 'busy',
      where: { at: 'recipient' },
      what: { type: 'refuse', code: '451', text: 'come back later' },
      times: 1,
    });
    expect(refusing.rule).toMatchObject({ name: 'busy', scope: scope.id, times: 1, hits: 0 });
    await send(server.ports.smtp!, { to: other.address, subject: 'not concerned' });
    await expect(send(server.ports.smtp!, { to: scope.address, subject: 'first' })).rejects.toMatchObject({
      responseCode: 451,
      response: '451 4.3.0 come back later',
    });
    await send(server.ports.smtp!, { to: scope.address, subject: 'second' });
    expect(await refusing.hits()).toBe(1);
    expect((await scope.messages()).messages.map(({ subject }) => subject)).toEqual(['second']);
    const told = await Promise.all(
      (await scope.conversations({ service: 'smtp' })).conversations.map(({ id }) => scope.conversation(id)),
    );
    const hits = told.flatMap(({ events }) =>
      events.flatMap((event) => (event.type === 'annotation' && event.annotation.type === 'fault' ? [event] : [])),
    );
    expect(hits).toMatchObject([{ annotation: { rule: refusing.id, effect: 'refuse', at: 'recipient' } }]);

    expect((await scope.faults()).map(({ id }) => id)).toEqual([refusing.id]);
    expect(await other.faults()).toEqual([]);
    await expect(other.fault(refusing.id)).rejects.toMatchObject({ status: 404 });
    await other.removeFaults();
    await refusing.remove();
    await refusing.remove();
    expect(await scope.faults()).toEqual([]);
  });

  base('end with the block that holds them, and with their scope', async () => {
    const scope = await server.scope();
    {
      await using failure = await scope.fail({ what: { type: 'full-mailbox' } });
      await expect(send(server.ports.smtp!, { to: scope.address, subject: 'x' })).rejects.toMatchObject({
        responseCode: 452,
      });
      expect(await failure.hits()).toBe(1);
    }
    await send(server.ports.smtp!, { to: scope.address, subject: 'x' });
    await scope.fail({ what: { type: 'delay', ms: 1 }, where: { at: 'recipient' } });
    expect(await server.faults()).toHaveLength(1);
    await scope.close();
    expect(await server.faults()).toEqual([]);
  });

  base('a wrong one names its field', async () => {
    await using scope = await server.scope();
    const refused = await scope.fail({ what: { type: 'refuse', code: '250' } }).catch((error: unknown) => error);
    expect((refused as GlassmailError).problem!.errors).toMatchObject([{ field: 'what.code' }]);
    await expect(scope.fail({ where: { at: 'connection' }, what: { type: 'cut' } })).rejects.toMatchObject({
      status: 400,
    });
  });
});

describe('errors say what to do', () => {
  base('nobody there', async () => {
    await expect(connect('http://127.0.0.1:1')).rejects.toThrow('nobody answers at http://127.0.0.1:1');
  });

  base('a message that is not there, a token that is wrong, a scope that is closed', async () => {
    await expect(server.message('0123456789abcdefABCDEF')).rejects.toThrow('there is no message');
    const stranger = new MailClient(server.url, { token: 'wrong' });
    await expect(stranger.status()).rejects.toBeInstanceOf(GlassmailError);
    const scope = await server.scope();
    await scope.close();
    await scope.close();
    await expect(scope.messages()).rejects.toMatchObject({ status: 401 });
  });
});

describe('the fixture', () => {
  const test = base.extend(glassmailFixtures);
  const addresses = new Set<string>();

  for (const name of ['one', 'two']) {
    test(`gives each test a scope of its own: ${name}`, async ({ mail }) => {
      addresses.add(mail.address);
      const { port } = mail.services.find(({ service }) => service === 'smtp')!;
      await send(port, { to: mail.address, subject: `for ${name}` });
      expect((await mail.waitFor({ subject: 'for' })).subject).toBe(`for ${name}`);
      expect((await mail.messages()).total).toBe(1);
    });
  }

  base('and each its own address', () => {
    expect(addresses.size).toBe(2);
  });
});
