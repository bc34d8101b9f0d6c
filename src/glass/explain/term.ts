/** Entries of the tables from which units are explained: each can be laid beside its RFC. */
import type { RfcSection } from '../spoken.ts';

/** What something means, and where that is written. */
export interface Term {
  readonly what: string;
  readonly rfc: RfcSection | null;
}

export type Terms = Readonly<Record<string, Term>>;

/** @param section empty for the whole document */
export function term(what: string, number: number, section = ''): Term {
  return { what, rfc: { number, section } };
}

export function findTerm(terms: Terms, name: string): Term | undefined {
  return Object.hasOwn(terms, name) ? terms[name] : undefined;
}
