/** Service records for a domain's own zone: RFC 6186 §3, RFC 8314 §5.1, in the form of zone files (RFC 1035 §5). */
import { isIP } from 'node:net';
import type { OfferedService } from './offer.ts';

/** What is announced, offered or not, with its priority: IMAP is liked better than POP3 (RFC 6186 §3.4). */
const RECORDS = [
  ['_imaps', 'imaps', 0],
  ['_imap', 'imap', 0],
  ['_pop3s', 'pop3s', 10],
  ['_pop3', 'pop3', 10],
  ['_submissions', 'submissions', 0],
  ['_submission', 'submission', 0],
] as const;

/** @param httpsPort where Autodiscover answers; undefined: nowhere */
export function dnsRecords(
  domain: string,
  host: string,
  services: readonly OfferedService[],
  httpsPort: number | undefined,
): string {
  const address = isIP(host);
  // A record of this kind leads to a name, never to an address (RFC 2782).
  const target = address === 0 ? host : `mail.${domain}`;
  const lines = RECORDS.map(([label, name, priority]) => {
    const port = services.find(({ service }) => service === name)?.port;
    // "." says that there is no such service (RFC 6186 §3.4).
    return record(
      `${label}._tcp.${domain}.`,
      'SRV',
      port === undefined ? '0 0 0 .' : `${priority} 1 ${port} ${target}.`,
    );
  });
  if (httpsPort !== undefined)
    lines.push(record(`_autodiscover._tcp.${domain}.`, 'SRV', `0 1 ${httpsPort} ${target}.`));
  if (address !== 0) lines.push(record(`${target}.`, address === 4 ? 'A' : 'AAAA', host));
  else if (host !== 'localhost') lines.push(record(`autoconfig.${domain}.`, 'CNAME', `${target}.`));
  return `${lines.join('\n')}\n`;
}

function record(owner: string, type: string, data: string): string {
  return `${owner.padEnd(40)} 3600 IN ${type.padEnd(5)} ${data}`;
}
