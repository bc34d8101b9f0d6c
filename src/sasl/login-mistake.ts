/**
 * By what a login that failed differs from the right one, for learners. Whoever guesses would learn from it as well, so
 * it is looked at only where `explainsFailures` is set, and is never said to the client.
 */
import type { Credentials } from './mechanism.ts';
import { verifyPassword } from './scram-record.ts';
import { Secret } from './secret.ts';

/**
 * `unknown-name`: there is nobody of that name. The others tell how the password that was given becomes the right one:
 * by other letter case, without blanks, typed on another keyboard.
 */
export type LoginMistake = 'unknown-name' | 'case' | 'blanks' | 'keyboard';

/** Each variant costs milliseconds of another thread: so many logins are explained at once, the others are not. */
const EXPLAINED_AT_ONCE = 2;
let explaining = 0;

/** To be asked after `verifyLogin` has said no. Undefined: it is not looked at, or nothing so simple. */
export async function mistakeOf(
  credentials: Credentials,
  login: string,
  password: string | Secret,
): Promise<LoginMistake | undefined> {
  if (credentials.explainsFailures !== true || credentials.acceptAny === true) return undefined;
  const record = await credentials.findRecord(login);
  if (record === undefined) return 'unknown-name';
  if (explaining >= EXPLAINED_AT_ONCE) return undefined;
  explaining++;
  try {
    for (const { mistake, variant } of passwordVariants(password instanceof Secret ? password.reveal() : password)) {
      if (await verifyPassword(record, variant)) return mistake;
    }
    return undefined;
  } finally {
    explaining--;
  }
}

/** A longer one is no slip of a finger. */
const LONGEST = 256;

/** What may have been meant, the likeliest first: at most twelve, none of them twice, none as it was given. */
export function passwordVariants(
  given: string,
): readonly { readonly mistake: LoginMistake; readonly variant: string }[] {
  if (given.length > LONGEST) return [];
  const [first = ''] = given;
  const wanted: readonly (readonly [LoginMistake, string])[] = [
    ['blanks', given.trim()],
    ['case', swapCase(given)], // Caps Lock
    ['case', swapCase(first) + given.slice(first.length)], // a phone's capital at the start of a line
    ['case', given.toLowerCase()],
    ['case', given.toUpperCase()],
    ['blanks', given.replace(/\s+/gu, '')],
    ['keyboard', retyped(given, Y_AND_Z)],
    ['keyboard', retyped(given, AZERTY_AS_QWERTY)],
    ['keyboard', retyped(given, QWERTY_AS_AZERTY)],
    ['keyboard', retyped(given, CYRILLIC_AS_QWERTY)],
  ];
  const seen = new Set(['', given]);
  return wanted.flatMap(([mistake, variant]) => {
    if (seen.has(variant)) return [];
    seen.add(variant);
    return [{ mistake, variant }];
  });
}

function swapCase(text: string): string {
  return text.replace(/\p{L}/gu, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  );
}

type Keys = ReadonlyMap<string, string>;

function retyped(text: string, keys: Keys): string {
  return Array.from(text, (character) => keys.get(character) ?? character).join('');
}

/** What the keys of one keyboard give on another, position by position; capitals where both are letters. */
function keys(from: string, to: string): Keys {
  const map = new Map<string, string>();
  const others = Array.from(to);
  Array.from(from).forEach((key, index) => {
    const other = others[index]!;
    map.set(key, other);
    if (/\p{L}/u.test(key) && /\p{L}/u.test(other)) map.set(key.toUpperCase(), other.toUpperCase());
  });
  return map;
}

/** QWERTZ, of German and its neighbours. */
const Y_AND_Z = keys('yz', 'zy');
const AZERTY_ROW = '&é"\'(-è_çà';
const AZERTY_AS_QWERTY = keys(`azqwm,${AZERTY_ROW}`, 'qwaz;m1234567890');
const QWERTY_AS_AZERTY = keys('qwaz;m1234567890', `azqwm,${AZERTY_ROW}`);
const CYRILLIC_AS_QWERTY = keys('йцукенгшщзхъфывапролджэячсмитьбю', "qwertyuiop[]asdfghjkl;'zxcvbnm,.");
