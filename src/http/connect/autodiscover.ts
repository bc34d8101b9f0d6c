/**
 * Autodiscover in its old form, "plain old XML": a request of classic Outlook and of Delta Chat, and the answer
 * (Microsoft's MS-OXDSCLI §2.2.3, §2.2.4). Microsoft's newer forms lead to its own servers only.
 */
import type { OfferedService } from './offer.ts';
import { type Xml, xml } from './xml.ts';

const RESPONSE = 'http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006';
const SETTINGS = 'http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a';

export type AutodiscoverRequest =
  | { readonly type: 'settings'; readonly address: string }
  /** Another schema: phones ask for those of ActiveSync. */
  | { readonly type: 'unsupported' }
  /** There is no address in it. */
  | { readonly type: 'invalid' };

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Two elements of a small document are all that is wanted of it: no parser, so none that could be led astray. */
export function readAutodiscover(body: string): AutodiscoverRequest {
  const schema = element(body, 'AcceptableResponseSchema');
  if (schema !== undefined && schema !== SETTINGS) return { type: 'unsupported' };
  const address = element(body, 'EMailAddress');
  return address === undefined || address === '' ? { type: 'invalid' } : { type: 'settings', address };
}

function element(body: string, name: string): string | undefined {
  const content = new RegExp(`<(?:[\\w.-]{1,64}:)?${name}(?:\\s[^<>]{0,1000})?>([^<]{0,2000})</`).exec(body)?.[1];
  return content?.trim().replace(/&(amp|lt|gt|quot|apos);/g, (_, entity: string) => ENTITIES[entity]!);
}

export function autodiscoverXml(host: string, address: string, services: readonly OfferedService[]): string {
  return xml`<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="${RESPONSE}">
  <Response xmlns="${SETTINGS}">
    <User>
      <DisplayName>${address}</DisplayName>
    </User>
    <Account>
      <AccountType>email</AccountType>
      <Action>settings</Action>
${services.map((service) => protocol(host, address, service))}    </Account>
  </Response>
</Autodiscover>
`.text;
}

const TYPES = { imap: 'IMAP', pop3: 'POP3', smtp: 'SMTP' } as const;

function protocol(host: string, address: string, { protocol: name, port, security }: OfferedService): Xml {
  const sending = xml`
        <UsePOPAuth>off</UsePOPAuth>
        <SMTPLast>off</SMTPLast>`;
  // Encryption is what SSL was replaced by: with both, old and new ones understand it.
  return xml`      <Protocol>
        <Type>${TYPES[name]}</Type>
        <Server>${host}</Server>
        <Port>${port}</Port>
        <LoginName>${address}</LoginName>
        <DomainRequired>off</DomainRequired>
        <SPA>off</SPA>
        <SSL>on</SSL>
        <Encryption>${security === 'tls' ? 'SSL' : 'TLS'}</Encryption>
        <AuthRequired>on</AuthRequired>${name === 'smtp' ? sending : ''}
      </Protocol>
`;
}

/** @param code 600: the request is invalid; 601: the schema that it wants is not known */
export function autodiscoverError(code: 600 | 601, message: string): string {
  const time = new Date().toISOString().slice(11, 22);
  return xml`<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="${RESPONSE}">
  <Response>
    <Error Time="${time}" Id="0">
      <ErrorCode>${code}</ErrorCode>
      <Message>${message}</Message>
      <DebugData />
    </Error>
  </Response>
</Autodiscover>
`.text;
}
