/**
 * The responses that commands give (RFC 9051 §7): completions, which they return, and untagged responses, which they yield.
 * Those that need no more than their fields are written as plain objects of the type `Response`.
 */
import type { ModSeq, SeqNum, Uid } from '../../store/change.ts';
import type { Completion, FetchItem, Response } from './syntax.ts';

/** The tagged OK. `code` is the inside of the square brackets: `COPYUID 5 1:3 7:9`. */
export function ok(text: string, code?: string): Completion {
  return code === undefined ? { status: 'OK', text } : { status: 'OK', text, code };
}

/** The tagged NO: understood, and refused (RFC 9051 §7.1.2). */
export function no(text: string, code?: string): Completion {
  return code === undefined ? { status: 'NO', text } : { status: 'NO', text, code };
}

/** The tagged BAD: not understood, or not valid in this state (RFC 9051 §7.1.3). */
export function bad(text: string, code?: string): Completion {
  return code === undefined ? { status: 'BAD', text } : { status: 'BAD', text, code };
}

/** `* OK [code] text`: information, and the codes of SELECT. */
export function untaggedOk(text: string, code?: string): Response {
  return { type: 'status', ...ok(text, code) };
}

/** `* NO`: a warning; what was asked for still goes on. */
export function untaggedNo(text: string, code?: string): Response {
  return { type: 'status', ...no(text, code) };
}

/** `* BYE`: the connection is about to be closed (RFC 9051 §7.1.5). */
export function bye(text: string, code?: string): Response {
  return code === undefined ? { type: 'status', status: 'BYE', text } : { type: 'status', status: 'BYE', text, code };
}

export function exists(count: number): Response {
  return { type: 'exists', count };
}

/**
 * The flags of one message have changed: unsolicited, so with its UID (RFC 9051 §6.3.13, RFC 7162 §3.2.4).
 * @param namesUid false: UIDFETCH names it anyway (RFC 9586 §3.3)
 */
export function flagsChanged(
  seqNum: SeqNum,
  uid: Uid,
  flags: readonly string[],
  modSeq?: ModSeq,
  namesUid = true,
): Response {
  const items: FetchItem[] = namesUid ? [{ type: 'number', name: 'UID', value: uid }] : [];
  items.push({ type: 'flags', flags });
  if (modSeq !== undefined) items.push({ type: 'mod-seq', modSeq });
  return { type: 'fetch', seqNum, uid, items };
}
