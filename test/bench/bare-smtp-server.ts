/** The library alone, as a yardstick: takes mail and throws it away. Prints its port. */
import { SMTPServer } from 'smtp-server';

const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS', 'AUTH'],
  logger: false,
  onData(stream, _session, callback) {
    stream.on('data', () => undefined);
    stream.on('end', () => callback());
  },
});
const listening = server.listen(0, '127.0.0.1', () => {
  console.log((listening.address() as { port: number }).port);
});
