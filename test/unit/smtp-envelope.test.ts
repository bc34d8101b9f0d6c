/** What SMTP says about a message beside its octets, down to the rows of the store. */
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { databaseFile } from '../../src/store/sqlite/database.ts';
import { startTestStack } from '../test-stack.ts';
import { Client } from './smtp-harness.ts';

it.each(['smtp', 'lmtp'] as const)('an envelope that came by %s is kept whole (RFC 3461 §4)', async (service) => {
  await using stack = await startTestStack();
  const client = await Client.connect(stack.port(service), false);
  client.send(
    `${service === 'lmtp' ? 'LHLO' : 'EHLO'} client.test\r\nMAIL FROM:<a@else.test> RET=HDRS ENVID=QQ+2B314159\r\n` +
      'RCPT TO:<alice@glass.localhost> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Alice+2Bold@else.test\r\n' +
      'RCPT TO:<bob@glass.localhost> NOTIFY=NEVER\r\nRCPT TO:<carol@else.test>\r\nBDAT 1 LAST\r\nx',
  );
  for (const code of [/^220 /, /^250-/, /^250 /, /^250 /, /^250 /, /^250 /]) await client.expect(code);
  const [, transactionId] = /queued as (\w+)/.exec(await client.reply())!;
  const forwardPaths = [
    { address: 'alice@glass.localhost', notify: 'SUCCESS,DELAY', originalRecipient: 'rfc822;Alice+2Bold@else.test' },
    { address: 'bob@glass.localhost', notify: 'NEVER' },
    { address: 'carol@else.test' },
  ];
  const found = await stack.store.findTransaction(transactionId!);
  expect(found).toMatchObject({ reversePath: 'a@else.test', forwardPaths });
  expect(found!.origin).toMatchObject({ service, helo: 'client.test' });
  client.destroy();
  const database = new Database(databaseFile(stack.folder), { readonly: true });
  try {
    const row = database.prepare('SELECT return_type, envelope_id, forward_paths FROM origin').get();
    expect(row).toEqual({
      return_type: 'HDRS',
      envelope_id: 'QQ+2B314159',
      forward_paths: JSON.stringify(forwardPaths),
    });
  } finally {
    database.close();
  }
});
