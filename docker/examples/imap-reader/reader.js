// The application under test: makes a ticket of each unread message of an IMAP mailbox, and marks it as read and with
// the keyword `$Ticket`. Between messages it waits in IDLE.
import { setTimeout as pause } from 'node:timers/promises';
import { ImapFlow } from 'imapflow';

const { IMAP_HOST, IMAP_USER, IMAP_PASSWORD } = process.env;

async function connect() {
  for (let attempt = 1; ; attempt++) {
    const client = new ImapFlow({
      host: IMAP_HOST,
      port: 1143,
      secure: false,
      doSTARTTLS: false,
      auth: { user: IMAP_USER, pass: IMAP_PASSWORD },
      logger: false,
    });
    try {
      await client.connect();
      return client;
    } catch (error) {
      // The containers start side by side.
      if (attempt === 60) throw error;
      await pause(500);
    }
  }
}

const client = await connect();
process.once('SIGTERM', () => process.exit());
await client.mailboxOpen('INBOX');
let news = Promise.withResolvers();
client.on('exists', () => news.resolve());
for (;;) {
  // Before the search: what arrives during it is looked for in the next round.
  news = Promise.withResolvers();
  for (const uid of await client.search({ seen: false }, { uid: true })) {
    const { envelope } = await client.fetchOne(String(uid), { envelope: true }, { uid: true });
    await client.messageFlagsAdd(String(uid), ['\\Seen', '$Ticket'], { uid: true });
    console.log(`ticket ${uid}: "${envelope.subject}" of ${envelope.from[0].address}`);
  }
  void client.idle();
  await news.promise;
}
