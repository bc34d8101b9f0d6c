/** What may come in IMAP: the states are those of the server's own table, the words are for people. */
import { COMMANDS } from '../../imap/commands/table.ts';
import { type Hint, type HintEntry, toHint, usualFirst } from './hint.ts';
import type { Standing, StateName } from './standing.ts';

export const IMAP_HINTS: Readonly<Record<string, HintEntry>> = {
  CAPABILITY: { template: 'CAPABILITY', what: 'Ask what the server can do.', rfc: [9051, '6.1.1'] },
  NOOP: {
    template: 'NOOP',
    what: 'Do nothing: the server uses the occasion to tell what has changed.',
    rfc: [9051, '6.1.2'],
  },
  LOGOUT: {
    template: 'LOGOUT',
    what: 'Say good-bye. The server says BYE and closes the connection.',
    rfc: [9051, '6.1.3'],
  },
  ID: {
    template: 'ID ("name" "‹my program›")',
    what: 'Tell which program you are, and hear which one the server is.',
    rfc: [2971, '3.1'],
  },
  STARTTLS: {
    template: 'STARTTLS',
    what: 'Ask to go on under TLS. After the OK comes a handshake.',
    rfc: [9051, '6.2.1'],
  },
  AUTHENTICATE: {
    template: 'AUTHENTICATE PLAIN ‹base64 of NUL, account, NUL, password›',
    what: 'Log in by a SASL mechanism.',
    rfc: [9051, '6.2.2'],
  },
  LOGIN: {
    template: 'LOGIN ‹account› ‹password›',
    what: 'Log in with name and password as they are: without TLS everybody on the way can read them.',
    rfc: [9051, '6.2.3'],
  },
  ENABLE: { template: 'ENABLE ‹CONDSTORE›', what: 'Ask for the new behaviour of an extension.', rfc: [9051, '6.3.1'] },
  COMPRESS: {
    template: 'COMPRESS DEFLATE',
    what: 'Compress what follows, both ways. This console cannot: nobody types that by hand.',
    rfc: [4978, '3'],
  },
  UNAUTHENTICATE: { template: 'UNAUTHENTICATE', what: 'Undo the login and keep the connection.', rfc: [8437, '3'] },
  SELECT: {
    template: 'SELECT ‹INBOX›',
    what: 'Open a mailbox: how many messages it has, which flags, and the numbers that tell a program whether what it knows still holds.',
    rfc: [9051, '6.3.2'],
  },
  EXAMINE: { template: 'EXAMINE ‹INBOX›', what: 'Open a mailbox for reading alone.', rfc: [9051, '6.3.3'] },
  CREATE: { template: 'CREATE ‹Projects›', what: 'Make a mailbox.', rfc: [9051, '6.3.4'] },
  DELETE: { template: 'DELETE ‹Projects›', what: 'Remove a mailbox with all its messages.', rfc: [9051, '6.3.5'] },
  RENAME: { template: 'RENAME ‹Projects› ‹Archive›', what: 'Give a mailbox another name.', rfc: [9051, '6.3.6'] },
  SUBSCRIBE: {
    template: 'SUBSCRIBE ‹INBOX›',
    what: 'Put a mailbox on the list of those that your programs show.',
    rfc: [9051, '6.3.7'],
  },
  UNSUBSCRIBE: {
    template: 'UNSUBSCRIBE ‹INBOX›',
    what: 'Take a mailbox off that list; it stays where it is.',
    rfc: [9051, '6.3.8'],
  },
  LIST: { template: 'LIST "" ‹*›', what: 'The names of the mailboxes, with their attributes.', rfc: [9051, '6.3.9'] },
  LSUB: {
    template: 'LSUB "" ‹*›',
    what: 'The mailboxes that are subscribed to, as older programs ask.',
    rfc: [3501, '6.3.9'],
  },
  NAMESPACE: {
    template: 'NAMESPACE',
    what: "Where one's own, others' and shared mailboxes begin.",
    rfc: [9051, '6.3.10'],
  },
  STATUS: {
    template: 'STATUS ‹INBOX› (MESSAGES UNSEEN UIDNEXT)',
    what: 'Figures of a mailbox without opening it.',
    rfc: [9051, '6.3.11'],
  },
  APPEND: {
    template: 'APPEND ‹INBOX› {‹310›}',
    what: 'Put a message into a mailbox: the octets that you announce follow as a literal.',
    rfc: [9051, '6.3.12'],
  },
  IDLE: {
    template: 'IDLE',
    what: 'Wait: from now on the server tells by itself what changes, until you say DONE.',
    rfc: [9051, '6.3.13'],
  },
  GETQUOTA: { template: 'GETQUOTA ‹""›', what: 'How much room there is, and how much is taken.', rfc: [9208, '4.2'] },
  GETQUOTAROOT: { template: 'GETQUOTAROOT ‹INBOX›', what: 'Which limits hold for a mailbox.', rfc: [9208, '4.3'] },
  SETQUOTA: {
    template: 'SETQUOTA ‹""› (STORAGE ‹1024›)',
    what: 'Set limits; STORAGE counts units of 1,024 octets.',
    rfc: [9208, '4.1'],
  },
  NOTIFY: {
    template: 'NOTIFY SET (selected (MessageNew MessageExpunge FlagChange))',
    what: 'Say of what you want to be told without asking, in other mailboxes too.',
    rfc: [5465, '3.1'],
  },
  ESEARCH: {
    template: 'ESEARCH IN (personal) ‹UNSEEN›',
    what: 'Search in several mailboxes at once.',
    rfc: [7377, '2'],
  },
  GETMETADATA: {
    template: 'GETMETADATA ‹INBOX› ‹/private/comment›',
    what: 'Read remarks that are kept with a mailbox.',
    rfc: [5464, '4.2'],
  },
  SETMETADATA: {
    template: 'SETMETADATA ‹INBOX› (‹/private/comment› "‹mine›")',
    what: 'Keep a remark with a mailbox; NIL removes it.',
    rfc: [5464, '4.3'],
  },
  SETACL: { template: 'SETACL ‹INBOX› ‹other› ‹lrs›', what: 'Give somebody rights on a mailbox.', rfc: [4314, '3.1'] },
  DELETEACL: { template: 'DELETEACL ‹INBOX› ‹other›', what: "Take somebody's rights away.", rfc: [4314, '3.2'] },
  GETACL: { template: 'GETACL ‹INBOX›', what: 'Who has which rights on a mailbox.', rfc: [4314, '3.3'] },
  LISTRIGHTS: {
    template: 'LISTRIGHTS ‹INBOX› ‹other›',
    what: 'Which rights could be given to somebody.',
    rfc: [4314, '3.4'],
  },
  MYRIGHTS: { template: 'MYRIGHTS ‹INBOX›', what: 'What you may do in a mailbox.', rfc: [4314, '3.5'] },
  CHECK: {
    template: 'CHECK',
    what: 'As NOOP, from a time when servers had to be asked to write to the disk.',
    rfc: [3501, '6.4.1'],
  },
  CLOSE: {
    template: 'CLOSE',
    what: 'Leave the mailbox, and remove for good what is flagged \\Deleted.',
    rfc: [9051, '6.4.1'],
  },
  UNSELECT: { template: 'UNSELECT', what: 'Leave the mailbox, and remove nothing.', rfc: [9051, '6.4.2'] },
  EXPUNGE: { template: 'EXPUNGE', what: 'Remove for good what is flagged \\Deleted.', rfc: [9051, '6.4.3'] },
  SEARCH: {
    template: 'SEARCH ‹UNSEEN›',
    what: 'Which messages match: the server looks, you get numbers.',
    rfc: [9051, '6.4.4'],
  },
  SORT: {
    template: 'SORT (‹REVERSE DATE›) UTF-8 ‹ALL›',
    what: 'Search, and have the numbers in an order.',
    rfc: [5256, '3'],
  },
  THREAD: {
    template: 'THREAD REFERENCES UTF-8 ‹ALL›',
    what: 'Search, and have the numbers as conversations.',
    rfc: [5256, '3'],
  },
  CANCELUPDATE: {
    template: 'CANCELUPDATE "‹a1›"',
    what: 'Follow the results of an earlier search no longer.',
    rfc: [5267, '4.3.5'],
  },
  FETCH: {
    template: 'FETCH ‹1:*› (FLAGS ENVELOPE)',
    what: 'Ask for parts of messages: flags, the envelope, the structure, any piece of the text.',
    rfc: [9051, '6.4.5'],
  },
  STORE: { template: 'STORE ‹1› +FLAGS (‹\\Flagged›)', what: 'Change flags of messages.', rfc: [9051, '6.4.6'] },
  COPY: { template: 'COPY ‹1› ‹Archive›', what: 'Copy messages into another mailbox.', rfc: [9051, '6.4.7'] },
  MOVE: {
    template: 'MOVE ‹1› ‹Archive›',
    what: 'Move messages into another mailbox, in one step.',
    rfc: [9051, '6.4.8'],
  },
  REPLACE: {
    template: 'REPLACE ‹1› ‹Drafts› {‹310›}',
    what: 'Put another message in the place of one, such as a draft.',
    rfc: [8508, '3.1'],
  },
  'UID COPY': { template: 'UID COPY ‹1› ‹Archive›', what: 'COPY by UIDs, which never change.', rfc: [9051, '6.4.9'] },
  'UID MOVE': { template: 'UID MOVE ‹1› ‹Archive›', what: 'MOVE by UIDs.', rfc: [9051, '6.4.9'] },
  'UID REPLACE': { template: 'UID REPLACE ‹1› ‹Drafts› {‹310›}', what: 'REPLACE by UID.', rfc: [8508, '3.2'] },
  'UID FETCH': {
    template: 'UID FETCH ‹1:*› (FLAGS ENVELOPE)',
    what: 'FETCH by UIDs, which never change.',
    rfc: [9051, '6.4.9'],
  },
  'UID STORE': { template: 'UID STORE ‹1› +FLAGS (‹\\Flagged›)', what: 'STORE by UIDs.', rfc: [9051, '6.4.9'] },
  'UID SEARCH': { template: 'UID SEARCH ‹UNSEEN›', what: 'SEARCH that answers with UIDs.', rfc: [9051, '6.4.9'] },
  'UID SORT': {
    template: 'UID SORT (‹REVERSE DATE›) UTF-8 ‹ALL›',
    what: 'SORT that answers with UIDs.',
    rfc: [5256, '3'],
  },
  'UID THREAD': {
    template: 'UID THREAD REFERENCES UTF-8 ‹ALL›',
    what: 'THREAD that answers with UIDs.',
    rfc: [5256, '3'],
  },
  'UID EXPUNGE': {
    template: 'UID EXPUNGE ‹1›',
    what: 'Remove for good, of what is flagged \\Deleted, these messages alone.',
    rfc: [9051, '6.4.9'],
  },
};

