/**
 * Thunderbird sets itself up: from the address alone it finds the settings, tries them, makes the account, reads and sends.
 * It asks port 80 of the domain's hosts, which its proxy is instead here: the server itself, as a request to a proxy is one
 * that names the host.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ConnectProgress } from '../../src/http/schemas/connect.ts';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { deposit, letter } from './mail.ts';
import { eventually } from './program.ts';
import { startThunderbird, type Thunderbird } from './thunderbird.ts';

const ERIN = 'erin@red.test';
let stack: TestStack;
let thunderbird: Thunderbird;
const opened = new AsyncDisposableStack();

beforeAll(async () => {
  stack = opened.use(await startTestStack('--accounts', `bob,${ERIN}`));
  await deposit(stack, 'bob', 'INBOX', letter('of somebody else'));
  const accounts = [{ account: 'bob', incoming: 'imaps', outgoing: 'submissions' }] as const;
  thunderbird = opened.use(await startThunderbird(stack, accounts, { 'network.proxy.http_port': stack.port('http') }));
}, 90_000);
afterAll(() => opened.disposeAsync());

test('finds every service, the best first, at its provider', async () => {
  const server = (type: string, service: Parameters<TestStack['port']>[0], socketType: number) => ({
    type,
    hostname: 'red.test',
    port: stack.port(service),
    socketType,
    username: '%EMAILADDRESS%',
  });
  expect(await thunderbird.step('findSettings', ERIN)).toEqual({
    source: 'xml-from-isp-http',
    incoming: [
      server('imap', 'imaps', 3),
      server('imap', 'imap', 2),
      server('pop3', 'pop3s', 3),
      server('pop3', 'pop3', 2),
    ],
    outgoing: [server('smtp', 'submissions', 3), server('smtp', 'submission', 2)],
  });
});

test('sets the account up, and the checklist sees it read, send and keep a copy', async () => {
  const account = (await stack.store.findAccount(ERIN))!;
  await using spool = stack.store.spool();
  await spool.write(letter('for erin'));
  const message = { content: await spool.finish(), flags: [], internalDate: new Date() };
  await stack.store.appendMessages(account.id, 'INBOX', [message]);

  expect(await thunderbird.step('setUp', ERIN, 'Erin', 'glass')).toBe('imap://erin%40red.test@red.test');
  await thunderbird.step('show', ERIN, 'Inbox', 1);
  expect(await thunderbird.step('read', ERIN, 'Inbox', 'for erin')).toMatchObject({
    text: expect.stringContaining('This is for erin.') as string,
  });
  await thunderbird.step('send', ERIN, { to: 'bob@glass.localhost', subject: 'from erin', body: 'Hello\n' });
  const states = async () => {
    const path = `http://localhost:${stack.port('http')}/api/glass/connect/progress?account=${ERIN}`;
    const { steps } = (await (await fetch(path)).json()) as ConnectProgress;
    return steps.map(({ step, state }) => `${step} ${state}`);
  };
  await eventually(async () => (await states()).every((state) => state.endsWith(' done')), 'all steps').catch(
    async (error: unknown) => {
      throw new Error((await states()).join(', '), { cause: error });
    },
  );
  expect(stack.logged).toEqual([]);
});
