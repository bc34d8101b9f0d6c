/**
 * The account address that a login name means. Addresses are compared without case, so the lower-case form is the one
 * form; a name without a domain means one of the default domain.
 */
export function loginAddress(login: string, defaultDomain: string): string {
  const name = login.normalize('NFC').trim().toLowerCase();
  return name.includes('@') ? name : `${name}@${defaultDomain.toLowerCase()}`;
}

/**
 * How a name would be written that is no whole address: `alice`, and `RED\alice` as Windows has it. It says nothing about
 * whether there is such an account. Undefined: it is a whole address, or cannot be repeated in a line of text.
 */
export function wholeName(login: string, defaultDomain: string): string | undefined {
  if (login.includes('@') || !/^[\x21-\x7e]{1,64}$/.test(login)) return undefined;
  const local = login.slice(login.lastIndexOf('\\') + 1);
  return local === '' ? undefined : loginAddress(local, defaultDomain);
}

/** What is said to a client whose login failed, and which is not the same for every name: to be put behind the refusal. */
export function nameHint(login: string, defaultDomain: string): string {
  const whole = wholeName(login, defaultDomain);
  return whole === undefined ? '' : `; the name came as ${login}, which for most servers has to be ${whole}`;
}
