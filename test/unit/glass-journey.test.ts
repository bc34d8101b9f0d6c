import { describe, expect, test } from 'vitest';
import { rangesIn } from '../../src/glass/journey/uid-ranges.ts';
import { paper } from '../../src/glass/journey/paper.ts';
import { handedIn, journey, type JourneyValue, type Recording } from '../../src/glass/journey.ts';
import type { AccountId, EmailId, MailboxId, ModSeq, Uid } from '../../src/store/change.ts';
import type { MessageCopy, TransactionSummary } from '../../src/store/mail-store.ts';
import type { Annotation } from '../../src/wire/connection.ts';
import { Recorder, type Conversation } from '../../src/wire/recorder.ts';

const INBOX = 1;
const ARCHIVE = 2;

function open(recorder: Recorder, protocol: string, service = protocol): Conversation {
  return recorder.open({
    ...{ service, protocol, role: 'server' },
    local: { address: '127.0.0.1', port: 1143 },
    remote: { address: '127.0.0.1', port: 50_000 },
  });
}

/** The client says a line, and the session remarks on what came of it. @returns the number of the line */
function says(conversation: Conversation, line: string, ...remarks: readonly Annotation[]): number {
  conversation.octets('in', 'both', Buffer.from(`${line}\r\n`));
  const { lastSeq } = conversation;
  for (const remark of remarks) conversation.annotate(remark);
  return lastSeq;
}

const copyOf = (mailbox: number, mailboxName: string, uid = 1, flags: readonly string[] = []): MessageCopy => ({
  account: 1 as AccountId,
  address: 'alice@x.test',
  mailbox: mailbox as MailboxId,
  mailboxName,
  uid: uid as Uid,
  uidValidity: 9,
  modSeq: 5 as ModSeq,
  flags,
  internalDate: new Date(0),
  savedDate: new Date(0),
});

const TRANSACTION: TransactionSummary = {
  transactionId: 'T'.repeat(22),
  emailId: 7 as EmailId,
  reversePath: 'bounces@app.test',
  forwardPaths: [{ address: 'Alice@x.test', notify: 'NEVER' }, { address: 'hidden@x.test' }],
  receivedAt: new Date('2026-11-03T10:00:00Z'),
  origin: {
    ...{ service: 'smtp', conversation: 'abc', remoteAddress: '192.0.2.1', helo: 'app.test' },
    ...{ login: undefined, tls: undefined },
  },
  receivedOctets: 100,
  traceOctets: 20,
  read: false,
  messageId: '',
  subject: '',
  from: undefined,
  ...{ to: [], cc: [], bcc: [], replyTo: [], attachments: 0, snippet: '', tags: [], copies: [] },
};

const stored = (more: Partial<Extract<Annotation, { type: 'stored' }>> = {}): Annotation => ({
  ...{ type: 'stored', emailId: '7', transactionId: TRANSACTION.transactionId, octets: 100 },
  ...{ copies: [{ accountId: 1, mailboxId: INBOX, uid: 1 }], copyCount: 1, envelopeSeq: undefined, dataSeq: undefined },
  ...more,
});

const of = (uids: string, mailboxId = INBOX) => ({ mailbox: 'INBOX', mailboxId, uids });

interface Situation {
  readonly copies?: readonly MessageCopy[];
  readonly transaction?: TransactionSummary | undefined;
  readonly keeps?: Recording['keeps'];
}

function tell(recorder: Recorder, situation: Situation = {}): JourneyValue {
  const transaction = 'transaction' in situation ? situation.transaction : TRANSACTION;
  const conversations = recorder.list();
  const arrived = handedIn(conversations, transaction?.transactionId, 7);
  const former = (arrived?.stored.copies ?? []).map(({ mailboxId, uid }) => ({ mailboxId, uid, mailbox: 'INBOX' }));
  return journey(
    { transaction, emailId: 7, copies: situation.copies ?? [copyOf(INBOX, 'INBOX')], program: null },
    arrived,
    former,
    { conversations, keeps: situation.keeps ?? (() => 'kept') },
  );
}

const deeds = ({ steps }: JourneyValue): string[] => steps.map(({ deed }) => deed.type);

describe('sequence sets of remarks', () => {
  test.each([
    ['3', 3, 0],
    ['1:3,7', 7, 3],
    ['9:7', 8, 1],
    ['1:3', 4, -1],
    ['', 1, -1],
  ])('%j: where is %i?', (uids, uid, index) => {
    expect(rangesIn(uids).indexOf(uid)).toBe(index);
    expect(rangesIn(uids).has(uid)).toBe(index !== -1);
    if (index !== -1) expect(rangesIn(uids).at(index)).toBe(uid);
    else expect(rangesIn(uids).at(100)).toBeUndefined();
  });
});