const USUAL: Readonly<Partial<Record<StateName, readonly string[]>>> = {
  'not-authenticated': ['CAPABILITY', 'STARTTLS', 'LOGIN', 'AUTHENTICATE', 'LOGOUT'],
  authenticated: ['LIST', 'SELECT', 'EXAMINE', 'STATUS', 'APPEND', 'LOGOUT'],
  selected: ['FETCH', 'SEARCH', 'STORE', 'EXPUNGE', 'IDLE', 'NOOP', 'CLOSE', 'LOGOUT'],
};

export function imapHints({ state, secure, announced }: Standing): readonly Hint[] {
  const has = (capability: string): boolean => announced === undefined || announced.includes(capability);
  const usual = USUAL[state] ?? [];
  return [...COMMANDS]
    .filter(([name, { states }]) => {
      if (!(states as readonly StateName[]).includes(state)) return false;
      if (name === 'STARTTLS') return !secure && has('STARTTLS');
      if (name === 'LOGIN') return announced?.includes('LOGINDISABLED') !== true; // RFC 9051 §6.2.3
      return name !== 'UNAUTHENTICATE' || has('UNAUTHENTICATE');
    })
    .map(([name]) => toHint(name, IMAP_HINTS[name]!, usual.includes(name)))
    .sort(usualFirst(usual));
}
