/**
 * The whole server as one AsyncDisposable: the only file that knows every part. Parts are opened in the order in which
 * mail flows and closed in reverse.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { inspect } from 'node:util';
import { readConfigFiles } from './config-files.ts';
import { LOG_LEVELS, SERVICES, type Config, type LogLevel, type Service, type TagRuleText } from './config.ts';
import { countedDelivery } from './delivery/counted.ts';
import { createDelivery } from './delivery/deliver.ts';
import { ScopeRegistry } from './delivery/scopes.ts';
import { taggedDelivery, type TagRule } from './delivery/tag-rules.ts';
import { Chaos } from './faults/chaos.ts';
import { interferenceBy } from './faults/interference.ts';
import { Jim, USUAL_HABITS } from './faults/jim.ts';
import { FaultRules, MOST_RULES } from './faults/rules.ts';
import { Doctor } from './glass/doctor/doctor.ts';
import { createHttp } from './http/app.ts';
import { IMAP_REFUSALS, serveImap } from './imap/server.ts';
import { Notifier } from './notifier/notifier.ts';
import { POP3_REFUSALS, servePop3, type Pop3Options } from './pop3/server.ts';
import type { Credentials, TokenVerdict } from './sasl/mechanism.ts';
import { Errands } from './sasl/errands.ts';
import { TokenIssuer } from './sasl/issuer.ts';
import { loginAddress } from './sasl/login-name.ts';
import { makeScramRecord, verifyPassword } from './sasl/scram-record.ts';
import { LoginThrottle } from './sasl/throttle.ts';
import { tokenFile } from './sasl/token-file.ts';
import { TokenRegistry, type TokenScope, type TokenStorage } from './sasl/tokens.ts';
import { SMTP_REFUSALS, smtpServer } from './smtp/server.ts';
import { lockFolder } from './store/folder-lock.ts';
import type { Account, MailStore } from './store/mail-store.ts';
import { splitAddress } from './mail/address.ts';
import { Refusal } from './store/refusal.ts';
import { Retention } from './store/retention.ts';
import { SharedMailboxes } from './store/shared-mailboxes.ts';
import { openStore } from './store/sqlite/sqlite-store.ts';
import { VERSION } from './version.ts';
import { openCertificates } from './wire/certificates.ts';
import type { Connection, Endpoint } from './wire/connection.ts';
import { listen, type Listener } from './wire/listener.ts';
import { Recorder } from './wire/recorder.ts';

/** The start failed for a reason that one line can tell: a port in use, a folder in use, a newer schema. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

export interface Stack extends AsyncDisposable {
  readonly version: string;
  readonly folder: string;
  readonly store: MailStore;
  readonly recorder: Recorder;
  readonly notices: readonly string[];
  /** The certificate of the authority that signed ours, PEM; undefined with certificate files of your own. */
  readonly authorityFile: string | undefined;
  readonly webAddress: string | undefined;
  /** Where a service accepts; empty: it is off. */
  addresses(service: Service): readonly Endpoint[];
  /** Accounts that the configured password opens, for the start to print. */
  accountsWithKnownPassword(): Promise<readonly Account[]>;
  /** Rereads the certificate files. */
  reload(): Promise<void>;
  /** Resolves, with the reason, if the stack can go on no more and is to be ended. */
  readonly failed: Promise<Error>;
}

export interface StackOptions {
  readonly log?: (line: string) => void;
}

/** Addresses of private networks (RFC 1918, RFC 4193) and link-local ones. */
const PRIVATE = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)/i;
const LOOPBACK = /^(127\.|::1$)/;

