/** Where an IMAP session stands: RFC 9051 §3. */
import type { Spoken } from '../reading.ts';
import { Owed, challengeText, said } from './said.ts';
import type { Expected, Handshake, Standing, StateName } from './standing.ts';

interface Pending {
  readonly name: string;
  readonly argument: string;
}

export function imapStanding(spoken: readonly Spoken[], handshakes: readonly Handshake[]): Standing {
  let state: StateName = 'not-authenticated';
  let secure = false;
  let isGreeted = false;
  let announced: string[] | undefined;
  let mailbox: string | undefined;
  let prompt: Expected | undefined;
  const tags: string[] = [];
  const pending = new Map<string, Pending>();
  /** The command whose line has not ended yet: it waits for a literal. */
  let unfinished = false;
  let newest = '';
  let sent = 0;
  const literal = new Owed();
  /** Octets of a literal of the server's that are still to come (§4.3): they are no responses. */
  let owedByServer = 0;

  const completed = (tag: string, result: string): void => {
    const command = pending.get(tag);
    if (!command) return;
    pending.delete(tag);
    if (tag === newest) {
      prompt = undefined;
      unfinished = false;
      literal.begin(0, 0);
    }
    const isOk = result === 'OK';
    switch (command.name) {
      case 'LOGIN':
      case 'AUTHENTICATE':
        if (!isOk) return;
        state = 'authenticated';
        announced = undefined;
        return;
      case 'SELECT':
      case 'EXAMINE':
        // §6.3.2: one that fails leaves nothing selected; BAD leaves all as it was.
        if (result === 'BAD') return;
        state = isOk ? 'selected' : 'authenticated';
        mailbox = isOk ? command.argument.split(/ \(/, 1)[0] : undefined;
        return;
      case 'CLOSE':
      case 'UNSELECT':
        if (!isOk) return;
        state = 'authenticated';
        mailbox = undefined;
        return;
      case 'UNAUTHENTICATE':
        if (!isOk) return;
        state = 'not-authenticated';
        mailbox = announced = undefined;
        return;
      case 'LOGOUT':
        if (isOk) state = 'over';
        return;
      case 'STARTTLS':
        if (isOk) prompt = { type: 'handshake' };
        return;
    }
  };

  for (const unit of said(spoken, handshakes)) {
    if (unit.type === 'handshake') {
      secure = true;
      // §6.2.1: capabilities that were announced in clear are forgotten.
      announced = prompt = undefined;
      pending.clear();
      continue;
    }
    if (unit.type === 'server') {
      const { text } = unit;
      const left = owedByServer - unit.octets;
      if (left >= 0) {
        owedByServer = left;
        continue;
      }
      const isInside = owedByServer > 0;
      // What follows a literal on its line may announce another one.
      owedByServer = Number(/\{(\d{1,15})\}$/.exec(text)?.[1] ?? 0);
      if (isInside) continue;
      const capabilities =
        /^\* CAPABILITY (.*)$/i.exec(text)?.[1] ?? /^\S+ (?:OK|PREAUTH) \[CAPABILITY ([^\]]*)\]/i.exec(text)?.[1];
      const [, tag = '', word = ''] = /^(\S+) ?(\S*)/.exec(text) ?? [];
      if (tag === '+') {
        const command = pending.get(newest);
        if (unfinished) prompt = { type: 'octets', octets: literal.left(sent) };
        else if (command?.name === 'IDLE') prompt = { type: 'idle' };
        else if (command?.name === 'AUTHENTICATE') {
          const mechanism = command.argument.split(' ')[0]!.toUpperCase();
          prompt = { type: 'sasl', mechanism, prompt: challengeText(text.slice(2)) };
        }
      } else if (tag === '*') {
        if (!isGreeted) {
          isGreeted = true;
          if (word.toUpperCase() === 'PREAUTH') state = 'authenticated';
        }
        if (word.toUpperCase() === 'BYE') state = 'over';
      } else completed(tag, word.toUpperCase());
      if (capabilities !== undefined) announced = capabilities.toUpperCase().split(' ');
      continue;
    }
    sent = unit.position + unit.octets;
    const rest = literal.take(unit);
    if (rest === undefined) continue;
    if (prompt?.type === 'sasl' || prompt?.type === 'idle') {
      prompt = undefined;
      continue;
    }
    if (!unfinished) {
      const [, tag = '', first = '', more = ''] = /^(\S*) ?(\S*) ?(.*)$/.exec(rest)!;
      const isUid = first.toUpperCase() === 'UID';
      const [, second = '', argument = ''] = isUid ? /^(\S*) ?(.*)$/.exec(more)! : ['', '', more];
      newest = tag;
      tags.push(tag);
      pending.set(tag, { name: isUid ? `UID ${second.toUpperCase()}` : first.toUpperCase(), argument });
    }
    const [, octets, isAtOnce] = /\{(\d{1,15})(\+?)\}$/.exec(rest) ?? [];
    unfinished = octets !== undefined;
    prompt = undefined;
    if (octets !== undefined) {
      literal.begin(sent, Number(octets));
      // RFC 7888 §3: nobody is asked.
      if (isAtOnce === '+') prompt = { type: 'octets', octets: Number(octets) };
    }
  }

  const expects = (): Expected => {
    if (state === 'over') return { type: 'nothing' };
    if (!isGreeted) return { type: 'greeting' };
    // Once its octets have come, the command's line goes on.
    if (prompt?.type === 'octets') return { type: 'octets', octets: literal.left(sent) };
    if (prompt) return prompt;
    return pending.size > 0 ? { type: 'reply' } : { type: 'command' };
  };
  return { protocol: 'imap', state, expects: expects(), secure, announced, tags, mailbox };
}
