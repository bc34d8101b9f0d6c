/** The texts of the page `journey`. */
import { counted, formatCount, formatDuration, formatOctets } from '../format.ts';

export const texts = {
  title: 'Journey',
  titleOf: (subject: string) => `Journey of “${subject}”`,
  titleWithout: 'Journey of a message without a subject',
  titleGone: 'Journey of a message that is gone',
  back: 'Back to the message',
  toMail: 'To the list of messages',
  missingTitle: 'There is no such message',
  missingText:
    'It has been deleted, or there never was one with this id. The recording has no conversation left that tells of it.',
  failed: 'The journey could not be read',

  tiles: {
    arrival: 'Came in',
    stored: 'Stored',
    read: 'Read',
    now: 'Now',
    by: (way: string) => `by ${way}`,
    took: (ms: number) => `accepted ${formatDuration(ms)} after the connection`,
    appended: 'appended by a client',
    unknown: 'not known how',
    places: (count: number) => counted(count, 'copy', 'copies'),
    inMailboxes: (names: string, more: number) => (more === 0 ? names : `${names} and ${formatCount(more)} more`),
    octets: (octets: number) => formatOctets(octets),
    notYet: 'not yet',
    notTold: 'not known',
    times: (count: number) => (count === 1 ? 'once' : `${formatCount(count)} times`),
    readers: (count: number) => `by ${counted(count, 'reader', 'readers')}`,
    looked: (count: number) => `looked at ${count === 1 ? 'once' : `${formatCount(count)} times`}`,
    gone: 'gone',
    goneText: 'the last copy was removed',
    lies: (count: number) => (count === 1 ? 'in 1 mailbox' : `in ${formatCount(count)} mailboxes`),
  },

  notes: {
    gone: 'The last copy of this message was removed. What the recording still tells is below; envelope, header and octets went with the last copy.',
    notRecorded:
      'Conversations are not recorded on this server: below is what the store knows. Who read the message is not known.',
    originGone:
      'The conversation that brought this message is no longer kept, and conversations of readers may be gone with it: what they did is missing here.',
    originHidden:
      'The conversation that brought this message carried mail of others too, and is not shown. What the store knows of it is below.',
    unknown:
      'How this message came in is not known: no conversation that is kept tells of it. It was imported, or appended by a client whose conversation is gone.',
    omitted: (count: number) => `${counted(count, 'step', 'steps')} in the middle are left out.`,
  },

  way: 'The way that it took',
  wayText: 'Times count from the first step. Each step leads to the lines that it stands for.',
  steps: 'Steps, in the order of time',
  newSteps: (count: number) => counted(count, 'new step', 'new steps'),
  hidden: (count: number) => `Show ${counted(count, 'more step', 'more steps')} between`,
  pause: (ms: number) => `${formatDuration(ms)} later`,
  repeated: (count: number, until: string) => `and ${counted(count, 'more time', 'more times')}, until ${until}`,
  lost: 'lines not kept',
  line: 'lines',
  to: (from: string, to: string) => `${from} to ${to}:`,
  whose: (name: string, whose: string) => `${name} (${whose})`,

  participants: {
    sender: 'Sender',
    someSender: 'a program',
    service: 'Service',
    mailboxes: (count: number) => (count === 0 ? 'Store' : `${formatCount(count)} mailboxes`),
    store: 'Store',
    reader: 'Reader',
    someReader: (service: string) => `a program, ${service}`,
    otherReaders: (count: number) => `${formatCount(count)} other readers`,
    connections: (count: number) => counted(count, 'connection', 'connections'),
    unknownMailbox: 'a mailbox',
  },

  deeds: {
    connected: 'connects',
    tls: (version: string) => `turns on ${version}`,
    login: (login: string) => `logs in as ${login}`,
    loginFailed: (login: string) => `refuses the login of ${login}`,
    envelope: 'gives the envelope',
    from: (path: string) => `MAIL FROM:<${path}>`,
    recipients: (count: number) => `${formatCount(count)} × RCPT TO`,
    refused: (recipient: string) => `refuses ${recipient}`,
    fault: (effect: string) => `made to fail: ${effect}`,
    rule: (rule: string) => `by rule ${rule}`,
    data: (octets: number) => `hands in ${counted(octets, 'octet', 'octets')}`,
    stored: 'stores it',
    storedCopies: (count: number) => `stores ${counted(count, 'copy', 'copies')}`,
    accepted: 'says that it is stored',
    appended: 'appends it',
    looked: 'looks at it',
    read: 'reads it',
    retrieved: 'retrieves it',
    add: (flags: string) => `adds ${flags}`,
    remove: (flags: string) => `takes ${flags} away`,
    replace: (flags: string) => (flags === '' ? 'takes all flags away' : `sets the flags to ${flags}`),
    marked: 'marks it as deleted',
    markedText: 'QUIT deletes',
    copied: 'copies it',
    moved: 'moves it',
    expunged: 'removes it',
    uid: (uid: number) => `UID ${uid}`,
    target: (mailbox: string, uid: number) => `to ${mailbox}, UID ${uid}`,
    modSeq: (modSeq: number) => `MODSEQ ${modSeq}`,
  },

  paper: 'Envelope, header, octets',
  paperText:
    'The envelope is what the two programs said to one another; it alone decides who gets the message. The header is part of the message, and may say anything.',
  envelope: 'Envelope',
  envelopeNone: 'This message came by no SMTP transaction: it has no envelope.',
  header: 'Header',
  octets: 'Octets',
  reversePath: 'From',
  nullPath: 'the null reverse-path: a report, which nobody is to answer (RFC 5321 §4.5.5)',
  recipients: 'To',
  returnType: 'Return',
  envelopeId: 'Id',
  named: (field: string) => `named in ${field}`,
  unnamed: 'named in no field: a blind copy, or a list',
  notify: (notify: string) => `NOTIFY=${notify}`,
  originalRecipient: (address: string) => `ORCPT=${address}`,
  moreRecipients: (count: number, unnamed: number) =>
    `and ${formatCount(count)} more; of all, ${formatCount(unnamed)} are named in no field`,
  fields: {
    from: 'From',
    sender: 'Sender',
    replyTo: 'Reply-To',
    to: 'To',
    cc: 'Cc',
    bcc: 'Bcc',
    date: 'Date',
    messageId: 'Message-ID',
    program: 'Program',
    subject: 'Subject',
  },
  missingField: 'missing',
  otherSender: 'not who the envelope names',
  notRecipient: 'not in the envelope: nothing was delivered here for it',
  blindNamed: 'a blind copy that every recipient can read',
  moreAddresses: (count: number) => `and ${formatCount(count)} more addresses`,
  received: 'Received',
  receivedText: 'kept exactly as they came',
  trace: 'Trace',
  traceText: 'written before them on arrival',
  together: 'Served',
  togetherText: 'by IMAP, POP3 and HTTP',
  count: (octets: number) => counted(octets, 'octet', 'octets'),
  sha256: 'SHA-256',
  sha256Text: 'of the received octets',
  copySha256: 'Copy the SHA-256',
  source: 'See the source',

  traceFields: 'Trace fields',
  traceFieldsText: 'Each host on the way writes its own above those that are there: the newest comes first.',
  noTrace: 'It has none: nobody handed it in by a mail protocol.',
  own: 'added here',
  meanings: {
    'return-path': 'The reverse-path of the envelope, written by the host that delivers (RFC 5321 §4.4).',
    'delivered-to': 'The mailbox that some host on the way delivered it to.',
    'authentication-results': 'What some host found out about who sent it (RFC 8601).',
    'received-spf': 'What some host found out about the reverse-path (RFC 7208 §9.1).',
  } as Readonly<Record<string, string>>,
  clauses: {
    from: 'from',
    fromText: (seen: string | null) =>
      seen === null ? 'what the client called itself' : `what the client called itself; it came from ${seen}`,
    by: 'by',
    byText: 'the host that wrote this',
    with: 'with',
    id: 'id',
    idText: 'by which that host finds it again',
    for: 'for',
    forText: 'left out where there are several recipients (RFC 5321 §7.6)',
    tls: 'tls',
    tlsText: 'the cipher suite (RFC 8314 §4.3)',
    at: 'at',
  },
  /** RFC 3848, RFC 6531 §4.3. */
  with: (protocol: string): string => {
    const parts = /^(UTF8)?(E?SMTP|LMTP)(S)?(A)?$/.exec(protocol.toUpperCase());
    if (!parts) return '';
    const [, utf8, base, tls, auth] = parts;
    const name =
      base === 'LMTP'
        ? 'LMTP'
        : base === 'SMTP' && utf8 === undefined
          ? 'SMTP without extensions'
          : 'SMTP with extensions';
    const more = [
      ...(utf8 === undefined ? [] : ['addresses in UTF-8']),
      tls === undefined ? 'not under TLS' : 'under TLS',
      auth === undefined ? 'without a login' : 'after a login',
    ];
    return `${name}, ${more.join(', ')} (RFC 3848)`;
  },

  copies: 'Where it is stored',
  noCopies: 'Nowhere any more.',
  copy: {
    account: 'Account',
    mailbox: 'Mailbox',
    uid: 'UID',
    uidValidity: 'UIDVALIDITY',
    modSeq: 'MODSEQ',
    flags: 'Flags',
    saved: 'Since',
    noFlags: 'none',
    unexplained: (flags: string) => `who set ${flags} is not in the recording`,
  },
  moreCopies: (count: number) => `and ${counted(count, 'more copy', 'more copies')}`,
  allCopies: (count: number) => `Show all ${formatCount(count)}`,

  changes: 'What has changed since',
  noChanges: 'Nothing that is in the recording.',
} as const;
