/** Where a POP3 session stands: RFC 1939 §3. */
import type { Spoken } from '../reading.ts';
import { challengeText, said } from './said.ts';
import type { Expected, Handshake, Standing, StateName } from './standing.ts';

interface Pending {
  readonly keyword: string;
  readonly argument: string;
}

/** Whose positive response goes on until a line with a full stop alone (RFC 1939 §3). */
function isLong({ keyword, argument }: Pending): boolean {
  if (keyword === 'RETR' || keyword === 'TOP' || keyword === 'CAPA') return true;
  return ['LIST', 'UIDL', 'AUTH', 'LANG'].includes(keyword) && argument === '';
}

export function pop3Standing(spoken: readonly Spoken[], handshakes: readonly Handshake[]): Standing {
  let state: StateName = 'authorization';
  let secure = false;
  let isGreeted = false;
  let announced: string[] | undefined;
  let prompt: Expected | undefined;
  /** Commands without their response, the oldest first (RFC 2449 §6.8). */
  let pending: Pending[] = [];
  /** What the lines belong to that come now. */
  let long: Pending | undefined;
  let lines: string[] = [];

  const response = (isPositive: boolean): void => {
    if (!isGreeted) {
      isGreeted = true;
      if (!isPositive) state = 'over';
      return;
    }
    const command = pending.shift() ?? { keyword: '', argument: '' };
    if (command.keyword === 'QUIT') state = 'over';
    if (!isPositive) return;
    if (isLong(command)) {
      long = command;
      lines = [];
    } else if (command.keyword === 'PASS' || command.keyword === 'AUTH' || command.keyword === 'APOP') {
      state = 'transaction';
      announced = undefined;
    } else if (command.keyword === 'STLS') prompt = { type: 'handshake' };
  };

  for (const unit of said(spoken, handshakes)) {
    if (unit.type === 'handshake') {
      secure = true;
      // RFC 2595 §4: what was learnt before is forgotten.
      announced = prompt = undefined;
      pending = [];
    } else if (unit.type === 'client') {
      if (prompt?.type === 'sasl') {
        prompt = undefined;
        pending.unshift({ keyword: 'AUTH', argument: 'answered' });
      } else {
        const [, keyword = '', argument = ''] = /^(\S*) *(.*)$/.exec(unit.text)!;
        pending.push({ keyword: keyword.toUpperCase(), argument });
      }
    } else if (long) {
      if (unit.text === '.') {
        if (long.keyword === 'CAPA') announced = lines;
        long = undefined;
      } else if (long.keyword === 'CAPA') lines.push(unit.text.toUpperCase());
    } else if (unit.text.startsWith('+ ') || unit.text === '+') {
      const { argument = '' } = pending.shift() ?? {};
      const mechanism = argument.split(' ')[0]!.toUpperCase();
      prompt = { type: 'sasl', mechanism, prompt: challengeText(unit.text.slice(2)) };
    } else response(unit.text.startsWith('+OK'));
  }

  const expects = (): Expected => {
    if (state === 'over') return { type: 'nothing' };
    if (!isGreeted) return { type: 'greeting' };
    if (prompt) return prompt;
    return pending.length > 0 || long ? { type: 'reply' } : { type: 'command' };
  };
  return { protocol: 'pop3', state, expects: expects(), secure, announced, tags: [], mailbox: undefined };
}
