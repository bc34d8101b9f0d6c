/**
 * What a rule is: where it is asked, whom it is about, and what then goes wrong. Which of these go together stands in
 * tables here; `rule-schema.ts` checks what people write.
 */

export const PROTOCOLS = ['smtp', 'lmtp', 'imap', 'pop3'] as const;
export type FaultProtocol = (typeof PROTOCOLS)[number];

/**
 * Where something may go wrong, in the order in which a connection comes there.
 * - `connection`: it was accepted, nothing has been said; `tls`: a handshake is to begin; `greeting`
 * - `command`: any command, or the one that is named; `fetch`: FETCH and UID FETCH of IMAP, RETR and TOP of POP3; `idle`
 * - `capabilities`: they are announced (EHLO, CAPABILITY and the greeting, CAPA)
 * - `mailbox`: it is opened, or a message is to come into it
 * - `recipient`: RCPT, once the address is known to be right; `delivery`: the message has come whole
 * - `octets`: so many have passed on the connection
 */
export const POINTS = [
  'connection',
  'tls',
  'greeting',
  'command',
  'fetch',
  'idle',
  'capabilities',
  'mailbox',
  'recipient',
  'delivery',
  'octets',
] as const;
export type PointName = (typeof POINTS)[number];

export type CutManner = 'fin' | 'rst';

/** Of an answer: before its first octet, in the middle, or when all of it has left. What the command does is done in each case. */
export type CutMoment = 'before' | 'middle' | 'after';

export type Effect =
  | {
      readonly type: 'refuse';
      /** SMTP: three digits. IMAP and POP3: a response code, without brackets. Where it is the other kind, the protocol's usual one is said. */
      readonly code?: string | undefined;
      /** SMTP: RFC 3463. */
      readonly status?: string | undefined;
      /** IMAP. */
      readonly response?: 'NO' | 'BAD' | 'BYE' | undefined;
      readonly text?: string | undefined;
    }
  | { readonly type: 'delay'; readonly ms: number }
  | {
      readonly type: 'slow';
      readonly octetsPerSecond: number;
      /** Each hit is as slow as chance has it: so fast at most. */
      readonly upTo?: number | undefined;
    }
  | {
      readonly type: 'cut';
      readonly when: CutMoment;
      readonly how: CutManner;
      /** `middle`: after so many octets of the answer; undefined: half of what is said at once. */
      readonly octets?: number | undefined;
      /** Milliseconds that pass before. */
      readonly afterMs?: number | undefined;
    }
  | { readonly type: 'hide-capability'; readonly capability: string }
  /** So many octets more, or fewer, are announced than come. */
  | { readonly type: 'wrong-literal'; readonly by: number }
  | { readonly type: 'new-uidvalidity' }
  | { readonly type: 'read-only' }
  | { readonly type: 'full-mailbox'; readonly permanent: boolean }
  | { readonly type: 'expired-certificate' }
  | { readonly type: 'duplicate'; readonly copies: number }
  /** Accepted at the `tries`th time, or `seconds` after the first one: whichever comes first. */
  | { readonly type: 'greylist'; readonly tries?: number | undefined; readonly seconds?: number | undefined };
export type EffectName = Effect['type'];
export type EffectOf<Name extends EffectName> = Extract<Effect, { readonly type: Name }>;

export interface Where {
  readonly at: PointName;
  readonly protocol?: FaultProtocol | undefined;
  /** `imaps`, `submission`, … */
  readonly service?: string | undefined;
  /** `command`: in capitals; `FETCH` is `UID FETCH` too. */
  readonly command?: string | undefined;
  /** `mailbox`: a pattern. */
  readonly mailbox?: string | undefined;
  /** `octets`. */
  readonly octets?: number | undefined;
  readonly direction?: 'in' | 'out' | undefined;
}

/** Patterns, compared without case; `*` is any run of characters. What is not known at a point matches none. */
export interface Whom {
  /** The client's IP address. */
  readonly address?: string | undefined;
  /** At `mailbox`, when a message comes in by SMTP: its recipient. */
  readonly login?: string | undefined;
  /** What the client calls itself: EHLO, or the name that ID tells. */
  readonly client?: string | undefined;
  readonly sender?: string | undefined;
  readonly recipient?: string | undefined;
  /** What the client asks for in TLS. */
  readonly serverName?: string | undefined;
}

/** A rule as somebody wrote it. */
export interface RuleDraft {
  /** For people. */
  readonly name?: string | undefined;
  readonly where: Where;
  readonly whom?: Whom | undefined;
  readonly what: Effect;
  /** So many matches are passed over. Default 0. */
  readonly skip?: number | undefined;
  /** After so many hits it stops. */
  readonly times?: number | undefined;
  /** Of the matches left, this share is hit: from 0 to 1. Default 1. */
  readonly share?: number | undefined;
  /** Which of them: with the same seed the same ones. Default 1. */
  readonly seed?: number | undefined;
  /** False: it is kept, and does nothing. Default true. */
  readonly on?: boolean | undefined;
}

export interface Rule extends RuleDraft {
  readonly id: string;
  /** The test scope that made it, and that it is for; undefined: everybody. */
  readonly scope: string | undefined;
  /** How often where and whom were right, and how often something was made to fail. */
  readonly matches: number;
  readonly hits: number;
}

/** Where each effect can be asked for; the first is meant when nothing is said. None: it has to be said. */
export const POINTS_OF: Readonly<Record<EffectName, readonly PointName[]>> = {
  refuse: ['command', 'greeting', 'fetch', 'idle', 'recipient', 'delivery'],
  delay: ['command', 'connection', 'tls', 'greeting', 'fetch', 'idle', 'recipient', 'delivery', 'octets'],
  slow: ['connection', 'greeting', 'command', 'fetch', 'idle', 'recipient', 'delivery', 'octets'],
  cut: ['command', 'connection', 'tls', 'greeting', 'fetch', 'idle', 'recipient', 'delivery', 'octets'],
  'hide-capability': ['capabilities'],
  'wrong-literal': ['fetch'],
  'new-uidvalidity': ['mailbox'],
  'read-only': ['mailbox'],
  'full-mailbox': ['mailbox'],
  'expired-certificate': ['tls'],
  duplicate: ['delivery'],
  greylist: ['recipient'],
};

/** What is known of the client where there is no session yet. */
export const KNOWN_EARLY: Readonly<Partial<Record<PointName, readonly (keyof Whom)[]>>> = {
  connection: ['address'],
  tls: ['address', 'serverName'],
  greeting: ['address', 'serverName'],
};

/** Where a scope cannot be told yet: its login or a recipient tells it, or the name that the client asks for in TLS. */
export const BEFORE_SCOPES: readonly PointName[] = ['connection'];
