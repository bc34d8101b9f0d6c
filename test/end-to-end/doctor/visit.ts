/** What the doctor says over HTTP, and clients that make mistakes. */
import { type Socket, connect } from 'node:net';
import { type ConnectionOptions, type TLSSocket, connect as connectTls } from 'node:tls';
import { setTimeout as wait } from 'node:timers/promises';
import type { ConversationDetail } from '../../../src/http/schemas/conversations.ts';
import type { Diagnoses } from '../../../src/http/schemas/diagnoses.ts';
import type { Diagnosis } from '../../../src/http/schemas/reading.ts';
import type { Service } from '../../../src/config.ts';

export interface Server {
  port(service: Service): number;
}

export async function diagnoses(server: Server, query = '', init?: RequestInit): Promise<Diagnoses> {
  const response = await fetch(`http://127.0.0.1:${server.port('http')}/api/glass/diagnoses${query}`, init);
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as Diagnoses;
}

export interface Seen extends Diagnosis {
  readonly conversation: string;
  /** The event or the words that the evidence points at, in its order: type, and text where there is one. */
  readonly shown: readonly string[];
}

const PATIENCE_MS = 25_000;

/** Waits until a case shows on a service, and looks up its evidence. */
export async function seen(server: Server, service: Service, id: string, since = 0): Promise<Seen> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const { conversations } = await diagnoses(server, `?service=${service}&limit=1000`);
    for (const { conversation, opened, diagnoses: found } of conversations) {
      const one = found.find((each) => each.id === id);
      if (one && Date.parse(opened) >= since)
        return { ...one, conversation, shown: await shown(server, conversation, one) };
    }
    if (Date.now() > end) throw new Error(`no ${id} on ${service}: ${JSON.stringify(conversations, undefined, 1)}`);
    await wait(20);
  }
}

async function shown(server: Server, id: string, { evidence }: Diagnosis): Promise<string[]> {
  const response = await fetch(`http://127.0.0.1:${server.port('http')}/api/glass/conversations/${id}`);
  const { events } = (await response.json()) as ConversationDetail;
  return evidence.map(({ seq }) => {
    const event = events.find((each) => each.seq === seq);
    switch (event?.type) {
      case undefined:
        return 'nothing';
      case 'text':
        return `${event.direction} ${event.text}`;
      case 'binary':
        return `${event.direction} ${Buffer.from(event.base64, 'base64').toString('hex')}`;
      case 'tls':
        return `tls ${event.tls.step}`;
      case 'annotation':
        return event.annotation.type;
      case 'closed':
        return `closed by ${event.by}`;
    }
  });
}

/** A person at a socket: says something, waits for an answer. */
export class Talker {
  readonly socket: Socket;
  #said = '';

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => (this.#said += text));
    socket.on('error', () => undefined);
  }

  static async clear(port: number): Promise<Talker> {
    const socket = connect({ port, host: '127.0.0.1' });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new Talker(socket);
  }

  static async tls(port: number, options: ConnectionOptions = {}): Promise<Talker> {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    return new Talker(socket);
  }

  /** Takes all up to what matches. */
  async hears(pattern: RegExp): Promise<string> {
    const end = Date.now() + PATIENCE_MS;
    for (;;) {
      const match = pattern.exec(this.#said);
      if (match) {
        const heard = this.#said.slice(0, match.index + match[0].length);
        this.#said = this.#said.slice(heard.length);
        return heard;
      }
      if (Date.now() > end) throw new Error(`no ${String(pattern)} in ${JSON.stringify(this.#said)}`);
      await wait(5);
    }
  }

  async says(line: string, answer: RegExp): Promise<string> {
    this.socket.write(`${line}\r\n`, 'latin1');
    return this.hears(answer);
  }

  /** The connection in TLS from here on. */
  async secures(options: ConnectionOptions = {}): Promise<Talker> {
    this.socket.removeAllListeners('data');
    const secured: TLSSocket = connectTls({ socket: this.socket, rejectUnauthorized: false, ...options });
    await new Promise((resolve, reject) => secured.once('secureConnect', resolve).once('error', reject));
    return new Talker(secured);
  }

  leaves(): Promise<void> {
    return new Promise((resolve) => {
      if (this.socket.destroyed) resolve();
      this.socket.once('close', () => resolve());
      this.socket.resume().end();
    });
  }

  /** Until the server has ended the connection. */
  async isLeft(): Promise<void> {
    if (!this.socket.destroyed) await new Promise((resolve) => this.socket.once('close', resolve));
  }
}
