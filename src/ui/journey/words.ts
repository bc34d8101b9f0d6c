/** Participants and steps in words. */
import type { JourneyParticipant, JourneyPlace, JourneyStep } from '../../http/schemas/journey.ts';
import { serviceName } from '../texts.ts';
import { visibleName } from '../visible-text.ts';
import { texts } from './texts.ts';
import type { Column } from './layout.ts';

export interface Words {
  readonly text: string;
  /** Beside it, smaller; may be empty. */
  readonly detail: string;
}

export function columnWords({ participants }: Column): Words {
  if (participants.length > 1) return { text: texts.participants.otherReaders(participants.length), detail: '' };
  return participantWords(participants[0]!);
}

function participantWords(participant: JourneyParticipant): Words {
  const { kind, service, port, program, account, mailbox, address, count } = participant;
  switch (kind) {
    case 'sender':
      return {
        text: visibleName(shortProgram(program) ?? texts.participants.someSender),
        detail: visibleName(account ?? address ?? ''),
      };
    case 'service':
      return { text: [serviceName(service ?? ''), port].filter((word) => word !== null).join(' '), detail: '' };
    case 'mailbox':
      return {
        text: visibleName(mailbox ?? texts.participants.unknownMailbox),
        detail: visibleName(account ?? ''),
      };
    case 'mailboxes':
      return { text: texts.participants.mailboxes(count), detail: '' };
    case 'reader': {
      const way = serviceName(service ?? '');
      const name = shortProgram(program);
      return {
        text: visibleName(name ?? texts.participants.someReader(way)),
        detail: visibleName(
          [name === undefined ? '' : way, account ?? address ?? ''].filter((word) => word !== '').join(' · '),
        ),
      };
    }
  }
}

/** With whose it is: for where no column says it. */
export function fullName(participant: JourneyParticipant): string {
  const { text, detail } = participantWords(participant);
  return detail === '' ? text : texts.whose(text, detail);
}

/** What people call a browser, and of a long User-Agent the first product (RFC 9110 §10.1.5). */
export function shortProgram(program: string | null): string | undefined {
  if (program === null || program === '') return undefined;
  for (const [name, pattern] of BROWSERS) {
    const version = pattern.exec(program)?.[1];
    if (version !== undefined) return `${name} ${version}`;
  }
  const [product] = program.startsWith('Mozilla/') ? program.split(' ', 1) : [program];
  return product!.length <= 40 ? product : `${product!.slice(0, 39)}…`;
}

const BROWSERS = [
  ['Thunderbird', /Thunderbird\/(\d+)/],
  ['Firefox', /Firefox\/(\d+)/],
  ['Edge', /Edg\/(\d+)/],
  ['Chrome', /Chrome\/(\d+)/],
  ['Safari', /Version\/(\d+).*Safari\//],
] as const;

export function stepWords({ deed, place }: JourneyStep): Words {
  const { deeds } = texts;
  const uid = place ? deeds.uid(place.uid) : '';
  switch (deed.type) {
    case 'connected':
      return { text: deeds.connected, detail: '' };
    case 'tls':
      return { text: deeds.tls(deed.version.replace(/^TLSv/, 'TLS ')), detail: deed.cipher };
    case 'login':
      return { text: deeds.login(visibleName(deed.login)), detail: deed.mechanism };
    case 'login-failed':
      return { text: deeds.loginFailed(visibleName(deed.login)), detail: visibleName(deed.reason) };
    case 'envelope':
      return {
        text: deeds.envelope,
        detail: joined(
          deed.reversePath === null ? '' : deeds.from(visibleName(deed.reversePath)),
          deed.recipients === null ? '' : deeds.recipients(deed.recipients),
        ),
      };
    case 'refused':
      return { text: deeds.refused(visibleName(deed.recipient)), detail: visibleName(deed.reply) };
    case 'fault':
      return { text: deeds.fault(deed.effect), detail: deeds.rule(visibleName(deed.rule)) };
    case 'data':
      return { text: deeds.data(deed.octets), detail: '' };
    case 'stored':
      return { text: place ? deeds.stored : deeds.storedCopies(deed.copies), detail: uid };
    case 'accepted':
      return { text: deeds.accepted, detail: '' };
    case 'appended':
      return { text: deeds.appended, detail: uid };
    case 'looked':
      return { text: deeds.looked, detail: visibleName(deed.items ?? deed.request ?? '') };
    case 'read':
      return {
        text: deed.items === 'RETR' ? deeds.retrieved : deeds.read,
        detail: visibleName(deed.items ?? deed.request ?? ''),
      };
    case 'flags':
      return {
        text: deeds[deed.mode](visibleName(deed.flags.join(' '))),
        detail: joined(deed.modSeq === null ? '' : deeds.modSeq(deed.modSeq), visibleName(deed.request ?? '')),
      };
    case 'marked':
      return { text: deeds.marked, detail: deeds.markedText };
    case 'copied':
    case 'moved':
      return { text: deeds[deed.type], detail: targetWords(deed.target) };
    case 'expunged':
      return { text: deeds.expunged, detail: deed.request === null ? uid : visibleName(deed.request) };
  }
}

function targetWords({ mailbox, uid }: JourneyPlace): string {
  return texts.deeds.target(visibleName(mailbox ?? texts.participants.unknownMailbox), uid);
}

const joined = (...words: readonly string[]): string => words.filter((word) => word !== '').join(' · ');
