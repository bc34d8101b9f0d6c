import { createServer, type AddressInfo } from 'node:net';
import { connect } from 'node:tls';

/** The octets that a TLS client says first. */
export async function clientHello(): Promise<Buffer> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const first = new Promise<Buffer>((resolve) => {
    listener.once('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (octets: Buffer) => {
        resolve(octets);
        socket.destroy();
      });
    });
  });
  const client = connect({ port: (listener.address() as AddressInfo).port, host: '127.0.0.1' });
  client.on('error', () => undefined);
  const hello = await first;
  client.destroy();
  listener.close();
  return hello;
}
