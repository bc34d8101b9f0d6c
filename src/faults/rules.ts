/**
 * The rules of this server: kept, asked, counted. Without any, asking costs a comparison.
 */
import { addressCode } from './address-code.ts';
import { BEFORE_SCOPES } from './rule.ts';
import type { Effect, EffectName, EffectOf, PointName, Rule, RuleDraft, Where, Whom } from './rule.ts';
import { SessionFaults } from './session-faults.ts';
import type { FaultyConnection } from './session-faults.ts';

/** Where a session asks. */
export interface Asked {
  readonly at: PointName;
  /** In capitals. */
  readonly command?: string;
  readonly mailbox?: string;
  /** At `mailbox`: what is to be done with it. */
  readonly doing?: 'open' | 'write';
  /** At `fetch`: the answer has literals. */
  readonly saysOctets?: boolean;
  /** At `tls`: the client has named the server. Rules that are about a name, or a scope, are asked then alone. */
  readonly named?: boolean;
  /** Whom it is about, where that is somebody else than the connection's own. */
  readonly login?: string | undefined;
  readonly recipients?: readonly string[];
  /** What is said to one recipient says nothing to the others. */
  readonly apart?: boolean;
}

/** What is known of the client. */
export interface Facts {
  readonly service: string;
  readonly protocol: string;
  readonly address: string;
  readonly serverName: string | undefined;
  readonly login: string | undefined;
  readonly client: string | undefined;
  readonly sender: string | undefined;
  /** Of the present transaction. */
  readonly recipients: readonly string[];
}

export interface Hit {
  /** Its id, or the address that asked for it. */
  readonly rule: string;
  readonly what: Effect;
  /** Those that it is about. */
  readonly recipients: readonly string[];
}

export interface FaultOptions {
  /** The test scope that an address belongs to. */
  scopeOf?(address: string): string | undefined;
  /** Addresses ask for faults themselves. */
  readonly addressCodes?: boolean;
  /** Effects that this server cannot have, each with the reason. */
  readonly impossible?: Readonly<Partial<Record<EffectName, string>>>;
  /** Milliseconds, never going back. */
  readonly now?: () => number;
}

export const MOST_RULES = 1000;
/** How many addresses and greylisted triples are remembered; then the oldest go. */
const MOST_REMEMBERED = 10_000;

interface Kept {
  readonly id: string;
  readonly scope: string | undefined;
  draft: RuleDraft;
  matches: number;
  hits: number;
  random: () => number;
  readonly greylist: Greylist;
}

export class FaultRules {
  readonly #options: FaultOptions;
  readonly #rules = new Map<string, Kept>();
  #lastId = 0;
  /** How often addresses with a code were hit. */
  readonly #addressHits = new Map<string, number>();
  readonly #addressGreylist = new Greylist();
  readonly #sessions = new WeakMap<FaultyConnection, SessionFaults>();

  constructor(options: FaultOptions = {}) {
    this.#options = options;
  }

  get size(): number {
    return this.#rules.size;
  }

