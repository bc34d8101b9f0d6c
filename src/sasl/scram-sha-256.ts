/**
 * SCRAM-SHA-256 and SCRAM-SHA-256-PLUS: RFC 7677, by the protocol of RFC 5802, the server's side.
 * The password never passes; an eavesdropper learns nothing that he could use, and the server proves itself too.
 *
 *     C: n,,n=user,r=<client nonce>
 *     S: r=<client nonce><server nonce>,s=<salt>,i=4096
 *     C: c=biws,r=<both nonces>,p=<proof>
 *     S: v=<the server's signature>
 *
 * A failure fails the exchange at once, without `e=<what is wrong>`, which is optional (RFC 5802 §5.1): some clients wait
 * for ever after it. Its words are in the failure's message.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { gs2Header, saslname, type Gs2Header } from './gs2-header.ts';
import type { Credentials, SaslExchange, SaslFailureReason, SaslStep } from './mechanism.ts';
import type { LoginMistake } from './login-mistake.ts';
import { hmac, parseScramRecord, recordOfNobody } from './scram-record.ts';
import type { ScramRecord } from './scram-record.ts';
import { decodeUtf8 } from './text.ts';

/** The only channel binding that TLS 1.3 has (RFC 9266). */
const BINDING_TYPE = 'tls-exporter';
const MOST_OCTETS = 2048;

/** RFC 5802 §7, `server-error-value`. */
type ServerError =
  | 'channel-bindings-dont-match'
  | 'server-does-support-channel-binding'
  | 'channel-binding-not-supported'
  | 'unsupported-channel-binding-type'
  | 'extensions-not-supported'
  | 'invalid-encoding'
  | 'invalid-username-encoding'
  | 'invalid-proof'
  | 'other-error';

/** What the client said first (RFC 5802 §7, `client-first-message`). */
export interface ClientFirst {
  /** `gs2-header`, with its last comma. */
  readonly gs2Header: string;
  readonly binding: Gs2Header['binding'];
  readonly authorizationId: string | undefined;
  readonly bare: string;
  readonly login: string;
  readonly nonce: string;
}

export interface ClientFinal {
  /** What `c=` carries: the gs2-header, and the channel binding after it. */
  readonly bindInput: Uint8Array;
  readonly nonce: string;
  readonly proof: Uint8Array;
  readonly withoutProof: string;
}

interface Challenged {
  readonly name: 'challenged';
  readonly first: ClientFirst;
  readonly record: ScramRecord;
  readonly nonce: string;
  readonly serverFirst: string;
  readonly isKnown: boolean;
}

export class ScramExchange implements SaslExchange {
  readonly mechanism: string;
  readonly #credentials: Credentials;
  readonly #plus: boolean;
  readonly #channelBinding: Uint8Array | undefined;
  readonly #serverNonce: string;
  #state: { readonly name: 'start' } | Challenged | { readonly name: 'last'; readonly outcome: SaslStep } = {
    name: 'start',
  };

  /** @param serverNonce for the RFC's examples; else 18 random octets */
  constructor(
    credentials: Credentials,
    plus = false,
    channelBinding?: Uint8Array,
    serverNonce: string = randomBytes(18).toString('base64'),
  ) {
    this.mechanism = plus ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256';
    this.#credentials = credentials;
    this.#plus = plus;
    this.#channelBinding = channelBinding;
    this.#serverNonce = serverNonce;
  }

  async step(response: Uint8Array | undefined): Promise<SaslStep> {
    const state = this.#state;
    // The server-final-message went as a challenge, for none of our protocols lets an outcome carry data that all
    // clients read; what the client answers is empty and says nothing (RFC 5802 §5, RFC 4422 §3.6). Failures come here
    // only if the client is asked on all the same.
    if (state.name === 'last') return state.outcome;
    if (response === undefined) return { type: 'challenge', data: new Uint8Array(0) };
    const text = response.length > MOST_OCTETS ? undefined : decodeUtf8(response);
    if (text === undefined) return this.#error('invalid-encoding', 'malformed');
    return state.name === 'start' ? this.#first(text) : this.#final(text, state);
  }

  async #first(text: string): Promise<SaslStep> {
    const first = clientFirst(text);
    if (typeof first === 'string') return this.#error(first, 'malformed');
    const refused = this.#bindingRefused(first);
    if (refused !== undefined) return this.#error(refused, 'unsupported', first.login);
    const found = await this.#credentials.findRecord(first.login);
    const address = this.#credentials.addressOf?.(first.login) ?? first.login;
    const record = (found === undefined ? undefined : parseScramRecord(found)) ?? recordOfNobody(address);
    const nonce = first.nonce + this.#serverNonce;
    const serverFirst = `r=${nonce},s=${encodeBase64(record.salt)},i=${record.iterations}`;
    this.#state = { name: 'challenged', first, record, nonce, serverFirst, isKnown: found !== undefined };
    return { type: 'challenge', data: Buffer.from(serverFirst) };
  }

  #final(text: string, { first, record, nonce, serverFirst, isKnown }: Challenged): SaslStep {
    const { login, authorizationId } = first;
    const final = clientFinal(text);
    if (typeof final === 'string') return this.#error(final, 'malformed', login);
    if (final.nonce !== nonce) return this.#error('other-error', 'invalid-credentials', login);
    const bound = this.#plus && this.#channelBinding !== undefined ? this.#channelBinding : new Uint8Array(0);
    if (!Buffer.concat([Buffer.from(first.gs2Header), bound]).equals(final.bindInput)) {
      return this.#error('channel-bindings-dont-match', 'invalid-credentials', login);
    }
    const authMessage = `${first.bare},${serverFirst},${final.withoutProof}`;
    if (!provesPassword(record, authMessage, final.proof)) {
      const isExplained = !isKnown && this.#credentials.explainsFailures === true;
      return this.#error('invalid-proof', 'invalid-credentials', login, isExplained ? 'unknown-name' : undefined);
    }
    if (authorizationId !== undefined && authorizationId.toLowerCase() !== login.toLowerCase()) {
      return this.#error('other-error', 'authorization', login);
    }
    this.#state = {
      name: 'last',
      outcome: { type: 'success', login, ...(authorizationId !== undefined && { authorizationId }) },
    };
    return { type: 'challenge', data: Buffer.from(`v=${encodeBase64(hmac(record.serverKey, authMessage))}`) };
  }

  /** RFC 5802 §6. */
  #bindingRefused({ binding }: ClientFirst): ServerError | undefined {
    if (binding.type !== 'p') {
      if (this.#plus) return 'channel-binding-not-supported';
      // `y`: the client could and was not offered it. If it was, somebody between took it from the list.
      return binding.type === 'y' && this.#channelBinding !== undefined
        ? 'server-does-support-channel-binding'
        : undefined;
    }
    if (!this.#plus) return 'channel-binding-not-supported';
    return binding.name === BINDING_TYPE ? undefined : 'unsupported-channel-binding-type';
  }

  #error(error: ServerError, reason: SaslFailureReason, login?: string, mistake?: LoginMistake): SaslStep {
    const message = `${MESSAGES[error]} (${error})`;
    const outcome: SaslStep = { type: 'failure', reason, ...(login !== undefined && { login }), mistake, message };
    this.#state = { name: 'last', outcome };
    return outcome;
  }
}

