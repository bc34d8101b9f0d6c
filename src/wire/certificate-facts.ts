/** What a certificate says, for those who watch. */
import type { X509Certificate } from 'node:crypto';

export interface CertificateFacts {
  /** The common name, or the whole subject. */
  readonly subject: string;
  readonly issuer: string;
  /** DNS names, then addresses: RFC 5280 §4.2.1.6. */
  readonly names: readonly string[];
  /** RFC 3339 in UTC. */
  readonly validFrom: string;
  readonly validTo: string;
  /** SHA-256, in groups of four hexadecimal digits: `1CBA FC3D …`. */
  readonly fingerprint: string;
}

/** Most connections show the same ones: by their fingerprints. */
const known = new Map<string, CertificateFacts>();
const MOST_KNOWN = 256;

export function certificateFacts(certificate: X509Certificate): CertificateFacts {
  const { fingerprint256 } = certificate;
  const before = known.get(fingerprint256);
  if (before !== undefined) return before;
  const facts: CertificateFacts = {
    subject: commonName(certificate.subject),
    issuer: commonName(certificate.issuer),
    names: (certificate.subjectAltName ?? '')
      .split(', ')
      .flatMap((name) => /^(?:DNS|IP Address):(.*)$/.exec(name)?.[1] ?? []),
    validFrom: certificate.validFromDate.toISOString(),
    validTo: certificate.validToDate.toISOString(),
    fingerprint: fingerprint256.replaceAll(':', '').replace(/(.{4})(?=.)/g, '$1 '),
  };
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(fingerprint256, facts);
  return facts;
}

function commonName(name: string): string {
  return (/^CN=(.*)$/m.exec(name)?.[1] ?? name.replaceAll('\n', ', ')).replace(/\\(.)/g, '$1');
}
