/** Searches over so many transactions that tables are walked over, and not looked into for each one. */
import { expect, test } from 'vitest';
import type { SearchQuery } from '../../src/store/search-query.ts';
import { openIn, temporaryFolder, toAlice, transaction } from './store-temporary.ts';

const MESSAGES = 2_500;

const ADDRESSES = ['Reader@bench.test', 'ümit@bench.test', '"quo\\"te"@bench.test', 'back\\\\slash@bench.test'];

const plain = Buffer.from('Subject: x\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\n\r\nhello\r\n');
const attached = Buffer.from(
  'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\n' +
    'Content-Disposition: attachment; filename=a.txt\r\n\r\nhay\r\n--b--\r\n',
);
const large = Buffer.concat([plain, Buffer.alloc(5_000, 'x')]);

test('find the same whether many or few are in question', async () => {
  const store = await openIn(await temporaryFolder());
  const mails = Array.from({ length: MESSAGES }, (_, i) => ({
    octets: i % 10 === 3 ? attached : i % 10 === 4 ? large : plain,
    address: ADDRESSES[i % ADDRESSES.length]!,
    // Without local recipients there is no copy that knows its size.
    deliveries: i % 100 === 44 ? [] : [toAlice],
    receivedAt: new Date(Date.UTC(2026, 0, 1) + i * 1000),
  }));
  await Promise.all(
    mails.map(({ octets, address, deliveries, receivedAt }) =>
      store.accept({ ...transaction(octets, deliveries), forwardPaths: [{ address }], receivedAt }),
    ),
  );
  const matches = async (...queries: SearchQuery[]): Promise<number> => {
    const list = await store.listTransactions({ query: { type: 'and', queries } }, { start: 0, limit: 1 });
    return list.matches;
  };
  const count = (test: (mail: (typeof mails)[number]) => boolean): number => mails.filter(test).length;
  const at = (i: number) => mails[i]!.receivedAt.getTime();
  /** So few are looked up one by one. */
  const few: SearchQuery = { type: 'internal-date', since: at(100), before: at(300) };
  const isFew = ({ receivedAt }: (typeof mails)[number]) => +receivedAt >= at(100) && +receivedAt < at(300);

  const rows: (readonly [SearchQuery, (mail: (typeof mails)[number]) => boolean])[] = [
    [{ type: 'recipient', text: 'READER@' }, ({ address }) => address.startsWith('Reader')],
    [{ type: 'recipient', text: 'umit' }, ({ address }) => address.startsWith('ümit')],
    [{ type: 'recipient', text: 'ÜMIT' }, ({ address }) => address.startsWith('ümit')],
    [{ type: 'recipient', text: 'quo\\"te' }, ({ address }) => address.startsWith('"quo')],
    [{ type: 'recipient', text: 'k\\\\s' }, ({ address }) => address.startsWith('back')],
    [{ type: 'recipient', text: 'address' }, () => false],
    [{ type: 'recipient', text: '@bench.test' }, () => true],
    [{ type: 'has-attachment' }, ({ octets }) => octets === attached],
    [{ type: 'has-inline' }, () => false],
    [{ type: 'larger', octets: 4_000 }, ({ octets }) => octets === large],
    [{ type: 'smaller', octets: 4_000 }, ({ octets }) => octets !== large],
    [{ type: 'sent-day', since: 20_000 }, ({ octets }) => octets !== attached],
  ];
  // First some of it is not derived yet, then all is.
  for (const round of ['at once', 'later']) {
    for (const [query, test] of rows) {
      expect([round, query, await matches(query)]).toEqual([round, query, count(test)]);
      const expected = count((mail) => isFew(mail) && test(mail));
      expect([round, query, await matches(few, query)]).toEqual([round, query, expected]);
    }
    await store.indexed();
  }
});
