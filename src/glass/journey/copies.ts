/** Which messages of which mailboxes are copies of one message, now and before: it was copied, moved and removed. */
import type { Conversation } from '../../wire/recorder.ts';
import { rangesIn } from './uid-ranges.ts';
import type { Place } from './steps.ts';

export interface KnownPlace {
  readonly mailboxId: number;
  readonly uid: number;
  readonly account?: string | undefined;
  readonly mailbox?: string | undefined;
}

interface Crossing {
  readonly from: { readonly mailboxId: number; readonly uids: string; readonly name: string };
  readonly to: { readonly mailboxId: number; readonly uids: string; readonly name: string };
  readonly login: string | undefined;
}

export class TrackedCopies {
  readonly #uids = new Map<number, Set<number>>();
  readonly #names = new Map<number, { account: string | undefined; mailbox: string | undefined }>();

  constructor(known: Iterable<KnownPlace>, conversations: readonly Conversation[]) {
    for (const place of known) this.#add(place);
    this.#follow(conversations);
  }

  get mailboxes(): ReadonlySet<number> {
    return new Set(this.#uids.keys());
  }

  /** Those of the mailbox that the set names. */
  among(mailboxId: number, uids: string): number[] {
    const tracked = this.#uids.get(mailboxId);
    if (!tracked) return [];
    const ranges = rangesIn(uids);
    return [...tracked].filter((uid) => ranges.has(uid));
  }

  place(mailboxId: number, uid: number, name?: string, login?: string): Place {
    const known = this.#names.get(mailboxId);
    return {
      mailboxId,
      uid,
      account: known?.account ?? login ?? null,
      mailbox: known?.mailbox ?? (name === '' ? undefined : name) ?? null,
    };
  }

  #add({ mailboxId, uid, account, mailbox }: KnownPlace): boolean {
    const uids = this.#uids.get(mailboxId) ?? new Set();
    const isNew = !uids.has(uid);
    this.#uids.set(mailboxId, uids.add(uid));
    const names = this.#names.get(mailboxId);
    if (mailbox !== undefined || account !== undefined) {
      this.#names.set(mailboxId, { account: names?.account ?? account, mailbox: names?.mailbox ?? mailbox });
    }
    return isNew;
  }

  /** Along what was copied and moved, both ways, until nothing more is found. */
  #follow(conversations: readonly Conversation[]): void {
    const crossings = [...crossingsOf(conversations)];
    for (let found = true; found;) {
      found = false;
      for (const { from, to, login } of crossings) {
        found = this.#across(from, to, login) || found;
        found = this.#across(to, from, login) || found;
      }
    }
  }

  #across(from: Crossing['from'], to: Crossing['to'], login: string | undefined): boolean {
    let found = false;
    for (const uid of this.among(from.mailboxId, from.uids)) {
      const other = rangesIn(to.uids).at(rangesIn(from.uids).indexOf(uid));
      if (other === undefined) continue;
      const place = { mailboxId: to.mailboxId, uid: other, account: login, mailbox: to.name };
      found = this.#add(place) || found;
    }
    return found;
  }
}

function* crossingsOf(conversations: readonly Conversation[]): Generator<Crossing> {
  for (const conversation of conversations) {
    let login: string | undefined;
    for (const { annotation } of conversation.annotations()) {
      if (annotation.type === 'login') ({ login } = annotation);
      if (annotation.type !== 'copied' && annotation.type !== 'moved') continue;
      const { mailboxId, uids, mailbox: name, toId, toUids, to } = annotation;
      yield { from: { mailboxId, uids, name }, to: { mailboxId: toId, uids: toUids, name: to }, login };
    }
  }
}
