/** What a search asks of the octets of one email: the same texts and the same answer with the index and without it. */
import { addrSpec, mailboxesOf, parseAddressList } from '../../mail/address.ts';
import { casemapKey } from '../../mail/collation.ts';
import { decodeEncodedWords, fieldBody, fieldsNamed, parseHeader, type Header } from '../../mail/headers.ts';
import { parseMimeTree, type MimePart } from '../../mail/mime-tree.ts';
import { foldForSearch, searchText } from '../../mail/search-text.ts';
import type { SearchQuery } from '../search-query.ts';
import { PART, partBits, sentDay } from './derive.ts';

/** The leaves of a query that need octets, or what was derived from them. */
export type Term = Extract<
  SearchQuery,
  {
    readonly type:
      'sent-day' | 'header' | 'body' | 'text' | 'any-address' | 'attachment-name' | 'has-attachment' | 'has-inline';
  }
>;

/** Folded texts, as the index keeps them. */
export interface IndexedText {
  readonly subject: FoldedText;
  readonly from: FoldedText;
  readonly to: FoldedText;
  readonly cc: FoldedText;
  readonly bcc: FoldedText;
  readonly otherAddresses: string;
  readonly fileNames: string;
  readonly headers: string;
  readonly body: string;
}

export interface FoldedText {
  readonly text: string;
  /** Nothing is lost: what it finds among texts like itself is what i;unicode-casemap finds. */
  readonly faithful: boolean;
}

const ADDRESS_FIELDS = ['From', 'To', 'Cc', 'Bcc'] as const;
const OTHER_ADDRESS_FIELDS = ['Sender', 'Reply-To', 'Return-Path'] as const;

/** NUL ends a text in the index, so it is a blank in both. */
export const fold = (text: string): string => foldForSearch(text).replaceAll('\0', ' ');

/** Whether folding takes away nothing that i;unicode-casemap distinguishes: no accents, no ligatures. */
export function isFaithful(text: string, folded = fold(text)): boolean {
  return !/[^\x01-\x7f]/.test(text) || casemapKey(folded) === casemapKey(text);
}

export function indexedText(octets: Uint8Array, tree = parseMimeTree(octets)): IndexedText {
  const header = parseHeader(octets);
  const { headers, body, attachmentNames } = searchText(octets, tree);
  const field = (name: string): FoldedText => {
    const whole = fieldText(octets, header, name);
    const text = fold(whole);
    return { text, faithful: isFaithful(whole, text) };
  };
  return {
    subject: field('Subject'),
    from: field('From'),
    to: field('To'),
    cc: field('Cc'),
    bcc: field('Bcc'),
    otherAddresses: OTHER_ADDRESS_FIELDS.map((name) => field(name).text).join('\n'),
    fileNames: fold(attachmentNames.join('\n')),
    headers: fold(headers),
    body: fold(body),
  };
}

/** All fields of a name, decoded, each on a line; after one of addresses, what the envelope has in other words. */
function fieldText(octets: Uint8Array, header: Header, name: string): string {
  return fieldsNamed(header, name)
    .map((field) => {
      const text = fieldBody(octets, field);
      const decoded = decodeEncodedWords(text);
      return isAddressField(name) ? `${decoded}${envelopeWords(text)}` : decoded;
    })
    .join('\n');
}

/** Those that have a column of their own in the index: the others are looked up in it as they stand in the header. */
const isAddressField = (name: string): boolean =>
  ADDRESS_FIELDS.some((one) => one.toLowerCase() === name.toLowerCase());

/** Signs that addresses may not stand in a field as they do in the envelope: comments, quoted pairs, blanks, quotes. */
const WRITTEN_OTHERWISE = /[(\\\t]|\s[@.\s]|[@.]\s|"@|[^\s,:]</;

/** RFC 9051 §6.4.4: FROM and its like are about the envelope, which has neither comments nor blanks nor quoted pairs. */
function envelopeWords(text: string): string {
  if (!WRITTEN_OTHERWISE.test(text)) return '';
  const mailboxes = mailboxesOf(parseAddressList(text));
  return mailboxes.map((mailbox) => `\n${decodeEncodedWords(mailbox.name ?? '')} <${addrSpec(mailbox)}>`).join('');
}

/** @param wanted the term's text, folded; '' if it has none  @param known the tree, if it is at hand */
export function matches(term: Term, wanted: string, octets: Uint8Array, known?: MimePart): boolean {
  const tree = (): MimePart => known ?? parseMimeTree(octets);
  switch (term.type) {
    case 'header': {
      const header = parseHeader(octets);
      // An empty text asks whether there is such a field (RFC 9051 §6.4.4 HEADER).
      if (term.text === '' || (wanted === '' && !term.casemap)) return fieldsNamed(header, term.name).length > 0;
      const text = fieldText(octets, header, term.name);
      return term.casemap ? casemapKey(text).includes(casemapKey(term.text)) : fold(text).includes(wanted);
    }
    case 'any-address': {
      const header = parseHeader(octets);
      const names = [...ADDRESS_FIELDS, ...OTHER_ADDRESS_FIELDS];
      return names.some((name) => fold(fieldText(octets, header, name)).includes(wanted));
    }
    case 'body':
      return wanted === '' || fold(searchText(octets, tree()).body).includes(wanted);
    case 'text': {
      if (wanted === '') return true;
      const { headers, body } = searchText(octets, tree());
      return fold(headers).includes(wanted) || fold(body).includes(wanted);
    }
    case 'attachment-name':
      return fold(searchText(octets, tree()).attachmentNames.join('\n')).includes(wanted);
    case 'has-attachment':
      return (partBits(tree()) & PART.attachment) !== 0;
    case 'has-inline':
      return (partBits(tree()) & PART.inline) !== 0;
    case 'sent-day':
      return isSentIn(term, sentDay(octets));
  }
}

/** A message without a date is in no range (RFC 9051 §6.4.4 SENTBEFORE). */
export function isSentIn(
  { since, before }: Extract<Term, { type: 'sent-day' }>,
  day: number | undefined | null,
): boolean {
  if (day == null) return false;
  return (since === undefined || day >= since) && (before === undefined || day < before);
}

/** Whether the term needs no more than the header. */
export const needsHeaderOnly = ({ type }: Term): boolean =>
  type === 'header' || type === 'any-address' || type === 'sent-day';
