/** Many IMAP clients that talk without end: load for the Wire page, over real connections. */
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';

const TICK_MS = 20;

export interface TalkersOptions {
  readonly port: number;
  readonly conversations: number;
  /** Of all together; a command and its answer are two. */
  readonly eventsPerSecond: number;
  /** Of the first one alone, which the page follows. */
  readonly loudest: number;
}

export interface Talkers extends AsyncDisposable {
  /** Lines of the server so far, and so many of the clients. */
  readonly answers: number;
  /** Says no more, and waits until all is answered. @returns the tag of the first one's last command */
  quiet(): Promise<string>;
}

export async function startTalking(options: TalkersOptions): Promise<Talkers> {
  const { port, conversations, eventsPerSecond, loudest } = options;
  const clients: Client[] = [];
  for (let i = 0; i < conversations; i++) clients.push(await Client.open(port));
  const [first, ...others] = clients;
  const started = performance.now();
  let sentFirst = 0;
  let sentOthers = 0;
  const timer = setInterval(() => {
    const seconds = (performance.now() - started) / 1000;
    for (; sentFirst < (seconds * loudest) / 2; sentFirst++) first!.say();
    for (; sentOthers < (seconds * (eventsPerSecond - loudest)) / 2; sentOthers++)
      others[sentOthers % others.length]!.say();
  }, TICK_MS);
  return {
    get answers() {
      return clients.reduce((sum, { answered }) => sum + answered, 0);
    },
    async quiet() {
      clearInterval(timer);
      await Promise.all(clients.map((client) => client.settled()));
      // One by itself: many answers in a row are folded.
      first!.say();
      await first!.settled();
      return first!.lastTag;
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      for (const client of clients) client.end();
    },
  };
}

class Client {
  readonly #socket: Socket;
  #said = 0;
  answered = 0;
  #look: () => void = () => undefined;

  static async open(port: number): Promise<Client> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'data');
    return new Client(socket);
  }

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (octets: Buffer) => {
      for (const octet of octets) if (octet === 10) this.answered++;
      this.#look();
    });
  }

  get lastTag(): string {
    return `n${this.#said}`;
  }

  say(): void {
    this.#socket.write(`n${++this.#said} NOOP\r\n`);
  }

  async settled(): Promise<void> {
    while (this.answered < this.#said) await new Promise<void>((resolve) => (this.#look = resolve));
  }

  end(): void {
    this.#socket.destroy();
  }
}
