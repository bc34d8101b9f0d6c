/**
 * What CAPABILITY announces (RFC 9051 §6.1.1, §7.2.2): one line per capability, with its RFC and the file that keeps the
 * promise. Nothing is announced that is not complete.
 */
import type { MessageLimit } from './message-limit.ts';

/** What the list depends on. */
export interface Situation {
  readonly authenticated: boolean;
  /** TLS is in use. */
  readonly secure: boolean;
  readonly compressed: boolean;
  /** STARTTLS would work. */
  readonly canStartTls: boolean;
  /** LOGIN is permitted on this connection, as it stands. */
  readonly permitsPlaintextLogin: boolean;
  /** SASL mechanisms that would be accepted now. */
  readonly mechanisms: readonly string[];
  readonly unauthenticate: boolean;
  /** Limits may be set by SETQUOTA. */
  readonly setQuota: boolean;
  /** The largest message that is taken. */
  readonly appendLimit: number;
  readonly messageLimit: MessageLimit | undefined;
}

interface Capability {
  readonly name: string;
  readonly rfc: string;
  /** Below `src/imap/`. */
  readonly keptIn: string;
  readonly when?: (situation: Situation) => boolean;
  /** What follows the name. */
  readonly value?: (situation: Situation) => string;
}

const beforeLogin = ({ authenticated }: Situation): boolean => !authenticated;

