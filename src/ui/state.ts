/** All that the pages show of the server, in one store: what the feed and the routes said. */
import type { Mailbox, MailboxMessage } from '../http/schemas/accounts.ts';
import type { ConversationItem } from '../http/schemas/conversations.ts';
import type { Message, MessageSummary } from '../http/schemas/messages.ts';
import type { Status } from '../http/schemas/status.ts';
import { Store, useStore } from './store.ts';
import type { WireLog } from './wire-log.ts';

export type Connection =
  | { readonly type: 'connecting' }
  | { readonly type: 'live' }
  /** @property retryAt milliseconds since 1970 */
  | { readonly type: 'waiting'; readonly retryAt: number }
  | { readonly type: 'offline'; readonly retryAt: number };

export interface Wish {
  readonly query: string;
  readonly account: string | undefined;
  /** The name of one of the account's mailboxes; undefined: what was handed in, wherever its copies lie. */
  readonly mailbox?: string | undefined;
  /** Of a mailbox: what belongs to one thread stands together. */
  readonly threads?: boolean;
  /** From 1. */
  readonly page: number;
}

/** What tells a message of a mailbox from others. */
export type RowCopy = Pick<MailboxMessage, 'uid' | 'flags' | 'thread'>;

/** A row: an accepted message, or one of a mailbox, whose `id` is then its UID. */
export type ListRow = Omit<MessageSummary, 'messageId' | 'cc' | 'bcc' | 'replyTo' | 'to' | 'service'> & {
  readonly copy?: RowCopy;
};

export type Phase = 'loading' | 'ready' | 'failed';

export interface ListState {
  readonly wish: Wish | undefined;
  readonly phase: Phase;
  readonly problem: string | undefined;
  /** One page, newest first. */
  readonly rows: readonly ListRow[];
  readonly matches: number;
  readonly unreadMatches: number;
  /** Ids of new ones that are not shown yet, so that nothing moves under the reader. */
  readonly waiting: ReadonlySet<string>;
  readonly selected: ReadonlySet<string>;
  /** Selected is what the wish finds, on other pages too. */
  readonly everything: boolean;
}

export interface AccountState {
  readonly address: string;
  /** Undefined until it was asked for. */
  readonly counts: { readonly messages: number; readonly unread: number } | undefined;
}

/** A message as it lies in a mailbox. */
export interface CopyState {
  readonly account: string;
  readonly mailbox: Mailbox;
  readonly uid: number;
  /** Undefined: it is not there any more. */
  readonly message: MailboxMessage | undefined;
}

export interface MessageState {
  readonly id: string;
  readonly phase: Phase | 'gone' | 'missing';
  readonly problem: string | undefined;
  readonly message: Message | undefined;
  /** In a mailbox. */
  readonly copy?: CopyState | undefined;
}

export interface ConversationsState {
  readonly phase: Phase;
  readonly problem: string | undefined;
  readonly recording: boolean;
  /** Newest first. */
  readonly rows: readonly ConversationItem[];
  readonly waiting: ReadonlySet<string>;
  /** How many are kept. */
  readonly total: number;
  /** How many came and went unseen since the list was read. */
  readonly missed: number;
  /** Those in which something was said; undefined: nobody looks for it. */
  readonly search: ConversationSearch | undefined;
}

export interface ConversationSearch {
  readonly text: string;
  readonly phase: Phase;
  readonly problem: string | undefined;
  readonly rows: readonly ConversationItem[];
  /** How many there was no time for. */
  readonly unsearched: number;
}

export interface ConversationState {
  readonly id: string;
  /** `missing`: there never was one. `gone`: no longer kept. */
  readonly phase: Phase | 'missing' | 'gone';
  readonly problem: string | undefined;
  readonly detail: ConversationItem | undefined;
  /** What is known of it. It grows in place: its `version` tells. */
  readonly log: WireLog | undefined;
  readonly version: number;
}

export interface Notice {
  readonly type: 'done' | 'failed';
  readonly text: string;
  /** Tells two equal ones apart. */
  readonly number: number;
  /** Takes back what was done. */
  readonly undo?: (() => void) | undefined;
}

export interface Question {
  readonly title: string;
  readonly text: string;
  readonly confirm: string;
  readonly act: () => void;
}

export interface State {
  readonly connection: Connection;
  readonly paused: boolean;
  readonly status: Status | undefined;
  readonly total: number;
  readonly unread: number;
  readonly accounts: readonly AccountState[] | undefined;
  readonly accountsProblem: string | undefined;
  /** By account, of those that were asked for. */
  readonly mailboxes: ReadonlyMap<string, readonly Mailbox[]>;
  readonly list: ListState;
  readonly message: MessageState | undefined;
  readonly conversations: ConversationsState;
  readonly conversation: ConversationState | undefined;
  /** How much news there has been, for whoever hears the page. */
  readonly heard: { readonly messages: number; readonly conversations: number; readonly problems: number };
  readonly notice: Notice | undefined;
  readonly question: Question | undefined;
  readonly help: boolean;
}

export const EMPTY_LIST: ListState = {
  wish: undefined,
  phase: 'loading',
  problem: undefined,
  rows: [],
  matches: 0,
  unreadMatches: 0,
  waiting: new Set(),
  selected: new Set(),
  everything: false,
};

export const state = new Store<State>({
  connection: { type: 'connecting' },
  paused: false,
  status: undefined,
  total: 0,
  unread: 0,
  accounts: undefined,
  accountsProblem: undefined,
  mailboxes: new Map(),
  list: EMPTY_LIST,
  message: undefined,
  conversations: {
    phase: 'loading',
    problem: undefined,
    recording: true,
    rows: [],
    waiting: new Set(),
    total: 0,
    missed: 0,
    search: undefined,
  },
  conversation: undefined,
  heard: { messages: 0, conversations: 0, problems: 0 },
  notice: undefined,
  question: undefined,
  help: false,
});

export function useAppState<Value>(select: (state: State) => Value): Value {
  return useStore(state, select);
}

let notices = 0;

/** A line at the edge of the page: done things go by themselves, failures stay until they are put away. */
export function tell(type: Notice['type'], text: string, undo?: () => void): void {
  state.update({ notice: { type, text, number: ++notices, undo } });
}
