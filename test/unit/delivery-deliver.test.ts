/** Addresses become accounts. */
import { describe, expect, it } from 'vitest';
import { createDelivery, type IncomingMail } from '../../src/delivery/deliver.ts';
import { Refusal } from '../../src/store/refusal.ts';
import { FakeStore, UNUSED } from './fake-store.ts';

const SERVER = { defaultDomain: 'glass.test', serverName: 'mail.glass.test', defaultPasswordRecord: 'record' };
const ORIGIN = {
  service: 'http',
  conversation: undefined,
  remoteAddress: undefined,
  helo: undefined,
  login: undefined,
  tls: undefined,
};

function delivery(domains: readonly string[] | 'all', ...accounts: readonly string[]) {
  const store = new FakeStore(...accounts);
  const made = createDelivery({ ...SERVER, store, domains });
  return {
    store,
    recipient: (address: string, octets?: number) => made.recipient(address, octets),
    deliverToEach: (mail: IncomingMail) => made.deliverToEach(mail),
    deliver: (mail: IncomingMail) => made.deliver(mail),
  };
}

const refused = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'taken',
    (error: unknown) => (error instanceof Refusal ? error.code : String(error)),
  );

describe('recipients where every domain is local', () => {
  it.each([
    ['alice@glass.test', 1],
    ['ALICE@Glass.Test', 1],
    ['"alice"@glass.test', 1],
    ['alice+tag@glass.test', 1],
    ['Alice+a+b@glass.test', 1],
    ['bob+own@glass.test', 2],
    ['user@xn--bcher-kva.test', 3],
    ['user@b\u00fccher.test', 3],
  ])('%s is account %i', async (address, account) => {
    const { recipient } = delivery('all', 'alice@glass.test', 'bob+own@glass.test', 'user@xn--bcher-kva.test');
    expect(await recipient(address)).toEqual({ address, account });
  });

  it.each([
    ['carol@else.test', 'carol@else.test'],
    ['Carol@Else.TEST', 'carol@else.test'],
    ['carol+tag@else.test', 'carol+tag@else.test'],
    ['+tag@glass.test', '+tag@glass.test'],
    ['"a b"@else.test', '"a b"@else.test'],
    ['"a@b"@else.test', '"a@b"@else.test'],
    ['carol@[192.0.2.1]', 'carol@[192.0.2.1]'],
    ['postmaster', 'postmaster@glass.test'],
    ['POSTMASTER', 'postmaster@glass.test'],
  ])('%s makes the account %s', async (address, made) => {
    const { recipient } = delivery('all', 'alice@glass.test');
    expect(await recipient(address)).toEqual({ address, account: { address: made, passwordRecord: 'record' } });
  });
});

describe('recipients of some domains', () => {
  it.each([
    ['alice@glass.test', 'taken'],
    ['alice+tag@glass.test', 'taken'],
    ['nobody@glass.test', 'NONEXISTENT'],
    ['nobody+tag@glass.test', 'NONEXISTENT'],
    ['alice@red.test', 'NONEXISTENT'],
    ['alice@else.test', 'NOPERM'],
    ['alice@sub.glass.test', 'NOPERM'],
    ['alice@[127.0.0.1]', 'NOPERM'],
    ['alice@RED.test', 'NONEXISTENT'],
  ])('%s: %s', async (address, expected) => {
    const { recipient } = delivery(['glass.test', 'Red.test'], 'alice@glass.test');
    expect(await refused(recipient(address))).toBe(expected);
  });

  it('the postmaster always is one (RFC 5321 §4.5.1), to whom nobody can log in', async () => {
    const { recipient } = delivery(['glass.test']);
    const account = { address: 'postmaster@glass.test', passwordRecord: undefined };
    expect(await recipient('postmaster')).toEqual({ address: 'postmaster', account });
    expect(await recipient('Postmaster@glass.test')).toEqual({ address: 'Postmaster@glass.test', account });
    expect(await refused(recipient('postmaster@else.test'))).toBe('NOPERM');
  });
});