  /** How many of them do something. @param scope only those of this one */
  countOn(scope?: string): number {
    return [...this.#rules.values()].filter((rule) => isVisibleTo(scope)(rule) && rule.draft.on !== false).length;
  }

  /** In the order of their making. @param scope only those of this one */
  list(scope?: string): readonly Rule[] {
    return [...this.#rules.values()].filter(isVisibleTo(scope)).map(toRule);
  }

  find(id: string, scope?: string): Rule | undefined {
    const rule = this.#find(id, scope);
    return rule && toRule(rule);
  }

  /** Why a rule cannot be had here; undefined: it can. */
  objection({ where, what }: RuleDraft, scope?: string): { readonly field: string; readonly rule: string } | undefined {
    if (scope !== undefined && BEFORE_SCOPES.includes(where.at))
      return { field: 'where.at', rule: `whom a scope's rule is about is not known yet at ${where.at}` };
    const reason = this.#options.impossible?.[what.type];
    return reason === undefined ? undefined : { field: 'what.type', rule: reason };
  }

  /** @param scope the one that it is for @returns undefined when there are too many */
  add(draft: RuleDraft, scope?: string): Rule | undefined {
    if (this.#rules.size >= MOST_RULES) return undefined;
    const id = String(++this.#lastId);
    const rule = { id, scope, draft, matches: 0, hits: 0, random: generator(draft.seed), greylist: new Greylist() };
    this.#rules.set(id, rule);
    return toRule(rule);
  }

  /** Another rule under the same id, which counts from the start. @returns undefined when there is none */
  replace(id: string, draft: RuleDraft, scope?: string): Rule | undefined {
    const rule = this.#find(id, scope);
    if (!rule) return undefined;
    Object.assign(rule, { draft, matches: 0, hits: 0, random: generator(draft.seed) });
    rule.greylist.clear();
    return toRule(rule);
  }

  /** Each goes on counting where it stood. @param ids undefined: all @param scope only those of this one */
  switch(on: boolean, ids: readonly string[] | undefined, scope?: string): void {
    for (const rule of this.#rules.values()) {
      if (isVisibleTo(scope)(rule) && ids?.includes(rule.id) !== false) rule.draft = { ...rule.draft, on };
    }
  }

  remove(id: string, scope?: string): boolean {
    return this.#find(id, scope) !== undefined && this.#rules.delete(id);
  }

  /** @param scope only those of this one @returns how many there were */
  clear(scope?: string): number {
    const gone = [...this.#rules.values()].filter(isVisibleTo(scope));
    for (const { id } of gone) this.#rules.delete(id);
    return gone.length;
  }

  #find(id: string, scope: string | undefined): Kept | undefined {
    const rule = this.#rules.get(id);
    return rule && isVisibleTo(scope)(rule) ? rule : undefined;
  }

  /** What of a connection's session is to go wrong; the same one for each connection. */
  of(connection: FaultyConnection): SessionFaults {
    let faults = this.#sessions.get(connection);
    if (!faults) this.#sessions.set(connection, (faults = new SessionFaults(this, connection)));
    return faults;
  }

  /** What goes wrong here. Counts it. */
  match(asked: Asked, facts: Facts): readonly Hit[] {
    const hits: Hit[] = [];
    if (this.#rules.size > 0) {
      for (const rule of this.#rules.values()) {
        const hit = this.#hit(rule, asked, facts);
        if (hit) hits.push(hit);
      }
    }
    if (this.#options.addressCodes === true && (asked.at === 'recipient' || asked.at === 'delivery')) {
      for (const address of asked.recipients ?? []) this.#matchAddress(address, asked.at, facts, hits);
    }
    return hits;
  }

  /** Whether a rule is asked at octets, and for connections like this one. */
  octetRules(facts: Facts): readonly { readonly id: string; readonly where: Where }[] {
    return [...this.#rules.values()]
      .filter(
        ({ draft: { where, on } }) => on !== false && where.at === 'octets' && isPlace(where, { at: 'octets' }, facts),
      )
      .map(({ id, draft: { where } }) => ({ id, where }));
  }

  /** The octets that this rule waited for have passed. */
  matchOctets(id: string, facts: Facts): Hit | undefined {
    const rule = this.#rules.get(id);
    return rule && this.#hit(rule, { at: 'octets' }, facts);
  }

  #hit(rule: Kept, asked: Asked, facts: Facts): Hit | undefined {
    const { where, whom, what, skip = 0, times = Infinity, share = 1, on = true } = rule.draft;
    if (!on) return undefined;
    const needsName = rule.scope !== undefined || whom?.serverName !== undefined;
    if (where.at === 'tls' && needsName !== (asked.named ?? false)) return undefined;
    if (!isPlace(where, asked, facts) || !canHappen(what, asked, facts) || rule.hits >= times) return undefined;
    const recipients = this.#concerned(rule, asked, facts);
    if (recipients === undefined || !isWhom(whom, { ...facts, login: asked.login ?? facts.login }, recipients))
      return undefined;
    if (what.type === 'greylist' && rule.greylist.accepts(what, tripleOf(facts, asked), this.#now())) return undefined;
    if (++rule.matches <= skip || (share < 1 && rule.random() >= share)) return undefined;
    rule.hits++;
    const { recipient } = whom ?? {};
    const about = recipients.filter((address) => recipient === undefined || matches(recipient, address));
    return { rule: rule.id, what: fixed(what, rule.random), recipients: about };
  }

  /** The recipients that the rule may be about; undefined: what is asked concerns somebody else's scope too. */
  #concerned({ scope, draft }: Kept, asked: Asked, facts: Facts): readonly string[] | undefined {
    const recipients = asked.recipients ?? facts.recipients;
    if (scope === undefined) return recipients;
    const isOwn = (address: string | undefined): boolean =>
      address !== undefined && this.#options.scopeOf?.(address) === scope;
    const own = recipients.filter(isOwn);
    if (own.length > 0) {
      // A second copy does not touch the others.
      const isApart = draft.what.type === 'duplicate' || (draft.what.type === 'refuse' && asked.apart === true);
      return isApart || own.length === recipients.length ? own : undefined;
    }
    if (recipients.length > 0) return undefined;
    const login = asked.login ?? facts.login;
    return isOwn(login ?? (facts.serverName === undefined ? undefined : `@${facts.serverName}`)) ? [] : undefined;
  }

  #matchAddress(address: string, at: 'recipient' | 'delivery', facts: Facts, hits: Hit[]): void {
    const lower = address.toLowerCase();
    const code = addressCode(lower.slice(0, Math.max(0, lower.lastIndexOf('@'))));
    if (code?.at !== at) return;
    const { what, times } = code;
    if (what.type === 'greylist') {
      const triple = tripleOf(facts, { at, recipients: [lower] });
      if (this.#addressGreylist.accepts(what, triple, this.#now())) return;
    } else if (times !== undefined) {
      const count = this.#addressHits.get(lower) ?? 0;
      if (count >= times) return;
      this.#addressHits.delete(lower);
      this.#addressHits.set(lower, count + 1);
      forgetOldest(this.#addressHits);
    }
    hits.push({ rule: address, what, recipients: [address] });
  }

  #now(): number {
    return (this.#options.now ?? (() => performance.now()))();
  }
}

/** Who has come already: RFC 6647 §2. */
class Greylist {
  readonly #seen = new Map<string, { readonly first: number; tries: number }>();

  accepts({ tries, seconds }: EffectOf<'greylist'>, triple: string, now: number): boolean {
    let seen = this.#seen.get(triple);
    if (!seen) {
      this.#seen.set(triple, (seen = { first: now, tries: 0 }));
      forgetOldest(this.#seen);
    }
    seen.tries++;
    if (seconds !== undefined && now - seen.first >= seconds * 1000) return true;
    return seen.tries >= (tries ?? (seconds === undefined ? 2 : Infinity));
  }

  clear(): void {
    this.#seen.clear();
  }
}

function tripleOf({ address, sender }: Facts, { recipients }: Asked): string {
  return [address, sender ?? '', ...(recipients ?? [])].join('\n').toLowerCase();
}

function forgetOldest(map: Map<string, unknown>): void {
  if (map.size <= MOST_REMEMBERED) return;
  const [oldest] = map.keys();
  map.delete(oldest!);
}

const isVisibleTo =
  (scope: string | undefined) =>
  (rule: Kept): boolean =>
    scope === undefined || rule.scope === scope;

const toRule = ({ id, scope, draft, matches: count, hits }: Kept): Rule => ({
  ...draft,
  id,
  scope,
  matches: count,
  hits,
});

function isPlace(where: Where, asked: Asked, { protocol, service }: Facts): boolean {
  const { command } = where;
  return (
    where.at === asked.at &&
    (where.protocol === undefined || where.protocol === protocol) &&
    (where.service === undefined || where.service === service) &&
    (command === undefined || command === asked.command || `UID ${command}` === asked.command) &&
    (where.mailbox === undefined || (asked.mailbox !== undefined && matches(where.mailbox, asked.mailbox)))
  );
}

/** What would change nothing is no hit. */
function canHappen({ type }: Effect, { doing, saysOctets }: Asked, { protocol }: Facts): boolean {
  switch (type) {
    case 'wrong-literal':
      return saysOctets === true;
    case 'read-only':
      return protocol === 'imap';
    case 'new-uidvalidity':
      return doing === 'open';
    case 'full-mailbox':
      return doing === 'write';
    case 'refuse':
    case 'delay':
    case 'slow':
    case 'cut':
    case 'hide-capability':
    case 'expired-certificate':
    case 'duplicate':
    case 'greylist':
      return true;
  }
}

function isWhom(whom: Whom | undefined, facts: Facts, recipients: readonly string[]): boolean {
  if (whom === undefined) return true;
  const { recipient, ...others } = whom;
  if (recipient !== undefined && !recipients.some((address) => matches(recipient, address))) return false;
  return Object.entries(others).every(([field, pattern]: [string, string | undefined]) => {
    const fact = facts[field as keyof typeof others];
    return pattern === undefined || (fact !== undefined && matches(pattern, fact));
  });
}

/** What chance decides once for each hit. */
function fixed(what: Effect, random: () => number): Effect {
  if (what.type !== 'slow' || what.upTo === undefined) return what;
  const { octetsPerSecond, upTo } = what;
  return { type: 'slow', octetsPerSecond: octetsPerSecond + Math.floor(random() * (upTo - octetsPerSecond + 1)) };
}

/** `*` is any run of characters. Without backtracking: patterns come from outside. */
function matches(pattern: string, text: string): boolean {
  const [first, ...rest] = pattern.toLowerCase().split('*') as [string, ...string[]];
  let left = text.toLowerCase();
  if (rest.length === 0) return left === first;
  if (!left.startsWith(first)) return false;
  left = left.slice(first.length);
  const last = rest.pop()!;
  for (const part of rest) {
    const at = left.indexOf(part);
    if (at === -1) return false;
    left = left.slice(at + part.length);
  }
  return left.endsWith(last);
}

/** Numbers from 0 to below 1, the same ones for the same seed (Marsaglia's xorshift). */
function generator(seed = 1): () => number {
  let state = (seed ^ 0x9e37_79b9) >>> 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 0x1_0000_0000;
  };
  // Small seeds begin alike.
  for (let i = 0; i < 16; i++) next();
  return next;
}
