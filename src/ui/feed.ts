/**
 * The one WebSocket. After a loss it comes back by itself and asks for what has changed since. It knows no page: what it
 * hears goes to the listeners.
 */
import type {
  ConversationNews,
  EventNews,
  FeedMessage,
  FeedRequest,
  MailNews,
  MailboxNews,
} from '../http/schemas/feed.ts';
import { state } from './state.ts';

export interface FeedListeners {
  /** The connection is there: for the first time, or again. */
  readonly connected: () => void;
  readonly mail: (news: MailNews) => void;
  readonly mailboxes: (news: MailboxNews) => void;
  readonly conversations: (news: ConversationNews) => void;
  readonly events: (news: EventNews) => void;
}

/** Waits before the next attempt, in milliseconds; the last one repeats. */
const WAITS = [500, 1000, 2000, 4000, 8000, 15_000, 30_000] as const;
/** After so many attempts the page says "offline". */
const OFFLINE_AFTER = 5;

export class Feed {
  readonly #listeners: FeedListeners;
  #socket: WebSocket | undefined;
  #timer: number | undefined;
  #attempts = 0;
  #cursor: string | undefined;
  #revision: number | undefined;
  #conversation: { readonly id: string; seq: number } | undefined;

  constructor(listeners: FeedListeners) {
    this.#listeners = listeners;
    window.addEventListener('online', () => this.retry());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.retry();
    });
  }

  open(): void {
    window.clearTimeout(this.#timer);
    this.#timer = undefined;
    const { protocol, host } = location;
    const socket = new WebSocket(`${protocol === 'https:' ? 'wss' : 'ws'}://${host}/api/glass/feed`);
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') this.#heard(JSON.parse(data) as FeedMessage);
    });
    socket.addEventListener('close', () => {
      if (this.#socket === socket) this.#lost();
    });
  }

  /** At once, if it is waiting for the next attempt. */
  retry(): void {
    if (this.#timer !== undefined) this.open();
  }

  /** Stops showing news, and their coming; what happens meanwhile is asked for afterwards. */
  setPaused(paused: boolean): void {
    state.update({ paused });
    this.#subscribe();
  }

  /** The events of one conversation too, from after `seq` on; undefined: of none. */
  watch(conversation: { readonly id: string; readonly seq: number } | undefined): void {
    this.#conversation = conversation && { ...conversation };
    this.#subscribe();
  }

  /** The conversations were read anew and stand there. */
  setRevision(revision: number): void {
    this.#revision = revision;
    this.#subscribe();
  }

  #lost(): void {
    this.#socket = undefined;
    const wait = WAITS[Math.min(this.#attempts, WAITS.length - 1)]!;
    this.#attempts++;
    const retryAt = Date.now() + wait;
    const type = this.#attempts > OFFLINE_AFTER ? 'offline' : 'waiting';
    state.update({ connection: { type, retryAt } });
    this.#timer = window.setTimeout(() => this.open(), wait);
  }

  #subscribe(): void {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN || state.latest.connection.type !== 'live') return;
    if (state.latest.paused) {
      socket.send(JSON.stringify({ subscribe: {} } satisfies FeedRequest));
      return;
    }
    const request: FeedRequest = {
      subscribe: {
        mail: true,
        mailboxes: true,
        conversations: true,
        ...(this.#conversation && { conversation: this.#conversation.id }),
      },
      since: {
        ...(this.#cursor !== undefined && { cursor: this.#cursor }),
        ...(this.#revision !== undefined && { revision: this.#revision }),
        ...(this.#conversation && { seq: this.#conversation.seq }),
      },
    };
    socket.send(JSON.stringify(request));
  }

  #heard(message: FeedMessage): void {
    const { paused } = state.latest;
    switch (message.type) {
      case 'hello':
        this.#attempts = 0;
        this.#cursor ??= message.cursor;
        this.#revision ??= message.revision;
        state.update({ connection: { type: 'live' } });
        this.#subscribe();
        this.#listeners.connected();
        return;
      case 'mail':
        if (paused) return;
        this.#cursor = message.cursor;
        this.#listeners.mail(message);
        return;
      case 'mailboxes':
        if (!paused) this.#listeners.mailboxes(message);
        return;
      case 'conversation':
        if (paused) return;
        this.#revision = message.revision;
        this.#listeners.conversations(message);
        return;
      case 'event':
        if (paused || message.conversation !== this.#conversation?.id) return;
        this.#conversation.seq = message.lastSeq;
        this.#listeners.events(message);
        return;
      case 'missed': // the next message says that the list is to be read anew
      case 'clock':
      case 'error':
        return;
    }
  }
}
