import { describe, expect, test } from 'vitest';
import { newestAttempt, type SetupStep } from '../../src/glass/setup-steps.ts';
import type { Annotation, TlsInfo } from '../../src/wire/connection.ts';
import { type Conversation, Recorder } from '../../src/wire/recorder.ts';

const ALICE = 'alice@glass.test';
const TLS: TlsInfo = { version: 'TLSv1.3', cipher: 'x', serverName: undefined, handshakeMs: 2 };

class Scene {
  readonly recorder = new Recorder();

  /** A conversation, in which the client has said something. */
  open(service: string, address = '127.0.0.1'): Conversation {
    const conversation = this.recorder.open({
      service,
      protocol: service.startsWith('sub') ? 'smtp' : service.replace(/s$/, ''),
      role: 'server',
      local: { address: '127.0.0.1', port: 1 },
      remote: { address, port: 2 },
    });
    conversation.octets('in', 'network', Buffer.from('hello'));
    return conversation;
  }

  /** One that has come through TLS and a login. */
  in(service: string, login = ALICE, address = '127.0.0.1'): Conversation {
    const conversation = this.open(service, address);
    conversation.tlsStep({ step: 'start' });
    conversation.tlsStep({ step: 'end', tls: TLS });
    conversation.octets('in', 'ends', Buffer.from('login'));
    conversation.annotate({ type: 'login', login, mechanism: 'PLAIN' });
    return conversation;
  }

  steps(changed: { readonly since?: number; readonly others?: readonly string[] } = {}): Record<string, SetupStep> {
    const { steps } = newestAttempt(this.recorder.list(), {
      account: ALICE,
      defaultDomain: 'glass.test',
      others: new Set(changed.others ?? ['bob@glass.test']),
      sentMailboxes: new Set(['Gesendet']),
      since: changed.since ?? 0,
    });
    return Object.fromEntries(steps.map((step) => [step.step, step]));
  }

  states(changed?: Parameters<Scene['steps']>[0]): string[] {
    return Object.values(this.steps(changed)).map(({ step, state }) => `${step} ${state}`);
  }
}

const done = (states: readonly string[]): string[] =>
  states.filter((state) => state.endsWith('done')).map((state) => state.split(' ')[0]!);

const STORED: Annotation = {
  ...{ type: 'stored', emailId: '1', transactionId: '1', octets: 1, copies: [], copyCount: 0 },
  ...{ envelopeSeq: undefined, dataSeq: undefined },
};

describe('the steps of a mail program', () => {
  test('are not those of the server that asks itself', () => {
    const scene = new Scene();
    const own = scene.in('imap');
    own.annotate({ type: 'selected', mailbox: 'INBOX' });
    expect(done(scene.states())).toEqual(['reached', 'secured', 'login', 'opened']);
    own.isOwn = true;
    expect(done(scene.states())).toEqual([]);
  });

  test('are waited for while nothing has come', () => {
    const scene = new Scene();
    expect(scene.states().every((state) => state.endsWith('waiting'))).toBe(true);
  });

  test('are done one after the other', () => {
    const scene = new Scene();
    const http = scene.open('http');
    expect(done(scene.states())).toEqual([]); // any request at all
    http.annotate({ type: 'settings', by: 'autoconfig', login: ALICE });
    expect(done(scene.states())).toEqual(['settings']);
    const imap = scene.in('imaps');
    expect(done(scene.states())).toEqual(['settings', 'reached', 'secured', 'login']);
    const happens: readonly (readonly [Annotation, string])[] = [
      [{ type: 'selected', mailbox: 'INBOX' }, 'opened'],
      [{ type: 'read', mailbox: 'INBOX', mailboxId: 1, uids: '1', items: 'BODY[]' }, 'read'],
    ];
    for (const [annotation, step] of happens) {
      imap.annotate(annotation);
      expect(done(scene.states()).at(-1)).toBe(step);
    }
    scene.in('submissions').annotate(STORED);
    expect(done(scene.states()).at(-1)).toBe('sent');
    imap.annotate({ type: 'appended', mailbox: 'Drafts', mailboxId: 2, uids: '1' });
    expect(done(scene.states()).at(-1)).toBe('sent');
    imap.annotate({ type: 'appended', mailbox: 'Gesendet', mailboxId: 2, uids: '1' });
    expect(done(scene.states())).toHaveLength(8);
    expect(scene.steps().secured).toMatchObject({ detail: 'TLS 1.3', conversation: { service: 'submissions' } });
  });

  test('over POP3 are fewer', () => {
    const scene = new Scene();
    scene.in('pop3s').annotate({ type: 'read', mailbox: 'INBOX', mailboxId: 1, uids: '1', items: 'BODY[]' });
    expect(scene.states().slice(3)).toEqual([
      'login done',
      'opened unneeded',
      'read done',
      'sent waiting',
      'copied unneeded',
    ]);
  });
});

