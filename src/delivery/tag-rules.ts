/** Tags by rule: what a search finds of the mail that comes in gets them, before it is acknowledged. */
import type { Accepted, MailStore, TransactionFilter } from '../store/mail-store.ts';
import { distinctTags } from './tags.ts';
import type { LocalDelivery } from './deliver.ts';

export interface TagRule {
  readonly filter: TransactionFilter;
  readonly tags: readonly string[];
}

/** What the message has brought along stays. */
export function taggedDelivery(
  delivery: LocalDelivery,
  store: Pick<MailStore, 'findTransaction' | 'setTags'>,
  rules: readonly TagRule[],
  log: (cause: unknown) => void,
): LocalDelivery {
  if (rules.length === 0) return delivery;
  const tag = async ({ transactionId }: Accepted): Promise<void> => {
    const found: string[] = [];
    for (const { filter, tags } of rules) if (await store.findTransaction(transactionId, filter)) found.push(...tags);
    const present = found.length === 0 ? undefined : await store.findTransaction(transactionId);
    if (present) await store.setTags([transactionId], distinctTags([...present.tags, ...found]));
  };
  return {
    recipient: (address, octets) => delivery.recipient(address, octets),
    async deliver(mail) {
      const accepted = await delivery.deliver(mail);
      await tag(accepted).catch(log); // it has been taken, whatever becomes of its tags
      return accepted;
    },
    async deliverToEach(mail) {
      const delivered = await delivery.deliverToEach(mail);
      if (delivered.accepted) await tag(delivered.accepted).catch(log);
      return delivered;
    },
  };
}
