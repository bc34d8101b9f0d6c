/** Where a message was stored, as a conversation remembers it. */
import type { Accepted } from '../store/mail-store.ts';

/** Of a message to thousands the rest is told by the store, as long as they are where they were. */
const MOST_TOLD = 100;

export interface CopiesTold {
  readonly copies: readonly { readonly accountId: number; readonly mailboxId: number; readonly uid: number }[];
  readonly copyCount: number;
}

export function copiesTold({ copies }: Accepted): CopiesTold {
  return {
    copies: copies
      .slice(0, MOST_TOLD)
      .map(({ account, mailbox, uid }) => ({ accountId: account, mailboxId: mailbox, uid })),
    copyCount: copies.length,
  };
}
