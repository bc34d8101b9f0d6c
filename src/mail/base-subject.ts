/**
 * The base subject of a message: RFC 5256 §2.1, by which subjects are sorted and threads are gathered. One pass over the
 * text, whatever somebody may have piled up before a subject.
 */

export interface BaseSubject {
  readonly text: string;
  /** RFC 5256 §3 REFERENCES: what was removed says that the message is a reply or was forwarded. */
  readonly isReply: boolean;
}

// The ABNF of RFC 5256 §5, each tried at a position only (`y`).
const BLOB = /\[[^[\]]*\] */y;
const REFWD = /(?:re|fwd?) *(?:\[[^[\]]*\] *)?:/iy;
const FWD_HEADER = /\[fwd:/iy;
const TRAILER = '(fwd)';

/** @param subject unfolded, its encoded words decoded */
export function baseSubject(subject: string): BaseSubject {
  // Step 1.
  const text = subject.replace(/[\t\r\n ]+/g, ' ');
  let start = 0;
  let end = text.length;
  let isReply = false;
  for (;;) {
    // Step 2.
    for (;;) {
      if (end > start && text[end - 1] === ' ') end--;
      else if (end - TRAILER.length >= start && isTrailer(text, end)) {
        end -= TRAILER.length;
        isReply = true;
      } else break;
    }
    // Steps 3 to 5.
    const leader = afterLeaders(text, start, end);
    start = leader.at;
    isReply ||= leader.isReply;
    // Step 6.
    const header = matchEnd(FWD_HEADER, text, start);
    if (header === -1 || header >= end || text[end - 1] !== ']') return { text: text.slice(start, end), isReply };
    start = header;
    end--;
    isReply = true;
  }
}

function isTrailer(text: string, end: number): boolean {
  return text[end - 1] === ')' && text.slice(end - TRAILER.length, end).toLowerCase() === TRAILER;
}

/** Steps 3 to 5: without everything that subj-leader matches, and without blobs as long as something is left. */
function afterLeaders(text: string, from: number, end: number): { readonly at: number; readonly isReply: boolean } {
  let at = from;
  let isReply = false;
  for (;;) {
    while (at < end && text[at] === ' ') at++;
    let lastBlob = at;
    let afterBlobs = at;
    for (;;) {
      const next = matchEnd(BLOB, text, afterBlobs);
      if (next === -1 || next > end) break;
      lastBlob = afterBlobs;
      afterBlobs = next;
    }
    const refwd = matchEnd(REFWD, text, afterBlobs);
    // Blobs before `re:` go with it; blobs that are not followed by one go by themselves, but the last does not if it is
    // all that there is.
    if (refwd === -1 || refwd > end) return { at: afterBlobs < end ? afterBlobs : lastBlob, isReply };
    at = refwd;
    isReply = true;
  }
}

function matchEnd(rule: RegExp, text: string, at: number): number {
  rule.lastIndex = at;
  return rule.test(text) ? rule.lastIndex : -1;
}
