/** The faults of one connection: what its session has told of the client, and what is done to it. */
import { setTimeout as wait } from 'node:timers/promises';
import type { CutManner, EffectName, EffectOf } from './rule.ts';
import type { Asked, Facts, FaultRules, Hit } from './rules.ts';

/** What faults need of a connection. */
export interface FaultyConnection {
  readonly service: string;
  readonly conversation: { readonly protocol: string };
  readonly remote: { readonly address: string };
  readonly tls: { readonly serverName: string | undefined } | undefined;
  readonly signal: AbortSignal;
  /** The server stops: nothing is waited for any more. */
  readonly draining: AbortSignal;
  annotate(annotation: {
    readonly type: 'fault';
    readonly rule: string;
    readonly effect: string;
    readonly at: string;
  }): void;
  flush(): Promise<void>;
  slow(octetsPerSecond: number): void;
  hold(ms: number): void;
  cutAfter(octets: number | 'half', how: CutManner): void;
  cut(how: CutManner): void;
  mark(mark: { readonly direction: 'in' | 'out'; readonly octets: number; reached(): void }): void;
}

/** What of all that was hit is to be done, together. */
export interface Plan {
  readonly delayMs: number;
  readonly octetsPerSecond: number | undefined;
  readonly refusal: EffectOf<'refuse'> | undefined;
  /** The recipients that the refusal is about. */
  readonly refused: ReadonlySet<string>;
  readonly cut: EffectOf<'cut'> | undefined;
  /** In capitals. */
  readonly hidden: readonly string[];
  /** How many octets more than come a literal announces. */
  readonly literalBy: number;
  readonly full: EffectOf<'full-mailbox'> | undefined;
  /** How often a message is stored for a recipient, where that is not once. */
  readonly copies: ReadonlyMap<string, number>;
  has(effect: EffectName): boolean;
}

export class SessionFaults {
  readonly #rules: FaultRules;
  readonly #connection: FaultyConnection;
  #serverName: string | undefined;
  /** Told by the session. */
  login: string | undefined;
  client: string | undefined;
  sender: string | undefined;
  recipients: readonly string[] = [];

  constructor(rules: FaultRules, connection: FaultyConnection) {
    this.#rules = rules;
    this.#connection = connection;
  }

  get facts(): Facts {
    const { service, conversation, remote, tls } = this.#connection;
    const { login, client, sender, recipients } = this;
    const serverName = this.#serverName ?? tls?.serverName;
    return {
      service,
      protocol: conversation.protocol,
      address: remote.address,
      serverName,
      login,
      client,
      sender,
      recipients,
    };
  }

  /** Whether there are rules: else most questions need not be put. */
  get any(): boolean {
    return this.#rules.size > 0;
  }

  /** What goes wrong here, which may be several places at once; undefined: nothing. Counts and annotates it. */
  ask(...places: readonly Asked[]): Plan | undefined {
    const all: Hit[] = [];
    for (const asked of places) {
      // The recipients of a delivery may ask for faults themselves.
      if (this.#rules.size === 0 && asked.recipients === undefined) continue;
      const hits = this.#rules.match(asked, this.facts);
      this.#tell(hits, asked.at);
      all.push(...hits);
    }
    return all.length === 0 ? undefined : planOf(all);
  }

  /** In a handshake, when the client has named the server. */
  askNamed(serverName: string): Plan | undefined {
    this.#serverName = serverName;
    return this.ask({ at: 'tls', named: true });
  }

  #tell(hits: readonly Hit[], at: string): void {
    for (const { rule, what } of hits) this.#connection.annotate({ type: 'fault', rule, effect: what.type, at });
  }

  /** At the start of a connection: what is to happen once so many octets have passed. */
  watchOctets(): void {
    for (const { id, where } of this.#rules.octetRules(this.facts)) {
      this.#connection.mark({
        direction: where.direction ?? 'out',
        octets: where.octets ?? 0,
        reached: () => {
          const hit = this.#rules.matchOctets(id, this.facts);
          if (!hit) return;
          this.#tell([hit], 'octets');
          const plan = planOf([hit]);
          if (plan.octetsPerSecond !== undefined) this.#connection.slow(plan.octetsPerSecond);
          if (plan.delayMs > 0) this.#connection.hold(plan.delayMs);
          if (plan.cut) this.#connection.cut(plan.cut.how);
        },
      });
    }
  }

  /** Before the answer. Resolves when it may be given; the connection may be gone by then, or be cut in it. */
  async before({ delayMs, octetsPerSecond, cut }: Plan): Promise<void> {
    if (octetsPerSecond !== undefined) this.#connection.slow(octetsPerSecond);
    const isCut = cut !== undefined && cut.when !== 'after';
    await this.pause(delayMs + (isCut ? (cut.afterMs ?? 0) : 0));
    if (!isCut) return;
    // What was said to earlier commands is not part of this answer. Who is gone needs no cut.
    await this.#connection.flush().catch(() => undefined);
    this.#connection.cutAfter(cut.when === 'before' ? 0 : (cut.octets ?? 'half'), cut.how);
  }

  /** When the answer has been written. @returns whether the connection has been cut */
  async after({ cut }: Plan): Promise<boolean> {
    if (cut?.when !== 'after') return false;
    await this.#connection.flush().catch(() => undefined);
    await this.pause(cut.afterMs ?? 0);
    this.#connection.cut(cut.how);
    return true;
  }

  /** Ends early when the client leaves, or the server stops. */
  async pause(ms: number): Promise<void> {
    if (ms <= 0) return;
    const { signal, draining } = this.#connection;
    await wait(ms, undefined, { signal: AbortSignal.any([signal, draining]) }).catch(() => undefined);
  }
}

function planOf(hits: readonly Hit[]): Plan {
  const all = <Name extends EffectName>(name: Name): readonly EffectOf<Name>[] =>
    hits.map(({ what }) => what).filter((what): what is EffectOf<Name> => what.type === name);
  const slow = all('slow').map(({ octetsPerSecond }) => octetsPerSecond);
  const copies = new Map<string, number>();
  for (const { what, recipients } of hits) {
    if (what.type !== 'duplicate') continue;
    for (const address of recipients) copies.set(address, Math.max(what.copies, copies.get(address) ?? 1));
  }
  return {
    delayMs: all('delay').reduce((sum, { ms }) => sum + ms, 0),
    octetsPerSecond: slow.length === 0 ? undefined : Math.min(...slow),
    refusal: all('refuse')[0] ?? (all('greylist').length > 0 ? GREYLISTED : undefined),
    refused: new Set(hits.filter(({ what }) => REFUSING.has(what.type)).flatMap(({ recipients }) => recipients)),
    cut: all('cut')[0],
    hidden: all('hide-capability').map(({ capability }) => capability),
    literalBy: all('wrong-literal').reduce((sum, { by }) => sum + by, 0),
    full: all('full-mailbox')[0],
    copies,
    has: (effect) => hits.some(({ what }) => what.type === effect),
  };
}

const REFUSING: ReadonlySet<EffectName> = new Set(['refuse', 'greylist']);

/** RFC 6647 §5.1. */
const GREYLISTED: EffectOf<'refuse'> = {
  type: 'refuse',
  code: '451',
  status: '4.7.1',
  text: 'Greylisted: please try again later',
};
