/** What somebody hears who waits: RFC 9585. */
import { expect, test } from 'vitest';
import type { SharedMailStore } from '../../src/store/mail-store.ts';
import type { SearchQuery } from '../../src/store/search-query.ts';
import { serve } from './imap-harness.ts';

/** The same store, but for some methods. */
function changed(store: SharedMailStore, methods: Partial<SharedMailStore>): SharedMailStore {
  return new Proxy(store, {
    get(target, name) {
      const method: unknown = Reflect.get(methods, name) ?? Reflect.get(target, name);
      return typeof method === 'function' ? (method.bind(target) as unknown) : method;
    },
  });
}

const MESSAGE = 'Subject: x\r\n\r\nbody\r\n';

test('a long search tells how far it is, and nothing after its end', async () => {
  const seen = Promise.withResolvers<undefined>();
  const more = Promise.withResolvers<undefined>();
  await using server = await serve((store) => ({
    progressMs: 1,
    store: changed(store, {
      async searchMessages(_account, _mailbox, _query, _signal, report) {
        await seen.promise;
        report!(454, 1000);
        await more.promise;
        return Uint32Array.of(1);
      },
    }),
  }));
  await server.deliver(MESSAGE);
  const client = await server.selected();
  client.send('a1 SEARCH BODY x\r\n');
  expect(await client.until(/.*INPROGRESS.*\r\n/)).toBe('* OK [INPROGRESS ("a1" NIL NIL)] Still at work\r\n');
  seen.resolve(undefined);
  expect(await client.until(/.*"a1" \d.*\r\n/)).toContain('* OK [INPROGRESS ("a1" 454 1000)] 45 % are done\r\n');
  more.resolve(undefined);
  expect(await client.until(/a1 OK.*\r\n/)).toMatch(/^(\* OK \[INPROGRESS .*\r\n)*\* SEARCH 1\r\na1 OK .*\r\n$/);
  expect(await client.command('NOOP')).toBe('x OK NOOP completed\r\n');
});

test.each([
  'SORT (SUBJECT) UTF-8 ALL',
  'THREAD REFERENCES UTF-8 ALL',
  'UID COPY 1 Archive',
  'UID MOVE 1 Archive',
  `APPEND INBOX {${MESSAGE.length}+}\r\n${MESSAGE}`,
])('%s', async (command) => {
  const goOn = Promise.withResolvers<undefined>();
  await using server = await serve((store) => ({
    progressMs: 1,
    store: changed(store, {
      async sortKeys(...args) {
        await goOn.promise;
        return store.sortKeys(...args);
      },
      async copyMessages(...args) {
        await goOn.promise;
        return store.copyMessages(...args);
      },
      async moveMessages(...args) {
        await goOn.promise;
        return store.moveMessages(...args);
      },
      async appendMessages(...args) {
        await goOn.promise;
        return store.appendMessages(...args);
      },
    }),
  }));
  await server.deliver(MESSAGE);
  const client = await server.selected();
  client.send(`t ${command}\r\n`);
  await client.until(/\* OK \[INPROGRESS \("t" NIL NIL\)\] .*\r\n/);
  goOn.resolve(undefined);
  expect(await client.until(/^t (OK|NO|BAD) .*\r\n/m)).toMatch(/^t OK/m);
  expect(server.logged).toEqual([]);
});

test('nobody who is answered at once hears of it, nor somebody who has gone', async () => {
  const goOn = Promise.withResolvers<undefined>();
  await using server = await serve((store) => ({
    progressMs: 1,
    store: changed(store, {
      async searchMessages() {
        await goOn.promise;
        return new Uint32Array(0);
      },
    }),
  }));
  await server.deliver(MESSAGE);
  const client = await server.selected();
  expect(await client.command('SEARCH ALL')).not.toContain('INPROGRESS');
  client.send('a SEARCH BODY x\r\n');
  await client.until(/INPROGRESS/);
  client.socket.destroy();
  goOn.resolve(undefined);
  await server.sessions.at(-1);
  expect(server.logged).toEqual([]);
});

test('the store tells how many messages it has read', async () => {
  await using server = await serve();
  const { store } = server;
  const account = (await store.findAccount('alice@glass.localhost'))!.id;
  const octets = Buffer.from(`Subject: x\r\n\r\n${'<p>'.repeat(100)}${'hay '.repeat(5000)}`);
  const message = { content: { size: octets.length, octets, file: undefined }, flags: [], internalDate: new Date() };
  for (let i = 0; i < 10; i++) await store.appendMessages(account, 'INBOX', Array<typeof message>(200).fill(message));
  const { id } = (await store.findMailbox(account, 'INBOX'))!;
  const reports: (readonly [done: number, goal: number])[] = [];
  const lacks = (text: string): SearchQuery => ({ type: 'not', query: { type: 'body', text } });
  const query: SearchQuery = { type: 'and', queries: [lacks('needle'), lacks('pin')] };
  await store.searchMessages(account, id, query, undefined, (done, goal) => reports.push([done, goal]));
  // A machine may be so quick that there is nothing to tell; what is told rises to the goal at most.
  reports.forEach(([done, goal], i) => {
    expect(goal).toBe(4000);
    expect(done).toBeGreaterThanOrEqual(reports[i - 1]?.[0] ?? 0);
    expect(done).toBeLessThanOrEqual(goal);
  });
});
