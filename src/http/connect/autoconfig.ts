/**
 * Thunderbird's `config-v1.1.xml`, which K-9, FairEmail, Delta Chat and others read too.
 * An entry in clear (`plain`) is never written: Thunderbird for Android throws the whole document away for it.
 */
import type { OfferedService } from './offer.ts';
import { type Xml, xml } from './xml.ts';

const SOCKETS = { tls: 'SSL', starttls: 'STARTTLS' } as const;

export interface ProviderSettings {
  readonly host: string;
  /** The domain of the address that asks. */
  readonly domain: string;
  /** At least one to read and one to send by, or programs refuse the document. */
  readonly services: readonly OfferedService[];
}

export function autoconfigXml({ host, domain, services }: ProviderSettings): string {
  const name = host === 'localhost' ? 'Glassmail on this computer' : `Glassmail at ${host}`;
  return xml`<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="${domain}">
    <domain>${domain}</domain>
    <displayName>${name}</displayName>
    <displayShortName>Glassmail</displayShortName>
${services.map((service) => server(host, service))}  </emailProvider>
</clientConfig>
`.text;
}

function server(host: string, { protocol, port, security }: OfferedService): Xml {
  const settings = xml`
      <hostname>${host}</hostname>
      <port>${port}</port>
      <socketType>${SOCKETS[security]}</socketType>
      <authentication>password-cleartext</authentication>
      <username>%EMAILADDRESS%</username>`;
  if (protocol === 'smtp') {
    return xml`    <outgoingServer type="smtp">${settings}
    </outgoingServer>
`;
  }
  // Whoever tries POP3 does not want to lose for IMAP what was there.
  const keeps = xml`
      <pop3>
        <leaveMessagesOnServer>true</leaveMessagesOnServer>
      </pop3>`;
  return xml`    <incomingServer type="${protocol}">${settings}${protocol === 'pop3' ? keeps : ''}
    </incomingServer>
`;
}
