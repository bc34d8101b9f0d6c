/**
 * Makes certificates with an X.509 library. Imported only when one must be made: a normal start finds its files.
 */
import 'reflect-metadata'; // The library's dependency injection needs it loaded before.
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { nameConstraints } from './name-constraints.ts';

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;

interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface AuthorityRequest extends Validity {
  readonly commonName: string;
  readonly permittedNames: readonly string[];
  /** `10.0.0.0/8` */
  readonly permittedNetworks: readonly string[];
}

export interface MadeCertificate {
  readonly pem: string;
  readonly keyPem: string;
}

/** An authority that may sign leaves only (`pathlen:0`), and only for the names that it permits. */
export async function makeAuthority(request: AuthorityRequest): Promise<MadeCertificate> {
  const keys = await crypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name: [{ CN: [request.commonName] }, { O: ['Glassmail'] }],
      notBefore: request.notBefore,
      notAfter: request.notAfter,
      keys,
      signingAlgorithm: SIGNATURE,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        // RFC 5280 §4.2.1.10: this extension MUST be critical.
        new Extension(
          '2.5.29.30',
          true,
          new Uint8Array(nameConstraints(request.permittedNames, request.permittedNetworks)),
        ),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    },
    crypto,
  );
  return { pem: `${certificate.toString('pem')}\n`, keyPem: await privatePem(keys.privateKey) };
}

export interface ServerRequest extends Validity {
  readonly authorityPem: string;
  readonly authorityKeyPem: string;
  /** An existing key to certify; a new one is made otherwise. */
  readonly keyPem: string | undefined;
  /** DNS names, also with `*.`, and addresses. The first becomes the common name. */
  readonly names: readonly string[];
}

/** A leaf for TLS servers, signed by the authority. */
export async function makeServerCertificate(request: ServerRequest): Promise<MadeCertificate> {
  const authority = new X509Certificate(request.authorityPem);
  const authorityKey = await importPrivate(request.authorityKeyPem);
  const keys =
    request.keyPem === undefined
      ? await crypto.subtle.generateKey(CURVE, true, ['sign', 'verify'])
      : { privateKey: await importPrivate(request.keyPem), publicKey: await importPublic(request.keyPem) };
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      // 64 characters are all that a common name may have (RFC 5280, Appendix A.1); the names that count stand below.
      subject: [{ CN: [(request.names[0] ?? 'localhost').slice(0, 64)] }],
      issuer: authority.subjectName,
      notBefore: request.notBefore,
      notAfter: request.notAfter,
      publicKey: keys.publicKey,
      signingKey: authorityKey,
      signingAlgorithm: SIGNATURE,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension(
          request.names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
        ),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
        await AuthorityKeyIdentifierExtension.create(authority.publicKey),
      ],
    },
    crypto,
  );
  return { pem: `${certificate.toString('pem')}\n`, keyPem: request.keyPem ?? (await privatePem(keys.privateKey)) };
}

/** Positive, and of 20 octets at most: RFC 5280 §4.1.2.2. */
function serialNumber(): string {
  const octets = randomBytes(16);
  octets[0] = (octets[0]! & 0x3f) | 0x40;
  return octets.toString('hex');
}

async function privatePem(key: CryptoKey): Promise<string> {
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }).export({
    format: 'pem',
    type: 'pkcs8',
  }) as string;
}

function importPrivate(pem: string): Promise<CryptoKey> {
  const pkcs8 = createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' });
  return crypto.subtle.importKey('pkcs8', pkcs8, CURVE, true, ['sign']);
}

function importPublic(privateKeyPem: string): Promise<CryptoKey> {
  const spki = createPublicKey(createPrivateKey(privateKeyPem)).export({ format: 'der', type: 'spki' });
  return crypto.subtle.importKey('spki', spki, CURVE, true, ['verify']);
}
