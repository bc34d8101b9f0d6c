/** What of Mailpit's API can be configured. */

/** The SMTP server that releases messages. */
export interface Relay {
  readonly host: string;
  readonly port: number;
  /** `implicit`: TLS from the first octet. `required`: STARTTLS or nothing. `offered`: STARTTLS where it is offered. */
  readonly tls: 'none' | 'offered' | 'required' | 'implicit';
  /** Whether a certificate that nobody vouches for will do. */
  readonly allowUntrusted: boolean;
  readonly auth: 'plain' | 'login' | 'cram-md5' | undefined;
  readonly user: string;
  readonly password: string;
  /** The reverse-path; '': that of the message. */
  readonly returnPath: string;
  /** An address that takes the place of From; '': none. */
  readonly overrideFrom: string;
  /** Only addresses that match. */
  readonly allowed: RegExp | undefined;
  /** No addresses that match. */
  readonly blocked: RegExp | undefined;
  readonly preserveMessageIds: boolean;
}

export interface Webhook {
  readonly url: string;
  /** Messages a second that are told; the others are passed over. 0: all. */
  readonly perSecond: number;
  /** Seconds before each. */
  readonly delaySeconds: number;
}

export interface MailpitSettings {
  readonly label: string;
  readonly hideDeleteAll: boolean;
  /** Logins of `POST /api/v1/send`, each `user:password`, in the place of that of all other routes; `any`: every one. */
  readonly sendAuth: readonly string[] | 'any' | undefined;
  /** `public`: links to public addresses are asked. `internal`: to all. */
  readonly linkCheck: 'off' | 'public' | 'internal';
  readonly relay: Relay | undefined;
  /** Other servers to which a client may release by naming them; a port that is not given: any. */
  readonly releaseTo: 'any' | readonly { readonly host: string; readonly port: number | undefined }[];
  /** Servers with a name, to which clients of MailHog's API release; with whom they are for, if they say so. */
  readonly outgoing: ReadonlyMap<string, Relay & { readonly email: string }>;
  readonly webhook: Webhook | undefined;
}

export const NO_SETTINGS: MailpitSettings = {
  label: '',
  hideDeleteAll: false,
  sendAuth: undefined,
  linkCheck: 'off',
  relay: undefined,
  releaseTo: [],
  outgoing: new Map(),
  webhook: undefined,
};
