/**
 * NOTIFY: RFC 5465. What a client has asked to be told of, of the selected mailbox and of others, whether a command is in
 * progress or not. The selected mailbox is told by its view, which is given the `Interest`; the others are followed here,
 * along the account's change log.
 *
 * §5: the server SHOULD leave out what this client has done itself. That is told all the same where it is about another
 * mailbox: arrivals of several clients may share a number in the log, and a STATUS that repeats what is known is no harm.
 *
 * Mailboxes that others share come and go with their rights (§5.9): see `shared-news.ts`.
 */
import type { AccountId, Change, MailboxChange, MailboxId, ModSeq } from '../store/change.ts';
import type { Mailbox, SharedMailStore } from '../store/mail-store.ts';
import { isOthersName } from '../store/other-users.ts';
import { ALL_RIGHTS, hasRight } from '../store/rights.ts';
import { annotationResponses } from './annotations.ts';
import { mailboxTree } from './commands/list.ts';
import type { MailboxTree } from './commands/list.ts';
import { statusOf } from './commands/status.ts';
import { DELIMITER, encodeMailboxName } from './grammar/mailbox-name.ts';
import { untaggedOk } from './grammar/responses.ts';
import type { Dialect, FetchAttribute, Response, StatusItem } from './grammar/syntax.ts';
import type { Interest } from './mailbox-view.ts';
import { SharedNews, type NameNews } from './shared-news.ts';

export const MESSAGE_EVENTS = ['MessageNew', 'MessageExpunge', 'FlagChange'] as const;
export const EVENTS = [
  ...MESSAGE_EVENTS,
  'MailboxName',
  'SubscriptionChange',
  'MailboxMetadataChange',
  'ServerMetadataChange',
] as const;
export type NotifyEvent = (typeof EVENTS)[number];

/** §6.2–6.6. INBOXES is PERSONAL here: mail may be delivered to any mailbox. */
export type MailboxFilter =
  | { readonly type: 'personal' | 'subscribed' }
  | { readonly type: 'subtree' | 'mailboxes'; readonly names: readonly string[] };

export interface EventGroup {
  readonly mailboxes: MailboxFilter;
  readonly events: ReadonlySet<NotifyEvent>;
}

export interface Watched {
  /** Undefined: nothing of the selected mailbox is to be told (§3.1). */
  readonly selected:
    | {
        /** EXPUNGE waits for a command that may tell it (§6.1.2). */
        readonly delayed: boolean;
        readonly events: ReadonlySet<NotifyEvent>;
        /** What FETCH is to say of new messages. */
        readonly attributes: readonly FetchAttribute[];
      }
    | undefined;
  readonly groups: readonly EventGroup[];
}

export class Notifications {
  readonly #store: SharedMailStore;
  readonly #account: AccountId;
  #watched: Watched;
  /** Up to here the account's own change log has been read. */
  #seen: ModSeq;
  readonly #shared: SharedNews | undefined;
  /** Names that the client has been told it has no access to (§5.9). */
  readonly #noAccess = new Set<string>();

  private constructor(
    store: SharedMailStore,
    account: AccountId,
    watched: Watched,
    seen: ModSeq,
    shared: SharedNews | undefined,
  ) {
    this.#store = store;
    this.#account = account;
    this.#watched = watched;
    this.#seen = seen;
    this.#shared = shared;
  }

  static async start(store: SharedMailStore, account: AccountId, watched: Watched): Promise<Notifications> {
    const present = await store.findAccount(account);
    const isAboutOthers = watched.groups.some(({ mailboxes }) => mailboxes.type !== 'personal');
    const shared = isAboutOthers ? await SharedNews.start(store, account) : undefined;
    return new Notifications(store, account, watched, present?.modSeq ?? (0 as ModSeq), shared);
  }

  /** Whose changes are to be listened for, beside the account's own. */
  get owners(): Iterable<AccountId> {
    return this.#shared?.owners ?? [];
  }

  /** What the view of the selected mailbox is to tell. */
  get interest(): Interest {
    const { selected } = this.#watched;
    return {
      arrived: selected?.events.has('MessageNew') ?? false,
      expunged: selected?.events.has('MessageExpunge') ?? false,
      flags: selected?.events.has('FlagChange') ?? false,
      contents: this.attributes.length > 0,
    };
  }

  /** Whether EXPUNGE may be told although no command is in progress. */
  get expungesAtOnce(): boolean {
    const { selected } = this.#watched;
    return selected !== undefined && !selected.delayed;
  }

  get attributes(): readonly FetchAttribute[] {
    return this.#watched.selected?.attributes ?? [];
  }