describe('recipients with a quota', () => {
  it.each([
    ['room', { messageLimit: 1, octetLimit: 1024 }, undefined, 'taken'],
    ['room for so much', { messages: 9, octets: 24, octetLimit: 1024 }, 1000, 'taken'],
    ['room for less', { octets: 25, octetLimit: 1024 }, 1000, 'OVERQUOTA'],
    ['no room ever', { octetLimit: 1024 }, 1025, 'BEYONDQUOTA'],
    ['an unknown size, and some room', { octets: 1023, octetLimit: 1024 }, undefined, 'taken'],
    ['all octets used', { octets: 1024, octetLimit: 1024 }, undefined, 'OVERQUOTA'],
    ['more used than may be', { octets: 5000, octetLimit: 1024 }, 1, 'OVERQUOTA'],
    ['as many messages as may be', { messages: 3, messageLimit: 3 }, undefined, 'OVERQUOTA'],
    ['nothing allowed', { messageLimit: 0 }, undefined, 'BEYONDQUOTA'],
  ])('%s', async (_, quota, octets, expected) => {
    const { store, recipient } = delivery('all', 'alice@glass.test');
    store.quotas.set('alice@glass.test', { ...UNUSED, ...quota });
    expect(await refused(recipient('alice+tag@glass.test', octets))).toBe(expected);
  });
});

describe('deliver', () => {
  const content = { size: 3, octets: Buffer.from('a\r\n'), file: undefined };

  it('gives each account one copy, of one transaction', async () => {
    const { store, recipient, deliver } = delivery('all', 'alice@glass.test', 'bob@glass.test');
    const addresses = ['alice@glass.test', 'alice+x@glass.test', 'new@x.test', 'NEW@x.test', 'bob@glass.test'];
    const accepted = await deliver({
      reversePath: 'a@b.test',
      recipients: await Promise.all(addresses.map(recipient)),
      content,
      receivedAt: new Date(0),
      origin: ORIGIN,
      received: undefined,
    });
    expect(accepted.copies.map(({ account }) => account)).toEqual([1, 3, 2]);
    const [stored] = store.transactions;
    expect(stored!.forwardPaths).toEqual(addresses.map((address) => ({ address })));
    expect(stored!.deliveries).toEqual([
      { account: 1, mailbox: 'INBOX' },
      { account: { address: 'new@x.test', passwordRecord: 'record' }, mailbox: 'INBOX' },
      { account: 2, mailbox: 'INBOX' },
    ]);
    // What came by no mail protocol was received from nobody.
    expect(Buffer.from(stored!.trace).toString()).toBe('Return-Path: <a@b.test>\r\n');
  });

  it('to each: whoever became full after RCPT is left out, also one who does so while the others are tried', async () => {
    const { store, recipient, deliverToEach } = delivery('all', 'alice@glass.test', 'bob@glass.test', 'c@glass.test');
    const addresses = ['alice@glass.test', 'bob@glass.test', 'alice+x@glass.test', 'c@glass.test'];
    const recipients = await Promise.all(addresses.map((address) => recipient(address)));
    const full = { ...UNUSED, messages: 1, messageLimit: 1 };
    let tries = 0;
    store.commit = async () => {
      tries++;
      if (tries === 1) store.quotas.set('alice@glass.test', full);
      if (tries === 2) store.quotas.set('c@glass.test', { ...full, messageLimit: 0 });
    };
    const mail = { reversePath: '', recipients, content, receivedAt: new Date(0), origin: ORIGIN, received: undefined };
    const { accepted, refused: refusals } = await deliverToEach(mail);
    expect(tries).toBe(3);
    expect(accepted!.copies.map(({ account }) => account)).toEqual([2]);
    expect([...refusals].map(([{ address }, { code }]) => [address, code])).toEqual([
      ['alice@glass.test', 'OVERQUOTA'],
      ['alice+x@glass.test', 'OVERQUOTA'],
      ['c@glass.test', 'BEYONDQUOTA'],
    ]);
    // What is kept names those alone who got it.
    expect(store.transactions.map(({ forwardPaths }) => forwardPaths)).toEqual([[{ address: 'bob@glass.test' }]]);
    store.quotas.set('bob@glass.test', full);
    const nobody = await deliverToEach(mail);
    expect([nobody.accepted, nobody.refused.size]).toEqual([undefined, 4]);
    expect(store.transactions.length).toBe(1);
    store.commit = async () => {
      throw new Refusal('DISKFULL', 'full');
    };
    expect(await refused(deliverToEach(mail))).toBe('DISKFULL');
  });

  it('lets the refusal of the store through', async () => {
    const { store, recipient, deliver } = delivery('all', 'alice@glass.test');
    store.commit = async () => {
      throw new Refusal('OVERQUOTA', 'full');
    };
    const recipients = [await recipient('alice@glass.test')];
    const mail = { reversePath: '', recipients, content, receivedAt: new Date(0), origin: ORIGIN, received: undefined };
    expect(await refused(deliver(mail))).toBe('OVERQUOTA');
    expect(store.transactions).toEqual([]);
  });
});
