/** Mistakes about mailboxes and what becomes of mail in them (D18, D19). */
import type { Case } from './case.ts';
import { type Exchange, allNoted } from './facts.ts';

/** Servers of old kept mail below INBOX, or in a folder of the user's home. */
const PREFIX = /^(?:INBOX[./]|~?\/?mail\/)/i;
const ASKS: ReadonlySet<string> = new Set(['LIST', 'LSUB', 'XLIST']);
const NAMES: ReadonlySet<string> = new Set(['SELECT', 'EXAMINE', 'STATUS', 'APPEND', 'SUBSCRIBE', 'CREATE']);

/** The arguments that are names: quoted or not. */
function namesIn(args: string): string[] {
  return [...args.matchAll(/"((?:[^"\\]|\\.)*)"|([^\s"(){}]+)/g)].map(([, quoted, atom]) => quoted ?? atom ?? '');
}

function prefixIn({ verb, args }: Exchange): string | undefined {
  const names = ASKS.has(verb) ? namesIn(args).slice(0, 2) : NAMES.has(verb) ? namesIn(args).slice(0, 1) : [];
  for (const name of names) {
    const prefix = PREFIX.exec(name)?.[0];
    if (prefix !== undefined) return prefix;
  }
  return undefined;
}

export const pathPrefix: Case = {
  id: 'D18',
  title: 'IMAP path prefix',
  seen: 'LIST or SELECT with `INBOX/`, `INBOX.` or `Mail/`, and nothing there',
  says: 'Clear the IMAP path prefix.',
  inBand: '`NO [NONEXISTENT]`, with that advice',
  find({ exchanges, conversation }) {
    if (conversation.protocol !== 'imap') return undefined;
    for (const exchange of exchanges) {
      const { verb, command, reply, before } = exchange;
      const prefix = prefixIn(exchange);
      if (prefix === undefined || reply === undefined) continue;
      const isRefused = /^\S+ NO\b/i.test(reply.text);
      const isEmpty = ASKS.has(verb) && !before.some(({ text }) => /^\* (?:LIST|LSUB|XLIST) /i.test(text));
      if (!isRefused && !isEmpty && verb !== 'CREATE') continue;
      return {
        severity: isRefused ? 'problem' : 'advice',
        sentence: `Your program puts ${prefix} before the names of mailboxes; here they stand beside INBOX, without a prefix.`,
        remedy:
          'Clear the IMAP path prefix (also called server directory, root folder path or namespace) in the account’s settings.',
        evidence: [
          { seq: command.seq, shows: `"${command.text.slice(0, 80)}"` },
          { seq: reply.seq, shows: `"${reply.text.slice(0, 120)}"` },
        ],
      };
    }
    return undefined;
  },
};

/** How many UIDs a set has: `1:3,7` are four. */
function countOf(uids: string): number {
  return uids.split(',').reduce((sum, range) => {
    const [first = 0, last = first] = range.split(':').map(Number);
    return sum + Math.abs(last - first) + 1;
  }, 0);
}

export const pop3Deletes: Case = {
  id: 'D19',
  title: 'POP3 has deleted mail',
  seen: 'DELE and QUIT: messages went when the session ended',
  says: 'POP3 has deleted n messages here; IMAP readers no longer see them. Choose “leave on server”.',
  find(facts) {
    const [gone] = facts.conversation.protocol === 'pop3' ? allNoted(facts, 'expunged') : [];
    if (gone === undefined) return undefined;
    const count = countOf(gone.annotation.uids);
    const asked = facts.exchanges.find(({ verb }) => verb === 'DELE');
    return {
      severity: 'advice',
      sentence: `POP3 has deleted ${count} ${count === 1 ? 'message' : 'messages'} from ${gone.annotation.mailbox}; programs that read by IMAP no longer see ${count === 1 ? 'it' : 'them'}.`,
      remedy: 'If that was not meant, choose “leave messages on server” (fetchmail: keep), or read by IMAP.',
      evidence: [
        ...(asked ? [{ seq: asked.command.seq, shows: `"${asked.command.text}"` }] : []),
        { seq: gone.seq, shows: `gone: UID ${gone.annotation.uids.slice(0, 80)}` },
      ],
    };
  },
};
