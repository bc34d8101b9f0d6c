/** Programs that were set up for another server put its prefix before the names of mailboxes. Here there is none. */
const PREFIX = /^(?:INBOX[./]|~?\/?mail\/)/i;

/** For the refusal of a mailbox that does not exist; empty for names without such a prefix. */
export function pathPrefixHint(name: string): string {
  const prefix = PREFIX.exec(name)?.[0];
  return prefix === undefined ? '' : `: clear the IMAP path prefix ${prefix} in the mail program`;
}
