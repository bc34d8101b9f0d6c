/** A name and a password that came in clear: LOGIN of IMAP, PASS of POP3, the mechanisms PLAIN and LOGIN. */
import type { Credentials } from './mechanism.ts';
import { formatScramRecord, recordOfNobody, verifyPassword } from './scram-record.ts';
import { Secret } from './secret.ts';

/** What is said to both, an unknown name and a wrong password. */
export const WRONG_LOGIN = 'The name or the password is wrong';

/** An unknown name takes as long as a wrong password. */
export async function verifyLogin(
  credentials: Credentials,
  login: string,
  password: string | Secret,
): Promise<boolean> {
  if (credentials.acceptAny === true) return true;
  if (credentials.checkPassword)
    return credentials.checkPassword(login, password instanceof Secret ? password.reveal() : password);
  const record = await credentials.findRecord(login);
  if (record !== undefined) return verifyPassword(record, password);
  await verifyPassword(formatScramRecord(recordOfNobody(login)), password);
  return false;
}
