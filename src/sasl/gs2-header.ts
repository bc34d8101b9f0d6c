/**
 * The header that begins what a client says in mechanisms of the GS2 family: RFC 5801 §4, RFC 5802 §7, RFC 7628 §3.1.
 *
 *     gs2-header = gs2-cbind-flag "," [ "a=" saslname ] ","
 */

export interface Gs2Header {
  /** With its last comma. */
  readonly text: string;
  readonly binding: { readonly type: 'n' | 'y' } | { readonly type: 'p'; readonly name: string };
  readonly authorizationId: string | undefined;
}

/** @returns 'invalid-encoding': that is no such header; 'invalid-username-encoding': its name is wrong */
export function gs2Header(message: string): Gs2Header | 'invalid-encoding' | 'invalid-username-encoding' {
  const header = /^(?:([ny])|p=([A-Za-z0-9.-]+)),(?:a=([^,]*))?,/.exec(message);
  if (header === null) return 'invalid-encoding';
  const [text, flag, bindingName, name] = header;
  const authorizationId = name === undefined ? undefined : saslname(name);
  if (name !== undefined && authorizationId === undefined) return 'invalid-username-encoding';
  return {
    text,
    binding: flag === undefined ? { type: 'p', name: bindingName! } : { type: flag as 'n' | 'y' },
    authorizationId,
  };
}

/** `=2C` and `=3D` are the only escapes; an empty name is none. */
export function saslname(text: string): string | undefined {
  if (text === '' || /=(?!2C|3D)/.test(text)) return undefined;
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=');
}