export const CAPABILITIES: readonly Capability[] = [
  { name: 'IMAP4rev1', rfc: 'RFC 3501', keptIn: 'commands/table.ts' },
  { name: 'IMAP4rev2', rfc: 'RFC 9051', keptIn: 'commands/table.ts' },
  {
    name: 'STARTTLS',
    rfc: 'RFC 9051 §6.2.1',
    keptIn: 'commands/starttls.ts',
    when: ({ authenticated, secure, canStartTls }) => !authenticated && !secure && canStartTls,
  },
  {
    name: 'LOGINDISABLED',
    rfc: 'RFC 9051 §6.2.3',
    keptIn: 'commands/login.ts',
    when: ({ authenticated, permitsPlaintextLogin }) => !authenticated && !permitsPlaintextLogin,
  },
  // AUTH=…, one for each mechanism, comes here.
  { name: 'SASL-IR', rfc: 'RFC 4959', keptIn: 'commands/authenticate.ts', when: beforeLogin },
  { name: 'LITERAL+', rfc: 'RFC 7888', keptIn: 'framing.ts' },
  { name: 'ID', rfc: 'RFC 2971', keptIn: 'commands/id.ts' },
  { name: 'ENABLE', rfc: 'RFC 5161', keptIn: 'commands/enable.ts' },
  { name: 'IDLE', rfc: 'RFC 2177', keptIn: 'commands/idle.ts' },
  { name: 'NAMESPACE', rfc: 'RFC 2342', keptIn: 'commands/namespace.ts' },
  { name: 'CHILDREN', rfc: 'RFC 3348', keptIn: 'commands/list.ts' },
  { name: 'LIST-EXTENDED', rfc: 'RFC 5258', keptIn: 'commands/list.ts' },
  { name: 'LIST-STATUS', rfc: 'RFC 5819', keptIn: 'commands/list.ts' },
  { name: 'SPECIAL-USE', rfc: 'RFC 6154', keptIn: 'commands/list.ts' },
  { name: 'CREATE-SPECIAL-USE', rfc: 'RFC 6154 §3', keptIn: 'commands/create.ts' },
  { name: 'ACL', rfc: 'RFC 4314', keptIn: '../store/shared-mailboxes.ts, commands/setacl.ts, getacl.ts' },
  { name: 'RIGHTS=kxte', rfc: 'RFC 4314 §2.2', keptIn: '../store/rights.ts' },
  { name: 'LIST-MYRIGHTS', rfc: 'RFC 8440', keptIn: 'commands/list.ts' },
  { name: 'STATUS=SIZE', rfc: 'RFC 8438', keptIn: 'commands/status.ts' },
  { name: 'UNSELECT', rfc: 'RFC 3691', keptIn: 'commands/close.ts' },
  { name: 'UIDPLUS', rfc: 'RFC 4315', keptIn: 'commands/expunge.ts, append.ts, copy.ts' },
  { name: 'MOVE', rfc: 'RFC 6851', keptIn: 'commands/move.ts' },
  { name: 'ESEARCH', rfc: 'RFC 4731', keptIn: 'commands/search.ts' },
  { name: 'SEARCHRES', rfc: 'RFC 5182', keptIn: 'commands/search.ts' },
  { name: 'WITHIN', rfc: 'RFC 5032', keptIn: 'search-keys.ts' },
  { name: 'SORT', rfc: 'RFC 5256', keptIn: 'commands/sort.ts, sorting.ts' },
  { name: 'SORT=DISPLAY', rfc: 'RFC 5957', keptIn: 'sorting.ts' },
  { name: 'THREAD=ORDEREDSUBJECT', rfc: 'RFC 5256', keptIn: 'commands/thread.ts, threading.ts' },
  { name: 'THREAD=REFERENCES', rfc: 'RFC 5256', keptIn: 'commands/thread.ts, threading.ts' },
  { name: 'ESORT', rfc: 'RFC 5267 §3', keptIn: 'commands/sort.ts, search-answers.ts' },
  { name: 'CONTEXT=SEARCH', rfc: 'RFC 5267 §4', keptIn: 'update-contexts.ts, commands/cancelupdate.ts' },
  { name: 'CONTEXT=SORT', rfc: 'RFC 5267 §4', keptIn: 'update-contexts.ts, commands/cancelupdate.ts' },
  { name: 'PARTIAL', rfc: 'RFC 9394', keptIn: 'search-answers.ts, commands/fetch.ts' },
  { name: 'MULTISEARCH', rfc: 'RFC 7377', keptIn: 'commands/esearch.ts' },
  { name: 'SEARCH=FUZZY', rfc: 'RFC 6203', keptIn: 'fuzzy-keys.ts, relevancy.ts' },
  { name: 'I18NLEVEL=1', rfc: 'RFC 5255 §4.3', keptIn: '../mail/collation.ts, search-keys.ts' },
  { name: 'INPROGRESS', rfc: 'RFC 9585', keptIn: 'in-progress.ts' },
  { name: 'PREVIEW', rfc: 'RFC 8970', keptIn: 'fetch-items.ts' },
  {
    name: 'COMPRESS=DEFLATE',
    rfc: 'RFC 4978',
    keptIn: 'commands/compress.ts',
    when: ({ authenticated, compressed }) => authenticated && !compressed,
  },
  {
    name: 'UNAUTHENTICATE',
    rfc: 'RFC 8437',
    keptIn: 'commands/unauthenticate.ts',
    when: ({ authenticated, unauthenticate }) => authenticated && unauthenticate,
  },
  { name: 'MULTIAPPEND', rfc: 'RFC 3502', keptIn: 'commands/append.ts, append-message.ts' },
  { name: 'CATENATE', rfc: 'RFC 4469', keptIn: 'append-message.ts, message-url.ts' },
  { name: 'URL-PARTIAL', rfc: 'RFC 5550', keptIn: 'message-url.ts' },
  {
    name: 'APPENDLIMIT',
    rfc: 'RFC 7889',
    keptIn: 'framing.ts, append-message.ts',
    value: (it) => `=${it.appendLimit}`,
  },
  { name: 'REPLACE', rfc: 'RFC 8508', keptIn: 'commands/replace.ts' },
  // METADATA-SERVER is for servers without annotations of mailboxes (RFC 5464 §1).
  {
    name: 'METADATA',
    rfc: 'RFC 5464',
    keptIn: 'annotations.ts, commands/getmetadata.ts, setmetadata.ts, commands/enable.ts',
  },
  { name: 'LIST-METADATA', rfc: 'RFC 9590', keptIn: 'commands/list.ts' },
  {
    name: 'MESSAGELIMIT',
    rfc: 'RFC 9738',
    keptIn: 'message-limit.ts, and whoever asks it',
    when: ({ messageLimit }) => messageLimit?.limits === 'everything',
    value: ({ messageLimit }) => `=${messageLimit?.messages}`,
  },
  {
    name: 'SAVELIMIT',
    rfc: 'RFC 9738 §3',
    keptIn: 'message-limit.ts, commands/copy.ts, append-message.ts',
    when: ({ messageLimit }) => messageLimit?.limits === 'saving',
    value: ({ messageLimit }) => `=${messageLimit?.messages}`,
  },
  { name: 'NOTIFY', rfc: 'RFC 5465', keptIn: 'commands/notify.ts, notifications.ts' },
  { name: 'UIDONLY', rfc: 'RFC 9586', keptIn: 'grammar/writer.ts, mailbox-view.ts, session.ts' },
  { name: 'UTF8=ACCEPT', rfc: 'RFC 6855', keptIn: 'commands/enable.ts, append-message.ts, grammar/writer.ts' },
  { name: 'BINARY', rfc: 'RFC 3516', keptIn: 'fetch-items.ts' },
  { name: 'CONDSTORE', rfc: 'RFC 7162 §3.1', keptIn: 'mailbox-view.ts, commands/fetch.ts, store.ts, search.ts' },
  { name: 'QRESYNC', rfc: 'RFC 7162 §3.2', keptIn: 'resync.ts, mailbox-view.ts, grammar/writer.ts' },
  { name: 'OBJECTID', rfc: 'RFC 8474', keptIn: 'object-id.ts' },
  { name: 'QUOTA', rfc: 'RFC 2087', keptIn: 'commands/getquota.ts, commands/getquotaroot.ts' },
  { name: 'QUOTA=RES-STORAGE', rfc: 'RFC 9208 §5.1', keptIn: 'quota-root.ts, commands/status.ts' },
  { name: 'QUOTA=RES-MESSAGE', rfc: 'RFC 9208 §5.2', keptIn: 'quota-root.ts, commands/status.ts' },
  { name: 'QUOTASET', rfc: 'RFC 9208 §4.1.3', keptIn: 'commands/setquota.ts', when: ({ setQuota }) => setQuota },
  { name: 'SAVEDATE', rfc: 'RFC 8514', keptIn: 'fetch-items.ts, search-keys.ts' },
];