describe('the first hop', () => {
  test('leads to the lines of its own message, not to those of the one before', () => {
    const recorder = new Recorder();
    const smtp = open(recorder, 'smtp');
    const one = says(smtp, 'MAIL FROM:<first@app.test>');
    says(smtp, 'body', stored({ emailId: '6', transactionId: 'other', envelopeSeq: one, dataSeq: one }));
    const mail = says(smtp, 'MAIL FROM:<bounces@app.test>');
    const rcpt = says(smtp, 'RCPT TO:<nobody@x.test>', {
      ...{ type: 'refused', recipient: '<nobody@x.test>', reply: '550 5.1.1 no' },
    });
    const data = says(smtp, 'DATA');
    says(smtp, 'MAIL FROM:<in-the-body@app.test>\r\n.', stored({ envelopeSeq: mail, dataSeq: data }));
    const remark = smtp.lastSeq;
    smtp.octets('out', 'both', Buffer.from('250 2.0.0 kept\r\n'));
    const value = tell(recorder);
    expect(value.steps.map(({ deed, line }) => [deed.type, line?.seq])).toEqual([
      ['connected', 1],
      ['envelope', mail],
      ['refused', rcpt],
      ['data', data],
      ['stored', remark],
      ['accepted', remark + 1],
    ]);
    expect(value).toMatchObject({ arrival: 'handed-in', complete: true, origin: { id: smtp.id, state: 'kept' } });
    expect(value.participants.map(({ id, port }) => [id, port])).toEqual([
      ['sender', null],
      ['service', 1143],
      [`mailbox:${INBOX}`, null],
    ]);
  });

  test('of a conversation that is not kept is what the store knows, and leads nowhere', () => {
    const value = tell(new Recorder(), { keeps: () => 'gone' });
    expect(value.steps.map(({ deed, line, at }) => [deed.type, line, at])).toEqual(
      ['envelope', 'data', 'stored'].map((type) => [type, null, TRANSACTION.receivedAt.getTime()]),
    );
    expect(value).toMatchObject({ complete: false, origin: { id: 'abc', state: 'gone' } });
    expect(value.participants[0]).toMatchObject({ program: 'app.test', address: '192.0.2.1' });
  });

  test('does not claim that it was delivered to where it was moved since', () => {
    const value = tell(new Recorder(), { keeps: () => 'gone', copies: [copyOf(ARCHIVE, 'Archive')] });
    expect(value.steps.at(-1)).toMatchObject({ deed: { type: 'stored' }, to: 'mailboxes', place: null });
    expect(value.participants.map(({ id }) => id)).toEqual(['sender', 'service', `mailbox:${ARCHIVE}`, 'mailboxes']);
  });

  test('is an APPEND, or is not known', () => {
    const recorder = new Recorder();
    expect(tell(recorder, { transaction: undefined })).toMatchObject({
      arrival: 'unknown',
      complete: false,
      steps: [],
    });
    const imap = open(recorder, 'imap');
    const line = says(imap, 'a1 APPEND INBOX {5}', { type: 'appended', ...of('1') });
    const value = tell(recorder, { transaction: undefined, copies: [copyOf(INBOX, 'INBOX', 1, ['\\Draft'])] });
    expect(value).toMatchObject({ arrival: 'appended', complete: true, copies: [{ unexplained: [] }] });
    expect(value.steps).toMatchObject([{ deed: { type: 'appended' }, line: { seq: line } }]);
  });
});

