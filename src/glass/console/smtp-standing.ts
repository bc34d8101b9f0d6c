/** Where an SMTP session stands: RFC 5321 §4.1.4. */
import type { Spoken } from '../reading.ts';
import { Owed, challengeText, said } from './said.ts';
import type { Expected, Handshake, Standing, StateName } from './standing.ts';

interface Pending {
  readonly verb: string;
  readonly argument: string;
}

export function smtpStanding(spoken: readonly Spoken[], handshakes: readonly Handshake[]): Standing {
  let state: StateName = 'connected';
  let secure = false;
  let isGreeted = false;
  let announced: string[] | undefined;
  let heard: string[] = [];
  let prompt: Expected | undefined;
  let sent = 0;
  /** Commands without their reply, the oldest first (RFC 2920). */
  let pending: Pending[] = [];
  const message = { isOpen: false };
  const chunk = new Owed();

  const reply = (code: number): void => {
    if (!isGreeted) {
      isGreeted = true;
      if (code >= 400) state = 'over';
      return;
    }
    const { verb, argument } = pending.shift() ?? { verb: '', argument: '' };
    if (code === 421 || (verb === 'QUIT' && code < 400)) state = 'over';
    if (code >= 400) return;
    switch (verb) {
      case 'EHLO':
      case 'HELO':
      case 'LHLO':
        state = 'greeted';
        announced = heard.slice(1);
        return;
      case 'MAIL':
        state = 'mail';
        return;
      case 'RCPT':
        state = 'rcpt';
        return;
      case 'DATA':
        message.isOpen = code === 354;
        return;
      case 'STARTTLS':
        prompt = { type: 'handshake' };
        return;
      case '.':
      case 'RSET':
        state = 'greeted';
        return;
      case 'BDAT':
        if (/\blast\b/i.test(argument)) state = 'greeted';
        return;
    }
  };

  for (const unit of said(spoken, handshakes)) {
    if (unit.type === 'handshake') {
      secure = true;
      // RFC 3207 §4.2: everything before is forgotten; on a port that begins with TLS there was nothing.
      state = 'connected';
      announced = prompt = undefined;
      pending = [];
    } else if (unit.type === 'client') {
      sent = unit.position + unit.octets;
      const text = chunk.take(unit);
      if (text === undefined) continue;
      if (message.isOpen) {
        if (text !== '.') continue;
        message.isOpen = false;
        pending.push({ verb: '.', argument: '' });
      } else if (prompt?.type === 'sasl') {
        prompt = undefined;
        pending.unshift({ verb: 'AUTH', argument: '' });
      } else {
        const [, verb = '', argument = ''] = /^(\S*) ?(.*)$/.exec(text)!;
        pending.push({ verb: verb.toUpperCase(), argument });
        const octets = /^BDAT +(\d{1,9})\b/i.exec(text)?.[1];
        if (octets !== undefined) chunk.begin(sent, Number(octets));
      }
    } else {
      const [, digits, mark, rest = ''] = /^(\d{3})([ -]?)(.*)$/.exec(unit.text) ?? [];
      if (digits === undefined) continue;
      heard.push(rest.toUpperCase());
      if (mark === '-') continue;
      const code = Number(digits);
      if (code === 334) {
        const { argument = '' } = pending.shift() ?? {};
        prompt = { type: 'sasl', mechanism: argument.split(' ')[0]!.toUpperCase(), prompt: challengeText(rest) };
      } else reply(code);
      heard = [];
    }
  }

  const octets = chunk.left(sent);
  const expects = (): Expected => {
    if (state === 'over') return { type: 'nothing' };
    if (!isGreeted) return { type: 'greeting' };
    if (octets > 0) return { type: 'octets', octets };
    if (prompt) return prompt;
    if (message.isOpen) return { type: 'message' };
    return pending.length > 0 ? { type: 'reply' } : { type: 'command' };
  };
  return { protocol: 'smtp', state, expects: expects(), secure, announced, tags: [], mailbox: undefined };
}
