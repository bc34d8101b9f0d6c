import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { CannotUseCertificates, openCertificates } from '../../src/wire/certificates.ts';
import type { CertificateOptions, Certificates } from '../../src/wire/certificates.ts';
import { nameConstraints, permittedNames, permits } from '../../src/wire/name-constraints.ts';
import { testListen } from './wire-peer.ts';

const folders: string[] = [];
const DAY = 86_400_000;

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'glassmail-certificates-'));
  folders.push(made);
  return made;
}

const open = (inFolder: string, options: Partial<CertificateOptions> = {}): Promise<Certificates> =>
  openCertificates({ folder: inFolder, domains: ['glass.localhost', 'glass.test'], addresses: [], ...options });

/** What a client finds that knows the authority alone: the certificate, or why it does not trust it. */
async function visit(certificates: Certificates, servername: string | undefined): Promise<X509Certificate | string> {
  await using server = await testListen(async (connection) => connection.end(), { tls: 'implicit', certificates });
  return await new Promise((resolve) => {
    const socket = connect({
      port: server.port,
      host: '127.0.0.1',
      ca: certificates.authorityPem,
      ...(servername === undefined ? {} : { servername }),
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once('secureConnect', () => {
      resolve(socket.getPeerX509Certificate()!);
      socket.destroy();
    });
  });
}

describe('a first start', () => {
  it('makes an authority and a leaf that clients accept for every name it should have', async () => {
    const inFolder = await folder();
    const certificates = await open(inFolder, {
      names: ['glassmail'],
      addresses: ['192.168.1.20', '8.8.8.8', 'fd00::7'],
    });
    expect(certificates.notices).toEqual([]);
    expect(certificates.names).toEqual([
      'glass.localhost',
      '*.glass.localhost',
      'glass.test',
      '*.glass.test',
      'glassmail',
      'localhost',
      '127.0.0.1',
      '::1',
      '192.168.1.20',
      'fd00::7',
    ]);
    for (const name of ['localhost', 'glass.localhost', 'imap.glass.test', 'glassmail', undefined]) {
      expect(await visit(certificates, name), name).toBeInstanceOf(X509Certificate);
    }
    expect((await readdir(inFolder)).sort()).toEqual(['ca.key', 'ca.pem', 'server.key', 'server.pem']);
    for (const name of ['ca.key', 'server.key']) expect((await stat(join(inFolder, name))).mode & 0o777).toBe(0o600);
  });

  it('binds the authority as it promises', async () => {
    const certificates = await open(await folder());
    const authority = new X509Certificate(certificates.authorityPem!);
    expect(authority.ca).toBe(true);
    expect(authority.raw.equals(certificates.authorityDer!)).toBe(true);
    expect((authority.validToDate.getTime() - Date.now()) / DAY).toBeCloseTo(3652, 0);
    const permitted = permittedNames(authority.raw);
    for (const name of [
      'localhost',
      'x.localhost',
      'test',
      'a.b.test',
      'glass.test',
      '127.0.0.1',
      '10.1.2.3',
      '172.31.0.1',
      '192.168.0.1',
      '::1',
      'fd12::1',
    ]) {
      expect(permits(permitted, name), name).toBe(true);
    }
    for (const name of ['example.org', 'nottest', 'xlocalhost', '172.32.0.1', '8.8.8.8', '::2', '2001:db8::1']) {
      expect(permits(permitted, name), name).toBe(false);
    }
  });

  it('makes a leaf of at most 397 days for servers alone', async () => {
    const inFolder = await folder();
    await open(inFolder);
    const leaf = new X509Certificate(await readFile(join(inFolder, 'server.pem')));
    expect(leaf.ca).toBe(false);
    expect((leaf.validToDate.getTime() - leaf.validFromDate.getTime()) / DAY).toBe(397);
    expect(leaf.validFromDate.getTime()).toBeLessThan(Date.now() - 3_000_000);
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  });

  it('prints fingerprints as mutt does', async () => {
    const certificates = await open(await folder());
    const { sha1, sha256 } = certificates.fingerprints.authority!;
    const { fingerprint, fingerprint256 } = new X509Certificate(certificates.authorityPem!);
    expect(sha1).toMatch(/^([0-9A-F]{4} ){9}[0-9A-F]{4}$/);
    expect(sha1.replaceAll(' ', '')).toBe(fingerprint.replaceAll(':', ''));
    expect(sha256.replaceAll(' ', '')).toBe(fingerprint256.replaceAll(':', ''));
  });

  it('makes what OpenSSL accepts when it is strict', async (context) => {
    const inFolder = await folder();
    await open(inFolder, { names: ['glassmail', '203.0.113.9'] });
    let said: string;
    try {
      said = execFileSync(
        'openssl',
        [
          'verify',
          '-x509_strict',
          '-purpose',
          'sslserver',
          '-CAfile',
          join(inFolder, 'ca.pem'),
          join(inFolder, 'server.pem'),
        ],
        { encoding: 'utf8' },
      );
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      context.skip();
      return;
    }
    expect(said).toMatch(/: OK/);
    const text = execFileSync('openssl', ['x509', '-in', join(inFolder, 'ca.pem'), '-noout', '-text'], {
      encoding: 'utf8',
    });
    expect(text).toMatch(/Name Constraints: critical/);
    expect(text).toMatch(/CA:TRUE, pathlen:0/);
    expect(text).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign/);
  });
});

describe('names asked for by SNI', () => {
  it('get a leaf of their own where the authority may sign it', async () => {
    const certificates = await open(await folder());
    const found = await visit(certificates, 'a.deep.name.test');
    expect(found).toBeInstanceOf(X509Certificate);
    expect((found as X509Certificate).subjectAltName).toBe('DNS:a.deep.name.test');
    // It is kept: the same one again.
    expect(((await visit(certificates, 'A.Deep.Name.TEST')) as X509Certificate).serialNumber).toBe(
      (found as X509Certificate).serialNumber,
    );
    expect(certificates.secureContext('a.deep.name.test')).not.toBe(certificates.secureContext());
  });

  it('get the default leaf where it may not', async () => {
    const certificates = await open(await folder());
    expect(await visit(certificates, 'bank.example')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(certificates.secureContext('bank.example')).toBe(certificates.secureContext());
  });

  it.each(['*.test', 'a..test', '.test', 'x\0.test', `${'a'.repeat(64)}.test`, 'test.'])(
    'are not made of %j',
    async (name) => {
      const certificates = await open(await folder());
      const context = await new Promise((resolve) => certificates.sniCallback(name, (_error, found) => resolve(found)));
      expect(context).toBe(certificates.secureContext());
    },
  );

  it('are kept in bounds', async () => {
    const certificates = await open(await folder());
    const ask = (name: string): Promise<unknown> =>
      new Promise((resolve) => certificates.sniCallback(name, (_error, found) => resolve(found)));
    const first = await ask('n0.test');
    for (let i = 1; i < 260; i++) await ask(`n${i}.test`);
    expect(certificates.secureContext('n259.test')).not.toBe(certificates.secureContext());
    expect(certificates.secureContext('n0.test')).toBe(certificates.secureContext());
    expect(await ask('n0.test')).not.toBe(first);
    // Many at once: those beyond the bound get the default leaf and nobody waits for long.
    const all = await Promise.all(Array.from({ length: 50 }, (_, i) => ask(`m${i}.test`)));
    expect(all.filter((context) => context === certificates.secureContext()).length).toBe(42);
  });
});

describe('a later start', () => {
  it('uses what is there', async () => {
    const inFolder = await folder();
    const first = await open(inFolder);
    const second = await open(inFolder);
    expect(second.fingerprints).toEqual(first.fingerprints);
  });

  it('renews the leaf when less than 30 days are left, with the same key and authority', async () => {
    const inFolder = await folder();
    const first = await open(inFolder);
    const key = await readFile(join(inFolder, 'server.key'), 'utf8');
    const in360 = await open(inFolder, { now: () => new Date(Date.now() + 360 * DAY) });
    expect(in360.fingerprints).toEqual(first.fingerprints);
    const in368 = await open(inFolder, { now: () => new Date(Date.now() + 368 * DAY) });
    expect(in368.fingerprints.authority).toEqual(first.fingerprints.authority);
    expect(in368.fingerprints.server).not.toEqual(first.fingerprints.server);
    expect(await readFile(join(inFolder, 'server.key'), 'utf8')).toBe(key);
  });

  it('takes a new address into the leaf, and keeps the earlier ones', async () => {
    const inFolder = await folder();
    await open(inFolder, { addresses: ['192.168.1.20'] });
    const second = await open(inFolder, { addresses: ['10.0.0.7'] });
    expect(second.names).toEqual(expect.arrayContaining(['10.0.0.7', '192.168.1.20']));
    const third = await open(inFolder, { addresses: ['192.168.1.20'] });
    expect(third.fingerprints).toEqual(second.fingerprints);
  });

  it('says that a new domain needs a new authority, and leaves it out of the leaf', async () => {
    const inFolder = await folder();
    await open(inFolder);
    const certificates = await open(inFolder, { domains: ['new.test', 'red.example'] });
    expect(certificates.notices).toEqual([expect.stringMatching(/red\.example.*Remove ca\.pem and ca\.key/)]);
    expect(certificates.names).toContain('new.test');
    expect(certificates.names.join()).not.toContain('red.example');
    expect(await visit(certificates, 'localhost')).toBeInstanceOf(X509Certificate);
  });

  it('makes the leaf anew for a new authority', async () => {
    const inFolder = await folder();
    const first = await open(inFolder);
    await rm(join(inFolder, 'ca.pem'));
    await rm(join(inFolder, 'ca.key'));
    const second = await open(inFolder, { domains: ['red.example'] });
    expect(second.fingerprints.authority).not.toEqual(first.fingerprints.authority);
    expect(second.notices).toEqual([]);
    expect(await visit(second, 'mx.red.example')).toBeInstanceOf(X509Certificate);
  });

  it('goes on after a start that was cut off between key and certificate', async () => {
    const inFolder = await folder();
    await open(inFolder);
    await rm(join(inFolder, 'ca.pem'));
    expect((await open(inFolder)).authorityPem).toBeDefined();
  });

  it('stops for files that do not belong together, in one line', async () => {
    const inFolder = await folder();
    await open(inFolder);
    await writeFile(join(inFolder, 'ca.key'), await readFile(join(inFolder, 'server.key')));
    await expect(open(inFolder)).rejects.toThrow(
      `${join(inFolder, 'ca.key')} is not the key of ${join(inFolder, 'ca.pem')}`,
    );
    await rm(join(inFolder, 'ca.key'));
    await expect(open(inFolder)).rejects.toThrow(/ca\.key is missing; remove .*ca\.pem too/);
  });
});

describe('own certificate files', () => {
  it('are used and reread; files that cannot be used change nothing', async () => {
    const made = await folder();
    await open(made);
    const own = { certificate: join(made, 'server.pem'), key: join(made, 'server.key') };
    const inFolder = await folder();
    const certificates = await open(inFolder, { own });
    expect(await readdir(inFolder)).toEqual([]);
    expect(certificates.authorityPem).toBeUndefined();
    const before = certificates.secureContext();
    await writeFile(own.key, 'no key');
    await expect(certificates.reload()).rejects.toBeInstanceOf(CannotUseCertificates);
    expect(certificates.secureContext()).toBe(before);
    const other = await folder();
    await open(other, { domains: ['other.test'] });
    await writeFile(own.certificate, await readFile(join(other, 'server.pem')));
    await writeFile(own.key, await readFile(join(other, 'server.key')));
    await certificates.reload();
    expect(certificates.names).toContain('other.test');
    expect(certificates.secureContext()).not.toBe(before);
  });

  it.each([
    ['missing.pem', /cannot read/],
    ['server.key', /holds no PEM certificate/],
  ])('that are none stop the start: %s', async (name, message) => {
    const made = await folder();
    await open(made);
    const own = { certificate: join(made, name), key: join(made, 'server.key') };
    await expect(open(await folder(), { own })).rejects.toThrow(message);
  });
});

it('name constraints are read as they were written', () => {
  const value = nameConstraints(['localhost', 'x.test'], ['10.0.0.0/8', 'fc00::/7', '2001:db8::17/128']);
  // As it stands in a certificate: the OID, critical, an octet string.
  const extension = Buffer.concat([
    Buffer.from([0x06, 0x03, 0x55, 0x1d, 0x1e, 0x01, 0x01, 0xff, 0x04, value.length]),
    value,
  ]);
  const { dns, addresses } = permittedNames(extension);
  expect(dns).toEqual(['localhost', 'x.test']);
  expect(addresses.rules.toSorted()).toEqual([
    'Subnet: IPv4 10.0.0.0/8',
    'Subnet: IPv6 2001:db8::17/128',
    'Subnet: IPv6 fc00::/7',
  ]);
  expect(permittedNames(Buffer.from('no certificate')).dns).toEqual([]);
  expect(permittedNames(extension.subarray(0, 20)).dns).toEqual([]);
});
