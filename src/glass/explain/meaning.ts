/** What a unit says, for somebody who learns the protocol. */
import type { About } from '../reading/grammar.ts';
import type { Meaning, Role, Side } from '../spoken.ts';
import { IMAP_COMMANDS } from './imap-commands.ts';
import { POP3_COMMANDS } from './pop3-commands.ts';
import { SMTP_COMMANDS } from './smtp-commands.ts';
import { findTerm } from './term.ts';

/** A unit as far as its meaning depends on it. */
export interface Explained {
  readonly protocol: string;
  readonly side: Side;
  readonly role: Role;
  readonly name: string;
  /** Without secrets. */
  readonly text: string;
  readonly octets: number;
  readonly about: About;
}

export function meaningOf(unit: Explained, unveils: boolean): Meaning | null {
  const { about, role, name, protocol } = unit;
  const decoded = (about.decoded ?? []).map(({ name: field, value, secret }) => ({
    name: field,
    value: secret === true && !unveils ? '' : value,
  }));
  if (role === 'command') {
    const tables = { imap: IMAP_COMMANDS, pop3: POP3_COMMANDS, smtp: SMTP_COMMANDS, lmtp: SMTP_COMMANDS };
    const found = Object.hasOwn(tables, protocol) ? findTerm(tables[protocol as 'imap'], name) : undefined;
    if (found) return { ...found, fields: [], decoded };
  }
  return about.what === undefined ? null : { what: about.what, fields: [], rfc: about.rfc ?? null, decoded };
}
