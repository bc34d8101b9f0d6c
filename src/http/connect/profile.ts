/**
 * A configuration profile for Apple's systems (`.mobileconfig`): the authority to trust, and the account. The keys are those
 * of Apple's schema for `com.apple.mail.managed` and `com.apple.security.root`. There is no password in it: the device asks.
 */
import { createHash } from 'node:crypto';
import type { OfferedService } from './offer.ts';
import { type Xml, xml } from './xml.ts';

export interface ProfileOptions {
  readonly host: string;
  readonly account: string;
  readonly services: readonly OfferedService[];
  /** DER; undefined: the certificate is one that devices know anyway. */
  readonly authority: Uint8Array | undefined;
}

/** Undefined: there is nothing to read by, or nothing to send by. */
export function profilePlist({ host, account, services, authority }: ProfileOptions): string | undefined {
  const incoming = services.find(({ protocol }) => protocol !== 'smtp');
  const outgoing = services.find(({ protocol }) => protocol === 'smtp');
  if (!incoming || !outgoing) return undefined;
  // The same for the same server and account, so that another install replaces the first one, whatever the host.
  const server = digest(authority ?? account.slice(account.lastIndexOf('@') + 1)).slice(0, 12);
  const identifier = `localhost.glassmail.${server}.${digest(account).slice(0, 12)}`;
  const mail = payload('com.apple.mail.managed', `${identifier}.mail`, account, {
    EmailAccountDescription: `Glassmail (${account})`,
    EmailAccountName: account.slice(0, account.lastIndexOf('@')),
    EmailAccountType: incoming.protocol === 'imap' ? 'EmailTypeIMAP' : 'EmailTypePOP',
    EmailAddress: account,
    IncomingMailServerAuthentication: 'EmailAuthPassword',
    IncomingMailServerHostName: host,
    IncomingMailServerPortNumber: incoming.port,
    IncomingMailServerUseSSL: true,
    IncomingMailServerUsername: account,
    OutgoingMailServerAuthentication: 'EmailAuthPassword',
    OutgoingMailServerHostName: host,
    OutgoingMailServerPortNumber: outgoing.port,
    OutgoingMailServerUseSSL: true,
    OutgoingMailServerUsername: account,
    OutgoingPasswordSameAsIncomingPassword: true,
  });
  const root =
    authority &&
    payload('com.apple.security.root', `${identifier}.authority`, 'Glassmail authority', {
      PayloadCertificateFileName: 'glassmail-ca.crt',
      PayloadContent: authority,
    });
  const profile = payload('Configuration', identifier, `Glassmail: ${account}`, {
    PayloadDescription: `Reads and sends mail of ${account} at ${host}${authority ? ', and trusts its certificate authority for local names and private addresses' : ''}.`,
    PayloadOrganization: 'Glassmail',
    PayloadRemovalDisallowed: false,
    PayloadContent: root ? [root, mail] : [mail],
  });
  return xml`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
${plistValue(profile)}
</plist>
`.text;
}

type PlistValue = string | number | boolean | Uint8Array | readonly PlistValue[] | Dictionary;
interface Dictionary {
  readonly [key: string]: PlistValue;
}

function payload(type: string, identifier: string, name: string, content: Dictionary): Dictionary {
  return {
    PayloadType: type,
    PayloadVersion: 1,
    PayloadIdentifier: identifier,
    PayloadUUID: uuidOf(identifier),
    PayloadDisplayName: name,
    ...content,
  };
}

function plistValue(value: PlistValue): Xml {
  if (typeof value === 'string') return xml`<string>${value}</string>`;
  if (typeof value === 'number') return xml`<integer>${value}</integer>`;
  if (typeof value === 'boolean') return value ? xml`<true/>` : xml`<false/>`;
  if (value instanceof Uint8Array) return xml`<data>${Buffer.from(value).toString('base64')}</data>`;
  if (isArray(value)) return xml`<array>\n${value.map((each) => xml`${plistValue(each)}\n`)}</array>`;
  const entries = Object.entries(value).map(([key, each]) => xml`<key>${key}</key>${plistValue(each)}\n`);
  return xml`<dict>\n${entries}</dict>`;
}

function isArray(value: PlistValue): value is readonly PlistValue[] {
  return Array.isArray(value);
}

function digest(of: string | Uint8Array): string {
  return createHash('sha256').update(of).digest('hex');
}

/** Of its name alone: version 8 of RFC 9562 §5.8. */
function uuidOf(name: string): string {
  const hex = digest(name);
  const variant = ((Number.parseInt(hex[16]!, 16) & 0x3) | 0x8).toString(16);
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, variant + hex.slice(17, 20)];
  return [...parts, hex.slice(20, 32)].join('-').toUpperCase();
}
