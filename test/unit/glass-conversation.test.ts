import { describe, expect, it } from 'vitest';
import { conversationDetail, conversationItem } from '../../src/glass/conversation.ts';
import { Recorder } from '../../src/wire/recorder.ts';
import type { Conversation } from '../../src/wire/recorder.ts';

function open(protocol = 'imap'): Conversation {
  return new Recorder({ firstNumber: 36 ** 3 }).open({
    service: `${protocol}s`,
    protocol,
    role: 'server',
    local: { address: '127.0.0.1', port: 1143 },
    remote: { address: '::1', port: 50_000 },
  });
}

const events = (conversation: Conversation) => conversationDetail(conversation).events;

describe('a conversation as a value', () => {
  it('has what a list shows', () => {
    const conversation = open();
    conversation.octets('in', 'both', Buffer.from('a NOOP\r\n'));
    conversation.annotate({ type: 'login', login: 'alice@glass.test', mechanism: 'PLAIN' });
    conversation.annotate({
      type: 'login-failed',
      login: 'bob@glass.test',
      mechanism: 'LOGIN',
      reason: 'wrong password',
    });
    expect(conversationItem(conversation)).toEqual({
      id: '1000',
      service: 'imaps',
      protocol: 'imap',
      role: 'server',
      local: { address: '127.0.0.1', port: 1143 },
      remote: { address: '::1', port: 50_000 },
      opened: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      closed: null,
      closedBy: null,
      closedHow: null,
      tls: null,
      login: 'alice@glass.test',
      program: null,
      octets: { networkIn: 8, networkOut: 0, endsIn: 8, endsOut: 0 },
      lastSeq: 3,
      annotations: { login: 1, 'login-failed': 1 },
      diagnoses: [],
      problem: 'login of bob@glass.test failed: wrong password',
    });
    conversation.annotate({ type: 'client', name: 'Mutt', version: '2.2' });
    expect(conversationItem(conversation).program).toBe('Mutt 2.2');
    conversation.closed('peer', 'reset');
    expect(conversationItem(conversation)).toMatchObject({ closedBy: 'peer', closedHow: 'reset' });
    expect(JSON.parse(JSON.stringify(conversationDetail(conversation)))).toEqual(conversationDetail(conversation));
  });

  it('has its events in order, text as text and anything else as octets', () => {
    const conversation = open();
    conversation.octets('out', 'both', Buffer.from('* OK grüße\r\n'));
    conversation.octets('in', 'both', Buffer.from('a NOOP\r\n\xfc\r\n', 'latin1'));
    conversation.tlsStep({ step: 'start' });
    conversation.octets('in', 'network', Buffer.from([0x16, 3, 1, 0, 0]));
    conversation.closed('us', 'fin');
    expect(events(conversation)).toMatchObject([
      {
        type: 'text',
        seq: 1,
        direction: 'out',
        view: 'both',
        position: 0,
        octets: 14,
        text: '* OK grüße\r\n',
        charset: 'utf-8',
        secrets: [],
      },
      { type: 'text', seq: 2, text: 'a NOOP\r\nü\r\n', charset: 'iso-8859-1' },
      { type: 'tls', seq: 3, tls: { step: 'start' } },
      { type: 'binary', seq: 4, view: 'network', base64: 'FgMBAAA=', octets: 5 },
      { type: 'closed', seq: 5, by: 'us', how: 'fin' },
    ]);
    expect(conversationDetail(conversation, 3).events.map(({ seq }) => seq)).toEqual([4, 5]);
  });

  it('shows no secret, and says where one is', () => {
    const conversation = open();
    conversation.octets('in', 'both', Buffer.from('a LOGIN alice hun'));
    conversation.octets('in', 'both', Buffer.from('ter2\r\nb NOOP\r\n'));
    expect(events(conversation)).toMatchObject([
      { text: 'a LOGIN alice••••', secrets: [{ offset: 13, octets: 4 }] },
      { text: '••••\r\nb NOOP\r\n', secrets: [{ offset: 0, octets: 4 }] },
    ]);
    // The ring keeps what passed.
    const [first] = conversation.since(0).events;
    expect(first?.type === 'octets' && Buffer.from(first.octets).toString()).toBe('a LOGIN alice hun');
  });

  it('shows no secret in octets that are no text', () => {
    const conversation = open();
    conversation.octets('in', 'both', Buffer.from('a NOOP \0\r\nb LOGIN alice hunter2\r\n'));
    const [event] = events(conversation);
    expect(event?.type).toBe('binary');
    const shown = Buffer.from(event?.type === 'binary' ? event.base64 : '', 'base64').toString();
    expect(shown).toBe(`a NOOP \0\r\nb LOGIN alice${'\0'.repeat(8)}\r\n`);
  });

  it('hides secrets that are no text themselves, without a trace in the rest', () => {
    const conversation = open();
    conversation.octets('in', 'both', Buffer.from('a LOGIN alice \xff\x00\xe9\r\n', 'latin1'));
    expect(events(conversation)).toMatchObject([{ type: 'text', charset: 'utf-8', text: 'a LOGIN alice••••\r\n' }]);
  });

  it('judges anew when more has come', () => {
    const conversation = open();
    conversation.octets('in', 'both', Buffer.from('a NO'));
    expect(events(conversation)).toMatchObject([{ text: '••••' }]);
    conversation.octets('in', 'both', Buffer.from('OP\r\n'));
    expect(events(conversation)).toMatchObject([{ text: 'a NO' }, { text: 'OP\r\n' }]);
  });
});
