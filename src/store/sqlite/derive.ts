/** What IMAP and the lists need from an email, computed from its octets (trace and octets together, as clients count). */
import { bodyStructureText } from '../../mail/body-structure.ts';
import { envelopeText, parseSentDay } from '../../mail/envelope.ts';
import { firstField, parseHeader } from '../../mail/headers.ts';
import { decodeMimeTree, encodeMimeTree, parseMimeTree, partsOf, type MimePart } from '../../mail/mime-tree.ts';
import { INLINE_TEXT, summary } from '../../mail/preview.ts';
import type { DerivedRow } from './requests.ts';
import { sortKeyRow } from './sort-key-rows.ts';

export const PART = { attachment: 1, inline: 2 } as const;

/** As the lists of transactions show it; JSON in `derived.summary`. */
export interface KeptSummary {
  readonly messageId: string;
  readonly subject: string;
  readonly from: { readonly name: string; readonly address: string } | null;
  readonly to: readonly { readonly name: string; readonly address: string }[];
  readonly cc: KeptSummary['to'];
  readonly bcc: KeptSummary['to'];
  readonly replyTo: KeptSummary['to'];
  readonly attachments: number;
  readonly snippet: string;
}

/** How much of each text is looked at, in octets. */
export const DERIVED_TEXTS = INLINE_TEXT;

export function derive(emailId: number, octets: Uint8Array, tree: MimePart): DerivedRow {
  return {
    emailId,
    sentDay: sentDay(octets) ?? null,
    parts: partBits(tree),
    summary: JSON.stringify(summaryOf(octets, tree)),
    envelope: envelopeOf(octets),
    body: bodyStructureText(octets, tree, false),
    bodyStructure: bodyStructureText(octets, tree, true),
    tree: encodeMimeTree(tree),
    sortKeys: sortKeyRow(octets),
  };
}

export function envelopeOf(octets: Uint8Array): Uint8Array {
  return envelopeText(octets, parseHeader(octets));
}

export function structureOf(octets: Uint8Array, extensible: boolean): Uint8Array {
  return bodyStructureText(octets, parseMimeTree(octets), extensible);
}

export const treeOf = parseMimeTree;

/** The tree as it was kept; undefined when this program reads another form. */
export function keptTree(encoded: Uint8Array): MimePart | undefined {
  try {
    return decodeMimeTree(encoded);
  } catch {
    return undefined;
  }
}

/** Days since 1970 of the Date field, disregarding time and zone. */
export function sentDay(octets: Uint8Array): number | undefined {
  const date = firstField(octets, parseHeader(octets), 'Date');
  const day = date === undefined ? undefined : parseSentDay(date);
  if (!day) return undefined;
  const midnight = new Date(0);
  midnight.setUTCFullYear(day.year, day.month - 1, day.day); // Date.UTC reads years below 100 as 19xx
  return midnight.getTime() / 86_400_000;
}

export function partBits(tree: MimePart): number {
  let bits = 0;
  for (const { part } of partsOf(tree)) {
    const disposition = part.disposition?.type.toLowerCase();
    if (disposition === 'attachment') bits |= PART.attachment;
    else if (disposition === 'inline' && part.type.toLowerCase() !== 'text') bits |= PART.inline;
  }
  return bits;
}

export function summaryOf(octets: Uint8Array, tree: MimePart): KeptSummary {
  const { messageId, subject, from, to, cc, bcc, replyTo, attachments, snippet } = summary(octets, tree);
  return { messageId, subject, from: from[0] ?? null, to, cc, bcc, replyTo, attachments, snippet };
}
