import { describe, expect, test } from 'vitest';
import type { EmailId, ModSeq, Uid, UidRange } from '../../src/store/change.ts';
import type { MailStore } from '../../src/store/mail-store.ts';
import type { SearchQuery } from '../../src/store/search-query.ts';
import {
  append,
  contents,
  inMemory,
  message,
  openedWithAccount,
  type StoreFactory,
  type StoreUnderTest,
} from './store-under-test.ts';

const day = (text: string): number => Date.parse(text) / 86_400_000;
const header = (name: string, text: string): SearchQuery => ({ type: 'header', name, text });
const casemap = (name: string, text: string): SearchQuery => ({ type: 'header', name, text, casemap: true });

const MAIL: readonly (readonly [text: string, flags: readonly string[], date: string])[] = [
  [
    message(
      [
        'From: Ann Müller <ann@one.test>',
        'To: bob@two.test',
        'Subject: Invoice 42',
        'Date: Tue, 1 Jul 2025 23:59:59 -1200',
      ],
      'The total is 100 EUR, 会议 at nine.\r\n',
    ),
    ['\\Seen', 'Work'],
    '2025-07-01T10:00:00Z',
  ],
  [
    message(
      ['From: bob@two.test', 'Cc: Carl <carl@three.test>', 'Subject: =?utf-8?Q?R=C3=A9sum=C3=A9?=', 'X-List: invoices'],
      'Nothing about money.\r\n',
    ),
    ['\\Flagged'],
    '2025-07-02T10:00:00Z',
  ],
  [
    message(
      [
        'From: carl@three.test',
        'Bcc: dora@four.test',
        'Reply-To: reply@five.test',
        'Date: Wed, 2 Jul 2025 00:00:01 +0000',
        'Subject: files',
        'Content-Type: multipart/mixed; boundary=b',
      ],
      [
        '--b',
        'Content-Type: text/html; charset=utf-8',
        'Content-Transfer-Encoding: base64',
        '',
        Buffer.from('<p>gro&szlig;e Zahlung</p>').toString('base64'),
        '--b',
        'Content-Type: application/pdf; name="report-q3.pdf"',
        'Content-Disposition: attachment',
        '',
        'secretpdf',
        '--b--',
        '',
      ].join('\r\n'),
    ),
    [],
    '2025-07-03T10:00:00Z',
  ],
  ['\r\nno header at all', ['\\Seen'], '2025-07-04T10:00:00Z'],
];

