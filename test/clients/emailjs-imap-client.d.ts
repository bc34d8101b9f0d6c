/** What the tests use of it: the package has no types. */
declare module 'emailjs-imap-client' {
  interface Mailbox {
    /** In the reader's script. */
    readonly name: string;
    /** As the server wrote it. */
    readonly path: string;
    readonly specialUse?: string;
    readonly subscribed?: boolean;
    readonly children: readonly Mailbox[];
  }

  interface Opened {
    readonly exists: number;
    readonly uidNext: number;
    readonly uidValidity: number;
    readonly highestModseq?: string;
    readonly readOnly: boolean;
  }

  /** By the names of FETCH items in small letters; `#` is the sequence number. */
  type Fetched = Readonly<Record<string, unknown>> & { readonly uid: number };

  interface Options {
    readonly byUid?: boolean;
  }

  interface Logger {
    readonly debug: (messages: readonly unknown[]) => void;
    readonly info: (messages: readonly unknown[]) => void;
    readonly warn: (messages: readonly unknown[]) => void;
    readonly error: (messages: readonly unknown[]) => void;
  }

  export default class ImapClient {
    constructor(
      host: string,
      port: number,
      options: {
        readonly auth: { readonly user: string; readonly pass: string };
        readonly useSecureTransport: boolean;
        readonly requireTLS?: boolean;
      },
    );
    /** The protocol below; `timeoutEnterIdle` is how long it rests before IDLE, in milliseconds. */
    readonly client: { timeoutEnterIdle: number };
    onerror: ((error: Error) => void) | null;
    onupdate: ((path: string, type: 'exists' | 'expunge' | 'fetch', value: unknown) => void) | null;
    createLogger(make: () => Logger): void;
    connect(): Promise<void>;
    close(): Promise<void>;
    listMailboxes(): Promise<{ readonly children: readonly Mailbox[] }>;
    createMailbox(path: string): Promise<void>;
    deleteMailbox(path: string): Promise<void>;
    selectMailbox(
      path: string,
      options?: { readonly condstore?: boolean; readonly readOnly?: boolean },
    ): Promise<Opened>;
    listMessages(path: string, sequence: string, items: readonly string[], options?: Options): Promise<Fetched[]>;
    search(path: string, query: object, options?: Options): Promise<number[]>;
    setFlags(path: string, sequence: string, flags: object, options?: Options): Promise<Fetched[]>;
    upload(path: string, message: string, options?: { readonly flags?: readonly string[] }): Promise<unknown>;
    copyMessages(path: string, sequence: string, destination: string, options?: Options): Promise<unknown>;
    moveMessages(path: string, sequence: string, destination: string, options?: Options): Promise<unknown>;
    deleteMessages(path: string, sequence: string, options?: Options): Promise<unknown>;
  }
}
