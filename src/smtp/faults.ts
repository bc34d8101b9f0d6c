/** Where an SMTP session asks what is to go wrong on purpose, and how a refusal by a rule reads here. */
import type { EffectOf } from '../faults/rule.ts';
import type { Plan } from '../faults/session-faults.ts';
import { WORDS } from '../store/refusal.ts';
import { reply, type Reply } from './replies.ts';
import type { SmtpSession } from './session.ts';

/** RFC 3463 status codes for what a rule refuses with a code alone. */
const STATUS: Readonly<Record<number, string>> = {
  421: '4.3.2',
  450: '4.2.1',
  451: '4.3.0',
  452: '4.2.2',
  454: '4.7.0',
  500: '5.5.2',
  501: '5.5.4',
  502: '5.5.1',
  503: '5.5.1',
  530: '5.7.0',
  535: '5.7.8',
  550: '5.1.1',
  552: '5.2.2',
  553: '5.1.3',
  554: '5.7.1',
};

export function atCommand(line: Buffer, session: SmtpSession): Plan | undefined {
  const { faults } = session;
  if (faults?.any !== true) return undefined;
  tell(session);
  const text = line.toString();
  const command = /^[^ ]*/.exec(text)![0].toUpperCase();
  const path = /^[^<]*<([^>]*)>/.exec(text)?.[1] ?? '';
  if (command === 'MAIL') faults.sender = path;
  return faults.ask({ at: 'command', command, ...(command === 'RCPT' && { recipients: [path] }) });
}

/** A recipient that is right. Undefined: nothing is to be waited for. */
export function atRecipient(address: string, session: SmtpSession): Promise<Reply | undefined> | undefined {
  const { faults } = session;
  if (!faults) return undefined;
  tell(session);
  const about = { login: address, recipients: [address] };
  const fault = faults.ask({ at: 'recipient', recipients: [address] }, { at: 'mailbox', ...about, ...INBOX });
  return fault && faultyRecipient(fault, address, session);
}

/** @returns what is said instead of 250 */
async function faultyRecipient(fault: Plan, address: string, session: SmtpSession): Promise<Reply | undefined> {
  await session.faults?.before(fault);
  session.due = fault;
  if (fault.refusal) return refusedByRule(fault.refusal);
  if (!fault.full) return undefined;
  const [code, status] = fault.full.permanent ? ([552, '5.2.2'] as const) : WORDS.OVERQUOTA.smtp;
  return reply(code, status, `The mailbox of ${address} is full`);
}

const INBOX = { mailbox: 'INBOX', doing: 'write' } as const;

/** The message has come whole. */
export function atDelivery(session: SmtpSession): Plan | undefined {
  const { faults } = session;
  if (!faults) return undefined;
  tell(session);
  // RFC 2033 §4.2: there each recipient has a reply of its own.
  const apart = session.options.service === 'lmtp';
  return faults.ask({ at: 'delivery', recipients: recipientsOf(session), apart });
}

function tell(session: SmtpSession): void {
  const { faults, login, greeted, transaction } = session;
  if (!faults) return;
  faults.login = login;
  faults.client = greeted?.name;
  faults.sender = transaction?.reversePath;
  if (faults.any) faults.recipients = recipientsOf(session);
}

function recipientsOf({ transaction }: SmtpSession): readonly string[] {
  return transaction ? Array.from(transaction.recipients.values(), ({ address }) => address) : [];
}

/** A response code is not SMTP's. */
export function refusedByRule({ code = '', status, text = 'Refused by a rule' }: EffectOf<'refuse'>): Reply {
  const number = /^\d/.test(code) ? Number(code) : 451;
  return reply(number, status ?? STATUS[number] ?? `${String(number)[0]!}.0.0`, text);
}

/** @param lines of EHLO @param hidden `AUTH=PLAIN` is one mechanism */
export function withoutHidden(lines: readonly string[], hidden: readonly string[]): readonly string[] {
  if (hidden.length === 0) return lines;
  return lines
    .filter((line) => !hidden.includes(line.split(' ', 1)[0]!))
    .map((line) => (line.startsWith('AUTH ') ? withoutMechanisms(line, hidden) : line))
    .filter((line) => line !== 'AUTH');
}

function withoutMechanisms(line: string, hidden: readonly string[]): string {
  return line
    .split(' ')
    .filter((word) => !hidden.includes(`AUTH=${word}`))
    .join(' ');
}

/** Whether a command belongs to an extension that is hidden. */
export function isHidden(line: Buffer, hidden: readonly string[]): boolean {
  const command = /^[^ ]*/.exec(line.toString('latin1', 0, 20))![0].toUpperCase();
  return hidden.includes(command === 'BDAT' ? 'CHUNKING' : command);
}
