/** What happens to a message on its journey, as values. Times are milliseconds since 1970, with fractions. */

/** Where a copy lies, or lay. */
export interface Place {
  readonly mailboxId: number;
  /** Null: no longer known. */
  readonly account: string | null;
  readonly mailbox: string | null;
  readonly uid: number;
}

/** What was done; a later hop (a queue, another server) is another type of step between other participants. */
export type Deed =
  | { readonly type: 'connected' }
  | { readonly type: 'tls'; readonly version: string; readonly cipher: string }
  | { readonly type: 'login'; readonly login: string; readonly mechanism: string }
  | { readonly type: 'login-failed'; readonly login: string; readonly reason: string }
  | { readonly type: 'envelope'; readonly reversePath: string | null; readonly recipients: number | null }
  /** `reply`: as it was given. */
  | { readonly type: 'refused'; readonly recipient: string; readonly reply: string }
  | { readonly type: 'fault'; readonly rule: string; readonly effect: string }
  | { readonly type: 'data'; readonly octets: number }
  | { readonly type: 'stored'; readonly copies: number }
  | { readonly type: 'accepted' }
  | { readonly type: 'appended' }
  /** `items`: what was asked for, as the protocol calls it; `request`: of HTTP. */
  | { readonly type: 'looked' | 'read'; readonly items: string | null; readonly request: string | null }
  | {
      readonly type: 'flags';
      readonly mode: 'add' | 'remove' | 'replace';
      readonly flags: readonly string[];
      readonly modSeq: number | null;
      readonly request: string | null;
    }
  | { readonly type: 'marked' }
  | { readonly type: 'copied' | 'moved'; readonly target: Place }
  | { readonly type: 'expunged'; readonly request: string | null };

/** Who takes part. `mailboxes`: more of them than can stand beside one another. */
export interface Participant {
  readonly id: string;
  readonly kind: 'sender' | 'service' | 'mailbox' | 'mailboxes' | 'reader';
  /** A service's or a reader's: `submission`, `imap`, `http`. */
  readonly service: string | null;
  readonly port: number | null;
  /** As it calls itself. */
  readonly program: string | null;
  readonly account: string | null;
  readonly mailbox: string | null;
  /** Of the network. */
  readonly address: string | null;
  /** How many mailboxes, or how many connections of a reader. */
  readonly count: number;
}

export interface Step {
  readonly at: number;
  /** By the clock that only goes on; null: nobody recorded it. */
  readonly tick: number | null;
  /** Of participants. */
  readonly from: string;
  readonly to: string;
  /** The event at which the lines begin that it stands for. Null: they are not kept, or not shown to who asks. */
  readonly line: { readonly conversation: string; readonly seq: number } | null;
  readonly place: Place | null;
  readonly deed: Deed;
}
