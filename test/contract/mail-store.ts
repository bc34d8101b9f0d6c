/** What every MailStore must do, whatever it is made of. A test file of each implementation runs it. */
import { describe } from 'vitest';
import { describeAccounts } from './accounts-contract.ts';
import { describeAnnotations } from './annotations-contract.ts';
import { describeMailboxes } from './mailboxes-contract.ts';
import { describeMessages } from './messages-contract.ts';
import { describeModel } from './model-contract.ts';
import { describeQuota } from './quota-contract.ts';
import { describeSearch } from './search-contract.ts';
import { describeSortKeys } from './sort-keys-contract.ts';
import { describeShared } from './shared-contract.ts';
import type { StoreFactory } from './store-under-test.ts';
import { describeTags } from './tags-contract.ts';
import { describeTransactions } from './transactions-contract.ts';

export function describeMailStore(name: string, factory: StoreFactory): void {
  describe(name, () => {
    describeAccounts(factory);
    describeMailboxes(factory);
    describeAnnotations(factory);
    describeMessages(factory);
    describeQuota(factory);
    describeSearch(factory);
    describeSortKeys(factory);
    describeShared(factory);
    describeTransactions(factory);
    describeTags(factory);
    describeModel(factory);
  });
}
