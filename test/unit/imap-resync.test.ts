/** QRESYNC when the change log does not reach back to what the client knows (RFC 7162 §3.2.5.2, §3.2.6). */
import { expect, test } from 'vitest';
import type { ModSeq } from '../../src/store/change.ts';
import type { SharedMailStore } from '../../src/store/mail-store.ts';
import { serve } from './imap-harness.ts';

/** A store whose log has forgotten everything up to the third change after the mailboxes were made. */
function forgetful(store: SharedMailStore, forgotten: { modSeq: number }): SharedMailStore {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'changesSince') return value.bind(target) as unknown;
      return async (...[account, modSeq, mailbox]: Parameters<SharedMailStore['changesSince']>) => {
        const news = await target.changesSince(account, modSeq, mailbox);
        return modSeq < (forgotten.modSeq as ModSeq) ? { ...news, changes: [], tooOld: true } : news;
      };
    },
  });
}

test('all UIDs that are missing have vanished, up to what the client has right', async () => {
  const forgotten = { modSeq: 0 };
  await using server = await serve((store) => ({ store: forgetful(store, forgotten) }));
  for (let i = 0; i < 6; i++) await server.deliver('Subject: hello\r\n\r\nhello\r\n');
  const client = await server.client();
  await client.command('LOGIN alice glass');
  expect(await client.command('ENABLE QRESYNC')).toContain('* ENABLED QRESYNC');
  const validity = /UIDVALIDITY (\d+)/.exec(await client.command('SELECT INBOX'))![1]!;
  await client.command('STORE 2,4:5 +FLAGS.SILENT (\\Deleted)');
  expect(await client.command('EXPUNGE')).toContain('* VANISHED 2,4:5\r\n');
  forgotten.modSeq = Number.MAX_SAFE_INTEGER;

  const all = await client.command(`SELECT INBOX (QRESYNC (${validity} 1))`);
  expect(all).toMatch(/\* VANISHED \(EARLIER\) 2,4:5\r\n\* 1 FETCH \(UID 1 /);
  expect(all.match(/ FETCH /g)).toHaveLength(3);
  const some = await client.command(`SELECT INBOX (QRESYNC (${validity} 1 1:4))`);
  expect(some).toContain('* VANISHED (EARLIER) 2,4\r\n');
  expect(some.match(/ FETCH /g)).toHaveLength(2);
  const matched = await client.command(`SELECT INBOX (QRESYNC (${validity} 1 1:6 (1,2,3 1,3,5)))`);
  expect(matched).toContain('* VANISHED (EARLIER) 4:5\r\n');
  const complete = await client.command(`SELECT INBOX (QRESYNC (${validity} 1 1:6 (1:3 1,3,6)))`);
  expect(complete).not.toContain('VANISHED');
  const fetched = await client.command('UID FETCH 2:9 (UID) (CHANGEDSINCE 1 VANISHED)');
  expect(fetched).toMatch(/^\* VANISHED \(EARLIER\) 2,4:5\r\n\* 2 FETCH \(UID 3 MODSEQ/);
  expect(server.logged).toEqual([]);
});
