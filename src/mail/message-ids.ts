/**
 * The message ids in Message-ID, References and In-Reply-To: RFC 5322 §3.6.4, normalised as RFC 5256 §3 REFERENCES wants
 * it, so that `<"abc"@x>` and `<abc@x>` are the same.
 */

/** What one message can name: the first, which began the thread, and the nearest. */
const MOST_REFERENCES = 100;

/** In the order of the text, without angle brackets. What has no left or no right side is no message id. */
export function messageIds(text: string): string[] {
  const ids: string[] = [];
  for (let at = text.indexOf('<'); at !== -1;) {
    const { id, next } = readId(text, at + 1);
    if (id !== undefined) ids.push(id);
    at = text.indexOf('<', next);
  }
  return ids.length <= MOST_REFERENCES ? ids : [ids[0]!, ...ids.slice(1 - MOST_REFERENCES)];
}

/** RFC 5256 §3 REFERENCES: those of References, or else the first of In-Reply-To. */
export function referencesOf(references: string | undefined, inReplyTo: string | undefined): string[] {
  const named = messageIds(references ?? '');
  return named.length > 0 ? named : messageIds(inReplyTo ?? '').slice(0, 1);
}

/** @param at after the bracket  @returns where to look on */
function readId(text: string, at: number): { id: string | undefined; next: number } {
  let left = '';
  let side = '';
  let sides = 0;
  for (; at < text.length; at++) {
    const char = text[at]!;
    switch (char) {
      case '>': {
        const isWhole = sides === 1 && left !== '' && side !== '';
        return { id: isWhole ? `${left}@${side}` : undefined, next: at + 1 };
      }
      case '<': // The one before never closed.
        return { id: undefined, next: at };
      case '@':
        if (sides++ === 0) left = side;
        side = '';
        break;
      case '"': // How the left side is written is none of the id.
        break;
      case '\\':
        at++;
        side += text[at] ?? '';
        break;
      case ' ': // Some programs fold in the middle of an id; blanks in quotes are as rare as they are obsolete.
      case '\t':
      case '\r':
      case '\n':
        break;
      default:
        side += char;
    }
  }
  return { id: undefined, next: at };
}
