/** A Received field taken apart: RFC 5321 §4.4; what else stands in it is passed over. */
import { parseDate } from './date.ts';
import { withoutComments } from './parameters.ts';

export interface ReceivedField {
  readonly from: string | undefined;
  /** What the server found out about the client itself: the comment behind `from`. */
  readonly seen: string | undefined;
  readonly by: string | undefined;
  /** `ESMTPSA`: RFC 3848. */
  readonly with: string | undefined;
  readonly id: string | undefined;
  readonly for: string | undefined;
  /** Such as RFC 8314 §4.3 wants it: a cipher suite. */
  readonly tls: string | undefined;
  readonly date: Date | undefined;
}

/** Clauses of a longer field are not looked for. */
const LONGEST = 4_000;

/** @param text the field's body, unfolded */
export function parseReceived(text: string): ReceivedField {
  const whole = text.slice(0, LONGEST);
  const semicolon = whole.lastIndexOf(';');
  const clauses = semicolon === -1 ? whole : whole.slice(0, semicolon);
  const words = withoutComments(clauses);
  const clause = (name: string): string | undefined =>
    new RegExp(`(?:^|\\s)${name}\\s+([^\\s;]+)`, 'i').exec(words)?.[1]?.replace(/^<(.*)>$/, '$1');
  const from = clause('from');
  const comment = from === undefined ? undefined : /^\s*from\s+[^\s(]+\s*\(([^()]*)\)/i.exec(clauses)?.[1];
  return {
    from,
    seen: comment === undefined || comment.trim() === '' ? undefined : comment.trim(),
    by: clause('by'),
    with: clause('with'),
    id: clause('id'),
    for: clause('for'),
    tls: clause('tls'),
    date: semicolon === -1 ? undefined : parseDate(whole.slice(semicolon + 1).trim()),
  };
}
