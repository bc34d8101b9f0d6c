/**
 * Ready-made texts for programs that are set up by a file, a command or a few lines of code: one function for each.
 * Every text names the authority's certificate, so that none of them teaches to switch the check off. A password is in
 * them only where `Reader` has a known one; where a program asks for it by itself, it is left to ask.
 */
import type { TextConfiguration } from '../schemas/connect.ts';
import { type OfferedService, urlHost } from './offer.ts';

export interface Reader {
  readonly host: string;
  /** An address of letters, digits and `. _ + = -`: nothing that a shell or a quoted string could stumble over. */
  readonly account: string;
  /** Of the same letters; undefined: nobody knows it but the reader. */
  readonly password: string | undefined;
  readonly services: readonly OfferedService[];
  /** Where applications hand mail in without a login or TLS, in capture mode. */
  readonly application: number | undefined;
  /** Where `ca.pem` can be fetched; undefined: the certificate is one that programs know anyway. */
  readonly authorityUrl: string | undefined;
}

/** What texts can be made for: see `Reader`. Anybody may have sent mail to make an account, so names are not to be trusted. */
export function isPlain(text: string): boolean {
  return /^[\p{L}\p{N}._+=@-]+$/u.test(text) && !text.startsWith('-');
}

interface Server {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** Everything that a function needs, looked up. */
interface Settings {
  readonly account: string;
  /** As in a URL. */
  readonly login: string;
  readonly password: string | undefined;
  /** For programs that do not ask. */
  readonly needed: string;
  readonly ca: string | undefined;
  readonly imap: Server | undefined;
  readonly pop3: Server | undefined;
  readonly smtp: Server | undefined;
  readonly application: { readonly host: string; readonly port: number } | undefined;
}

type Draft = Omit<TextConfiguration, 'program' | 'title' | 'kind' | 'authority'>;

/** Undefined: the server has not what the program needs. */
type Maker = (settings: Settings) => Draft | undefined;

const CA = 'glassmail-ca.pem';
const HOME_CA = `~/${CA}`;
const ASKED = 'PASSWORD';

export function textConfigurations(reader: Reader): TextConfiguration[] {
  const find = (protocol: string): Server | undefined => {
    const found = reader.services.find((service) => service.protocol === protocol);
    return found && { host: reader.host, port: found.port, tls: found.security === 'tls' };
  };
  const settings: Settings = {
    account: reader.account,
    login: encodeURIComponent(reader.account),
    password: reader.password,
    needed: reader.password ?? ASKED,
    ca: reader.authorityUrl === undefined ? undefined : HOME_CA,
    imap: find('imap'),
    pop3: find('pop3'),
    smtp: find('smtp'),
    application: reader.application === undefined ? undefined : { host: reader.host, port: reader.application },
  };
  const authority = reader.authorityUrl === undefined ? null : `curl -o ${HOME_CA} ${reader.authorityUrl}`;
  return PROGRAMS.flatMap(([program, title, kind, make]) => {
    const draft = make(settings);
    const isClear = draft?.files.every(({ text }) => !text.includes(CA)) === true && !draft.run?.includes(CA);
    return draft ? [{ program, title, kind, authority: isClear ? null : authority, ...draft }] : [];
  });
}

const PROGRAMS: readonly (readonly [program: string, title: string, kind: TextConfiguration['kind'], make: Maker])[] = [
  ['mutt', 'mutt', 'reader', mutt],
  ['neomutt', 'NeoMutt', 'reader', neomutt],
  ['aerc', 'aerc', 'reader', aerc],
  ['himalaya', 'Himalaya', 'reader', himalaya],
  ['mbsync', 'mbsync (isync)', 'tool', mbsync],
  ['msmtp', 'msmtp', 'tool', msmtp],
  ['fetchmail', 'fetchmail', 'tool', fetchmail],
  ['mpop', 'mpop', 'tool', mpop],
  ['getmail', 'getmail', 'tool', getmail],
  ['curl', 'curl', 'tool', curl],
  ['openssl', 'openssl s_client', 'tool', openssl],
  ['swaks', 'swaks', 'tool', swaks],
  ['nodemailer', 'Nodemailer', 'library', nodemailer],
  ['imapflow', 'ImapFlow', 'library', imapflow],
  ['python', 'Python', 'library', python],
  ['php', 'PHP (PHPMailer)', 'library', php],
  ['java', 'Java (Jakarta Mail)', 'library', java],
  ['spring', 'Spring Boot', 'framework', spring],
  ['django', 'Django', 'framework', django],
  ['rails', 'Rails', 'framework', rails],
  ['laravel', 'Laravel', 'framework', laravel],
];

const lines = (...parts: readonly (string | false | undefined)[]): string =>
  parts.filter((part) => part !== false && part !== undefined).join('\n') + '\n';

const url = (scheme: string, { host, port }: Server, login = ''): string =>
  `${scheme}://${login === '' ? '' : `${login}@`}${urlHost(host)}:${port}`;

// ------------------------------------------------------------------------------------------------------ readers

function muttrc({ account, login, password, ca, imap, smtp }: Settings, spool: string): string | undefined {
  if (!imap || !smtp) return undefined;
  return lines(
    `set from = "${account}"`,
    `set folder = "${url(imap.tls ? 'imaps' : 'imap', imap)}/"`,
    `set ${spool} = "+INBOX"`,
    'set record = "+Sent"',
    'set postponed = "+Drafts"',
    `set imap_user = "${account}"`,
    password !== undefined && `set imap_pass = "${password}"`,
    `set smtp_url = "${url(smtp.tls ? 'smtps' : 'smtp', smtp, login)}/"`,
    password !== undefined && `set smtp_pass = "${password}"`,
    'set ssl_force_tls = yes',
    ca !== undefined && `set ssl_ca_certificates_file = "${ca}"`,
  );
}

function mutt(settings: Settings): Draft | undefined {
  const text = muttrc(settings, 'spoolfile');
  return text === undefined
    ? undefined
    : { files: [{ name: '~/.muttrc', text, secret: true }], run: 'mutt', note: null };
}

function neomutt(settings: Settings): Draft | undefined {
  const text = muttrc(settings, 'spool_file');
  if (text === undefined) return undefined;
  return { files: [{ name: '~/.neomuttrc', text, secret: true }], run: 'neomutt', note: null };
}

function aerc({ account, login, needed, ca, imap, smtp }: Settings): Draft | undefined {
  if (!imap || !smtp) return undefined;
  const text = lines(
    '[glass]',
    `source = ${url(imap.tls ? 'imaps' : 'imap', imap, `${login}:${needed}`)}`,
    `outgoing = ${url(smtp.tls ? 'smtps' : 'smtp', smtp, `${login}:${needed}`)}`,
    !smtp.tls && 'smtp-starttls = yes',
    'default = INBOX',
    `from = ${account}`,
    'copy-to = Sent',
  );
  return {
    files: [{ name: '~/.config/aerc/accounts.conf', text, secret: true }],
    run: ca === undefined ? 'aerc' : `SSL_CERT_FILE=${ca} aerc`,
    note: 'aerc refuses the file unless only you can read it: chmod 600.',
  };
}

function himalaya({ account, needed, ca, imap, smtp }: Settings): Draft | undefined {
  if (!imap || !smtp) return undefined;
  const section = (name: string, server: Server): (string | false)[] => [
    `${name}.server = "${url(server.tls ? `${name}s` : name, server)}"`,
    !server.tls && `${name}.starttls = true`,
    `${name}.sasl.plain.username = "${account}"`,
    `${name}.sasl.plain.password.raw = "${needed}"`,
    ca !== undefined && `${name}.tls.cert = "${ca}"`,
  ];
  const text = lines(
    '[accounts.glass]',
    'default = true',
    `email = "${account}"`,
    ...section('imap', imap),
    ...section('smtp', smtp),
  );
  return {
    files: [{ name: '~/.config/himalaya/config.toml', text, secret: true }],
    run: 'himalaya envelope list',
    note: 'Its file has changed between versions: this is the form of version 2.',
  };
}

// -------------------------------------------------------------------------------------------------------- tools

function mbsync({ account, password, ca, imap }: Settings): Draft | undefined {
  if (!imap) return undefined;
  // Sections end at a blank line.
  const text = lines(
    'IMAPAccount glass',
    `Host ${imap.host}`,
    `Port ${imap.port}`,
    `User ${account}`,
    password !== undefined && `Pass "${password}"`,
    `SSLType ${imap.tls ? 'IMAPS' : 'STARTTLS'}`,
    ca !== undefined && `CertificateFile ${ca}`,
    '',
    'IMAPStore glass-remote',
    'Account glass',
    '',
    'MaildirStore glass-local',
    'Path ~/Mail/',
    'Inbox ~/Mail/INBOX',
    'SubFolders Verbatim',
    '',
    'Channel glass',
    'Far :glass-remote:',
    'Near :glass-local:',
    'Patterns *',
    'Create Near',
    'SyncState *',
  );
  return {
    files: [{ name: '~/.mbsyncrc', text, secret: true }],
    run: 'mkdir -p ~/Mail && mbsync glass',
    note: 'From isync 1.5 on, SSLType is called TLSType.',
  };
}

function msmtp({ account, password, ca, smtp }: Settings): Draft | undefined {
  if (!smtp) return undefined;
  const text = lines(
    'account glass',
    `host ${smtp.host}`,
    `port ${smtp.port}`,
    'tls on',
    `tls_starttls ${smtp.tls ? 'off' : 'on'}`,
    ca !== undefined && `tls_trust_file ${ca}`,
    'auth on',
    `user ${account}`,
    password !== undefined && `password ${password}`,
    `from ${account}`,
    '',
    'account default : glass',
  );
  return {
    files: [{ name: '~/.msmtprc', text, secret: true }],
    run: `printf 'Subject: Hello\\n\\nIt works.\\n' | msmtp ${account}`,
    note: null,
  };
}

function fetchmail({ account, password, ca, imap, pop3 }: Settings): Draft | undefined {
  const server = pop3 ?? imap;
  if (!server) return undefined;
  const secret = password === undefined ? '' : ` password "${password}"`;
  const text = lines(
    `poll ${server.host} protocol ${pop3 ? 'POP3' : 'IMAP'} port ${server.port}${pop3 ? ' uidl' : ''}`,
    `  user "${account}"${secret}`,
    `  ${server.tls ? 'ssl' : 'sslproto "TLS1.2+"'} sslcertck${ca === undefined ? '' : ` sslcertfile "${CA}"`}`,
    '  keep',
    '  mda "cat >> fetched.txt"',
  );
  return {
    files: [{ name: '~/.fetchmailrc', text, secret: true }],
    run: 'cd ~ && fetchmail -v',
    note: 'Without the word keep, it deletes on the server what it has fetched. Here everything goes into fetched.txt.',
  };
}

function mpop({ account, password, ca, pop3 }: Settings): Draft | undefined {
  if (!pop3) return undefined;
  const text = lines(
    'account glass',
    `host ${pop3.host}`,
    `port ${pop3.port}`,
    'tls on',
    `tls_starttls ${pop3.tls ? 'off' : 'on'}`,
    ca !== undefined && `tls_trust_file ${ca}`,
    `user ${account}`,
    password !== undefined && `password ${password}`,
    'keep on',
    'delivery mbox ~/fetched.mbox',
    '',
    'account default : glass',
  );
  return { files: [{ name: '~/.mpoprc', text, secret: true }], run: 'mpop', note: null };
}

function getmail({ account, password, ca, imap }: Settings): Draft | undefined {
  if (imap?.tls !== true) return undefined; // it knows no STARTTLS
  const text = lines(
    '[retriever]',
    'type = SimpleIMAPSSLRetriever',
    `server = ${imap.host}`,
    `port = ${imap.port}`,
    `username = ${account}`,
    password !== undefined && `password = ${password}`,
    'mailboxes = ("INBOX",)',
    ca !== undefined && `ca_certs = ${ca}`,
    '',
    '[destination]',
    'type = Maildir',
    'path = ~/Mail/',
    '',
    '[options]',
    'delete = false',
    'read_all = false',
  );
  return {
    files: [{ name: '~/.config/getmail/getmailrc', text, secret: true }],
    run: 'mkdir -p ~/Mail/cur ~/Mail/new ~/Mail/tmp && getmail',
    note: null,
  };
}

function curl({ account, password, ca, imap, pop3, smtp }: Settings): Draft | undefined {
  if (!imap && !pop3 && !smtp) return undefined;
  const user = password === undefined ? account : `${account}:${password}`;
  const command = (server: Server): string =>
    `curl${ca === undefined ? '' : ` --cacert ${ca}`}${server.tls ? '' : ' --ssl-reqd'} --user '${user}'`;
  const text = lines(
    smtp && '# sends a message',
    smtp &&
      `printf 'From: ${account}\\r\\nTo: ${account}\\r\\nSubject: Hello\\r\\n\\r\\nIt works.\\r\\n' | \\
  ${command(smtp)} --mail-from ${account} --mail-rcpt ${account} --upload-file - '${url(smtp.tls ? 'smtps' : 'smtp', smtp)}'`,
    imap && '# lists the mailboxes, and reads the first message',
    imap && `${command(imap)} '${url(imap.tls ? 'imaps' : 'imap', imap)}/'`,
    imap && `${command(imap)} '${url(imap.tls ? 'imaps' : 'imap', imap)}/INBOX;MAILINDEX=1'`,
    pop3 && '# the same over POP3',
    pop3 && `${command(pop3)} '${url(pop3.tls ? 'pop3s' : 'pop3', pop3)}/1'`,
  );
  return { files: [{ name: 'glassmail-curl.sh', text, secret: false }], run: 'sh glassmail-curl.sh', note: null };
}

function openssl({ account, needed, ca, imap, pop3, smtp }: Settings): Draft | undefined {
  const server = imap ?? pop3 ?? smtp;
  if (!server) return undefined;
  const protocol = server === imap ? 'imap' : server === pop3 ? 'pop3' : 'smtp';
  const dialogue = {
    imap: [`a1 LOGIN ${account} ${needed}`, 'a2 EXAMINE INBOX', 'a3 LOGOUT'],
    pop3: [`USER ${account}`, `PASS ${needed}`, 'STAT', 'QUIT'],
    smtp: ['EHLO laptop', 'QUIT'],
  }[protocol];
  const start = server.tls ? '' : ` -starttls ${protocol}`;
  const trust = ca === undefined ? '' : ` -CAfile ${ca} -verify_return_error`;
  return {
    files: [{ name: 'what-to-type.txt', text: lines(...dialogue), secret: true }],
    run: `openssl s_client -crlf -quiet -connect ${urlHost(server.host)}:${server.port}${start}${trust}`,
    note: 'Then type the lines one after the other, and watch the answers.',
  };
}

function swaks({ account, password, ca, smtp }: Settings): Draft | undefined {
  if (!smtp) return undefined;
  const run = [
    `swaks --server ${smtp.host} --port ${smtp.port} ${smtp.tls ? '--tls-on-connect' : '--tls'} --tls-verify`,
    ...(ca === undefined ? [] : [`--tls-ca-path ${ca}`]),
    `--auth PLAIN --auth-user ${account}${password === undefined ? '' : ` --auth-password ${password}`}`,
    `--from ${account} --to ${account}`,
  ];
  return { files: [], run: run.join(' \\\n  '), note: null };
}

// ---------------------------------------------------------------------------------------------------- libraries

const runNode = (ca: string | undefined, file: string): string =>
  `${ca === undefined ? '' : `NODE_EXTRA_CA_CERTS=${ca} `}node ${file}`;

function nodemailer({ account, needed, ca, smtp }: Settings): Draft | undefined {
  if (!smtp) return undefined;
  const text = `import { createTransport } from 'nodemailer';

const transport = createTransport({
  host: '${smtp.host}',
  port: ${smtp.port},
  ${smtp.tls ? 'secure: true' : 'secure: false,\n  requireTLS: true'},
  auth: { user: '${account}', pass: '${needed}' },
});
const { response } = await transport.sendMail({
  from: '${account}',
  to: '${account}',
  subject: 'Hello',
  text: 'It works.',
});
console.log(response);
`;
  return { files: [{ name: 'send.mjs', text, secret: true }], run: runNode(ca, 'send.mjs'), note: NODE_NOTE };
}

const NODE_NOTE = 'NODE_EXTRA_CA_CERTS makes Node trust the authority: no need for rejectUnauthorized: false.';

function imapflow({ account, needed, ca, imap }: Settings): Draft | undefined {
  if (!imap) return undefined;
  const text = `import { ImapFlow } from 'imapflow';

const client = new ImapFlow({
  host: '${imap.host}',
  port: ${imap.port},
  ${imap.tls ? 'secure: true' : 'secure: false,\n  doSTARTTLS: true'},
  auth: { user: '${account}', pass: '${needed}' },
  logger: false,
});
await client.connect();
const lock = await client.getMailboxLock('INBOX');
for await (const { uid, source } of client.fetch('1:*', { source: true })) {
  console.log(uid, source.toString());
}
lock.release();
await client.logout();
`;
  return { files: [{ name: 'read.mjs', text, secret: true }], run: runNode(ca, 'read.mjs'), note: NODE_NOTE };
}

function python({ account, needed, ca, imap, pop3, smtp }: Settings): Draft | undefined {
  if (!smtp && !imap && !pop3) return undefined;
  const context =
    ca === undefined
      ? 'context = ssl.create_default_context()'
      : `context = ssl.create_default_context(cafile=os.path.expanduser("${ca}"))`;
  const modules = [imap && 'imaplib', ca !== undefined && 'os', pop3 && 'poplib', smtp && 'smtplib', 'ssl'];
  const text = lines(
    `import ${modules.filter(Boolean).join(', ')}`,
    smtp && 'from email.message import EmailMessage',
    '',
    context,
    ...(smtp
      ? [
          '',
          'message = EmailMessage()',
          `message["From"] = message["To"] = "${account}"`,
          'message["Subject"] = "Hello"',
          'message.set_content("It works.")',
          smtp.tls
            ? `with smtplib.SMTP_SSL("${smtp.host}", ${smtp.port}, context=context) as server:`
            : `with smtplib.SMTP("${smtp.host}", ${smtp.port}) as server:\n    server.starttls(context=context)`,
          `    server.login("${account}", "${needed}")`,
          '    server.send_message(message)',
        ]
      : []),
    ...(imap
      ? [
          '',
          imap.tls
            ? `with imaplib.IMAP4_SSL("${imap.host}", ${imap.port}, ssl_context=context) as server:`
            : `with imaplib.IMAP4("${imap.host}", ${imap.port}) as server:\n    server.starttls(context)`,
          `    server.login("${account}", "${needed}")`,
          '    server.select("INBOX", readonly=True)',
          '    print(server.fetch("1", "(BODY.PEEK[])"))',
        ]
      : []),
    ...(pop3
      ? [
          '',
          pop3.tls
            ? `server = poplib.POP3_SSL("${pop3.host}", ${pop3.port}, context=context)`
            : `server = poplib.POP3("${pop3.host}", ${pop3.port})\nserver.stls(context)`,
          `server.user("${account}")`,
          `server.pass_("${needed}")`,
          'print(server.retr(1))',
          'server.quit()',
        ]
      : []),
  );
  return { files: [{ name: 'mail.py', text, secret: true }], run: 'python3 mail.py', note: null };
}

function php({ account, needed, ca, smtp }: Settings): Draft | undefined {
  if (!smtp) return undefined;
  const text = `<?php
require 'vendor/autoload.php';

$mail = new PHPMailer\\PHPMailer\\PHPMailer(true);
$mail->isSMTP();
$mail->Host = '${smtp.host}';
$mail->Port = ${smtp.port};
$mail->SMTPSecure = '${smtp.tls ? 'ssl' : 'tls'}';
$mail->SMTPAuth = true;
$mail->Username = '${account}';
$mail->Password = '${needed}';
$mail->setFrom('${account}');
$mail->addAddress('${account}');
$mail->Subject = 'Hello';
$mail->Body = 'It works.';
$mail->send();
`;
  return {
    files: [{ name: 'send.php', text, secret: true }],
    run: ca === undefined ? 'php send.php' : `php -d openssl.cafile=$HOME/${CA} send.php`,
    note: 'composer require phpmailer/phpmailer',
  };
}

function java({ account, ca, imap, smtp }: Settings): Draft | undefined {
  if (!imap || !smtp) return undefined;
  const section = (protocol: string, server: Server): string[] => [
    `mail.${protocol}.host=${server.host}`,
    `mail.${protocol}.port=${server.port}`,
    `mail.${protocol}.user=${account}`,
    server.tls ? `mail.${protocol}.ssl.enable=true` : `mail.${protocol}.starttls.required=true`,
  ];
  const text = lines(
    'mail.transport.protocol=smtp',
    'mail.store.protocol=imap',
    ...section('smtp', smtp),
    'mail.smtp.auth=true',
    ...section('imap', imap),
  );
  return {
    files: [{ name: 'mail.properties', text, secret: false }],
    run:
      ca === undefined
        ? null
        : `keytool -importcert -noprompt -alias glassmail -file ${ca} -keystore glassmail.p12 -storepass glassmail`,
    note:
      ca === undefined
        ? 'For Session.getInstance; the password goes to Transport.connect and Store.connect.'
        : 'For Session.getInstance; start with -Djavax.net.ssl.trustStore=glassmail.p12 -Djavax.net.ssl.trustStorePassword=glassmail',
  };
}

// --------------------------------------------------------------------------------------------------- frameworks

/** An application under test hands its mail in where neither login nor TLS is asked for, if there is such a port. */
const APPLICATION_NOTE =
  'This port wants neither login nor TLS, as tests of applications like it. Every message stays on this server.';

function spring({ account, needed, smtp, application }: Settings): Draft | undefined {
  const server = application ?? smtp;
  if (!server) return undefined;
  const text = lines(
    `spring.mail.host=${server.host}`,
    `spring.mail.port=${server.port}`,
    ...(application || !smtp
      ? []
      : [
          `spring.mail.username=${account}`,
          `spring.mail.password=${needed}`,
          'spring.mail.properties.mail.smtp.auth=true',
          smtp.tls
            ? 'spring.mail.properties.mail.smtp.ssl.enable=true'
            : 'spring.mail.properties.mail.smtp.starttls.required=true',
        ]),
  );
  return framework('src/main/resources/application.properties', text, application !== undefined);
}

function django({ account, needed, smtp, application }: Settings): Draft | undefined {
  const server = application ?? smtp;
  if (!server) return undefined;
  const text = lines(
    'EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"',
    `EMAIL_HOST = "${server.host}"`,
    `EMAIL_PORT = ${server.port}`,
    ...(application || !smtp
      ? []
      : [
          `EMAIL_HOST_USER = "${account}"`,
          `EMAIL_HOST_PASSWORD = "${needed}"`,
          smtp.tls ? 'EMAIL_USE_SSL = True' : 'EMAIL_USE_TLS = True',
        ]),
  );
  return framework('settings.py', text, application !== undefined);
}

function rails({ account, needed, smtp, application }: Settings): Draft | undefined {
  const server = application ?? smtp;
  if (!server) return undefined;
  const text = lines(
    'config.action_mailer.delivery_method = :smtp',
    'config.action_mailer.smtp_settings = {',
    `  address: "${server.host}",`,
    `  port: ${server.port},`,
    ...(application || !smtp
      ? []
      : [
          `  user_name: "${account}",`,
          `  password: "${needed}",`,
          '  authentication: :plain,',
          smtp.tls ? '  tls: true,' : '  enable_starttls: true,',
        ]),
    '}',
  );
  return framework('config/environments/development.rb', text, application !== undefined);
}

function laravel({ account, needed, smtp, application }: Settings): Draft | undefined {
  const server = application ?? smtp;
  if (!server) return undefined;
  const text = lines(
    'MAIL_MAILER=smtp',
    `MAIL_HOST=${server.host}`,
    `MAIL_PORT=${server.port}`,
    ...(application || !smtp
      ? []
      : [`MAIL_SCHEME=${smtp.tls ? 'smtps' : 'smtp'}`, `MAIL_USERNAME=${account}`, `MAIL_PASSWORD=${needed}`]),
  );
  return framework('.env', text, application !== undefined);
}

function framework(name: string, text: string, isOpen: boolean): Draft {
  return {
    files: [{ name, text, secret: !isOpen }],
    run: null,
    note: isOpen
      ? APPLICATION_NOTE
      : `The framework must trust the authority: SSL_CERT_FILE=${HOME_CA}, or what its TLS library has for it.`,
  };
}
