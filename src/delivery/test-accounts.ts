/**
 * Test accounts as nodemailer's `createTestAccount` asks for them: their addresses have a domain of their own, by which
 * they are known wherever their login is seen, also after a restart.
 */
import { randomInt } from 'node:crypto';
import { splitAddress } from '../mail/address.ts';

const LABEL = 'ethereal';
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';

/** @param domain the default domain, or that of a test scope */
export function newTestAddress(domain: string): string {
  const localPart = Array.from({ length: 12 }, () => LETTERS[randomInt(LETTERS.length)]!).join('');
  return `${localPart}@${LABEL}.${domain}`;
}

/** @param login as the client gave it */
export function isTestAccount(login: string | undefined): boolean {
  return login !== undefined && splitAddress(login.toLowerCase())?.domain.startsWith(`${LABEL}.`) === true;
}
