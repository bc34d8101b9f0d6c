/** The arguments of BDAT: RFC 3030 §2. */
import { BadSyntax } from './bad-syntax.ts';

/** @returns how many octets follow the line; more digits than a number can hold make it imprecise, or infinite @throws BadSyntax */
export function chunk(argument: string): { readonly octets: number; readonly isLast: boolean } {
  const match = /^(\d+)( +LAST)?$/i.exec(argument);
  if (!match) throw new BadSyntax(501, '5.5.4', 'Syntax: BDAT octets [LAST]');
  return { octets: Number(match[1]), isLast: match[2] !== undefined };
}
