import { describe, expect, it } from 'vitest';
import { Recorder } from '../../src/wire/recorder.ts';
import type { Conversation, RecordedOctets, RecorderOptions } from '../../src/wire/recorder.ts';

const KIB = 1024;

function open(recorder: Recorder): Conversation {
  const endpoint = { address: '127.0.0.1', port: 1 };
  return recorder.open({ service: 'imap', protocol: 'imap', role: 'server', local: endpoint, remote: endpoint });
}

const make = (options: RecorderOptions = {}): Recorder => new Recorder({ firstNumber: 1000, ...options });

describe('a conversation', () => {
  it('numbers its events, and counts octets in both views', () => {
    const conversation = open(make());
    conversation.octets('in', 'both', Buffer.from('abc'));
    conversation.octets('out', 'both', Buffer.from('de'));
    conversation.tlsStep({ step: 'start' });
    conversation.octets('in', 'network', Buffer.alloc(10));
    conversation.octets('in', 'ends', Buffer.alloc(4));
    conversation.annotate({ type: 'login', login: 'alice@glass.test', mechanism: 'PLAIN' });
    conversation.closed('peer', 'fin');
    conversation.closed('us', 'reset');
    const { events, missed } = conversation.since(0);
    expect(events.map(({ seq, type }) => [seq, type])).toEqual([
      [1, 'octets'],
      [2, 'octets'],
      [3, 'tls'],
      [4, 'octets'],
      [5, 'octets'],
      [6, 'annotation'],
      [7, 'closed'],
    ]);
    expect(events.map((event) => (event.type === 'octets' ? event.position : '')).join(' ')).toBe('0 0  3 3  ');
    expect(conversation.passed).toEqual({ networkIn: 13, networkOut: 2, endsIn: 7, endsOut: 2 });
    expect(missed).toEqual({ events: 0, octets: 0 });
    expect(conversation).toMatchObject({ login: 'alice@glass.test', closedBy: 'peer', closedHow: 'fin', lastSeq: 7 });
    expect(conversation.since(5).events.map(({ seq }) => seq)).toEqual([6, 7]);
    expect(conversation.moments().map(({ seq, direction, view }) => [seq, direction, view])).toEqual([
      [1, 'in', 'both'],
      [2, 'out', 'both'],
      [4, 'in', 'network'],
      [5, 'in', 'ends'],
    ]);
    expect(conversation.tlsSteps().map(({ seq }) => seq)).toEqual([3]);
    expect(events.every(({ at }, i) => at >= (events[i - 1]?.at ?? 0))).toBe(true);
  });

  it('keeps its start and its end, and counts what is missed', () => {
    const recorder = make({ perConversation: 100 * KIB });
    const conversation = open(recorder);
    for (let i = 0; i < 500; i++) conversation.octets('in', 'both', Buffer.alloc(KIB, i));
    conversation.annotate({ type: 'error', message: 'x' });
    const { events, missed } = conversation.since(0);
    const kept = events.flatMap((event) => (event.type === 'octets' ? [event] : []));
    expect(kept[0]!.position).toBe(0);
    expect(kept.at(-1)!.position).toBe(499 * KIB);
    const total = kept.reduce((sum, { octets }) => sum + octets.length, 0);
    expect(total).toBeGreaterThan(60 * KIB);
    expect(total).toBeLessThanOrEqual(100 * KIB);
    expect(missed).toEqual({ events: 500 - kept.length, octets: 500 * KIB - total });
    expect(conversation.cost).toBeLessThan(110 * KIB);
    // Each half is without a gap.
    const gaps = kept.filter(
      ({ position, octets }, i) => i + 1 < kept.length && kept[i + 1]!.position !== position + octets.length,
    );
    expect(gaps).toHaveLength(1);
    expect(kept.every(({ octets, position }) => octets[0] === (position / KIB) % 256)).toBe(true);
    expect(conversation.since(470).missed.events).toBe(0);
    expect(conversation.since(100).missed.events).toBeGreaterThan(0);
  });

  it('keeps an annotation from the middle, and bounds their number', () => {
    const conversation = open(make({ perConversation: 10 * KIB }));
    for (let i = 0; i < 5000; i++) {
      conversation.octets('out', 'both', Buffer.alloc(KIB));
      conversation.annotate({ type: 'read', mailbox: 'INBOX', mailboxId: 1, uids: `${i}`, items: 'RETR' });
    }
    const annotations = conversation
      .annotations()
      .map(({ annotation }) => (annotation.type === 'read' ? annotation.uids : ''));
    expect(annotations[0]).toBe('0');
    expect(annotations.at(-1)).toBe('4999');
    expect(annotations.length).toBeLessThan(1000);
    expect(conversation.cost).toBeLessThan(400 * KIB);
  });

  it('keeps copies, and gives copies of them', () => {
    const conversation = open(make());
    const small = Buffer.from('hello');
    const large = Buffer.from(Array.from({ length: 300 * KIB }, (_, i) => i % 251));
    conversation.octets('in', 'both', small);
    conversation.octets('in', 'both', large);
    conversation.octets('in', 'both', Buffer.alloc(0));
    const wanted = [small, large, Buffer.alloc(0)].map((octets) => octets.toString('latin1'));
    small.fill('x');
    large.fill('x');
    for (let time = 0; time < 2; time++) {
      const found = conversation.since(0).events.map((event) => (event as RecordedOctets).octets);
      expect(found.map((octets) => Buffer.from(octets).toString('latin1'))).toEqual(wanted);
      for (const octets of found) octets.fill(0);
    }
  });

  it('never shows the octets of another whose memory it has', () => {
    const recorder = make({ capacity: 300 * KIB, perConversation: 200 * KIB });
    for (let round = 0; round < 20; round++) {
      const conversation = open(recorder);
      for (let i = 0; i < 500; i++)
        conversation.octets('in', 'both', Buffer.alloc((i * 37) % 3000, conversation.number % 256));
      for (const kept of recorder.list()) {
        const octets = kept.since(0).events.flatMap((event) => (event.type === 'octets' ? [...event.octets] : []));
        expect(new Set(octets)).toEqual(new Set([kept.number % 256]));
      }
      conversation.closed('us', 'fin');
    }
  });
});