const QUERIES: readonly (readonly [name: string, query: SearchQuery, uids: readonly number[]])[] = [
  ['all', { type: 'all' }, [1, 2, 3, 4]],
  ['a flag', { type: 'flag', flag: '\\seen' }, [1, 4]],
  ['a keyword in another case', { type: 'flag', flag: 'WORK' }, [1]],
  ['a keyword of no message', { type: 'flag', flag: 'none' }, []],
  ['UIDs', { type: 'uids', uids: [range(4, 9), range(1, 2)] }, [1, 2, 4]],
  ['larger', { type: 'larger', octets: 200 }, [3]],
  ['smaller', { type: 'smaller', octets: 19 }, [4]],
  ['smaller is strict', { type: 'smaller', octets: 18 }, []],
  ['internal date since', { type: 'internal-date', since: Date.parse('2025-07-03') }, [3, 4]],
  ['internal date before', { type: 'internal-date', before: Date.parse('2025-07-02') }, [1]],
  ['saved date', { type: 'saved-date', since: Date.parse('2025-07-05') }, [1, 2, 3, 4]],
  ['sent day on', { type: 'sent-day', since: day('2025-07-01'), before: day('2025-07-02') }, [1]],
  ['sent day since', { type: 'sent-day', since: day('2025-07-02') }, [3]],
  ['subject without case', header('Subject', 'INVOICE'), [1]],
  ['subject without accents', header('subject', 'resume'), [2]],
  ['subject with accents', header('SUBJECT', 'Résumé'), [2]],
  ['from', header('From', 'muller'), [1]],
  ['by i;unicode-casemap: case', casemap('From', 'MÜLLER'), [1]],
  ['by i;unicode-casemap: composed or not', casemap('From', 'mu\u0308ller'), [1]],
  ['by i;unicode-casemap: accents count', casemap('From', 'muller'), []],
  ['by i;unicode-casemap: what comes before an accent', casemap('Subject', 'RE'), [2]],
  ['by i;unicode-casemap: beside an accent', casemap('From', 'ann m'), [1]],
  ['by i;unicode-casemap: an accent alone', casemap('Subject', '\u0301'), [2]],
  ['by i;unicode-casemap: without accents', casemap('Subject', 'INVOICE'), [1]],
  ['by i;unicode-casemap: another field', casemap('X-List', 'INVOICE'), [2]],
  ['by i;unicode-casemap: has a field', casemap('Cc', ''), [2]],
  ['from is not another field', header('From', 'bob@two'), [2]],
  ['to', header('To', 'bob@two'), [1]],
  ['cc', header('Cc', 'carl@'), [2]],
  ['bcc', header('Bcc', 'dora'), [3]],
  ['another field', header('X-List', 'invoice'), [2]],
  ['another field, text of a third', header('X-List', 'resume'), []],
  ['has a field', header('Reply-To', ''), [3]],
  ['has a common field', header('Subject', ''), [1, 2, 3]],
  ['body', { type: 'body', text: '100 eur' }, [1]],
  ['body is not the header', { type: 'body', text: 'invoice' }, []],
  ['body decoded, without markup, folded', { type: 'body', text: 'GROSSE ZAHLUNG' }, [3]],
  ['body is not the attachment', { type: 'body', text: 'secretpdf' }, []],
  ['two characters', { type: 'body', text: '会议' }, [1]],
  ['two characters at the end', { type: 'body', text: 'll' }, [4]],
  ['one character', header('Subject', '4'), [1]],
  ['nothing', { type: 'body', text: '' }, [1, 2, 3, 4]],
  ['text of a header or body', { type: 'text', text: 'invoice' }, [1, 2]],
  ['text of a part header', { type: 'text', text: 'report-q3' }, [3]],
  ['signs that an index would stumble over', { type: 'text', text: '" OR "*' }, []],
  ['NUL', { type: 'text', text: 'a\0b' }, []],
  ['any address', { type: 'any-address', text: 'three.test' }, [2, 3]],
  ['any address: Reply-To', { type: 'any-address', text: 'reply@' }, [3]],
  ['attachment name', { type: 'attachment-name', text: 'REPORT' }, [3]],
  ['has attachment', { type: 'has-attachment' }, [3]],
  ['has inline', { type: 'has-inline' }, []],
  ['mod-seq', { type: 'mod-seq', since: 0 as ModSeq }, [1, 2, 3, 4]],
  ['not', { type: 'not', query: header('Subject', 'files') }, [1, 2, 4]],
  [
    'and',
    {
      type: 'and',
      queries: [
        { type: 'text', text: 'invoice' },
        { type: 'flag', flag: '\\Flagged' },
      ],
    },
    [2],
  ],
  ['and of nothing', { type: 'and', queries: [] }, [1, 2, 3, 4]],
  ['or', { type: 'or', queries: [header('Subject', 'files'), { type: 'flag', flag: '\\Seen' }] }, [1, 3, 4]],
  ['or of nothing', { type: 'or', queries: [] }, []],
  [
    'a nest',
    {
      type: 'not',
      query: { type: 'or', queries: [{ type: 'not', query: { type: 'text', text: 'e' } }, header('From', 'carl')] },
    },
    [1, 2, 4],
  ],
];

function range(first: number, last: number): UidRange {
  return { first: first as Uid, last: last as Uid };
}

async function withMail(factory: StoreFactory) {
  const subject = await openedWithAccount(factory);
  const messages = MAIL.map(([text, flags, date]) => ({
    content: inMemory(text),
    flags,
    internalDate: new Date(date),
  }));
  await subject.store.appendMessages(subject.account.id, 'INBOX', messages);
  return subject;
}

