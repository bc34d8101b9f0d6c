/**
 * What CAPABILITY announces (RFC 9051 §6.1.1, §7.2.2): one line per capability, with its RFC and the file that keeps the
 * promise. Nothing is announced that is not complete.
 */

/** What the list depends on. */
export interface Situation {
  readonly authenticated: boolean;
  /** TLS is in use. */
  readonly secure: boolean;
  /** STARTTLS would work. */
  readonly canStartTls: boolean;
  /** LOGIN is permitted on this connection, as it stands. */
  readonly permitsPlaintextLogin: boolean;
  /** SASL mechanisms that would be accepted now. */
  readonly mechanisms: readonly string[];
}

interface Capability {
  readonly name: string;
  readonly rfc: string;
  /** Below `src/imap/`. */
  readonly keptIn: string;
  readonly when?: (situation: Situation) => boolean;
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
  { name: 'STATUS=SIZE', rfc: 'RFC 8438', keptIn: 'commands/status.ts' },
  { name: 'UNSELECT', rfc: 'RFC 3691', keptIn: 'commands/close.ts' },
  { name: 'UIDPLUS', rfc: 'RFC 4315', keptIn: 'commands/expunge.ts, append.ts, copy.ts' },
  { name: 'MOVE', rfc: 'RFC 6851', keptIn: 'commands/move.ts' },
  { name: 'ESEARCH', rfc: 'RFC 4731', keptIn: 'commands/search.ts' },
  { name: 'SEARCHRES', rfc: 'RFC 5182', keptIn: 'commands/search.ts' },
  { name: 'WITHIN', rfc: 'RFC 5032', keptIn: 'search-keys.ts' },
  { name: 'BINARY', rfc: 'RFC 3516', keptIn: 'fetch-items.ts' },
  { name: 'CONDSTORE', rfc: 'RFC 7162 §3.1', keptIn: 'mailbox-view.ts, commands/fetch.ts, store.ts, search.ts' },
  { name: 'QRESYNC', rfc: 'RFC 7162 §3.2', keptIn: 'resync.ts, mailbox-view.ts, grammar/writer.ts' },
  { name: 'OBJECTID', rfc: 'RFC 8474', keptIn: 'object-id.ts' },
  { name: 'SAVEDATE', rfc: 'RFC 8514', keptIn: 'fetch-items.ts, search-keys.ts' },
];

export function capabilities(situation: Situation): readonly string[] {
  const names: string[] = [];
  for (const { name, when } of CAPABILITIES) {
    if (name === 'SASL-IR' && !situation.authenticated) {
      names.push(...situation.mechanisms.map((mechanism) => `AUTH=${mechanism}`));
    }
    if (when?.(situation) ?? true) names.push(name);
  }
  return names;
}
