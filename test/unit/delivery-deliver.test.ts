/** Addresses become accounts. */
import { describe, expect, it } from 'vitest';
import { createDelivery, type IncomingMail } from '../../src/delivery/deliver.ts';
import { Refusal } from '../../src/store/refusal.ts';
import { FakeStore } from './fake-store.ts';

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
    recipient: (address: string) => made.recipient(address),
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
