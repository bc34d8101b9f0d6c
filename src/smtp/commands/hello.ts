/**
 * EHLO and HELO: RFC 5321 §4.1.1.1; LHLO: RFC 2033 §4.1. They carry no enhanced status codes (RFC 2034 §4).
 * What is announced, with its RFC and the file that keeps the promise, stands below.
 */
import { withoutHidden } from '../faults.ts';
import type { Reply } from '../replies.ts';
import type { Greeted, SmtpSession } from '../session.ts';
import { endTransaction } from '../session.ts';
import { offeredMechanisms } from './auth.ts';

/** RFC 5321 §4.5.3.1.2 has 255; a host that says more of itself is heard up to this. */
const LONGEST_NAME = 300;

export function hello(command: Greeted['command'], argument: string, session: SmtpSession): Reply {
  // Real clients give bare addresses, names with underscores and worse: the syntax is not judged.
  if (argument === '' || argument.includes(' ') || argument.length > LONGEST_NAME) {
    return { code: 501, text: `${command} wants the name of the client, one word` };
  }
  session.greeted = { name: argument, command };
  endTransaction(session); // RFC 5321 §4.1.4: as if after RSET
  const greeting = `${session.options.serverName} greets ${argument}`;
  return { code: 250, text: command === 'HELO' ? greeting : [greeting, ...announced(session)] };
}

function announced(session: SmtpSession): readonly string[] {
  session.hidden = session.faults?.ask({ at: 'capabilities' })?.hidden ?? [];
  return withoutHidden(extensions(session), session.hidden);
}

function extensions(session: SmtpSession): string[] {
  const { options, connection } = session;
  const names = [
    'PIPELINING', // RFC 2920: input.ts
    `SIZE ${options.maximumMessageOctets}`, // RFC 1870: mail.ts, incoming-message.ts
    '8BITMIME', // RFC 6152: incoming-message.ts
    'SMTPUTF8', // RFC 6531: grammar/path.ts, mail.ts, rcpt.ts
    'ENHANCEDSTATUSCODES', // RFC 2034: replies.ts
    'CHUNKING', // RFC 3030: bdat.ts, which says why there is no BINARYMIME
    'DSN', // RFC 3461: grammar/parameters.ts
    `LIMITS RCPTMAX=${options.maximumRecipients}`, // RFC 9422: rcpt.ts; there is no limit of messages or domains
  ];
  if (connection.secure)
    names.push('REQUIRETLS'); // RFC 8689: mail.ts
  else if (options.starttls) names.push('STARTTLS'); // RFC 3207: dialogue.ts
  const mechanisms = offeredMechanisms(session);
  if (mechanisms.length > 0) names.push(`AUTH ${mechanisms.join(' ')}`); // RFC 4954: auth.ts
  return names;
}