  /** §3.1 STATUS: how the other mailboxes stand whose messages are watched. */
  async statuses(selected: MailboxId | undefined): Promise<Response[]> {
    const responses: Response[] = [];
    for (const mailbox of await this.#store.listMailboxes(this.#account)) {
      if (!mayRead(mailbox)) continue;
      const events = this.#eventsOf(mailbox);
      const items = new Set<StatusItem>();
      if (events.has('MessageNew')) for (const item of ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY'] as const) items.add(item);
      if (events.has('FlagChange')) items.add('UIDVALIDITY').add('HIGHESTMODSEQ');
      if (items.size > 0 && mailbox.id !== selected) responses.push(await this.#status(mailbox, items));
    }
    return responses;
  }

  /** §3.1: mailboxes that the client may list but not watch. */
  async refused(): Promise<Response[]> {
    const tree = await mailboxTree(this.#store, this.#account);
    const mailboxes = await this.#store.listMailboxes(this.#account);
    const refused = mailboxes.filter((mailbox) => !mayRead(mailbox) && this.#eventsOf(mailbox).size > 0);
    return refused.map(({ name }) => this.#noAccessTo(name, tree));
  }

  #noAccessTo(name: string, tree: MailboxTree): Response {
    this.#noAccess.add(name);
    const attributes = [...tree.attributes(name, true), '\\NoAccess'];
    return { type: 'list', attributes, delimiter: DELIMITER, name };
  }

  /**
   * What has happened to other mailboxes since last time.
   * @param ownAnnotations the numbers of what this client has changed itself, emptied here; undefined: changes of
   *   annotations are told elsewhere
   */
  async news(
    selected: MailboxId | undefined,
    dialect: Dialect,
    ownAnnotations: Set<ModSeq> | undefined,
  ): Promise<Response[]> {
    const own = await this.#store.changesSince(this.#account, this.#seen);
    this.#seen = own.modSeq;
    const mine = new Set(ownAnnotations);
    ownAnnotations?.clear();
    const sharedAnew = own.changes.some(({ type }) => type === 'mailbox-rights');
    const shared = await this.#shared?.next(sharedAnew);
    if (own.tooOld || shared?.tooOld) {
      // §5.8
      this.#watched = { selected: undefined, groups: [] };
      return [untaggedOk('Too much has happened: NOTIFY SET begins anew', 'NOTIFICATIONOVERFLOW')];
    }
    if (this.#watched.groups.length === 0) return [];
    const theirs = shared?.changes ?? [];
    return [
      ...(await this.#namesNews(own.changes, dialect)),
      ...(await this.#sharedNames(shared?.names, dialect)),
      ...(await this.#messagesNews([...own.changes, ...theirs], selected, dialect)),
      ...(ownAnnotations ? await this.#annotationsNews(own.changes, mine) : []),
      ...(await this.#annotationsNews(theirs, new Set())),
    ];
  }

  // ------------------------------------------------------------------------------------------------ names (§5.4, §5.5)

  async #namesNews(changes: readonly Change[], dialect: Dialect): Promise<Response[]> {
    const ofNames = changes.filter(isOfNames);
    if (ofNames.length === 0) return [];
    const tree = await mailboxTree(this.#store, this.#account);
    const responses = new Map<string, Response>();
    const list = (name: string): Response => tree.entry(name, { showsSubscribed: true });
    for (const change of ofNames) {
      const { name, oldName } = change;
      if (change.type === 'mailbox-attributes') {
        if (this.#watchesName('SubscriptionChange', name, tree)) responses.set(name, list(name));
      } else if (oldName === undefined) {
        // The superior name has one more child, or one less.
        const superior = name.slice(0, Math.max(0, name.lastIndexOf(DELIMITER)));
        for (const each of [name, superior]) {
          if (each !== '' && this.#watchesName('MailboxName', each, tree)) responses.set(each, list(each));
        }
      } else if (!ofNames.some((other) => takesAlong(other, change))) {
        const watches = [name, oldName].some((each) => this.#watchesName('MailboxName', each, tree));
        if (watches) responses.set(name, renamed(list(name), oldName, dialect));
      }
    }
    return [...responses.values()];
  }

  /** §5.4: to be given or to lose `l` is as if the mailbox were made or deleted; §5.9 for those whose messages are watched. */
  async #sharedNames(news: readonly NameNews[] = [], dialect: Dialect): Promise<Response[]> {
    if (news.length === 0) return [];
    const tree = await mailboxTree(this.#store, this.#account);
    const responses = new Map<string, Response>();
    const list = (name: string): Response => tree.entry(name, { showsSubscribed: true });
    for (const { before, after } of news) {
      if (before && after && before.name !== after.name) {
        const isAlong = news.some((other) => goesAlong(other, before.name, after.name));
        const watches = [before, after].some(({ name }) => this.#watchesName('MailboxName', name, tree));
        if (watches && !isAlong) responses.set(after.name, renamed(list(after.name), before.name, dialect));
        continue;
      }
      const { name } = (after ?? before)!;
      const isNews = !before || !after;
      if (!after?.readable && before?.readable && this.#watchesMessages(name, tree))
        responses.set(name, this.#noAccessTo(name, tree));
      else if (
        (isNews && this.#watchesName('MailboxName', name, tree)) ||
        (after?.readable && this.#noAccess.delete(name))
      )
        responses.set(name, list(name));
      const superior = name.slice(0, name.lastIndexOf(DELIMITER));
      if (isNews && this.#watchesName('MailboxName', superior, tree)) responses.set(superior, list(superior));
    }
    return [...responses.values()];
  }

  #watchesMessages(name: string, tree: MailboxTree): boolean {
    return MESSAGE_EVENTS.some((event) => this.#watchesName(event, name, tree));
  }

  #watchesName(event: NotifyEvent, name: string, tree: MailboxTree): boolean {
    const subscribed = tree.attributes(name, true).includes('\\Subscribed');
    return this.#watched.groups.some(({ mailboxes, events }) => {
      if (!events.has(event)) return false;
      // Who is no longer subscribed was: §6.4 has the list looked at anew, and this is what has changed in it.
      return event === 'SubscriptionChange' && mailboxes.type === 'subscribed'
        ? true
        : isAmong(mailboxes, name, subscribed);
    });
  }

  // ------------------------------------------------------------------------------------------- messages (§5.1–§5.3)

  async #messagesNews(
    changes: readonly Change[],
    selected: MailboxId | undefined,
    { condstore, qresync }: Dialect,
  ): Promise<Response[]> {
    const happened = new Map<MailboxId, Set<NotifyEvent>>();
    for (const { type, mailbox } of changes) {
      const event = EVENT_OF[type];
      if (event === undefined || mailbox === selected) continue;
      const events = happened.get(mailbox);
      if (events) events.add(event);
      else happened.set(mailbox, new Set([event]));
    }
    const responses: Response[] = [];
    for (const [id, events] of happened) {
      const mailbox = await this.#store.findMailbox(this.#account, id);
      if (!mailbox) continue;
      const watched = events.intersection(this.#eventsOf(mailbox));
      if (watched.size === 0) continue;
      const items = new Set<StatusItem>();
      if (watched.has('MessageNew') || watched.has('MessageExpunge')) items.add('UIDNEXT').add('MESSAGES');
      // §5.1: without CONDSTORE, what can be told of flags is how many messages lack \Seen.
      if (watched.has('FlagChange')) items.add('UIDVALIDITY').add('UNSEEN');
      if (condstore || qresync) items.add('HIGHESTMODSEQ');
      responses.push(await this.#status(mailbox, items));
    }
    return responses;
  }

  // -------------------------------------------------------------------------------------- annotations (§5.6, §5.7)

  #annotationsNews(changes: readonly Change[], own: ReadonlySet<ModSeq>): Promise<Response[]> {
    const watchesServer = this.#watched.groups.some(({ events }) => events.has('ServerMetadataChange'));
    return annotationResponses(this.#store, this.#account, changes, own, (mailbox) =>
      mailbox ? this.#eventsOf(mailbox).has('MailboxMetadataChange') : watchesServer,
    );
  }

  #eventsOf(mailbox: Mailbox): ReadonlySet<NotifyEvent> {
    const groups = this.#watched.groups.filter(({ mailboxes }) => isAmong(mailboxes, mailbox.name, mailbox.subscribed));
    return new Set(groups.flatMap(({ events }) => [...events]));
  }

  #status(mailbox: Mailbox, items: ReadonlySet<StatusItem>): Promise<Response> {
    return statusOf(this.#store, this.#account, mailbox, [...items], 0);
  }
}

const EVENT_OF: Readonly<Partial<Record<Change['type'], NotifyEvent>>> = {
  arrived: 'MessageNew',
  expunged: 'MessageExpunge',
  flags: 'FlagChange',
};

function isAmong(filter: MailboxFilter, name: string, subscribed: boolean): boolean {
  switch (filter.type) {
    case 'personal':
      return !isOthersName(name);
    case 'subscribed':
      return subscribed;
    case 'mailboxes':
      return filter.names.includes(name);
    case 'subtree':
      return filter.names.some((root) => name === root || name.startsWith(root + DELIMITER));
  }
}

/** Changes of rights are told by what they lead to. */
function isOfNames(change: Change): change is MailboxChange {
  return change.type.startsWith('mailbox-') && change.type !== 'mailbox-rights';
}

function mayRead({ rights = ALL_RIGHTS }: Mailbox): boolean {
  return hasRight(rights, 'r');
}

function renamed(response: Response, oldName: string, { utf8 }: Dialect): Response {
  const before = (utf8 ? oldName : encodeMailboxName(oldName)).replace(/["\\]/g, '\\$&');
  const entry = response as Extract<Response, { type: 'list' | 'lsub' }>;
  return { ...entry, extended: `("OLDNAME" ("${before}"))` };
}

/** The same of those that others share. */
function goesAlong({ before, after }: NameNews, oldName: string, name: string): boolean {
  if (!before || !after || before.name === after.name || !oldName.startsWith(before.name + DELIMITER)) return false;
  return name === after.name + oldName.slice(before.name.length);
}

/** §5.4: the names below a mailbox that was renamed are not told one by one. */
function takesAlong(superior: MailboxChange, { modSeq, oldName }: MailboxChange): boolean {
  const before = superior.oldName;
  return before !== undefined && superior.modSeq === modSeq && oldName?.startsWith(before + DELIMITER) === true;
}