describe('readers', () => {
  function withReader(...remarks: readonly Annotation[]): JourneyValue {
    const recorder = new Recorder();
    says(open(recorder, 'smtp'), 'DATA', stored());
    const imap = open(recorder, 'imap');
    says(imap, 'a0 LOGIN', { type: 'login', login: 'alice@x.test', mechanism: 'PLAIN' });
    for (const remark of remarks) says(imap, 'a1 COMMAND', remark);
    return tell(recorder, { copies: [copyOf(INBOX, 'INBOX', 1, ['\\Seen', '\\Flagged'])] });
  }

  test.each<readonly [string, Annotation, Partial<JourneyValue['steps'][number]['deed']> | undefined]>([
    ['reads it among others', { type: 'read', ...of('1:9'), items: 'BODY[]' }, { type: 'read' }],
    ['looks at it', { type: 'looked', ...of('1'), items: 'ENVELOPE' }, { type: 'looked' }],
    [
      'sets flags',
      { type: 'flags', ...of('1'), mode: 'add', flags: '\\Seen $Later', modSeq: 4 },
      { type: 'flags', flags: ['\\Seen', '$Later'], modSeq: 4 },
    ],
    ['marks it', { type: 'marked', ...of('1') }, { type: 'marked' }],
    ['removes it', { type: 'expunged', ...of('1') }, { type: 'expunged' }],
    ['reads another one', { type: 'read', ...of('2'), items: 'BODY[]' }, undefined],
    ['reads another mailbox', { type: 'read', ...of('1', 99), items: 'BODY[]' }, undefined],
    ['opens the mailbox', { type: 'selected', mailbox: 'INBOX' }, undefined],
  ])('%s', (_, remark, deed) => {
    const steps = withReader(remark).steps.slice(4);
    if (deed === undefined) expect(steps).toEqual([]);
    else expect(steps).toMatchObject([{ deed, place: { account: 'alice@x.test', mailbox: 'INBOX', uid: 1 } }]);
  });

  test('flags that nobody is known to have set are told', () => {
    const value = withReader({ type: 'flags', ...of('1'), mode: 'add', flags: '\\seen', modSeq: 4 });
    expect(value.copies).toMatchObject([{ unexplained: ['\\Flagged'] }]);
  });

  test('of several connections of one program to one account are one', () => {
    const recorder = new Recorder();
    says(open(recorder, 'smtp'), 'DATA', stored());
    for (const [login, program] of [
      ['alice@x.test', 'Thunderbird'],
      ['alice@x.test', 'Thunderbird'],
      ['alice@x.test', 'mutt'],
      ['bob@x.test', 'mutt'],
    ] as const) {
      const imap = open(recorder, 'imap');
      says(imap, 'a0 ID', { type: 'client', name: program, version: '1' });
      says(imap, 'a1 LOGIN', { type: 'login', login, mechanism: 'PLAIN' });
      says(imap, 'a2 FETCH', { type: 'read', ...of('1'), items: 'BODY[]' });
    }
    const readers = tell(recorder).participants.filter(({ kind }) => kind === 'reader');
    expect(readers.map(({ program, account, count }) => [program, account, count])).toEqual([
      ['Thunderbird 1', 'alice@x.test', 2],
      ['mutt 1', 'alice@x.test', 1],
      ['mutt 1', 'bob@x.test', 1],
    ]);
  });

  test('are followed through copies and moves, whichever of them is known now', () => {
    const recorder = new Recorder();
    const imap = open(recorder, 'imap');
    says(imap, 'a0', { type: 'login', login: 'alice@x.test', mechanism: 'PLAIN' });
    says(imap, 'a1', { type: 'read', ...of('5'), items: 'BODY[]' });
    says(imap, 'a2', { type: 'copied', ...of('4:6'), to: 'Work', toId: 3, toUids: '10:12' });
    says(imap, 'a3', {
      type: 'moved',
      mailbox: 'Work',
      mailboxId: 3,
      uids: '11',
      to: 'Archive',
      toId: ARCHIVE,
      toUids: '2',
    });
    says(imap, 'a4', { type: 'read', ...of('2', ARCHIVE), items: 'BODY[]' });
    const value = tell(recorder, { keeps: () => 'gone', copies: [copyOf(ARCHIVE, 'Archive', 2)] });
    expect(deeds(value).slice(3)).toEqual(['read', 'copied', 'moved', 'read']);
    expect(value.steps[4]!.deed).toMatchObject({ target: { mailbox: 'Work', uid: 11, account: 'alice@x.test' } });
  });

  test('over HTTP, by any of its ids; and what concerned all messages', () => {
    const recorder = new Recorder();
    const http = open(recorder, 'http');
    const by = { request: 'GET /x', program: 'curl/8' };
    says(http, 'DELETE / HTTP/1.1', { type: 'api-deleted', messages: '*', ...by });
    says(open(recorder, 'smtp'), 'DATA', stored());
    says(http, 'GET /1 HTTP/1.1', { type: 'api-read', messages: `x ${TRANSACTION.transactionId}`, ...by });
    says(http, 'GET /2 HTTP/1.1', { type: 'api-read', messages: '7', ...by });
    says(http, 'GET /3 HTTP/1.1', { type: 'api-read', messages: '70', ...by });
    says(http, 'PUT / HTTP/1.1', { type: 'api-marked', messages: '*', read: true, ...by });
    // What was done to all before it came does not concern it.
    expect(deeds(tell(recorder)).slice(4)).toEqual(['read', 'read', 'flags']);
  });

  test('of a conversation whose middle is not kept lead to the remark, never to another command', () => {
    const recorder = new Recorder({ perConversation: 8_192 });
    says(open(recorder, 'smtp'), 'DATA', stored());
    const imap = open(recorder, 'imap');
    says(imap, 'a1 LOGIN');
    for (let n = 0; n < 50; n++) imap.octets('out', 'both', Buffer.alloc(1_000, 'x'));
    imap.annotate({ type: 'read', ...of('1'), items: 'BODY[]' });
    expect(imap.gapOctets).toBeGreaterThan(0);
    expect(tell(recorder).steps.at(-1)).toMatchObject({ deed: { type: 'read' }, line: { seq: imap.lastSeq } });
  });
});