describe('the ring', () => {
  it('stays within its bound, and lets the oldest closed ones go first', () => {
    const recorder = make({ capacity: 200 * KIB, perConversation: 50 * KIB });
    const living = open(recorder);
    living.octets('in', 'both', Buffer.from('* OK'));
    const closed = Array.from({ length: 100 }, () => {
      const conversation = open(recorder);
      conversation.octets('in', 'both', Buffer.alloc(10 * KIB));
      conversation.closed('us', 'fin');
      expect(recorder.cost).toBeLessThanOrEqual(200 * KIB);
      return conversation;
    });
    expect(recorder.find(living.id)).toBe(living);
    expect(recorder.find(closed[0]!.id)).toBe('gone');
    expect(recorder.find(closed[99]!.id)).toBe(closed[99]);
    expect(recorder.find('zzzz')).toBeUndefined();
    expect(recorder.find('not an id')).toBeUndefined();
    expect(recorder.list()[0]).toBe(living);
    expect(recorder.list().map(({ number }) => number)).toEqual(
      recorder
        .list()
        .map(({ number }) => number)
        .toSorted((a, b) => a - b),
    );
  });

  it('lets open ones go when there are no others; they record nothing more', () => {
    const recorder = make({ capacity: 100 * KIB, perConversation: 60 * KIB });
    const all = Array.from({ length: 4 }, () => open(recorder));
    for (const conversation of all)
      for (let i = 0; i < 10; i++) conversation.octets('in', 'both', Buffer.alloc(5 * KIB));
    expect(recorder.cost).toBeLessThanOrEqual(100 * KIB);
    expect(recorder.find(all[0]!.id)).toBe('gone');
    const before = recorder.cost;
    all[0]!.octets('in', 'both', Buffer.alloc(KIB));
    all[0]!.closed('us', 'fin');
    expect(recorder.cost).toBe(before);
    expect(recorder.list()).not.toContain(all[0]);
  });

  it('counts right: what is let go is given back', () => {
    const recorder = make({ perConversation: 20 * KIB });
    const all = Array.from({ length: 50 }, () => open(recorder));
    for (const conversation of all) {
      for (let i = 0; i < 60; i++) conversation.octets('in', 'both', Buffer.alloc(KIB));
      conversation.annotate({ type: 'error', message: 'x'.repeat(100) });
      conversation.closed('us', 'fin');
    }
    expect(recorder.cost).toBe(all.reduce((sum, { cost }) => sum + cost, 0));
    recorder.clear();
    expect(recorder.cost).toBe(0);
    expect(recorder.list()).toEqual([]);
  });

  it('says what changed, in the order of opening, and what was let go on purpose', () => {
    const recorder = make();
    const [first, second, third] = [open(recorder), open(recorder), open(recorder)];
    const { revision } = recorder;
    expect(recorder.since(revision)).toMatchObject({ changed: [], missed: 0, cleared: false });
    second.octets('in', 'both', Buffer.from('x'));
    first.octets('in', 'both', Buffer.from('x'));
    second.annotate({ type: 'error', message: 'x' });
    expect(recorder.since(revision).changed).toEqual([first, second]);
    expect(recorder.since(0).changed).toEqual([first, second, third]);
    expect(second.noteSeq).toBe(2);
    first.closed('peer', 'fin');
    third.closed('peer', 'fin');
    expect(recorder.clear((conversation) => conversation === third)).toBe(1);
    expect(recorder.since(revision)).toMatchObject({ changed: [first, second], cleared: true });
    second.discard();
    expect(recorder.since(revision).changed).toEqual([first]);
    expect(recorder.since(recorder.revision)).toMatchObject({ changed: [], cleared: false });
  });

  it('forgets what is discarded', () => {
    const recorder = make();
    const conversation = open(recorder);
    conversation.octets('in', 'both', Buffer.alloc(KIB));
    conversation.discard();
    conversation.octets('in', 'both', Buffer.alloc(KIB));
    conversation.discard();
    expect(recorder.cost).toBe(0);
    expect(recorder.find(conversation.id)).toBe('gone');
  });

  it('records nothing when it is off, and still gives ids', () => {
    const recorder = make({ capacity: 0 });
    const first = open(recorder);
    const second = open(recorder);
    first.octets('in', 'both', Buffer.alloc(KIB));
    expect(first.id).not.toBe(second.id);
    expect(recorder.list()).toEqual([]);
    expect(recorder.cost).toBe(0);
  });

  it('gives ids that a later start does not give again', () => {
    const first = open(new Recorder());
    const second = open(new Recorder({ firstNumber: (Date.now() + 1) * 1000 }));
    expect(second.number).toBeGreaterThan(first.number + 900);
  });
});

