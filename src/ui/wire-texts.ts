/** Texts of the Wire page that have come to those in `texts.ts`. */
import { counted, formatCount, formatDuration, formatOctets } from './format.ts';

export const wireTexts = {
  list: {
    count: (shown: number, total: number) =>
      shown === total
        ? counted(shown, 'conversation', 'conversations')
        : `${formatCount(shown)} of ${formatCount(total)}`,
    older: (total: number) => `Only the newest are listed, of ${formatCount(total)} that are kept.`,
    showOlder: 'List more',
    missed: (count: number) => `missed ${formatCount(count)}`,
    missedText: (count: number) =>
      `${counted(count, 'conversation', 'conversations')} came and went faster than this page could follow`,
    readAnew: 'Read the list anew',
    clear: 'Clear',
    clearTitle: 'Forget the closed conversations?',
    clearText: 'What was recorded of them is deleted. Those that are open stay, and so does all mail.',
    clearConfirm: 'Forget them',
    cleared: (count: number) => `${counted(count, 'conversation', 'conversations')} forgotten`,
    searching: 'Searching what was said …',
    unsearched: (count: number) =>
      `${counted(count, 'older one was', 'older ones were')} not searched, for that takes too long.`,
    help: 'Filter words',
    severity: { problem: 'Problem', advice: 'Advice', note: 'Note' },
  },
  lens: {
    short: { server: 'Both ends', eavesdropper: 'Eavesdropper', both: 'Side by side' },
    text: {
      server: 'What the two ends said to each other, decrypted. Secrets are hidden.',
      eavesdropper:
        'What somebody on the network reads: clear text as it went, and of what TLS carries only sizes and times. The page hides secrets here too.',
      both: 'On the left what the two ends said, on the right what somebody on the network reads of it.',
    },
    wire: 'eavesdropper',
    ends: 'the two ends',
  },
  tools: {
    find: 'Find in this conversation',
    found: (at: number, count: number) => (count === 0 ? 'not found' : `${formatCount(at)} of ${formatCount(count)}`),
    next: 'Next place',
    previous: 'Previous place',
    explanations: 'Explanations',
    details: 'Details',
  },
  exports: {
    one: 'Export',
    all: 'Export the listed conversations',
    listed: (count: number) => `${counted(count, 'conversation', 'conversations')} in one file`,
    formats: { text: 'Text', json: 'JSON', fixture: 'Test fixture', pcapng: 'pcapng, for Wireshark' },
    keys: 'pcapng with the keys of TLS',
    note: 'Secrets are hidden, except in pcapng: it has the octets as they crossed the network.',
    done: (count: number, gone: number) =>
      `${counted(count, 'conversation', 'conversations')} exported${gone === 0 ? '' : `, ${formatCount(gone)} are no longer kept`}`,
  },
  rows: {
    earlier: (rows: number) => counted(rows, 'earlier row', 'earlier rows'),
    later: (rows: number) => counted(rows, 'later row', 'later rows'),
    fresh: (count: number) => `${formatCount(count)} new`,
    freshLabel: (count: number) => `Go to the end: ${counted(count, 'new row', 'new rows')}`,
    label: (side: string, at: string, text: string, state: string) => `${side}, ${at}: ${text}, ${state}`,
    show: 'Show',
    hide: 'Hide',
    fold: (lines: number, octets: number) => `${counted(lines, 'more line', 'more lines')}, ${formatOctets(octets)}`,
    foldText: (lines: number, octets: number) =>
      `${counted(lines, 'line', 'lines')}, ${counted(octets, 'octet', 'octets')}`,
    cut: (octets: number) => `The rest of ${formatOctets(octets)} is not shown.`,
    reveal: 'Show the secret',
    records: (count: number, octets: number) =>
      count === 1 ? formatOctetsExactly(octets) : `${formatCount(count)} records, ${formatOctetsExactly(octets)}`,
    content: {
      handshake: 'TLS handshake',
      alert: 'TLS alert',
      encrypted: 'encrypted',
      opaque: 'no readable text',
    },
    missed: (events: number) => `missed ${formatCount(events)}`,
    missedText: {
      server: (events: number) =>
        `${counted(events, 'event is', 'events are')} not kept: of a long conversation its start and its end are.`,
      feed: (events: number) => `${counted(events, 'event came', 'events came')} faster than this page could follow.`,
      page: (events: number) => `${counted(events, 'event was', 'events were')} put away, to spare this page's memory.`,
    },
    load: 'Load them',
    took: (ms: number) => `after ${formatDuration(ms)}`,
    evidence: 'Shown by',
    remedy: 'What to change:',
    faultRules: 'the rules',
  },
  tls: {
    handshake: (client: number, server: number) =>
      `${formatCount(client)} octets from the client, ${formatCount(server)} from the server`,
    in: (ms: number) => `agreed in ${formatDuration(ms)}`,
    asked: (name: string) => `asked for ${name}`,
    notAsked: 'asked for no name (no SNI)',
    certificate: (names: string) => `certificate for ${names}`,
    certificateHidden: 'TLS 1.3 sends the certificate encrypted: nobody on the way could read it.',
    certificateReadable: 'The certificate crossed the network readable for everybody on the way.',
    subject: 'Subject',
    issuer: 'Issuer',
    names: 'Names',
    valid: 'Valid',
    fingerprint: 'SHA-256',
  },
  drawer: {
    label: 'The chosen line',
    close: 'Close',
    of: { client: 'From the client', server: 'From the server' },
    facts: (octets: number, end: string) => `${counted(octets, 'octet', 'octets')}${end === '' ? '' : `, ${end}`}`,
    ends: { crlf: 'ended by CR LF', lf: 'ended by LF alone', none: 'not ended' },
    copy: 'Copy line',
    link: 'Copy link',
    console: 'Try in the Console',
    fields: 'Fields',
    fieldsNone: 'This line is not divided into fields.',
    octets: 'Octets',
    octetsShown: (shown: number) => `The first ${formatCount(shown)} octets.`,
    hidden: 'hidden',
    lineEnd: 'end of the line',
    rfc: (number: number, section: string) => `RFC ${number}${section === '' ? '' : ` §${section}`}`,
    took: (ms: number) => `The server took ${formatDuration(ms)}.`,
    answers: 'It answers',
    theCommand: 'this command',
    decode: 'Decode',
    decodeHide: 'Hide what it decodes to',
    decoded: 'Base64, decoded',
    records: 'Records',
    recordHeader: { type: 'type', version: 'version', length: 'length' },
    encryptedText:
      'Nobody on the way can read this. What remains visible is when it passed, which way, and how long it is.',
    nothing: 'There is nothing more to say about it.',
    reveal: 'Show the secret',
    revealTitle: 'Show this secret?',
    revealText: 'It appears on the page until you leave the line. The server notes that it was asked for.',
    revealConfirm: 'Show it',
    revealed: 'The secret',
    revealHide: 'Hide it again',
  },
} as const;

function formatOctetsExactly(octets: number): string {
  return counted(octets, 'octet', 'octets');
}