describe('very many', () => {
  test('mailboxes are one participant', () => {
    const copies = Array.from({ length: 1_000 }, (_, n) => copyOf(n + 1, 'INBOX'));
    const recorder = new Recorder();
    says(open(recorder, 'smtp'), 'DATA', stored({ copyCount: 1_000 }));
    const value = tell(recorder, { copies });
    expect(value.participants.map(({ kind, count }) => [kind, count])).toEqual([
      ['sender', 1],
      ['service', 1],
      ['mailboxes', 1_000],
    ]);
    expect(value.steps.filter(({ deed }) => deed.type === 'stored')).toMatchObject([{ deed: { copies: 1_000 } }]);
  });

  test('steps lose their middle', () => {
    const recorder = new Recorder();
    says(open(recorder, 'smtp'), 'DATA', stored());
    for (let n = 0; n < 10; n++) {
      const http = open(recorder, 'http');
      for (let m = 0; m < 200; m++)
        http.annotate({ type: 'api-read', messages: '7', request: 'GET /', program: `${n}` });
    }
    const value = tell(recorder);
    expect(value.steps).toHaveLength(600);
    expect(value.omitted).toBe(4 + 2_000 - 600);
    expect(value.steps[0]!.deed.type).toBe('connected');
  });
});

describe('the envelope beside the header', () => {
  const octets = Buffer.from(
    [
      'Return-Path: <bounces@app.test>',
      'Received: from app.test ([192.0.2.1]) by x.test with ESMTP id a.1; Tue, 3 Nov 2026 10:00:00 +0000',
      'Received: from inside.app.test by app.test with SMTP; Tue, 3 Nov 2026 09:59:00 +0000',
      'From: App <app@app.test>',
      'To: alice@X.TEST, =?utf-8?q?J=C3=BCrgen?= <j@red.test>',
      'Bcc: bcc@x.test',
      'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=',
      'User-Agent: Sender 1',
      '',
      'Hello.',
    ].join('\r\n'),
  );
  const traceSize = octets.indexOf('Received: from inside');

  test('both say who is where, without case', () => {
    const { envelope, header } = paper(octets, traceSize, TRANSACTION);
    expect(envelope).toMatchObject({
      recipients: [
        { address: 'Alice@x.test', field: 'To', notify: 'NEVER', originalRecipient: null },
        { address: 'hidden@x.test', field: null },
      ],
      ...{ recipientCount: 2, unnamed: 1 },
    });
    expect(header).toMatchObject({
      from: [{ address: 'app@app.test', inEnvelope: false }],
      to: [
        { address: 'alice@X.TEST', inEnvelope: true },
        { name: 'Jürgen', address: 'j@red.test', inEnvelope: false },
      ],
      bcc: [{ inEnvelope: false }],
      ...{ sender: [], replyTo: [], subject: 'Grüße', program: 'Sender 1', date: null, messageId: null },
    });
  });

  test('without a transaction nothing is compared', () => {
    const { envelope, header } = paper(octets, 0, undefined);
    expect(envelope).toBeNull();
    expect(header.to.map(({ inEnvelope }) => inEnvelope)).toEqual([null, null]);
  });

  test('trace fields tell who wrote them', () => {
    const { trace } = paper(octets, traceSize, TRANSACTION);
    expect(trace.map(({ name, own, received }) => [name, own, received?.from])).toEqual([
      ['Return-Path', true, undefined],
      ['Received', true, 'app.test'],
      ['Received', false, 'inside.app.test'],
    ]);
  });
});
