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

/** The form of a name: said to all whose login failed, or to those alone whose name is no whole address. It repeats nothing. */
export function nameForm(defaultDomain: string): string {
  return `; a name is a whole address such as user@${defaultDomain}`;
}

/** Empty for whole addresses. */
export function nameHint(login: string, defaultDomain: string): string {
  return wholeName(login, defaultDomain) === undefined ? '' : nameForm(defaultDomain);
}
