/**
 * An IMAP client that costs next to nothing: sends a command, takes all octets until its tagged reply, and tells how
 * many there were and how long it took. It parses nothing, for it is the server that is measured.
 */
import { connect, type Socket } from 'node:net';
import { makeMessage } from './smtp-load.ts';

export interface Answer {
  readonly milliseconds: number;
  readonly octets: number;
  /** The tagged line. */
  readonly line: string;
  /** The first 4 KiB of what came before it. */
  readonly start: string;
}

export class ImapClient {
  readonly #socket: Socket;
  #tag = 0;
  #waiting: ((chunk: Buffer) => void) | undefined;
  #failed: Error | undefined;
  #onFailure: ((error: Error) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#waiting?.(chunk));
    const fail = (error: Error) => {
      this.#failed ??= error;
      this.#onFailure?.(error);
    };
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('the server closed the connection')));
  }

  static async login(port: number, user: string, password: string): Promise<ImapClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const client = new ImapClient(socket);
    await client.#until((text) => text.includes('\r\n'));
    await client.command(`LOGIN ${user} ${password}`);
    return client;
  }

  #until(done: (text: string) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let text = '';
      this.#onFailure = reject;
      this.#waiting = (chunk) => {
        text += chunk.toString('latin1');
        if (done(text)) resolve();
      };
    });
  }

  /** @throws when the reply is not OK, the connection breaks, or nothing comes for two minutes */
  async command(text: string): Promise<Answer> {
    return this.#exchange(`${text}\r\n`);
  }

  async #exchange(text: string | Buffer): Promise<Answer> {
    if (this.#failed) throw this.#failed;
    const tag = `b${++this.#tag}`;
    const mark = `${tag} `;
    const answer = await new Promise<Answer>((resolve, reject) => {
      let octets = 0;
      let start = '';
      let tail = '';
      const timer = setTimeout(() => reject(new Error(`no reply to ${text.toString('latin1').slice(0, 80)}`)), 120_000);
      this.#onFailure = reject;
      const begin = performance.now();
      this.#waiting = (chunk) => {
        octets += chunk.length;
        if (start.length < 4096) start += chunk.toString('latin1', 0, 4096 - start.length);
        tail = (tail + chunk.toString('latin1', Math.max(0, chunk.length - 4096))).slice(-4096);
        if (!tail.endsWith('\r\n')) return;
        const last = tail.lastIndexOf('\n', tail.length - 2) + 1;
        if (!tail.startsWith(mark, last)) return;
        clearTimeout(timer);
        resolve({ milliseconds: performance.now() - begin, octets, line: tail.slice(last).trimEnd(), start });
      };
      this.#socket.write(typeof text === 'string' ? `${mark}${text}` : Buffer.concat([Buffer.from(mark), text]));
    });
    if (!answer.line.startsWith(`${mark}OK`))
      throw new Error(`${text.toString('latin1').slice(0, 80).trimEnd()}: ${answer.line}`);
    return answer;
  }

  /** APPEND with a non-synchronising literal (RFC 7888), one at a time. */
  append(mailbox: string, message: Buffer): Promise<Answer> {
    return this.#exchange(
      Buffer.concat([Buffer.from(`APPEND ${mailbox} {${message.length}+}\r\n`), message, Buffer.from('\r\n')]),
    );
  }

  /** Fills a mailbox: many APPENDs under way at once. */
  async fill(mailbox: string, messages: number, make: (number: number) => Buffer): Promise<void> {
    const WINDOW = 64;
    let replies = 0;
    let wake: (() => void) | undefined;
    const done = new Promise<void>((resolve, reject) => {
      this.#onFailure = reject;
      let rest = '';
      this.#waiting = (chunk) => {
        rest += chunk.toString('latin1');
        const lines = rest.split('\r\n');
        rest = lines.pop()!;
        for (const line of lines) {
          if (!line.startsWith('f')) continue;
          if (!/^f\d+ OK/.test(line)) reject(new Error(line));
          replies++;
        }
        wake?.();
        if (replies === messages) resolve();
      };
    });
    for (let number = 0; number < messages; number++) {
      while (number - replies >= WINDOW) await new Promise<void>((resolve) => (wake = resolve));
      const message = make(number);
      const head = Buffer.from(`f${number} APPEND ${mailbox} {${message.length}+}\r\n`);
      this.#socket.write(Buffer.concat([head, message, Buffer.from('\r\n')]));
    }
    await done;
  }

  /** Resolves with the time at which the next untagged line came. */
  async nextLine(): Promise<number> {
    await this.#until((text) => text.includes('\r\n'));
    return performance.now();
  }

  send(text: string): void {
    this.#socket.write(text);
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** A message as people get them: two alternatives, one attachment, words that differ; about 3 KB. */
export function mailboxMessage(number: number): Buffer {
  const word = (index: number) => WORDS[(number * 31 + index * 17 + ((number * index) % 13)) % WORDS.length]!;
  const sentence = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => word(from + index)).join(' ');
  const paragraphs = Array.from({ length: 8 }, (_, line) => sentence(line * 9, 11)).join('\r\n');
  const rare = number % 1000 === 7 ? 'xylophone' : 'ordinary';
  const boundary = `b_${number}`;
  return Buffer.from(
    `From: "${word(1)} ${word(2)}" <${word(1)}@bench.test>\r\nTo: reader@bench.test, "${word(3)}" <${word(3)}@bench.test>\r\n` +
      `Subject: ${sentence(3, 5)} ${number % 500 === 3 ? 'zeppelin' : 'report'} ${number}\r\nMessage-ID: <${number}.${word(4)}@bench.test>\r\n` +
      `Date: Sun, ${1 + (number % 28)} Nov 2026 ${10 + (number % 14)}:00:00 +0100\r\nIn-Reply-To: <${number - 1}.x@bench.test>\r\nMIME-Version: 1.0\r\n` +
      `Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n--${boundary}\r\nContent-Type: multipart/alternative; boundary="${boundary}a"\r\n\r\n` +
      `--${boundary}a\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${paragraphs}\r\n${rare} instruments\r\n` +
      `--${boundary}a\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>${paragraphs}</p>\r\n--${boundary}a--\r\n` +
      `--${boundary}\r\nContent-Type: application/octet-stream; name="data${number}.bin"\r\nContent-Disposition: attachment; filename="data${number}.bin"\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from(sentence(5, 40)).toString('base64').replace(/.{76}/g, '$&\r\n')}\r\n--${boundary}--\r\n`,
  );
}

const WORDS =
  'alpha river stone cloud window garden copper silver market bridge winter summer paper engine signal harbor valley castle forest meadow lantern compass anchor barrel candle dragon eagle feather glacier hammer island jacket kernel ladder mirror needle orchard pepper quartz ribbon saddle temple umbrella velvet whistle yellow zenith'.split(
    ' ',
  );

export { makeMessage };