const MESSAGES: Readonly<Record<ServerError, string>> = {
  'channel-bindings-dont-match': 'The channel binding is not that of this TLS connection: somebody may sit between',
  'server-does-support-channel-binding': 'SCRAM-SHA-256-PLUS was offered; the client did not see it',
  'channel-binding-not-supported': 'The channel binding flag does not fit the mechanism',
  'unsupported-channel-binding-type': `The channel binding is ${BINDING_TYPE}`,
  'extensions-not-supported': 'Mandatory SCRAM extensions are not supported',
  'invalid-encoding': 'That is no SCRAM message',
  'invalid-username-encoding': 'In a SCRAM name, "=" and "," are written =3D and =2C',
  'invalid-proof': 'The name or the password is wrong',
  'other-error': 'The exchange was refused',
};

/** RFC 5802 §3: StoredKey = H(ClientProof XOR ClientSignature). */
function provesPassword({ storedKey }: ScramRecord, authMessage: string, proof: Uint8Array): boolean {
  if (proof.length !== 32) return false;
  const signature = hmac(storedKey, authMessage);
  const clientKey = proof.map((octet, i) => octet ^ signature[i]!);
  return timingSafeEqual(createHash('sha256').update(clientKey).digest(), storedKey);
}

// ------------------------------------------------------------------------------------------ grammar: RFC 5802 §7

/** @returns the server's error when it is wrong */
export function clientFirst(text: string): ClientFirst | ServerError {
  const header = gs2Header(text);
  if (header === 'invalid-encoding') return header;
  const bare = text.slice(text.indexOf(',', text.indexOf(',') + 1) + 1);
  // A mandatory extension comes first.
  if (bare.startsWith('m=')) return 'extensions-not-supported';
  const match = /^n=([^,\0]*),r=([\x21-\x2B\x2D-\x7E]+)(?:,[A-Za-z]=[^,\0]+)*$/.exec(bare);
  if (match === null) return 'invalid-encoding';
  const login = saslname(match[1]!);
  if (login === undefined || typeof header === 'string') return 'invalid-username-encoding';
  const { binding, authorizationId } = header;
  return { gs2Header: header.text, binding, authorizationId, bare, login, nonce: match[2]! };
}

/** @returns the server's error when it is wrong */
export function clientFinal(text: string): ClientFinal | ServerError {
  const match = /^(c=([^,]+),r=([\x21-\x2B\x2D-\x7E]+)(?:,[A-Za-z]=[^,\0]+)*),p=([^,]+)$/.exec(text);
  if (match === null) return 'invalid-encoding';
  const bindInput = decodeBase64(match[2]!);
  const proof = decodeBase64(match[4]!);
  if (bindInput === undefined || proof === undefined) return 'invalid-encoding';
  return { bindInput, nonce: match[3]!, proof, withoutProof: match[1]! };
}
