/**
 * The account address that a login name means. Addresses are compared without case, so the lower-case form is the one
 * form; a name without a domain means one of the default domain.
 */
export function loginAddress(login: string, defaultDomain: string): string {
  const name = login.normalize('NFC').trim().toLowerCase();
  return name.includes('@') ? name : `${name}@${defaultDomain.toLowerCase()}`;
}
