/**
 * How passwords are kept: SCRAM-SHA-256 records (RFC 5803 §3), from which a password can be verified, and by which SCRAM
 * works, but from which it cannot be read.
 *
 *     SCRAM-SHA-256$4096:<salt>$<StoredKey>:<ServerKey>
 */
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { saslprep } from './saslprep.ts';
import { Secret } from './secret.ts';

const derive = promisify(pbkdf2);

/** RFC 7677 §4: at least that, and here no more: clients written in scripting languages compute it at every login. */
const ITERATIONS = 4096;
const SALT_OCTETS = 16;

export interface ScramRecord {
  readonly iterations: number;
  readonly salt: Uint8Array;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

export interface ScramRecordOptions {
  /** Default 4,096, which is also the least. */
  readonly iterations?: number;
  readonly salt?: Uint8Array;
}

/** @throws RangeError for a password that RFC 4013 prohibits (control characters, two directions), or too few iterations */
export async function makeScramRecord(password: string | Secret, options: ScramRecordOptions = {}): Promise<string> {
  const { iterations = ITERATIONS, salt = randomBytes(SALT_OCTETS) } = options;
  if (iterations < ITERATIONS) throw new RangeError(`at least ${ITERATIONS} iterations (RFC 7677 §4)`);
  const prepared = saslprep(password instanceof Secret ? password.reveal() : password);
  if (prepared === undefined || prepared === '') {
    throw new RangeError('a password is at least one character, and none of them a control character (RFC 4013)');
  }
  return formatScramRecord(await keys(prepared, salt, iterations));
}

/** @returns undefined when the text is no such record */
export function parseScramRecord(text: string): ScramRecord | undefined {
  const match = /^SCRAM-SHA-256\$([0-9]{1,9}):([^$:]+)\$([^$:]+):([^$:]+)$/.exec(text);
  if (match === null) return undefined;
  const [salt, storedKey, serverKey] = match.slice(2).map(decodeBase64);
  const iterations = Number(match[1]);
  if (salt === undefined || storedKey?.length !== 32 || serverKey?.length !== 32 || iterations < 1) return undefined;
  return { iterations, salt, storedKey, serverKey };
}

export function formatScramRecord({ iterations, salt, storedKey, serverKey }: ScramRecord): string {
  return `SCRAM-SHA-256$${iterations}:${encodeBase64(salt)}$${encodeBase64(storedKey)}:${encodeBase64(serverKey)}`;
}

/**
 * Derives the keys outside the event loop's thread, unless the same password was verified a short while ago.
 * @returns false also for a record that cannot be read
 */
export async function verifyPassword(record: string, password: string | Secret): Promise<boolean> {
  const parsed = parseScramRecord(record);
  const prepared = saslprep(password instanceof Secret ? password.reveal() : password);
  if (parsed === undefined || prepared === undefined) return false;
  const key = createHmac('sha256', CACHE_SECRET).update(record).update('\0').update(prepared).digest('base64');
  if (verified.delete(key)) {
    verified.add(key);
    return true;
  }
  const { storedKey } = await keys(prepared, parsed.salt, parsed.iterations);
  if (!timingSafeEqual(storedKey, parsed.storedKey)) return false;
  verified.add(key);
  if (verified.size > CACHED) {
    for (const oldest of verified) {
      verified.delete(oldest);
      break;
    }
  }
  return true;
}

/**
 * What matched before, as an HMAC over the whole record and the password, so that a hot login costs microseconds and a
 * changed password is another key. Nothing in it can be turned back: its secret dies with the process.
 */
const CACHE_SECRET = randomBytes(32);
const CACHED = 1000;
const verified = new Set<string>();

/**
 * A record for a name that nobody has, the same at each attempt, which no password opens: who asks cannot tell
 * the name from one that exists (RFC 5802 §9, RFC 7677 §4).
 */
export function recordOfNobody(login: string): ScramRecord {
  const of = (purpose: string): Buffer =>
    createHmac('sha256', CACHE_SECRET).update(purpose).update('\0').update(login.toLowerCase()).digest();
  return {
    iterations: ITERATIONS,
    salt: of('salt').subarray(0, SALT_OCTETS),
    storedKey: of('stored'),
    serverKey: of('server'),
  };
}

/** RFC 5802 §3. */
async function keys(prepared: string, salt: Uint8Array, iterations: number): Promise<ScramRecord> {
  const saltedPassword = await derive(prepared, salt, iterations, 32, 'sha256');
  return {
    iterations,
    salt,
    storedKey: createHash('sha256').update(hmac(saltedPassword, 'Client Key')).digest(),
    serverKey: hmac(saltedPassword, 'Server Key'),
  };
}

export function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
