/**
 * Accepts messages as fast as it can, and says on standard output which are acknowledged, until it is killed.
 * Arguments: the data folder, and the number of its first message.
 */
import { writeSync } from 'node:fs';
import { Notifier } from '../../src/notifier/notifier.ts';
import { openStore } from '../../src/store/sqlite/sqlite-store.ts';

const [folder, first] = process.argv.slice(2);
const store = await openStore({ folder: folder!, durability: 'power', notifier: new Notifier() });
let next = Number(first);
const account = { address: 'alice@glass.test', passwordRecord: undefined };

async function deliver(): Promise<never> {
  for (;;) {
    const number = next++;
    await using spool = store.spool();
    await spool.write(Buffer.from(`Subject: ${number}\r\n\r\n`));
    // Every tenth is large enough for a file of its own.
    await spool.write(Buffer.alloc(number % 10 === 0 ? 300_000 : 5_000, `${number} `));
    const { copies } = await store.accept({
      reversePath: '',
      forwardPaths: [{ address: account.address }],
      deliveries: [{ account, mailbox: 'INBOX' }],
      trace: Buffer.from('X-Trace: yes\r\n'),
      content: await spool.finish(),
      receivedAt: new Date(),
      origin: {
        service: 'smtp',
        conversation: undefined,
        remoteAddress: undefined,
        helo: undefined,
        login: undefined,
        tls: undefined,
      },
    });
    writeSync(1, `${number} ${copies[0]!.uid}\n`);
    // Some leave at once, so that UIDs of the past must not come back.
    if (number % 7 === 0) {
      const { account: id, mailbox, uid } = copies[0]!;
      await store.expunge(id, mailbox, { uids: [uid], onlyDeleted: false });
    }
  }
}

await Promise.all(Array.from({ length: 20 }, deliver));
