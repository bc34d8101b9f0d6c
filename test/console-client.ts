/** A page's end of the console's WebSocket. */
import { WebSocket } from 'ws';
import {
  type ConsoleMessage,
  type ConsoleNews,
  type ConsoleRequest,
  consoleMessage,
} from '../src/http/schemas/console.ts';

type Of<Type extends ConsoleMessage['type']> = Extract<ConsoleMessage, { type: Type }>;
type Expected = ConsoleNews['standing']['expects']['type'];

export class ConsoleClient implements Disposable {
  readonly socket: WebSocket;
  /** All that came, in order. */
  readonly messages: ConsoleMessage[] = [];
  #at = 0;
  #look: () => void = () => undefined;
  /** The code of the close, or the status of an upgrade that was refused. */
  readonly closed: Promise<number>;

  constructor(port: number, headers: Readonly<Record<string, string>> = {}) {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}/api/glass/console`, { headers });
    this.socket.on('message', (data: Buffer) => {
      this.messages.push(consoleMessage.parse(JSON.parse(data.toString())));
      this.#look();
    });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code) => resolve(code));
      this.socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
    });
    this.socket.on('error', () => undefined);
  }

  static async open(
    port: number,
    service: Extract<ConsoleRequest, { type: 'open' }>['service'],
    tls: 'later' | 'at-once' = 'later',
    headers?: Readonly<Record<string, string>>,
  ): Promise<ConsoleClient> {
    const client = new ConsoleClient(port, headers);
    await new Promise<void>((resolve, reject) => {
      client.socket.once('open', () => resolve());
      client.socket.once('error', reject);
    });
    client.say({ type: 'open', service, tls });
    return client;
  }

  say(request: ConsoleRequest): void {
    this.socket.send(JSON.stringify(request));
  }

  /** The next message of that type; others before it are passed over. */
  async next<Type extends ConsoleMessage['type']>(type: Type): Promise<Of<Type>> {
    for (;;) {
      while (this.#at < this.messages.length) {
        const message = this.messages[this.#at++]!;
        if (message.type === type) return message as Of<Type>;
        if (message.type === 'ended') throw new Error(`the session has ended: ${message.detail}`);
      }
      await new Promise<void>((resolve) => (this.#look = resolve));
    }
  }

  /** Until the server waits for one of these. */
  async until(...expected: readonly Expected[]): Promise<ConsoleNews> {
    for (;;) {
      const news = await this.next('news');
      if (expected.includes(news.standing.expects.type)) return news;
    }
  }

  /** A line, and what the server waits for after its answer. */
  async line(text: string, ...expected: readonly Expected[]): Promise<ConsoleNews> {
    this.say({ type: 'send', text: `${text}\r\n` });
    return this.until(...(expected.length === 0 ? (['command'] as const) : expected));
  }

  /** What the server has said since the session began, line by line. */
  heard(): string[] {
    const units = new Map<string, string>();
    for (const message of this.messages) {
      if (message.type !== 'news') continue;
      for (const { side, position, text } of message.spoken) if (side === 'server') units.set(`${position}`, text);
    }
    return [...units.values()];
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}
