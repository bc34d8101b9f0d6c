/** A conversation as what happened in it, one after the other: what checks are held against. */
import type { Annotation } from '../../wire/connection.ts';
import type { Conversation } from '../../wire/recorder.ts';
import { readingOf } from '../reading.ts';
import { NOTES, type Note } from './check.ts';

export interface Happened {
  /** Of the event in its conversation. */
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly what:
    | {
        readonly type: 'said';
        readonly side: 'client' | 'server';
        readonly name: string;
        readonly text: string;
        readonly isSecure: boolean;
      }
    | { readonly type: 'note'; readonly note: Note; readonly text: string }
    | { readonly type: 'tls'; readonly step: 'end' | 'failed' }
    | { readonly type: 'closed' };
}

const known = new WeakMap<Conversation, { readonly seq: number; readonly all: readonly Happened[] }>();

/** In order. */
export function happenedIn(conversation: Conversation): readonly Happened[] {
  const before = known.get(conversation);
  if (before?.seq === conversation.lastSeq) return before.all;
  const all = collect(conversation);
  known.set(conversation, { seq: conversation.lastSeq, all });
  return all;
}

function collect(conversation: Conversation): Happened[] {
  const { openedAt } = conversation;
  const all: Happened[] = [];
  let secureFrom = Infinity;
  for (const event of conversation.since(0).events) {
    const common = { seq: event.seq, time: openedAt + event.at };
    if (event.type === 'annotation') {
      const note = NOTES.find((each) => each === event.annotation.type);
      if (note !== undefined) all.push({ ...common, what: { type: 'note', note, text: remark(event.annotation) } });
    } else if (event.type === 'closed') all.push({ ...common, what: { type: 'closed' } });
    else if (event.type === 'tls' && event.tls.step !== 'start') {
      if (event.tls.step === 'end') secureFrom = Math.min(secureFrom, event.seq);
      all.push({ ...common, what: { type: 'tls', step: event.tls.step } });
    }
  }
  for (const unit of readingOf(conversation)) {
    if (unit.end === 'none' && unit.role !== 'data') continue; // It is still coming.
    const { seq, lastSeq, at, side, text } = unit;
    const what = {
      type: 'said',
      side,
      name: unit.name,
      text,
      isSecure: seq > secureFrom,
    } as const;
    all.push({ seq: lastSeq, time: openedAt + at, what });
  }
  return all.sort((a, b) => a.seq - b.seq);
}

function remark(annotation: Annotation): string {
  switch (annotation.type) {
    case 'login':
      return `${annotation.login} ${annotation.mechanism}`;
    case 'login-failed':
      return `${annotation.login} ${annotation.mechanism} ${annotation.reason}`;
    case 'client':
      return `${annotation.name} ${annotation.version}`;
    case 'refused':
      return `${annotation.recipient} ${annotation.reply}`;
    case 'selected':
      return annotation.mailbox;
    case 'looked':
    case 'read':
      return `${annotation.mailbox} ${annotation.uids} ${annotation.items}`;
    case 'flags':
      return `${annotation.mailbox} ${annotation.uids} ${annotation.mode} ${annotation.flags}`;
    case 'copied':
    case 'moved':
      return `${annotation.mailbox} ${annotation.uids} ${annotation.to}`;
    case 'marked':
    case 'expunged':
    case 'appended':
      return `${annotation.mailbox} ${annotation.uids}`;
    case 'api-read':
    case 'api-marked':
    case 'api-deleted':
      return annotation.request;
    case 'settings':
      return `${annotation.by} ${annotation.login}`;
    case 'revealed':
      return annotation.what;
    case 'limit':
      return annotation.limit;
    case 'wrong-port':
      return annotation.found;
    case 'dropped':
      return String(annotation.octets);
    case 'fault':
      return `${annotation.effect} ${annotation.at}`;
    case 'stored':
    case 'secret':
    case 'error':
      return '';
  }
}
