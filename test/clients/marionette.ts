/**
 * A client of Marionette, the remote control of Gecko's programs: JSON over TCP, each packet behind its length in octets
 * and a colon. A command is `[0, id, name, parameters]`, its answer `[1, id, error, result]`.
 */
import { once } from 'node:events';
import { connect } from 'node:net';

export interface Marionette extends Disposable {
  /** @throws with Gecko's words for what went wrong */
  command(name: string, parameters?: object): Promise<unknown>;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export async function connectToMarionette(port: number): Promise<Marionette> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const waiting = new Map<number, Waiting>();
  const greeted = Promise.withResolvers<undefined>();
  let commands = 0;
  let received = Buffer.alloc(0);

  const take = (packet: unknown): void => {
    if (!Array.isArray(packet)) {
      greeted.resolve(undefined);
      return;
    }
    const [, id, error, result] = packet as [1, number, { error: string; message: string } | null, unknown];
    const command = waiting.get(id);
    waiting.delete(id);
    if (error) command?.reject(new Error(`${error.error}: ${error.message}`));
    else command?.resolve(result);
  };
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    for (let colon = received.indexOf(':'); colon !== -1; colon = received.indexOf(':')) {
      const end = colon + 1 + Number(received.toString('latin1', 0, colon));
      if (received.length < end) return;
      const packet: unknown = JSON.parse(received.toString('utf8', colon + 1, end));
      received = received.subarray(end);
      take(packet);
    }
  });
  socket.on('error', () => undefined); // 'close' follows
  socket.on('close', () => {
    const error = new Error('The program closed its connection');
    greeted.reject(error);
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  });
  await greeted.promise;

  return {
    command(name, parameters = {}) {
      const id = ++commands;
      const packet = JSON.stringify([0, id, name, parameters]);
      socket.write(`${Buffer.byteLength(packet)}:${packet}`);
      return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
    },
    [Symbol.dispose]() {
      socket.destroy();
    },
  };
}
