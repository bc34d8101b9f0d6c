/** The texts of the page `connect`: what to do in each program, in that program's own words. */
import { counted, formatCount } from '../format.ts';
import { type Words, label, value, words } from './words.ts';

/** What the steps are about. */
export interface Facts {
  readonly account: string;
  readonly domain: string;
  readonly host: string;
  /** Undefined: only the reader knows it. */
  readonly password: string | undefined;
  /** The page's own address for the program: `http://192.168.1.20:8025`. */
  readonly page: string;
}

const secret = ({ password }: Facts): Words =>
  password === undefined ? ['the password of the account'] : words`the password ${value(password)}`;

const thunderbird = (facts: Facts): Words[] => [
  words`In the menu choose ${label('New Account')}, ${label('Email Account')}. Enter a name and ${value(facts.account)}, then ${label('Continue')}.`,
  words`If it says “Account settings found automatically”, choose IMAP, ${label('Continue')}. Otherwise choose ${label('Configure Manually')} and take the values below, ${label('Normal password')} as the method.`,
  ['Enter ', ...secret(facts), '.'],
  words`It shows ${label('Unverified Certificate')} or asks for an exception: compare the fingerprint below, leave ${label('Permanently store this exception')} ticked and confirm. It asks once for reading, and once more when you first send.`,
];

const outlook = (facts: Facts): Words[] => [
  ['Install the authority’s certificate first (Windows, below): Outlook offers no lasting exception.'],
  words`In classic Outlook choose ${label('File')}, ${label('Add Account')}, enter ${value(facts.account)}, open ${label('Advanced options')} and tick ${label('Let me set up my account manually')}.`,
  words`Choose ${label('IMAP')} and enter the values below; ${label('Encryption method')} is ${label('SSL/TLS')}, ${label('Require logon using Secure Password Authentication')} stays empty.`,
  ['Enter ', ...secret(facts), '.'],
];

const appleMail = (facts: Facts): Words[] => [
  ['Open the configuration profile below in Safari: it holds the account and the authority, and no password.'],
  words`In System Settings search for ${label('Device Management')}, double-click the profile, ${label('Install')}.`,
  ['Enter ', ...secret(facts), ' when it asks.'],
  words`By hand instead: Mail, ${label('Add Account…')}, ${label('Other Mail Account…')}, with the values below. If Mail says that it cannot verify the server, use the macOS command below.`,
];

const iphone = (facts: Facts): Words[] => [
  words`On the iPhone or iPad open this page in Safari, ${value(`${facts.page}/connect/iphone`)}, and tap the profile below, ${label('Allow')}.`,
  words`In Settings tap ${label('Profile Downloaded')}, ${label('Install')}, and enter ${facts.password === undefined ? label('the password of the account') : value(facts.password)}.`,
  words`In Settings go to ${label('General')}, ${label('About')}, ${label('Certificate Trust Settings')} and switch on full trust for the Glassmail authority. Without this last step Mail refuses the server.`,
];

const android = (facts: Facts): Words[] => [
  words`In Thunderbird for Android choose ${label('Import account')}, ${label('Scan QR code')}, and scan the code below. Or enter ${value(facts.account)} and choose ${label('Configure manually')}.`,
  ['Enter ', ...secret(facts), '.'],
  words`It shows the certificate: compare the fingerprint, ${label('Accept')}. A certificate that was installed in Android’s settings does not count here.`,
];

const gmail = (facts: Facts): Words[] => [
  words`In the Gmail app choose ${label('Add another account')}, ${label('Other')}, enter ${value(facts.account)}, ${label('Manual setup')}, ${label('Personal (IMAP)')}.`,
  ['Enter ', ...secret(facts), ' and the values below.'],
  words`As the security type choose ${label('SSL/TLS (Accept all certificates)')}: the app does not take the authority of this server.`,
];

const newOutlook = (facts: Facts): Words[] => [
  words`New Outlook for Windows, and Outlook for iOS and Android, give name and password to Microsoft’s servers, and those log in here. They cannot reach ${label(facts.host)}, and your password would leave this network.`,
  ['Use classic Outlook, or any other program of this list.'],
];

const SECURITY_WORDS = { tls: 'SSL/TLS', starttls: 'STARTTLS' } as const;