async function searchAll({ store, account, inbox }: Awaited<ReturnType<typeof withMail>>): Promise<object> {
  const found: Record<string, number[]> = {};
  for (const [name, query] of QUERIES) {
    const uids = await store.searchMessages(account.id, inbox.id, query);
    found[name] = [...uids].filter((uid) => uid <= MAIL.length);
  }
  return found;
}

const EXPECTED = Object.fromEntries(QUERIES.map(([name, , uids]) => [name, [...uids]]));

export function describeSearch(factory: StoreFactory): void {
  describe('search', () => {
    test('finds before anything is indexed', async () => {
      const subject = await withMail(factory);
      expect(await searchAll(subject)).toEqual(EXPECTED);
    });

    test('finds the same with the index', async () => {
      const subject = await withMail(factory);
      await subject.store.indexed();
      await among(subject, 50);
      expect((await subject.store.figures()).unindexed).toBe(0);
      expect(await searchAll(subject)).toEqual(EXPECTED);
    });

    test('finds what came after the index, and not what went', async () => {
      const subject = await withMail(factory);
      const { store, account, inbox } = subject;
      await among(subject, 50);
      const query: SearchQuery = { type: 'text', text: 'invoice' };
      const copied = await store.copyMessages(account.id, inbox.id, [1], 'INBOX');
      const [fresh] = await append(store, account.id, 'INBOX', [message(['Subject: another invoice'])]);
      const now = await store.searchMessages(account.id, inbox.id, query);
      expect([...now]).toEqual([1, 2, ...copied.destinationUids, fresh]);
      await store.expunge(account.id, inbox.id, { uids: [1, 2], onlyDeleted: false });
      const later = await store.searchMessages(account.id, inbox.id, query);
      expect([...later]).toEqual([...copied.destinationUids, fresh]);
    });

    test('finds by email, and in no other mailbox', async () => {
      const subject = await withMail(factory);
      const { store, account, inbox } = subject;
      const [, second] = await contents(store, account.id, inbox.id);
      const query: SearchQuery = { type: 'email', email: second!.emailId };
      expect([...(await store.searchMessages(account.id, inbox.id, query))]).toEqual([2]);
      const none: SearchQuery = { type: 'email', email: 0 as EmailId };
      expect([...(await store.searchMessages(account.id, inbox.id, none))]).toEqual([]);
      const sent = (await store.findMailbox(account.id, 'Sent'))!;
      expect([...(await store.searchMessages(account.id, sent.id, { type: 'all' }))]).toEqual([]);
    });

    test('can be given up', async () => {
      const { store, account, inbox } = await withMail(factory);
      await append(store, account.id, 'INBOX', Array<string>(2000).fill(message(['Subject: x'], 'y'.repeat(2000))));
      const controller = new AbortController();
      const search = store.searchMessages(account.id, inbox.id, { type: 'body', text: 'zz' }, controller.signal);
      const reason = new Error('enough');
      controller.abort(reason);
      await expect(search).rejects.toBe(reason);
      const found = await store.searchMessages(account.id, inbox.id, header('Subject', 'files'));
      expect([...found]).toEqual([3]); // and others are served
    });

    test('a large message is found too', async () => {
      const { store, account, inbox } = await withMail(factory);
      await using spool = store.spool();
      await spool.write(Buffer.from(message(['Subject: large one'], `needle ${'hay '.repeat(100_000)}`)));
      const content = await spool.finish();
      await store.appendMessages(account.id, 'INBOX', [{ content, flags: [], internalDate: new Date() }]);
      const search = async (query: SearchQuery) => [...(await store.searchMessages(account.id, inbox.id, query))];
      expect(await search({ type: 'body', text: 'needle' })).toEqual([5]);
      expect(await search(header('Subject', 'large'))).toEqual([5]);
      await store.indexed();
      expect(await search({ type: 'body', text: 'needle' })).toEqual([5]);
    });
  });
}

/** Other messages in the same mailbox, so that a search is worth an index; they hold nothing that is looked for. */
async function among(
  { store, account }: StoreUnderTest & { account: { id: Parameters<MailStore['snapshot']>[0] } },
  count: number,
) {
  await append(store, account.id, 'INBOX', Array<string>(count).fill(message(['Subject: hay'], 'stack')));
  await store.indexed();
}
