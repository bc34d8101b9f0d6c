/**
 * Dovecot as a second opinion: the same mailboxes, the same commands in the same order, and answers that mean the same.
 * Where they do not, one of the two is wrong, or the RFC leaves it open: the table says which, and by what section.
 */
import { expect, test } from 'vitest';
import { dovecotInstalled, startDovecot } from '../bench/peers.ts';
import { startTestStack } from '../test-stack.ts';
import { EIGHT_BIT_HEADERS, MESSAGES } from './awkward-messages.ts';
import { CHAPTERS, EIGHT_BIT_APPENDS } from './imap-commands.ts';
import { differencesOf, meaningOf, WireClient, type Difference } from './imap-wire.ts';

interface Where {
  readonly chapter: string;
  readonly command: string;
  /** The name of the message that a FETCH response is about. */
  readonly message: string;
}

interface Expected {
  /** The section by which ours is right, or by which either is. */
  readonly rfc: string;
  readonly why: string;
  explains(difference: { readonly ours: string; readonly theirs: string }, where: Where): boolean;
}

const EXPECTED: readonly Expected[] = [
  // ------------------------------------------------------------------------------------------------ message data
  {
    rfc: 'RFC 9051 §7.5.2 BODY[<section>]',
    why: 'a part that does not exist is NIL, and a part that is empty an empty string',
    explains: ({ ours, theirs }) => ours.endsWith(' NIL') && theirs === ours.replace(/NIL$/, '""'),
  },
  {
    rfc: 'RFC 9051 §6.4.5.1',
    why: 'only multiparts and messages have parts: BODY[1.1] of a text is nothing',
    explains: ({ ours, theirs }, { message }) =>
      (/ (BODY|BINARY)\[(1|2)(\.\d)+(\.MIME)?\](<\d+>)? NIL$/.test(ours) ||
        / BINARY.SIZE\[(1|2)\.\d\] 0$/.test(ours)) &&
      theirs !== '' &&
      message in MESSAGES,
  },
  {
    rfc: 'RFC 9051 §6.4.5.1 HEADER.FIELDS',
    why: 'a message without an empty line has none in a part of its header either',
    explains: ({ ours, theirs }) =>
      ours.includes('HEADER.FIELDS') &&
      [1, 2].some((lines) => theirs === ours.replace(/"$/, `${'\\r\\n'.repeat(lines)}"`)),
  },
  {
    rfc: 'RFC 9051 §6.4.5.1 HEADER.FIELDS.NOT',
    why: 'a line that is no field is in no selection of fields',
    explains: (_, { command, message }) =>
      command.includes('HEADER.FIELDS.NOT') && ['lines that are no header', 'one octet'].includes(message),
  },
  {
    rfc: 'RFC 9051 §6.4.5.1 MIME',
    why: 'the header of a part has its line ends, even where a boundary follows at once',
    explains: ({ ours, theirs }, { message }) =>
      message === 'empty parts' && ours.includes('.MIME]') && ours === theirs.replace(/"$/, '\\r\\n"'),
  },
  {
    rfc: 'RFC 5322 §2.2.3',
    why: 'unfolding takes away line ends, and not the blanks behind them',
    explains: ({ ours }, { message, command }) =>
      (message === 'folded headers' && ours.includes('"folded  twice\\tand again"')) ||
      command.includes('"folded twice"'),
  },
  {
    rfc: 'RFC 5322 §4.5',
    why: 'of a field that stands there twice any may count: here the first',
    explains: ({ ours }, { message }) => message === 'headers twice' && ours.includes(' ENVELOPE '),
  },
  {
    rfc: 'RFC 9051 §7.5.2 ENVELOPE',
    why: 'a field of blanks is empty',
    explains: ({ ours, theirs }, { message }) => message === 'empty headers' && ours === theirs.replace('"  "', '""'),
  },
  {
    rfc: 'RFC 9051 §7.5.2 ENVELOPE, address structure',
    why: 'half an address that is not there is empty, not invented; and what can be read of a broken one is shown',
    explains: ({ ours, theirs }, { command }) =>
      (ours.includes(' ENVELOPE ') && /MISSING_(DOMAIN|MAILBOX)/.test(theirs)) ||
      /^SORT \((FROM|TO)\) UTF-8 ALL$/.test(command),
  },
  {
    rfc: 'RFC 5322 §3.4',
    why: 'a comment beside an address without a phrase is its name, wherever it stands',
    explains: ({ ours }, { message, command }) =>
      (ours.includes(' ENVELOPE ') && ['names of every kind', 'comments in addresses'].includes(message)) ||
      /^(UID )?SEARCH .*TO bob/.test(command),
  },
  {
    rfc: 'RFC 2045 §5.2',
    why: 'a Content-Type that cannot be read means text/plain; so does a multipart without a boundary',
    explains: ({ ours }, { message }) =>
      message === 'no boundary' ||
      (/ (BODY|BODYSTRUCTURE) \("text" "plain" \("charset" "us-ascii"\)/.test(ours) &&
        ['a type without subtype', 'a type that is no type', 'an empty type'].includes(message)),
  },
  {
    rfc: 'RFC 2045 §5.1',
    why: 'a parameter may have an empty quoted string as its value',
    explains: ({ ours, theirs }, { message }) =>
      message === 'quotes in parameters' && theirs === ours.replace(' "z" ""', ''),
  },
  {
    rfc: 'RFC 2046 §5.1.1',
    why: 'the line end before a boundary line belongs to the boundary, even behind the end of another multipart',
    explains: ({ ours, theirs }) => /-- ?"$/.test(ours) && theirs === ours.replace(/"$/, '\\r\\n"'),
  },
  {
    rfc: 'RFC 9051 §6.4.5 BINARY',
    why: 'what encloses parts has no encoding to be undone',
    explains: ({ ours }, { message }) =>
      /BINARY(\.SIZE)?\[1(\.2)?\]/.test(ours) &&
      ['multiparts in multiparts', 'a boundary that begins another'].includes(message),
  },
  {
    rfc: 'RFC 3516 §4.3 UNKNOWN-CTE',
    why: 'what cannot be decoded is refused, and nothing is said of it',
    explains: ({ ours, theirs }, { message }) =>
      message === 'an unknown encoding' && ours === '' && theirs.includes(' UID '),
  },
  {
    rfc: 'RFC 3516 §4.4, §6',
    why: 'no string can hold NUL: a part that does is kept in base64, and not cut off',
    explains: ({ ours, theirs }, { chapter }) =>
      chapter.startsWith('several messages') &&
      ((ours.includes('Subject: binary') && !theirs.includes('base64')) ||
        (/RFC822.SIZE 64$/.test(ours) && theirs.endsWith('RFC822.SIZE 24'))),
  },
  {
    rfc: 'RFC 9051 §6.3.12',
    why: 'the octets that were appended are the message, whatever its line ends are',
    explains: (_, { chapter }) => chapter === 'other line ends',
  },

  // ------------------------------------------------------------------------------------------------ SEARCH
  {
    rfc: 'RFC 9051 §7.3.5',
    why: 'a keyword that is only asked for is none that the mailbox has',
    explains: ({ ours, theirs }) =>
      ours === theirs.replace(' nowhere', '') ||
      (ours === '' && (theirs.includes(' nowhere') || theirs === '* OK [PERMANENTFLAGS ()]')),
  },
  {
    rfc: 'RFC 9051 §6.4.4 SENTBEFORE',
    why: 'a message without a date was not sent before another day',
    explains: ({ ours, theirs }, { command }) =>
      command.includes('SENTBEFORE') && ours.startsWith('* SEARCH') && theirs.startsWith('* SEARCH'),
  },
  {
    rfc: 'RFC 9051 §6.4.4 BODY',
    why: 'flexible matching is allowed: of HTML the text is searched, and not its tags',
    explains: (_, { command }) => command.includes('BODY "<p>"'),
  },
  {
    rfc: 'RFC 9051 §6.4.4',
    why: 'octets of a header that are no UTF-8 are read as the charset that they are likely to be in',
    explains: (_, { chapter, command }) => chapter === 'letters in headers' && command.startsWith('SEARCH'),
  },

  {
    rfc: 'RFC 9394 §4 ret-data-partial',
    why: 'the range is the one that was requested',
    explains: ({ ours, theirs }) => theirs === ours.replace('PARTIAL (3:1 ', 'PARTIAL (1:3 '),
  },

  // ------------------------------------------------------------------------------------------------ grammar
  {
    rfc: 'RFC 9051 §9',
    why: 'what the grammar does not know is BAD, also where its meaning could be guessed',
    explains: ({ ours }, { command }) => LENIENT.has(command) && (ours === 'BAD' || ours === ''),
  },
  {
    rfc: 'RFC 5256 §3',
    why: 'the word behind the sort keys is the charset: one that is not known is NO',
    explains: ({ ours }, { command }) => /^(SORT|THREAD) \S+ ALL$/.test(command) && ours.startsWith('NO [BADCHARSET'),
  },
  {
    rfc: 'RFC 9051 §6.4.4',
    why: 'a text that is no UTF-8 is in a charset that was not named: some clients search by themselves after NO alone',
    explains: ({ ours, theirs }, { command }) =>
      /^SEARCH [^]*[\x80-\xff]/.test(command) && ours.startsWith('NO [BADCHARSET') && theirs === 'BAD',
  },
  {
    rfc: 'RFC 9051 §7.1',
    why: 'a response code that says more, or something else',
    explains: ({ ours, theirs }) =>
      /^NO \[[A-Z-]+( .*)?\]$/.test(ours) && /^NO( \[(BADCHARSET|CANNOT)\])?$/.test(theirs),
  },

  // ------------------------------------------------------------------------------------------------ state
  {
    rfc: 'RFC 7162 §3.1.2.1',
    why: 'HIGHESTMODSEQ may be told to those who have not asked for it',
    explains: ({ ours, theirs }, { command }) =>
      /^(2> )?(SELECT|EXAMINE)/.test(command) && ours === '* OK [HIGHESTMODSEQ M]' && theirs === '',
  },
  {
    rfc: 'RFC 7162 §3.2.4',
    why: 'who is told of mod-sequences is told of UIDs with them',
    explains: ({ ours, theirs }, { chapter }) =>
      chapter === 'CONDSTORE' && ours.includes(' FETCH UID ') && theirs === '',
  },
  {
    rfc: 'RFC 9051 §6.4.6',
    why: 'a STORE that changes nothing is answered with the flags as they are',
    explains: ({ ours, theirs }, { command }) =>
      command.startsWith('STORE') && / FETCH (FLAGS|MODSEQ) /.test(ours) && theirs === '',
  },
  {
    rfc: 'RFC 9051 §6.3.3',
    why: 'after EXAMINE nothing can be changed, and whoever tries is told so',
    explains: ({ ours }, { command }) =>
      /^(STORE|EXPUNGE|UID MOVE)/.test(command) && (ours === 'NO [NOPERM]' || ours === ''),
  },
  {
    rfc: 'RFC 3501 §7.3.2',
    why: 'RECENT comes with whatever arrives; that fewer are left follows from EXPUNGE',
    explains: ({ ours, theirs }, { command, chapter }) =>
      (/^((UID )?(MOVE|EXPUNGE)|NOOP|CHECK|UID FETCH)/.test(command) && ours === '' && theirs.endsWith(' RECENT')) ||
      (chapter === 'two sessions' && command === 'NOOP' && ours.endsWith(' RECENT') && theirs === ''),
  },
  {
    rfc: 'RFC 9051 §6.3.13, §7.5.2',
    why: 'flags that others have changed are told with the UID',
    explains: ({ ours, theirs }, { command, chapter }) =>
      chapter === 'two sessions' && command.endsWith('NOOP') && / FETCH UID \d+$/.test(ours) && theirs === '',
  },
  {
    rfc: 'RFC 9051 §7.1 EXPUNGEISSUED',
    why: 'what others have removed is not found, and the completion says that there is something to be told',
    explains: ({ ours }, { command, chapter }) =>
      chapter === 'two sessions' && command === 'SEARCH ALL' && /^(\* SEARCH|OK \[EXPUNGEISSUED\])/.test(ours),
  },
  {
    rfc: 'RFC 9051 §6.4.9',
    why: 'a UID command says nothing of what others have removed',
    explains: ({ ours, theirs }, { command, chapter }) =>
      chapter === 'two sessions' && command === 'UID FETCH 1:* FLAGS' && ours === '' && theirs.includes(' FETCH '),
  },
  {
    rfc: 'RFC 9051 §6.3.11',
    why: 'STATUS of the selected mailbox is unwise, and answered',
    explains: ({ ours, theirs }) => ours === 'OK' && theirs === 'OK [CLIENTBUG]',
  },

  {
    rfc: 'RFC 7162 §3.2.5.2',
    why: 'who has the sequence number of a message right knows what has vanished before it',
    explains: ({ ours, theirs }, { command }) =>
      command.endsWith('1:8 (3,5 4,6)))') && ours === '* VANISHED (EARLIER) 7' && theirs.endsWith(' 3,7'),
  },
  {
    rfc: 'RFC 7162 §3.2.7, §3.2.9',
    why: 'HIGHESTMODSEQ is told to those who have removed messages',
    explains: ({ ours, theirs }, { chapter, command }) =>
      chapter === 'QRESYNC' && command === 'NOOP' && ours === 'OK' && theirs === 'OK [HIGHESTMODSEQ M]',
  },

  // ------------------------------------------------------------------------------------------------ mailboxes
  {
    rfc: 'RFC 9051 §6.3.4',
    why: 'superior names become mailboxes too, and so does a name that was given with a delimiter behind it',
    explains: ({ ours, theirs }, { command }) =>
      (ours === theirs.replace(' \\Noselect', '') && /"(superior|trailing)"$/.test(ours)) ||
      /^(SELECT|DELETE) (superior|trailing)$/.test(command),
  },
  {
    rfc: 'RFC 9051 §6.3.7',
    why: 'a name can be subscribed whether there is such a mailbox or not',
    explains: ({ ours, theirs }, { command }) =>
      command === 'SUBSCRIBE nowhere/at/all' && ours === 'OK' && theirs === 'NO',
  },
  {
    rfc: 'RFC 9051 §6.3.9',
    why: 'the root of a reference that is not rooted is empty',
    explains: (_, { command }) => /^(LIST|LSUB) ".*" ""$/.test(command),
  },
  {
    rfc: 'RFC 2342 §5',
    why: "other users' mailboxes are there without being configured",
    explains: ({ ours }, { command }) => command === 'NAMESPACE' && ours.includes('"Other Users/"'),
  },
  {
    rfc: 'RFC 9051 §6.3.5, §6.3.9',
    why: 'of a mailbox that was deleted no name is left, but as a level for patterns that end with %',
    explains: ({ ours, theirs }, { command }) =>
      command.startsWith('LIST') && ours === '' && /\\Noselect.* "Renamed"$/.test(theirs),
  },
  {
    rfc: 'RFC 6154 §2, RFC 9051 §7.3.1',
    why: 'special uses, children and marks may always be told, or not',
    explains: ({ ours, theirs }) => /^\* (LIST|LSUB)/.test(ours) && withoutHints(ours) === withoutHints(theirs),
  },
];

/** Wrong by the grammar, and answered all the same by the other. */
const LENIENT: ReadonlySet<string> = new Set([
  'FETCH 1 BODY.PEEK[]<0.0>',
  'FETCH 1 BODY.PEEK[]<0>',
  'FETCH 1, UID',
  'SEARCH BEFORE 31-Feb-2026',
  'SEARCH KEYWORD \\Seen',
  'STORE 1 +FLAGS',
  'FETCH 1 (FLAGS) (CHANGEDSINCE 0)',
  'SELECT a b',
  'SELECT Resync (QRESYNC (<validity> 0))',
  'SELECT Resync (QRESYNC (0 <modseq>))',
  'EXPUNGE 1',
  'NOOP now',
  'CAPABILITY please',
  'ENABLE',
  'ID',
  'ID ("a")',
]);

const withoutHints = (line: string): string =>
  line
    .replace(
      / ?\\(Archive|Drafts|Junk|Sent|Trash|Haschildren|Hasnochildren|Marked|Unmarked|Noselect|Nonexistent)\b/g,
      '',
    )
    .replace('( ', '(');

/** Dovecot's user must be another than root's, and only root can start it so. */
const canRun = dovecotInstalled && process.getuid?.() === 0;

test('Dovecot answers the same', { timeout: 300_000 }, async () => {
  if (!canRun) throw new Error('this test is run by root, with the package dovecot-imapd installed');
  await using dovecot = await startDovecot();
  await using stack = await startTestStack('--accounts', 'alice@glass.localhost');
  const ports = { ours: stack.port('imap'), theirs: dovecot.ports.imap! };
  for (const port of Object.values(ports)) {
    await using client = await login(port);
    await client.command('ENABLE UTF8=ACCEPT');
    for (const command of EIGHT_BIT_APPENDS) await client.command(command);
  }
  {
    // The mailboxes that an account has from the beginning.
    await using client = await login(ports.theirs);
    for (const name of ['INBOX', 'Archive', 'Drafts', 'Junk', 'Sent', 'Trash']) {
      await client.command(`CREATE ${name}`);
      await client.command(`SUBSCRIBE ${name}`);
    }
  }
  const unexplained = new Set<string>();
  const used = new Set<Expected>();
  let commands = 0;
  for (const { title, commands: asked } of CHAPTERS) {
    await using ours = await login(ports.ours);
    await using theirs = await login(ports.theirs);
    await using ourSecond = await login(ports.ours);
    await using theirSecond = await login(ports.theirs);
    for (const command of asked) {
      commands++;
      const isSecond = command.startsWith('2> ');
      const sessions = isSecond ? [ourSecond, theirSecond] : [ours, theirs];
      const [our, their] = await Promise.all(sessions.map((each) => each.command(command.replace(/^2> /, ''))));
      for (const difference of differencesOf(meaningOf(our!), meaningOf(their!))) {
        const where = { chapter: title, command, message: messageOf(title, difference) };
        const reason = EXPECTED.find((expected) =>
          expected.explains({ ours: difference.ours ?? '', theirs: difference.theirs ?? '' }, where),
        );
        if (reason) used.add(reason);
        else unexplained.add(report(difference, where));
      }
    }
  }
  expect([...unexplained].join('\n\n')).toBe('');
  expect(commands).toBeGreaterThan(1000);
  // What no longer differs needs no excuse.
  expect(EXPECTED.filter((expected) => !used.has(expected)).map(({ rfc, why }) => `${rfc}: ${why}`)).toEqual([]);
  expect(stack.logged).toEqual([]);
});

async function login(port: number): Promise<WireClient> {
  const client = await WireClient.open(port);
  await client.command('LOGIN alice glass');
  return client;
}

function messageOf(chapter: string, { ours, theirs }: Difference): string {
  const number = Number(/^\* (\d+) FETCH/.exec(ours ?? theirs ?? '')?.[1] ?? 0);
  return Object.keys(chapter === 'letters in headers' ? EIGHT_BIT_HEADERS : MESSAGES)[number - 1] ?? '';
}

function report({ ours, theirs }: Difference, { chapter, command, message }: Where): string {
  const shown = command.slice(0, 120).replaceAll('\r\n', '⏎');
  return `${chapter}: ${shown} ${message && `(${message})`}\n  ours   ${ours ?? '-'}\n  theirs ${theirs ?? '-'}`.slice(
    0,
    1200,
  );
}