export const texts = {
  title: 'Connect a mail program',
  intro: 'Choose what you want to connect. This page has the values for it, and shows how far it has come.',
  loading: 'Loading the settings…',
  failed: 'The settings cannot be shown',
  noAccount: 'There is no account yet',
  noAccountText: 'Add one with “npx glassmail accounts add”, or send a message to an address of this server.',
  choices: {
    label: 'What to connect',
    account: 'Account',
    from: 'From',
    program: 'Program',
    host: 'Server name',
    places: {
      computer: 'this computer',
      network: 'a phone on this network',
      container: 'another container',
    },
    groups: {
      program: 'Mail programs',
      reader: 'In the terminal',
      tool: 'Tools',
      library: 'Libraries',
      framework: 'Frameworks',
    },
  },
  notes: {
    loopback:
      'This server listens on this computer alone. Start it with --host 0.0.0.0 to let others reach it; with Docker, drop 127.0.0.1 from the ports of the compose file.',
    addressUnknown:
      'Enter the address of this computer in the network as the server name: in a container the server cannot know it.',
    notNamed: (host: string) =>
      `The certificate does not name ${host}, and programs will refuse it. Start the server with --tls-names ${host}.`,
    container:
      'From another container, localhost is that container itself. The server’s name is the name of its service in the compose file.',
    port80: {
      yes: 'Port 80 leads here, so programs that look for settings find them.',
      no: 'Programs look for settings at port 80. If they find none, use docker/docker-compose.autoconfig.yml, or enter the values by hand.',
    },
    noTexts:
      'There are no ready-made texts for this account: its name has characters that a shell or a configuration file could misread.',
    notOffered: 'The services that it needs are switched off.',
  },
  steps: 'What to do',
  programs: {
    thunderbird: { title: 'Thunderbird', steps: thunderbird, findsSettings: true, hasProfile: false, hasCode: false },
    outlook: { title: 'Outlook (classic)', steps: outlook, findsSettings: false, hasProfile: false, hasCode: false },
    'outlook-new': {
      title: 'Outlook (new, mobile)',
      steps: newOutlook,
      findsSettings: false,
      hasProfile: false,
      hasCode: false,
    },
    'apple-mail': { title: 'Apple Mail', steps: appleMail, findsSettings: false, hasProfile: true, hasCode: false },
    iphone: { title: 'iPhone, iPad', steps: iphone, findsSettings: false, hasProfile: true, hasCode: false },
    android: {
      title: 'Thunderbird for Android, K-9',
      steps: android,
      findsSettings: true,
      hasProfile: false,
      hasCode: true,
    },
    gmail: { title: 'Gmail for Android', steps: gmail, findsSettings: false, hasProfile: false, hasCode: false },
  },
  byHand: {
    title: 'By hand',
    use: 'For',
    server: 'Server',
    port: 'Port',
    security: 'Security',
    purposes: { imap: 'reading, IMAP', pop3: 'reading, POP3', smtp: 'sending, SMTP' },
    securities: SECURITY_WORDS,
    user: 'User name',
    password: 'Password',
    passwordUnknown: 'the one of the account',
    method: 'Method',
    methodText: 'normal password',
    copy: (what: string) => `Copy ${what}`,
    all: 'Copy all as text',
  },
  profile: {
    link: 'Configuration profile',
    text: 'For Apple’s systems: account and authority, without a password.',
  },
  code: {
    show: 'Show the QR code',
    title: 'Account as a QR code',
    text: 'For Thunderbird for Android: Import account, Scan QR code. Whoever sees the code can take it over.',
    withPassword: 'with the password',
    password: 'Password',
    label: 'QR code with the settings of the account',
    notOffered: 'The server has no services for it.',
    loopback:
      'The code names localhost, which on a telephone is the telephone. Choose “a phone on this network” first.',
  },
  files: {
    authority: 'First fetch the certificate of the authority',
    save: (name: string) => `Save as ${name}`,
    saveSecret: (name: string) => `Save as ${name}, readable by you alone`,
    type: 'What to type',
    run: 'Run',
    note: 'Note',
  },
  certificate: {
    title: 'Certificate',
    intro:
      'The first start of this server made an authority of its own. Its key never leaves the data folder, and it can only sign for local names and private addresses: nobody’s bank.',
    own: 'The certificate is your own: programs that know its authority accept it.',
    authority: 'Authority',
    server: 'Server',
    names: 'Names in it',
    sha1: 'SHA-1',
    sha256: 'SHA-256',
    der: 'ca.crt',
    pem: 'ca.pem',
    systems: 'Install the authority',
    systemsText: 'Compare the fingerprint first. Most programs only need the exception that they offer themselves.',
    install: 'Install',
    remove: 'Remove again',
  },
  records: {
    title: 'DNS records',
    text: 'For the zone of a domain of your own: programs such as FairEmail look there (RFC 6186, RFC 8314). A dot says that there is no such service.',
  },
  watch: {
    title: 'What it has done',
    none: 'Nothing yet: start the program, and each step turns green here as it happens.',
    off: 'Recording is off, so nothing can be watched. Start the server with --record 64M.',
    from: (client: string) => `newest attempt, from ${client}`,
    again: 'Start over',
    all: 'Show earlier attempts too',
    steps: {
      settings: 'asked for settings',
      reached: 'reached a port',
      secured: 'agreed on TLS',
      login: 'logged in',
      opened: 'opened a mailbox',
      read: 'read a message',
      sent: 'sent a message',
      copied: 'stored a copy in Sent',
    },
    states: { done: 'done', failed: 'failed', waiting: 'not yet', unneeded: 'not needed' },
    optional: 'only some programs do',
    unneeded: 'not over POP3',
    conversation: 'conversation',
    lines: 'the lines that show it',
    services: 'Connections since the start',
    nothing:
      'Nothing has arrived on any of these ports since the server started. Is the port mapped (docker compose port glassmail 1993), and is the server name right?',
    count: (count: number) => counted(count, 'connection', 'connections'),
    heard: (step: string, state: string) => `${step}: ${state}`,
    port: (service: string, port: number) => `${service} ${port}`,
    sum: (count: number) => formatCount(count),
  },
} as const;

export type ProgramName = keyof typeof texts.programs;
