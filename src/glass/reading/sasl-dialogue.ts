/**
 * What an exchange of authentication says under its base64 (RFC 4422; RFC 4954 §4, RFC 5034 §4, RFC 9051 §6.2.2).
 * Secrets are marked, and leave only towards those who asked for them.
 */
import type { RfcSection } from '../spoken.ts';
import type { About, DecodedSecret } from './grammar.ts';

const LONGEST = 1000;

/** RFC 5802 §5.1. */
const SCRAM_ATTRIBUTES: Readonly<Record<string, string>> = {
  a: 'authorization identity',
  n: 'user name',
  m: 'mandatory extension',
  r: 'nonce',
  c: 'channel binding',
  s: 'salt',
  i: 'iteration count',
  p: 'client proof',
  v: 'server signature',
  e: 'error',
};
/** Passwords can be tried against these. */
const SCRAM_SECRETS = ['p', 'v'];

export class SaslDialogue {
  /** In capitals; empty if it is none that is known. */
  readonly mechanism: string;
  #responses = 0;
  #challenge = '';

  constructor(mechanism: string) {
    const name = mechanism.toUpperCase();
    this.mechanism = Object.hasOwn(MECHANISMS, name) || SCRAM.test(name) ? name : '';
  }

  /** @param text as it was sent: base64, `=` for nothing, `*` to give up */
  clientSaid(text: string): About {
    const { rfc } = this;
    if (text === '*') return { what: 'The client gives the login up.', rfc: { number: 4422, section: '3.5' } };
    if (text === '' || text === '=') return { what: 'The client answers with nothing.', rfc };
    const octets = base64(text);
    this.#responses++;
    if (octets === undefined)
      return { what: 'This should be base64, and is none.', decoded: [secret('response', text)], rfc };
    const said = octets.toString('utf8');
    const { mechanism } = this;
    if (mechanism === 'PLAIN') return { ...plain(said), rfc };
    if (mechanism === 'LOGIN') return { ...this.#login(said), rfc };
    if (mechanism === 'CRAM-MD5') return { ...cramMd5(said), rfc };
    if (mechanism === 'XOAUTH2' || mechanism === 'OAUTHBEARER') return { ...bearer(said), rfc };
    if (mechanism === 'ANONYMOUS') {
      return { what: 'The client says who it claims to be.', decoded: [open('trace', said)], rfc };
    }
    if (mechanism === 'EXTERNAL') {
      const what = 'The client asks to be who its certificate says, or the one named here.';
      return { what, decoded: [open('authorization identity', said)], rfc };
    }
    if (SCRAM.test(mechanism)) return { ...scramClient(said), rfc };
    return {
      what: `The client's answer, in a mechanism that is not explained here.`,
      decoded: [secret('response', said)],
    };
  }

  serverSaid(text: string): About {
    const { rfc, mechanism } = this;
    if (text.trim() === '') return { what: 'The server waits for what the client has to say.', rfc };
    const said = base64(text.trim())?.toString('utf8');
    if (said === undefined) return { what: 'The server waits for an answer.', rfc };
    this.#challenge = said;
    if (SCRAM.test(mechanism)) return { ...scramServer(said), rfc };
    if (mechanism === 'CRAM-MD5') {
      return {
        what: 'The server sends a text to be mixed with the password.',
        decoded: [open('challenge', said)],
        rfc,
      };
    }
    if (mechanism === 'XOAUTH2' || mechanism === 'OAUTHBEARER') {
      return { what: 'The server does not take the token, and says why.', decoded: [open('error', said)], rfc };
    }
    const isQuestion = mechanism === 'LOGIN';
    const what = isQuestion ? `The server asks: “${printable(said)}”.` : 'The server sends a challenge.';
    return { what, decoded: [open('challenge', said)], rfc };
  }

  get rfc(): RfcSection {
    return saslRfc(this.mechanism) ?? { number: 4422, section: '3' };
  }

  #login(said: string): About {
    const isPassword = /pass/i.test(this.#challenge) || (!/user|name/i.test(this.#challenge) && this.#responses > 1);
    if (isPassword) return { what: 'The client sends the password.', decoded: [secret('password', said)] };
    return { what: 'The client sends the user name.', decoded: [open('user name', said)] };
  }
}

const SCRAM = /^SCRAM-SHA(?:-\d+|3-\d+)(?:-PLUS)?$/;

/** What is known of mechanisms, and where they are written down. */
const MECHANISMS: Readonly<Record<string, { readonly what: string; readonly rfc: RfcSection | null }>> = {
  PLAIN: { what: 'user name and password as they are, in base64', rfc: { number: 4616, section: '2' } },
  // It never became an RFC.
  LOGIN: { what: 'user name and password as they are, each asked for by itself', rfc: null },
  'CRAM-MD5': { what: 'a digest of the password and of a text of the server', rfc: { number: 2195, section: '2' } },
  'DIGEST-MD5': { what: 'digests as HTTP has them; obsolete', rfc: { number: 2831, section: '2.1' } },
  XOAUTH2: { what: 'a token instead of a password, as Google began it', rfc: null },
  OAUTHBEARER: { what: 'a token instead of a password', rfc: { number: 7628, section: '3.1' } },
  EXTERNAL: {
    what: 'who you are is known from elsewhere, such as a certificate',
    rfc: { number: 4422, section: 'Appendix A' },
  },
  ANONYMOUS: { what: 'nobody in particular', rfc: { number: 4505, section: '2' } },
  GSSAPI: { what: 'a Kerberos ticket', rfc: { number: 4752, section: '3' } },
  NTLM: { what: "Microsoft's challenge and response", rfc: null },
};

function saslRfc(mechanism: string): RfcSection | null {
  const name = mechanism.toUpperCase();
  if (SCRAM.test(name)) return name.includes('SHA-1') ? { number: 5802, section: '5' } : { number: 7677, section: '3' };
  return Object.hasOwn(MECHANISMS, name) ? MECHANISMS[name]!.rfc : null;
}

/** @returns undefined for a mechanism that nobody knows */
export function saysMechanism(mechanism: string): string | undefined {
  const name = mechanism.toUpperCase();
  if (SCRAM.test(name)) {
    const bound = name.endsWith('-PLUS') ? ', tied to this TLS connection' : '';
    return `the password is proved without being sent${bound}`;
  }
  return Object.hasOwn(MECHANISMS, name) ? MECHANISMS[name]!.what : undefined;
}

const open = (name: string, value: string): DecodedSecret => ({ name, value: printable(value) });
const secret = (name: string, value: string): DecodedSecret => ({ name, value: printable(value), secret: true });

function plain(said: string): About {
  const parts = said.split('\0');
  if (parts.length !== 3) return malformed(said);
  const [authorization, user, password] = parts as [string, string, string];
  const decoded = [open('user name', user), secret('password', password)];
  if (authorization !== '') decoded.unshift(open('authorization identity', authorization));
  return { what: 'The client sends user name and password, separated by NUL.', decoded };
}

function cramMd5(said: string): About {
  const at = said.lastIndexOf(' ');
  if (at === -1) return malformed(said);
  const decoded = [open('user name', said.slice(0, at)), secret('digest', said.slice(at + 1))];
  return { what: "The client sends the user name and a digest of the password and the server's text.", decoded };
}

/** XOAUTH2: pairs between Control-A. OAUTHBEARER (RFC 7628 §3.1): the same behind a GS2 header. */
function bearer(said: string): About {
  if (/^\x01*$/.test(said)) return { what: 'The client acknowledges the error.' };
  const decoded: DecodedSecret[] = [];
  for (const pair of said.split('\x01')) {
    const [, name, value] = /^(?:n,)?([a-z]+)=([^]*?),?$/i.exec(pair) ?? [];
    if (name === undefined || value === undefined) continue;
    if (name === 'user' || name === 'a') decoded.push(open('user name', value));
    else if (name === 'host' || name === 'port') decoded.push(open(name, value));
    else if (name === 'auth') {
      const [scheme = '', token = ''] = value.split(' ');
      decoded.push(open('scheme', /^bearer$/i.test(scheme) ? scheme : ''), secret('token', token));
    } else decoded.push(secret('value', pair));
  }
  return decoded.length === 0 ? malformed(said) : { what: 'The client sends a user name and a token.', decoded };
}

function scramClient(said: string): About {
  const gs2 = /^(n|y|p=[^,]*),(a=[^,]*)?,/.exec(said);
  const attributes = scramAttributes(gs2 === null ? said : said.slice(gs2[0].length));
  if (attributes === undefined) return malformed(said);
  if (gs2 === null) {
    return { what: 'The client repeats the nonce and proves that it knows the password.', decoded: attributes };
  }
  const decoded = [open('channel binding', BINDINGS[gs2[1]!] ?? gs2[1]!), ...attributes];
  if (gs2[2] !== undefined) decoded.unshift(open('authorization identity', gs2[2].slice(2)));
  return { what: 'The client says who it is, and adds a random text (nonce).', decoded };
}

const BINDINGS: Readonly<Record<string, string>> = {
  n: 'the client knows none',
  y: 'the client knows it, and thinks that the server does not',
};

function scramServer(said: string): About {
  const decoded = scramAttributes(said);
  if (decoded === undefined) return malformed(said);
  const has = (name: string): boolean => decoded.some((attribute) => attribute.name === name);
  if (has('error')) return { what: 'The server says why the login fails.', decoded };
  if (has('server signature')) return { what: 'The server proves that it knows the password too.', decoded };
  return { what: 'The server adds its own random text, and says how the password is to be hashed.', decoded };
}

function scramAttributes(text: string): DecodedSecret[] | undefined {
  const found: DecodedSecret[] = [];
  for (const part of text.split(',')) {
    const letter = part[0] ?? '';
    const name = SCRAM_ATTRIBUTES[letter];
    if (name === undefined || part[1] !== '=') return undefined;
    // RFC 5802 §5.1: `=2C` is a comma, `=3D` an equals sign.
    const value = letter === 'n' ? part.slice(2).replaceAll('=2C', ',').replaceAll('=3D', '=') : part.slice(2);
    found.push(SCRAM_SECRETS.includes(letter) ? secret(name, value) : open(name, value));
  }
  return found;
}

function malformed(said: string): About {
  return { what: 'This is not how the mechanism wants it.', decoded: [secret('response', said)] };
}

function base64(text: string): Buffer | undefined {
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}

function printable(text: string): string {
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return short.toWellFormed().replace(/[\x00-\x1f\x7f]/g, '\u{fffd}');
}