describe('what failed', () => {
  test.each([
    [48, 'refused our certificate: alert 48, unknown_ca'],
    [42, 'refused our certificate: alert 42, bad_certificate'],
    [70, 'ended TLS with alert 70'],
  ])('by alert %i, is told', (alert, detail) => {
    const scene = new Scene();
    const conversation = scene.open('imaps');
    conversation.tlsStep({ step: 'failed', code: 'x', message: 'y', alert });
    conversation.closed('peer', 'fin');
    expect(scene.steps().secured).toMatchObject({ state: 'failed', detail, conversation: { id: conversation.id } });
    expect(scene.steps().reached!.state).toBe('done');
    expect(scene.steps().login!.state).toBe('waiting');
  });

  test('is a handshake after which the client leaves without a word', () => {
    const scene = new Scene();
    const conversation = scene.open('imaps');
    conversation.tlsStep({ step: 'end', tls: TLS });
    expect(scene.steps().secured!.state).toBe('done');
    conversation.closed('peer', 'fin');
    expect(scene.steps().secured!.detail).toContain('does not trust the certificate');
  });

  test('is a login in clear, a wrong port, a wrong password', () => {
    const clear = new Scene();
    clear.open('imap').annotate({ type: 'login', login: ALICE, mechanism: 'LOGIN' });
    expect(clear.steps().secured).toMatchObject({
      state: 'failed',
      detail: expect.stringContaining('readable') as string,
    });
    expect(clear.steps().login!.state).toBe('done');
    const wrong = new Scene();
    wrong.open('imaps').annotate({ type: 'wrong-port', found: 'silence' });
    expect(wrong.steps().secured!.detail).toContain('choose SSL/TLS');
    const refused = new Scene();
    const reason = 'invalid-credentials';
    refused.in('imaps').annotate({ type: 'login-failed', login: 'alice', mechanism: 'PLAIN', reason });
    expect(refused.steps().login).toMatchObject({
      state: 'failed',
      detail: 'login of alice failed: wrong name or password',
    });
  });

  test('is forgotten once it goes well', () => {
    const scene = new Scene();
    scene.open('imaps').tlsStep({ step: 'failed', code: 'x', message: 'y', alert: 48 });
    scene.in('imaps');
    expect(scene.steps().secured!.state).toBe('done');
  });
});

describe('an attempt', () => {
  test('is of one account, and of names that are nobody’s', () => {
    const scene = new Scene();
    scene.in('imaps', 'bob@glass.test').annotate({ type: 'selected', mailbox: 'INBOX' });
    expect(done(scene.states())).toEqual([]);
    const typo = { type: 'login-failed', login: 'alcie', mechanism: 'PLAIN', reason: 'invalid-credentials' } as const;
    scene.open('imaps').annotate(typo);
    expect(scene.steps().login!.detail).toContain('alcie');
  });

  test('is of one client: the newest; the two addresses of localhost are one', () => {
    const scene = new Scene();
    scene.in('imaps', ALICE, '10.0.0.7').annotate({ type: 'selected', mailbox: 'INBOX' });
    scene.in('imaps', ALICE, '::1');
    expect(done(scene.states())).toEqual(['reached', 'secured', 'login']);
    scene.open('imaps', '127.0.0.1').tlsStep({ step: 'failed', code: 'x', message: 'y', alert: 48 });
    expect(scene.states().slice(1, 4)).toEqual(['reached done', 'secured failed', 'login done']);
  });

  test('begins after a pause, and at the wanted time', () => {
    const scene = new Scene();
    const early = scene.in('imaps');
    early.annotate({ type: 'selected', mailbox: 'INBOX' });
    early.closed('peer', 'fin');
    Object.assign(early, { openedAt: early.openedAt - 200_000, closedAt: early.openedAt - 190_000 });
    scene.in('imaps');
    expect(done(scene.states())).toEqual(['reached', 'secured', 'login']);
    // While one is open, there is no pause.
    Object.assign(early, { closedAt: undefined });
    expect(done(scene.states())).toContain('opened');
    expect(done(scene.states({ since: Date.now() - 100_000 }))).not.toContain('opened');
    expect(done(scene.states({ since: Date.now() + 1000 }))).toEqual([]);
  });

  test('is no health check, and no application that hands mail in', () => {
    const scene = new Scene();
    const check = scene.recorder.open({
      service: 'imaps',
      protocol: 'imap',
      role: 'server',
      local: { address: '127.0.0.1', port: 1 },
      remote: { address: '127.0.0.1', port: 2 },
    });
    check.closed('peer', 'fin');
    scene.open('smtp').annotate(STORED);
    expect(done(scene.states())).toEqual([]);
  });
});