describe('the feed', () => {
  it('tells once per turn, and answers what has changed since', async () => {
    const recorder = make();
    let looks = 0;
    const looked = Promise.withResolvers<undefined>();
    const stop = recorder.watch(() => {
      looks++;
      looked.resolve(undefined);
    });
    const first = open(recorder);
    const second = open(recorder);
    const { revision } = recorder.since(0);
    for (let i = 0; i < 10; i++) second.octets('in', 'both', Buffer.from('x'));
    await looked.promise;
    expect(looks).toBe(1);
    expect(recorder.since(0).changed).toEqual([first, second]);
    expect(recorder.since(revision)).toMatchObject({ changed: [second], missed: 0 });
    stop();
    first.octets('in', 'both', Buffer.from('x'));
    await new Promise(setImmediate);
    expect(looks).toBe(1);
  });

  it('counts conversations that came and went unseen', () => {
    const recorder = make({ capacity: 50 * KIB });
    const seen = open(recorder);
    seen.closed('us', 'fin');
    const { revision } = recorder.since(0);
    for (let i = 0; i < 20; i++) {
      const conversation = open(recorder);
      conversation.octets('in', 'both', Buffer.alloc(10 * KIB));
      conversation.closed('us', 'fin');
    }
    const { changed, missed } = recorder.since(revision);
    expect(missed).toBe(20 - changed.length);
    expect(missed).toBeGreaterThan(10);
  });
});