/** Without the capability there is no such command: for those who hide it to test clients. */
const COMMANDS_OF: Readonly<Record<string, readonly string[]>> = {
  STARTTLS: ['STARTTLS'],
  ID: ['ID'],
  ENABLE: ['ENABLE'],
  IDLE: ['IDLE'],
  NAMESPACE: ['NAMESPACE'],
  UNSELECT: ['UNSELECT'],
  UIDPLUS: ['UID EXPUNGE'],
  MOVE: ['MOVE', 'UID MOVE'],
  SORT: ['SORT', 'UID SORT'],
  THREAD: ['THREAD', 'UID THREAD'],
  CONTEXT: ['CANCELUPDATE'],
  MULTISEARCH: ['ESEARCH'],
  COMPRESS: ['COMPRESS'],
  'COMPRESS=DEFLATE': ['COMPRESS'],
  UNAUTHENTICATE: ['UNAUTHENTICATE'],
  REPLACE: ['REPLACE', 'UID REPLACE'],
  METADATA: ['GETMETADATA', 'SETMETADATA'],
  NOTIFY: ['NOTIFY'],
};

/** @param hidden in capitals; `AUTH` is every `AUTH=…` */
export function withoutHidden(names: readonly string[], hidden: readonly string[]): readonly string[] {
  if (hidden.length === 0) return names;
  return names.filter((name) => {
    const upper = name.toUpperCase();
    return !hidden.some((each) => upper === each || upper.startsWith(`${each}=`));
  });
}

export function isHiddenCommand(name: string, hidden: readonly string[]): boolean {
  return hidden.some((capability) => COMMANDS_OF[capability]?.includes(name));
}

export function capabilities(situation: Situation): readonly string[] {
  const names: string[] = [];
  for (const { name, when, value } of CAPABILITIES) {
    if (name === 'SASL-IR' && !situation.authenticated) {
      names.push(...situation.mechanisms.map((mechanism) => `AUTH=${mechanism}`));
    }
    if (when?.(situation) ?? true) names.push(value === undefined ? name : name + value(situation));
  }
  return names;
}
