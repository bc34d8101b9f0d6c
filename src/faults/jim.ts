/**
 * What MailHog calls Jim, its monkey: connections, senders, recipients and logins that are refused by chance, slow links,
 * and connections that end. Each of his habits is a rule of this server, to be seen among the others.
 */
import { randomInt } from 'node:crypto';
import type { RuleDraft } from './rule.ts';
import type { FaultRules } from './rules.ts';

/** Chances from 0 to 1; speeds in octets a second. */
export interface Habits {
  readonly disconnectChance: number;
  readonly acceptChance: number;
  readonly linkSpeedAffect: number;
  readonly linkSpeedMin: number;
  readonly linkSpeedMax: number;
  readonly rejectSenderChance: number;
  readonly rejectRecipientChance: number;
  readonly rejectAuthChance: number;
}

export const USUAL_HABITS: Habits = {
  disconnectChance: 0.005,
  acceptChance: 0.99,
  linkSpeedAffect: 0.1,
  linkSpeedMin: 1024,
  linkSpeedMax: 10_240,
  rejectSenderChance: 0.05,
  rejectRecipientChance: 0.05,
  rejectAuthChance: 0.05,
};

export class Jim {
  readonly #rules: FaultRules;
  #habits: Habits | undefined;
  #ids: string[] = [];

  constructor(rules: FaultRules) {
    this.#rules = rules;
  }

  /** Undefined: he is not here. */
  get habits(): Habits | undefined {
    return this.#habits;
  }

  /** @returns false: there are too many rules, and he stays away */
  invite(habits: Habits): boolean {
    this.sendAway();
    for (const draft of draftsOf(habits)) {
      const rule = this.#rules.add(draft);
      if (!rule) {
        this.sendAway();
        return false;
      }
      this.#ids.push(rule.id);
    }
    this.#habits = habits;
    return true;
  }

  sendAway(): void {
    for (const id of this.#ids.splice(0)) this.#rules.remove(id);
    this.#habits = undefined;
  }
}

function draftsOf(habits: Habits): RuleDraft[] {
  const drafts: RuleDraft[] = [];
  const add = (share: number, draft: Pick<RuleDraft, 'name' | 'where' | 'what'>): void => {
    const where = { ...draft.where, protocol: 'smtp' } as const;
    if (share > 0) drafts.push({ ...draft, where, share: Math.min(share, 1), seed: randomInt(2 ** 32) });
  };
  const refuse = (share: number, command: string, code: string, text: string): void =>
    add(share, { name: `Jim: ${text}`, where: { at: 'command', command }, what: { type: 'refuse', code, text } });
  const { linkSpeedMin: least, linkSpeedMax: most } = habits;
  add(1 - habits.acceptChance, {
    name: 'Jim: no connection',
    where: { at: 'connection' },
    what: { type: 'cut', when: 'before', how: 'fin' },
  });
  add(habits.linkSpeedAffect, {
    name: 'Jim: a slow link',
    where: { at: 'connection' },
    what: { type: 'slow', octetsPerSecond: Math.max(1, least), upTo: Math.max(1, least, most) },
  });
  refuse(habits.rejectSenderChance, 'MAIL', '550', 'Invalid sender');
  refuse(habits.rejectRecipientChance, 'RCPT', '550', 'Invalid recipient');
  refuse(habits.rejectAuthChance, 'AUTH', '535', 'Username and password not accepted');
  add(habits.disconnectChance, {
    name: 'Jim: the connection ends',
    where: { at: 'command' },
    what: { type: 'cut', when: 'before', how: 'fin' },
  });
  return drafts;
}