/** @throws StartError */
export async function startStack(config: Config, { log = () => undefined }: StackOptions = {}): Promise<Stack> {
  await using opening = new AsyncDisposableStack();
  const say = logger(config.logLevel, log);
  const notices: string[] = [];
  const files = await orStartError(readConfigFiles(config));
  const folder = await openFolder(config, opening);
  opening.use(await orStartError(Promise.try(() => lockFolder(folder))));

  const notifier = new Notifier();
  const failed = Promise.withResolvers<Error>();
  const store = opening.use(
    await orStartError(
      openStore({
        folder,
        durability: config.durability,
        notifier,
        quota: config.quota,
        log: (line) => say('warn', line),
        failed: failed.resolve,
      }),
    ),
  );
  const certificates = await orStartError(
    openCertificates({
      folder,
      domains: config.domains,
      names: [config.serverName, ...config.tlsNames],
      hostName: hostname(),
      ...(config.tlsCertificate === undefined || config.tlsKey === undefined
        ? {}
        : { own: { certificate: config.tlsCertificate, key: config.tlsKey } }),
    }),
  );
  notices.push(...certificates.notices);
  const authorityFile = certificates.authorityPem === undefined ? undefined : join(folder, 'ca.pem');
  const recorder = new Recorder({ capacity: config.recordOctets });

  const defaultPasswordRecord = config.password === undefined ? undefined : await makeScramRecord(config.password);
  await makeFirstAccounts(config, store, defaultPasswordRecord);

  const permitsPlaintextLogin = (address: string): boolean =>
    config.allowPlaintextAuth || LOOPBACK.test(address) || (config.mode === 'capture' && PRIVATE.test(address));
  const tokens = await orStartError(TokenRegistry.open(fileStorage(folder, 'tokens.json')));
  // Accounts that were deleted while no server ran have left theirs.
  const accounts = new Set((await store.listAccounts()).map(({ id }) => String(id)));
  if (tokens.size > 0) await orStartError(tokens.revokeWhere(({ subject }) => !accounts.has(subject)));
  // A real site has no provider that anybody may ask.
  const issuer = config.mode === 'capture' ? new TokenIssuer() : undefined;
  const errands = new Errands();
  const addressOf = (login: string): string => loginAddress(login, config.defaultDomain);
  /** Every name is somebody's here; one that is no address is nobody's. */
  const letIn = async (address: string): Promise<boolean> => {
    if ((await store.findAccount(address)) !== undefined) return true;
    if (splitAddress(address) === undefined || !/^[^\s\p{Cc}]{3,320}$/u.test(address)) return false;
    try {
      await store.createAccount({ address, passwordRecord: defaultPasswordRecord });
    } catch (error) {
      // Another connection may have made it meanwhile.
      if (!(error instanceof Refusal)) throw error;
    }
    return (await store.findAccount(address)) !== undefined;
  };
  const credentialsFor = (service: TokenScope): Credentials => ({
    addressOf,
    bindsChannels: config.channelBinding,
    // For learners; whoever guesses at a real site shall learn nothing, and the log of it neither.
    explainsFailures: config.mode === 'capture',
    findRecord: async (login) => (await store.findPasswordRecord(addressOf(login)))?.record,
    ...(config.checksLogins ? {} : { checkPassword: (login: string) => letIn(addressOf(login)) }),
    offersTokens: () => tokens.size > 0 || issuer?.hasIssued === true,
    takesTokens: () => errands.any,
    verifyToken: async (login, value) => {
      const own = errands.verify(value, service);
      if (own !== undefined && (login === undefined || addressOf(login) === own)) return { type: 'valid', login: own };
      if (issuer?.isOurs(value)) return verifyIssued(issuer, service, login, value);
      const verified = tokens.verify(value, service, login === undefined ? undefined : addressOf(login));
      if (verified.type === 'refused') return verified;
      const { login: address, subject } = verified.token;
      // The account may have been deleted, and another one made under its name.
      const isHis = String((await store.findAccount(address))?.id) === subject;
      return isHis ? { type: 'valid', login: address } : { type: 'refused', error: 'invalid_token' };
    },
  });
  const verifyIssued = async (
    from: TokenIssuer,
    service: TokenScope,
    login: string | undefined,
    value: string,
  ): Promise<TokenVerdict> => {
    const claims = from.verify(value, 'access');
    const given = login === undefined ? undefined : addressOf(login);
    const account = await store.findAccount(claims?.email ?? given ?? '');
    // One that names nobody is an application's, for every account.
    const isHis = claims?.email === undefined || String(account?.id) === claims.sub;
    const isMeant = account !== undefined && (given === undefined || given === account.address);
    if (!claims || !account || !isHis || !isMeant) return { type: 'refused', error: 'invalid_token' };
    const scopes = claims.scope.split(' ');
    if (!scopes.includes('mail') && !scopes.includes(service)) return { type: 'refused', error: 'insufficient_scope' };
    return { type: 'valid', login: account.address };
  };
  const session = {
    store,
    notifier,
    defaultDomain: config.defaultDomain,
    permitsPlaintextLogin,
    loginThrottle: new LoginThrottle(),
    serverName: config.serverName,
    version: VERSION,
    maximumMessageOctets: config.maximumMessageOctets,
    log: say,
  };
  const scopes = opening.use(
    await orStartError(
      ScopeRegistry.open({
        store,
        storage: fileStorage(folder, 'scopes.json'),
        domain: config.defaultDomain,
        passwordRecord: (password) => makeScramRecord(password),
        log: (message, cause) => say('error', message, cause),
      }),
    ),
  );
  // Addresses ask for faults themselves where no mail is anybody's.
  const faults = new FaultRules({
    addressCodes: config.addressFaults,
    scopeOf: (address) => scopes.ofAddress(address)?.id,
    ...(certificates.expiredContext === undefined && {
      impossible: { 'expired-certificate': 'needs certificates of this server: it has files of its owner' },
    }),
  });
  scopes.onClosed = (scope) => void faults.clear(scope);
  if (config.faults !== undefined) await orStartError(readRules(config.faults, faults));
  const jim = new Jim(faults);
  if (config.inviteJim) jim.invite(USUAL_HABITS);
  const delivery = countedDelivery(
    taggedDelivery(
      createDelivery({
        store,
        scopes,
        domains: config.mode === 'capture' ? 'all' : config.domains,
        defaultDomain: config.defaultDomain,
        serverName: config.serverName,
        tagging: config.tagging,
        permitted: config.allowedRecipients,
        ...(defaultPasswordRecord === undefined ? {} : { defaultPasswordRecord }),
      }),
      store,
      await orStartError(tagRulesOf(files.tagRules, store)),
      (cause) => say('error', 'a message was taken without its tags', cause),
    ),
  );
  const chaos = config.chaos && new Chaos();
  chaos?.set(config.chaos ?? {});
  const rules = { messages: config.maximumMessages, ageMs: config.maximumAgeMs };
  const keepsAll = rules.messages === undefined && rules.ageMs === undefined;
  const retention = keepsAll ? undefined : opening.use(new Retention({ store, notifier, rules, log: say }));
  // GreenMail's port for SMTP over TLS is no submission: its clients do not log in there.
  const withoutLogin = (service: string) => service === 'smtp' || (service === 'submissions' && config.openSubmissions);
  const authOf = (service: string) =>
    withoutLogin(service)
      ? files.smtpLogins
        ? 'required'
        : config.smtpAuth
      : service === 'lmtp'
        ? 'none'
        : 'required';
  const smtpCredentials = (service: string): Credentials => {
    const { smtpLogins } = files;
    if (!smtpLogins || !withoutLogin(service)) return credentialsFor('smtp');
    return { findRecord: async () => undefined, checkPassword: (login, password) => smtpLogins.check(login, password) };
  };
  const smtp = (service: 'smtp' | 'submission' | 'submissions' | 'lmtp') =>
    smtpServer({
      ...session,
      faults,
      credentials: smtpCredentials(service),
      service,
      delivery,
      auth: authOf(service),
      starttls: service === 'submission' || (service !== 'submissions' && config.smtpStartTls),
      enforceSender: config.mode === 'domain',
      maximumRecipients: config.maximumRecipients,
      earlyTalkerMs: config.earlyTalkerMs,
      chaos,
    });

  const opensWithPassword = async (address: string): Promise<boolean> => {
    const record = (await store.findPasswordRecord(address))?.record;
    return config.password !== undefined && record !== undefined && verifyPassword(record, config.password);
  };

  const token = randomBytes(32).toString('base64url');
  const listeners = new Map<Service, Listener>();
  let accepting = false;
  const webAddressNow = (): string | undefined => {
    const webPort = listeners.get('http')?.port;
    return webPort === undefined ? undefined : `http://localhost:${webPort}`;
  };
  const doctor = new Doctor({
    mode: config.mode,
    domains: config.domains,
    defaultDomain: config.defaultDomain,
    webAddress: webAddressNow,
    services: () =>
      Object.fromEntries(
        [...listeners].map(([service, { port, addresses, accepted, acceptedAt }]) => {
          const { protocol, tls } = parts[service];
          const bound = addresses.map(({ address }) => address);
          return [service, { port, protocol, tls, addresses: bound, accepted, acceptedAt }];
        }),
      ),
    certificateNames: () => certificates.names,
    certifies: (name) => certificates.covers(name),
    ownAuthority: certificates.authorityPem !== undefined,
  });
  opening.defer(() => doctor.close());
  const http = createHttp({
    store,
    notifier,
    recorder,
    doctor,
    mode: config.mode,
    domains: config.domains,
    defaultDomain: config.defaultDomain,
    maximumMessageOctets: config.maximumMessageOctets,
    token,
    hosts: config.httpHosts,
    version: VERSION,
    services: () => Object.fromEntries([...listeners].map(([service, { addresses }]) => [service, addresses[0]!])),
    passwordRecord: (password: string) => makeScramRecord(password),
    tokens,
    errands,
    issuer,
    scopes,
    firstAccounts: config.accounts,
    checksLogins: config.checksLogins,
    apiV1: config.apiV1,
    faults,
    ready: () => accepting,
    dataFolder: folder,
    certificates,
    settings: () => ({
      listeners: [...listeners].map(([service, { addresses, connections, accepted }]) => {
        const { protocol, tls } = parts[service];
        return { service, protocol, tls, addresses, open: connections, sinceStart: accepted };
      }),
      off: SERVICES.filter((service) => !listeners.has(service)),
      limits: {
        connections: config.maximumConnections,
        connectionsPerAddress: config.maximumConnectionsPerAddress,
        messageOctets: config.maximumMessageOctets,
        recipients: config.maximumRecipients,
      },
      data: { folder, durability: config.durability },
      recordOctets: config.recordOctets,
      rules,
    }),
    knownPassword: async (address) =>
      config.mode === 'capture' && (await opensWithPassword(address)) ? config.password : undefined,
    log: say,
    delivery,
    smtpFigures: () => delivery.figures(),
    chaos,
    retention,
    jim,
    mailpit: files.mailpit,
    auth: files.httpLogins,
    sendLogins: files.sendLogins,
    cors: config.httpCors,
    webroot: config.webroot,
  });
  opening.defer(() => http.close());

  const smtpSmtp = smtp('smtp');
  const submission = smtp('submission');
  const submissions = smtp('submissions');
  const lmtp = smtp('lmtp');
  const imapOptions = {
    ...session,
    store: new SharedMailboxes(store),
    faults,
    credentials: credentialsFor('imap'),
    unauthenticate: config.unauthenticate,
    messageLimit: config.messageLimit,
    adminContact: config.adminContact,
    // A real site's users do not write what all the others read; in a test they may want to.
    serverAnnotations: config.mode === 'capture' ? ('writable' as const) : ('read-only' as const),
    setQuota: config.mode === 'capture',
  };
  const imap = (connection: Connection) => serveImap(connection, imapOptions);
  const pop3Options: Pop3Options = {
    ...session,
    faults,
    credentials: credentialsFor('pop3'),
    maildrop: { messages: config.pop3Messages, deleted: config.pop3Delete },
    loginDelaySeconds: config.pop3LoginDelaySeconds,
    expireDays: config.pop3ExpireDays,
  };
  const pop3 = (connection: Connection) => servePop3(connection, pop3Options);
  const web = (connection: Connection) => http.handle(connection);
  const parts: Readonly<Record<Service, Part>> = {
    smtp: {
      protocol: 'smtp',
      tls: config.smtpStartTls ? 'starttls' : 'none',
      serve: (c) => smtpSmtp.serve(c),
      refusals: SMTP_REFUSALS,
    },
    submission: { protocol: 'smtp', tls: 'starttls', serve: (c) => submission.serve(c), refusals: SMTP_REFUSALS },
    submissions: { protocol: 'smtp', tls: 'implicit', serve: (c) => submissions.serve(c), refusals: SMTP_REFUSALS },
    imap: { protocol: 'imap', tls: 'starttls', serve: imap, refusals: IMAP_REFUSALS },
    imaps: { protocol: 'imap', tls: 'implicit', serve: imap, refusals: IMAP_REFUSALS },
    pop3: { protocol: 'pop3', tls: 'starttls', serve: pop3, refusals: POP3_REFUSALS },
    pop3s: { protocol: 'pop3', tls: 'implicit', serve: pop3, refusals: POP3_REFUSALS },
    http: { protocol: 'http', tls: 'none', serve: web, refusals: undefined },
    https: { protocol: 'http', tls: 'implicit', serve: web, refusals: undefined },
    lmtp: {
      protocol: 'lmtp',
      tls: config.smtpStartTls ? 'starttls' : 'none',
      serve: (c) => lmtp.serve(c),
      refusals: SMTP_REFUSALS,
    },
  };
  const open = async (service: Service, webAddress?: string): Promise<void> => {
    const port = config.ports[service];
    if (port === undefined) return;
    const part = parts[service];
    const listener = await orStartError(
      listen({
        service,
        protocol: part.protocol,
        hosts: config.hosts,
        port,
        portOption: `--${service}-port`,
        tls: part.tls,
        certificates,
        recorder,
        limits: { connections: config.maximumConnections, perAddress: config.maximumConnectionsPerAddress },
        idleMs: IDLE_MS[part.protocol],
        silenceMs: config.mode === 'capture' ? 1500 : 5000,
        refusals: refusalsOf(part, webAddress),
        // By HTTP rules are taken back.
        interference: part.protocol === 'http' ? undefined : interferenceBy(faults),
        onConnection: (connection) => part.serve(connection),
        onError: (error, connection) => say('error', `${service} ${connection.id}: a fault of ours`, error),
        onNotice: (text) => notices.includes(text) || notices.push(text),
      }),
    );
    listeners.set(service, listener);
  };
  // All at once: each waits for its sessions to end.
  opening.defer(async () => {
    await Promise.all([...listeners.values()].map((listener) => listener.stop()));
  });
  await open('http');
  const webAddress = webAddressNow();
  for (const service of SERVICES) if (service !== 'http') await open(service, webAddress);
  accepting = true;
  opening.defer(() => {
    accepting = false;
  });

  const controlFile = join(folder, 'control.json');
  await writeControlFile(controlFile, {
    url: webAddress,
    token,
    pid: process.pid,
    authority: authorityFile,
    mode: config.mode,
    services: Object.fromEntries(
      [...listeners].map(([service, { addresses }]) => [
        service,
        { host: addresses[0]!.address, port: addresses[0]!.port },
      ]),
    ),
    account: config.accounts[0],
    password: config.mode === 'capture' ? config.password : undefined,
  });
  opening.defer(() => rm(controlFile, { force: true }));

  const opened = opening.move();
  return {
    version: VERSION,
    folder,
    store,
    recorder,
    notices,
    authorityFile,
    webAddress,
    addresses: (service) => listeners.get(service)?.addresses ?? [],
    accountsWithKnownPassword: async () => {
      if (config.password === undefined) return [];
      const accounts = (await store.listAccounts()).slice(0, ACCOUNTS_SHOWN);
      const opens = await Promise.all(accounts.map(({ address }) => opensWithPassword(address)));
      return accounts.filter((_, index) => opens[index]);
    },
    reload: () => certificates.reload(),
    failed: failed.promise,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

interface Part {
  readonly protocol: keyof typeof IDLE_MS;
  readonly tls: 'none' | 'starttls' | 'implicit';
  serve(connection: Connection): Promise<void> | undefined;
  readonly refusals: { readonly tooManyConnections: string; readonly expectsTls: string } | undefined;
}

/** RFC 5321 §4.5.3.2.7, RFC 9051 §5.4, RFC 1939 §3; HTTP: two minutes, its server has finer ones. */
const IDLE_MS = { smtp: 300_000, lmtp: 300_000, imap: 1_800_000, pop3: 600_000, http: 120_000 } as const;

/** The start tries the password on so many accounts: each costs milliseconds. */
const ACCOUNTS_SHOWN = 10;

function refusalsOf({ refusals }: Part, webAddress: string | undefined) {
  if (!refusals) return { tlsExpected: badRequest('This port begins with TLS: ask for https:// instead of http://') };
  const where = webAddress === undefined ? 'the web pages are switched off' : `the web pages are at ${webAddress}/`;
  return {
    tooMany: refusals.tooManyConnections,
    tooManyFromAddress: refusals.tooManyConnections,
    tlsExpected: refusals.expectsTls,
    http: badRequest(`This is a mail port of glassmail; ${where}`),
  };
}

/** A whole HTTP response for a browser that came to the wrong port. */
function badRequest(sentence: string): string {
  const text = `${sentence}\n`;
  return `HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`;
}

/** The data folder, made if need be; `temp`: a fresh one that goes with the stack. */
async function openFolder(config: Config, opening: AsyncDisposableStack): Promise<string> {
  if (config.data !== 'temp') {
    const folder = resolve(config.data);
    await orStartError(mkdir(folder, { recursive: true, mode: 0o700 }));
    return folder;
  }
  const folder = await mkdtemp(join(tmpdir(), 'glassmail-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** @throws Error with one line that names the file, the rule and the field */
async function readRules(file: string, faults: FaultRules): Promise<void> {
  const { parseRules } = await import('./faults/rule-schema.ts');
  try {
    const drafts = parseRules(await readFile(file, 'utf8'));
    for (const [index, draft] of drafts.entries()) {
      const objection = faults.objection(draft);
      if (objection) throw new Error(`rule ${index + 1}, ${objection.field}: ${objection.rule}`);
      if (!faults.add(draft)) throw new Error(`there are more than ${MOST_RULES} rules`);
    }
  } catch (error) {
    throw new Error(`--faults ${file}: ${(error as Error).message}`, { cause: error });
  }
}

async function tagRulesOf(rules: readonly TagRuleText[], store: MailStore): Promise<readonly TagRule[]> {
  if (rules.length === 0) return [];
  const [{ parseSearch }, { searchFilter }] = await Promise.all([
    import('./http/search-language.ts'),
    import('./http/search.ts'),
  ]);
  return Promise.all(
    rules.map(async ({ search, tags }) => ({ tags, filter: await searchFilter(store, parseSearch(search)) })),
  );
}

/** The first start makes the configured accounts; later ones leave what people did to them alone. */
async function makeFirstAccounts(config: Config, store: MailStore, passwordRecord: string | undefined): Promise<void> {
  if ((await store.listAccounts()).length > 0) return;
  for (const [address, password] of config.accountPasswords) {
    const own = password === undefined ? passwordRecord : await makeScramRecord(password);
    await store.createAccount({ address, passwordRecord: own });
  }
}

/** Bearer tokens and test scopes lie in the data folder. A disk that takes none of it is no fault of ours. */
function fileStorage(folder: string, name: string): TokenStorage {
  const file = tokenFile(join(folder, name));
  return {
    load: () => file.load(),
    save: (text) =>
      file.save(text).catch((error: unknown) => {
        const { code, message } = error as NodeJS.ErrnoException;
        throw new Refusal(code === 'ENOSPC' ? 'DISKFULL' : 'UNAVAILABLE', `${name} cannot be written: ${message}`);
      }),
  };
}

/** For the commands beside this server: where it is, and the token that opens its administration. */
async function writeControlFile(file: string, content: object): Promise<void> {
  await writeFile(`${file}.new`, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** What a start can fail for is told in one line, without a stack trace. */
async function orStartError<T>(opening: Promise<T>): Promise<T> {
  try {
    return await opening;
  } catch (error) {
    if (error instanceof Error) throw new StartError(error.message, { cause: error });
    throw error;
  }
}

function logger(level: LogLevel, log: (line: string) => void) {
  const limit = LOG_LEVELS.indexOf(level);
  return (at: LogLevel, message: string, cause?: unknown): void => {
    if (LOG_LEVELS.indexOf(at) > limit) return;
    const reason = cause instanceof Error ? (cause.stack ?? cause.message) : cause === undefined ? '' : inspect(cause);
    log(`${new Date().toISOString()} ${at} ${message}${reason === '' ? '' : `: ${reason}`}`);
  };
}
