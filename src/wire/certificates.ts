/**
 * The certificates that TLS is spoken with: a local authority and a leaf, made at the first start, or the owner's own files.
 * The authority is bound by name constraints (RFC 5280 §4.2.1.10) to this server's names and to private addresses, so that
 * trusting it cannot be abused for anybody's bank. Its key never leaves the data folder.
 */
import { X509Certificate, createHash, createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { domainToASCII } from 'node:url';
import { permittedNames, permits } from './name-constraints.ts';
import type { PermittedNames } from './name-constraints.ts';

export interface CertificateOptions {
  /** The folder in which `ca.pem`, `ca.key`, `server.pem` and `server.key` lie or are made. */
  readonly folder: string;
  /** The domains that are served here; the leaf names each with its subdomains. */
  readonly domains: readonly string[];
  /** More names and addresses that a new authority permits and the leaf carries: a compose service's name. */
  readonly names?: readonly string[];
  /** This machine's name: it goes into the leaf if the authority permits it. */
  readonly hostName?: string;
  /** Addresses of this machine; by default those of its network interfaces. Only private ones are named. */
  readonly addresses?: readonly string[];
  /** PEM files to use instead: then no authority is made. Reread by `reload`. */
  readonly own?: { readonly certificate: string; readonly key: string };
  readonly now?: () => Date;
}

/** Groups of four hexadecimal digits, as mutt prints them: `1CBA FC3D …`. */
export interface Fingerprints {
  readonly sha1: string;
  readonly sha256: string;
}

export interface Certificates {
  /** The context for a name that a leaf exists for already, otherwise the default one. */
  secureContext(serverName?: string): SecureContext;
  /** For `tls`: a name that the authority may sign gets a leaf of its own; any other name gets the default one. */
  readonly sniCallback: (serverName: string, callback: (error: Error | null, context?: SecureContext) => void) => void;
  /** Undefined with own certificate files. */
  readonly authorityPem: string | undefined;
  readonly authorityDer: Uint8Array | undefined;
  readonly fingerprints: { readonly authority: Fingerprints | undefined; readonly server: Fingerprints };
  /** The default leaf's names: DNS names, then addresses. */
  readonly names: readonly string[];
  /** Whether a client that asks for this name, or connects to this address, is shown a certificate that has it. */
  covers(name: string): boolean;
  /** A certificate of the same authority that expired yesterday, for tests of clients; undefined with own files. */
  expiredContext?(serverName?: string): Promise<SecureContext>;
  /** What the owner should know: lines for the log and the pages. */
  readonly notices: readonly string[];
  /** Rereads own certificate files. If they cannot be used, it throws CannotUseCertificates and the old ones stay in use. */
  reload(): Promise<void>;
}

/** One line that says which file and what to do. */
export class CannotUseCertificates extends Error {
  override readonly name = 'CannotUseCertificates';
}

const DAY = 86_400_000;
const AUTHORITY_DAYS = 3652;
/** Apple accepts 398 at most from public authorities, and 825 from private ones. */
const LEAF_DAYS = 397;
const RENEWAL_DAYS = 30;
/** Clients' clocks differ. */
const BACKDATED = 3_600_000;
/** Leaves for names asked for by SNI: how many are kept, and how many are made at once. */
const MINTED_KEPT = 256;
const MINTED_AT_ONCE = 8;
/** Labels of letters, digits, hyphens and (some intranets have them) underscores, in lower case. */
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;
/** Addresses of earlier networks stay in a renewed leaf, so that a laptop's leaf settles. */
const ADDRESSES_KEPT = 32;

const PRIVATE_NETWORKS = ['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '::1/128', 'fc00::/7'];

/** @throws CannotUseCertificates */
export async function openCertificates(options: CertificateOptions): Promise<Certificates> {
  if (options.own !== undefined) {
    const own = new OwnCertificates(options.own);
    await own.reload();
    return own;
  }
  const notices: string[] = [];
  const authority = await openAuthority(options);
  const leaf = await openLeaf(options, authority, notices);
  return new LocalCertificates(authority, leaf, notices, options.now ?? (() => new Date()));
}

/** A certificate with its private key, both also as PEM. */
interface Identity {
  readonly certificate: X509Certificate;
  readonly pem: string;
  readonly keyPem: string;
}

interface Authority extends Identity {
  readonly permitted: PermittedNames;
}

async function openAuthority(options: CertificateOptions): Promise<Authority> {
  const found = await readIdentity(options.folder, 'ca');
  if (found !== undefined) return { ...found, permitted: permittedNames(found.certificate.raw) };
  const names = [...options.domains, ...(options.names ?? [])].map(asciiName);
  const dns = ['localhost', 'test', ...names.filter((name) => isIP(name) === 0)];
  const networks = [
    ...PRIVATE_NETWORKS,
    ...names.filter((name) => isIP(name) !== 0).map((ip) => (isIP(ip) === 4 ? `${ip}/32` : `${ip}/128`)),
  ];
  const { makeAuthority } = await import('./certificate-maker.ts');
  const now = (options.now?.() ?? new Date()).getTime();
  const made = await makeAuthority({
    commonName: `Glassmail authority${options.hostName === undefined ? '' : ` of ${options.hostName}`}, ${new Date(now).toISOString().slice(0, 10)}`,
    notBefore: new Date(now - BACKDATED),
    notAfter: new Date(now + AUTHORITY_DAYS * DAY),
    permittedNames: [...new Set(dns)],
    permittedNetworks: [...new Set(networks)],
  });
  await writeIdentity(options.folder, 'ca', made);
  const certificate = new X509Certificate(made.pem);
  return { ...made, certificate, permitted: permittedNames(certificate.raw) };
}

async function openLeaf(options: CertificateOptions, authority: Authority, notices: string[]): Promise<Identity> {
  const found = await readIdentity(options.folder, 'server');
  const { dns, addresses } = wantedNames(options, authority, notices);
  const now = (options.now?.() ?? new Date()).getTime();
  if (
    found?.certificate.verify(authority.certificate.publicKey) === true &&
    found.certificate.validToDate.getTime() - now >= RENEWAL_DAYS * DAY &&
    [...dns, ...addresses].every((name) => namesOf(found.certificate).includes(name))
  ) {
    return found;
  }
  const earlier = found === undefined ? [] : namesOf(found.certificate).filter((name) => isIP(name) !== 0);
  const kept = [...new Set([...addresses, ...earlier])].filter((ip) => permits(authority.permitted, ip));
  const leaf = await makeLeaf(authority, [...dns, ...kept.slice(0, ADDRESSES_KEPT)], now, found?.keyPem);
  await writeIdentity(options.folder, 'server', leaf);
  return leaf;
}

/** What the leaf should name, as far as the authority permits it: one name outside would void the whole leaf. */
function wantedNames(
  options: CertificateOptions,
  authority: Authority,
  notices: string[],
): { readonly dns: readonly string[]; readonly addresses: readonly string[] } {
  const domains = options.domains.map(asciiName);
  const asked = [...domains, ...(options.names ?? []).map(asciiName)];
  const refused = asked.filter((name) => !permits(authority.permitted, name));
  if (refused.length > 0) {
    notices.push(
      `The certificate authority in ${options.folder} was made before ${refused.join(', ')}: it may not sign certificates for ` +
        `${refused.length === 1 ? 'that name' : 'those names'}. Remove ca.pem and ca.key there to have a new one made, which clients must then trust anew.`,
    );
  }
  const own = options.hostName === undefined ? [] : [asciiName(options.hostName)];
  const names = [...asked, 'localhost', ...own];
  const dns = names
    .filter((name) => isIP(name) === 0)
    .flatMap((name) => (domains.includes(name) ? [name, `*.${name}`] : [name]));
  const addresses = [
    ...names.filter((name) => isIP(name) !== 0),
    '127.0.0.1',
    '::1',
    ...(options.addresses ?? machineAddresses()).filter(isPrivate),
  ];
  const permitted = (name: string): boolean => permits(authority.permitted, name.replace(/^\*\./, ''));
  return { dns: [...new Set(dns)].filter(permitted), addresses: [...new Set(addresses)].filter(permitted) };
}

async function makeLeaf(
  authority: Authority,
  names: readonly string[],
  now: number,
  keyPem?: string,
): Promise<Identity> {
  const { makeServerCertificate } = await import('./certificate-maker.ts');
  const made = await makeServerCertificate({
    authorityPem: authority.pem,
    authorityKeyPem: authority.keyPem,
    keyPem,
    names,
    notBefore: new Date(now - BACKDATED),
    notAfter: new Date(Math.min(now - BACKDATED + LEAF_DAYS * DAY, authority.certificate.validToDate.getTime())),
  });
  return { ...made, certificate: new X509Certificate(made.pem) };
}

class LocalCertificates implements Certificates {
  readonly #authority: Authority;
  readonly #leaf: Identity;
  readonly #default: SecureContext;
  readonly #now: () => Date;
  /** By name, the oldest first. */
  readonly #minted = new Map<string, SecureContext>();
  readonly #minting = new Map<string, Promise<SecureContext>>();
  readonly #expired = new Map<string, Promise<SecureContext>>();
  readonly notices: readonly string[];

  constructor(authority: Authority, leaf: Identity, notices: readonly string[], now: () => Date) {
    this.#authority = authority;
    this.#leaf = leaf;
    this.#default = contextOf(leaf.pem, leaf.keyPem);
    this.#now = now;
    this.notices = notices;
  }

  get authorityPem(): string {
    return this.#authority.pem;
  }

  get authorityDer(): Uint8Array {
    return this.#authority.certificate.raw;
  }

  get fingerprints(): { authority: Fingerprints; server: Fingerprints } {
    return { authority: fingerprintsOf(this.#authority.certificate), server: fingerprintsOf(this.#leaf.certificate) };
  }

  get names(): readonly string[] {
    return namesOf(this.#leaf.certificate);
  }

  covers(name: string): boolean {
    return isNamed(this.#leaf.certificate, name) || this.#needsOwnLeaf(name.toLowerCase());
  }

  secureContext(serverName?: string): SecureContext {
    return (serverName === undefined ? undefined : this.#minted.get(serverName.toLowerCase())) ?? this.#default;
  }

  readonly sniCallback = (
    serverName: string,
    callback: (error: Error | null, context?: SecureContext) => void,
  ): void => {
    const name = serverName.toLowerCase();
    if (!this.#needsOwnLeaf(name)) {
      callback(null, this.#default);
      return;
    }
    const minted = this.#minted.get(name);
    if (minted !== undefined) callback(null, minted);
    else {
      // A leaf that cannot be made is no reason to refuse the client.
      this.#mint(name).then(
        (context) => callback(null, context),
        () => callback(null, this.#default),
      );
    }
  };

  #needsOwnLeaf(name: string): boolean {
    return (
      HOST_NAME.test(name) &&
      isIP(name) === 0 &&
      permits(this.#authority.permitted, name) &&
      this.#leaf.certificate.checkHost(name) === undefined
    );
  }

  async #mint(name: string): Promise<SecureContext> {
    const running = this.#minting.get(name);
    if (running !== undefined) return running;
    if (this.#minting.size >= MINTED_AT_ONCE) return this.#default;
    const minting = makeLeaf(this.#authority, [name], this.#now().getTime(), this.#leaf.keyPem).then(
      ({ pem, keyPem }) => contextOf(pem, keyPem),
    );
    this.#minting.set(name, minting);
    try {
      const context = await minting;
      this.#minted.set(name, context);
      const [oldest] = this.#minted.keys();
      if (this.#minted.size > MINTED_KEPT && oldest !== undefined) this.#minted.delete(oldest);
      return context;
    } finally {
      this.#minting.delete(name);
    }
  }

  expiredContext(serverName?: string): Promise<SecureContext> {
    const wanted = serverName?.toLowerCase();
    const name = wanted !== undefined && this.#needsOwnLeaf(wanted) ? wanted : '';
    const known = this.#expired.get(name);
    if (known !== undefined) return known;
    const names = name === '' ? namesOf(this.#leaf.certificate) : [name];
    const at = this.#now().getTime() - (LEAF_DAYS + 1) * DAY + BACKDATED;
    const made = makeLeaf(this.#authority, names, at, this.#leaf.keyPem).then(({ pem, keyPem }) =>
      contextOf(pem, keyPem),
    );
    made.catch(() => this.#expired.delete(name));
    this.#expired.set(name, made);
    const [oldest] = this.#expired.keys();
    if (this.#expired.size > MINTED_KEPT && oldest !== undefined) this.#expired.delete(oldest);
    return made;
  }

  async reload(): Promise<void> {
    // The leaf is renewed at start; there is nothing to reread.
  }
}

class OwnCertificates implements Certificates {
  readonly #files: { readonly certificate: string; readonly key: string };
  #identity!: Identity;
  #context!: SecureContext;
  readonly authorityPem = undefined;
  readonly authorityDer = undefined;
  readonly notices: string[] = [];

  constructor(files: { readonly certificate: string; readonly key: string }) {
    this.#files = files;
  }

  get fingerprints(): { authority: undefined; server: Fingerprints } {
    return { authority: undefined, server: fingerprintsOf(this.#identity.certificate) };
  }

  get names(): readonly string[] {
    return namesOf(this.#identity.certificate);
  }

  covers(name: string): boolean {
    return isNamed(this.#identity.certificate, name);
  }

  secureContext(): SecureContext {
    return this.#context;
  }

  readonly sniCallback = (
    _serverName: string,
    callback: (error: Error | null, context?: SecureContext) => void,
  ): void => callback(null, this.#context);

  async reload(): Promise<void> {
    const { certificate, key } = this.#files;
    const pem = await readOwn(certificate);
    const keyPem = await readOwn(key);
    const identity = readPair(pem, keyPem, certificate, key);
    this.#context = contextOf(pem, keyPem);
    this.#identity = identity;
    this.notices.length = 0;
    if (identity.certificate.validToDate.getTime() < Date.now()) {
      this.notices.push(`The certificate in ${certificate} expired on ${identity.certificate.validTo}.`);
    }
  }
}

function contextOf(cert: string, key: string): SecureContext {
  return createSecureContext({ cert, key });
}

async function readOwn(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new CannotUseCertificates(`cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
}

function readPair(pem: string, keyPem: string, file: string, keyFile: string): Identity {
  let certificate: X509Certificate;
  let key: KeyObject;
  try {
    certificate = new X509Certificate(pem);
  } catch (error) {
    throw new CannotUseCertificates(`${file} holds no PEM certificate`, { cause: error });
  }
  try {
    key = createPrivateKey(keyPem);
  } catch (error) {
    throw new CannotUseCertificates(`${keyFile} holds no PEM private key without a passphrase`, { cause: error });
  }
  if (!certificate.checkPrivateKey(key)) throw new CannotUseCertificates(`${keyFile} is not the key of ${file}`);
  return { certificate, pem, keyPem };
}

/** @returns undefined when neither file exists; a lone key is taken for a start that was cut off, and made anew */
async function readIdentity(folder: string, name: string): Promise<Identity | undefined> {
  const file = join(folder, `${name}.pem`);
  const keyFile = join(folder, `${name}.key`);
  const pem = await readIfThere(file);
  if (pem === undefined) return undefined;
  const keyPem = await readIfThere(keyFile);
  if (keyPem === undefined)
    throw new CannotUseCertificates(`${keyFile} is missing; remove ${file} too to have both made anew`);
  return readPair(pem, keyPem, file, keyFile);
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CannotUseCertificates(`cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** The key first: a certificate without its key would stop the next start, a key alone is made anew. */
async function writeIdentity(
  folder: string,
  name: string,
  identity: { readonly pem: string; readonly keyPem: string },
): Promise<void> {
  await writeWhole(join(folder, `${name}.key`), identity.keyPem, 0o600);
  await writeWhole(join(folder, `${name}.pem`), identity.pem, 0o644);
}

/** The file is there whole or not at all, whenever the power fails. */
async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  const temporary = `${file}.${process.pid}.new`;
  try {
    await using handle = await open(temporary, 'w', mode);
    await handle.chmod(mode); // A file left over by a start that was cut off keeps its old mode otherwise.
    await handle.writeFile(text);
    await handle.sync();
  } catch (error) {
    throw new CannotUseCertificates(`cannot write ${file}: ${(error as Error).message}`, { cause: error });
  }
  await rename(temporary, file);
}

function namesOf(certificate: X509Certificate): string[] {
  return (certificate.subjectAltName ?? '').split(', ').flatMap((entry) => {
    const [, type, value] = /^(DNS|IP Address):(.*)$/.exec(entry) ?? [];
    if (value === undefined) return [];
    return [type === 'DNS' ? value : shortAddress(value)];
  });
}

function isNamed(certificate: X509Certificate, name: string): boolean {
  return (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
}

/** OpenSSL prints IPv6 addresses without shortening: `0:0:0:0:0:0:0:1`. */
function shortAddress(address: string): string {
  return isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}

function asciiName(name: string): string {
  if (isIP(name) !== 0) return shortAddress(name);
  const ascii = domainToASCII(name.replace(/\.$/, ''));
  return (ascii === '' ? name : ascii).toLowerCase();
}

function machineAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => shortAddress(address)));
}

function isPrivate(address: string): boolean {
  const networks = new BlockList();
  for (const network of PRIVATE_NETWORKS) {
    const [base, prefix] = network.split('/') as [string, string];
    networks.addSubnet(base, Number(prefix), base.includes(':') ? 'ipv6' : 'ipv4');
  }
  return networks.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

function fingerprintsOf({ raw }: X509Certificate): Fingerprints {
  const grouped = (algorithm: string): string =>
    createHash(algorithm)
      .update(raw)
      .digest('hex')
      .toUpperCase()
      .replace(/.{4}(?!$)/g, '$& ');
  return { sha1: grouped('sha1'), sha256: grouped('sha256') };
}
