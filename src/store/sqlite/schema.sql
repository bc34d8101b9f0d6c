-- The mail store in one SQLite database (WAL): accounts, mailboxes, messages, the change log, accepted transactions.
-- This file is the truth; the files in migrations/ lead to it one by one, and a test shows that both say the same.
--
-- One thread writes, in groups: all requests that arrived while a commit ran share the next transaction. References are
-- declared, and kept by the writer (enforcement is off: it would look up parents for each message of a group);
-- `PRAGMA foreign_key_check` must find nothing. Times are seconds since 1970 unless a name says otherwise.
-- Message sizes that clients see count trace and octets together.

-- ------------------------------------------------------------------------------------------------------- the store

-- One row: what is counted or given out over all accounts.
CREATE TABLE counter (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  -- Random; the search index carries it too, so that an index of another store is noticed.
  store TEXT NOT NULL,
  -- Ids are never given out twice, not even those of removed emails: the search index relies on it.
  next_email INTEGER NOT NULL,
  -- The last UIDVALIDITY given out (RFC 9051 §2.3.1.1): one for the whole store, so no mailbox gets an old one again.
  uid_validity INTEGER NOT NULL,
  transactions INTEGER NOT NULL,
  unread_transactions INTEGER NOT NULL,
  deleted_transactions INTEGER NOT NULL,
  -- Octets of all emails, each counted once.
  octets INTEGER NOT NULL
) STRICT;

CREATE TABLE account (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  address TEXT NOT NULL,
  -- The address in lower case: login names are compared without case.
  login TEXT NOT NULL UNIQUE,
  -- SCRAM-SHA-256 (RFC 5803 §3); null: nobody can log in.
  password_record TEXT,
  -- The scope that made it; null: the operator.
  owner TEXT,
  created_at INTEGER NOT NULL,
  -- The number of the last change (RFC 7162 §3.1): one for all mailboxes of the account.
  mod_seq INTEGER NOT NULL,
  -- What all its mailboxes hold together, copy by copy. Kept by arithmetic in the transaction that changes the messages;
  -- a test counts again.
  used_messages INTEGER NOT NULL DEFAULT 0,
  used_octets INTEGER NOT NULL DEFAULT 0,
  -- What they may hold (RFC 9208 §5). Null: what the server gives to every account; -1: there is no limit.
  most_messages INTEGER,
  most_octets INTEGER
) STRICT;

CREATE INDEX account_owner ON account (owner) WHERE owner IS NOT NULL;

-- ------------------------------------------------------------------------------------------------------- mailboxes

CREATE TABLE mailbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES account (id),
  -- Unicode NFC, levels divided by '/', the first level INBOX in capitals.
  name TEXT NOT NULL,
  uid_validity INTEGER NOT NULL,
  uid_next INTEGER NOT NULL,
  -- UIDs from here on have been seen by no session (RFC 3501 §2.3.2).
  first_recent_uid INTEGER NOT NULL,
  highest_mod_seq INTEGER NOT NULL,
  -- RFC 6154 attributes, divided by blanks.
  special_use TEXT NOT NULL,
  -- Kept by arithmetic in the transaction that changes the messages; a test counts again.
  messages INTEGER NOT NULL,
  unseen INTEGER NOT NULL,
  deleted INTEGER NOT NULL,
  octets INTEGER NOT NULL,
  UNIQUE (account_id, name)
) STRICT;

-- Subscribed names, whether a mailbox of that name exists or not (RFC 9051 §6.3.7).
CREATE TABLE subscription (
  account_id INTEGER NOT NULL REFERENCES account (id),
  name TEXT NOT NULL,
  PRIMARY KEY (account_id, name)
) STRICT, WITHOUT ROWID;

-- The highest UIDVALIDITY that a name had when its mailbox was deleted or renamed. A mailbox that is renamed to such a
-- name with a lower one gets a new one, for the UIDVALIDITY of a name may only rise (RFC 9051 §2.3.1.1).
CREATE TABLE former_name (
  account_id INTEGER NOT NULL REFERENCES account (id),
  name TEXT NOT NULL,
  uid_validity INTEGER NOT NULL,
  PRIMARY KEY (account_id, name)
) STRICT, WITHOUT ROWID;

-- Annotations (RFC 5464): of a mailbox, or of the server as a whole. They go with their mailbox.
CREATE TABLE annotation (
  -- 0: of the server.
  mailbox_id INTEGER NOT NULL,
  -- Who sees it: 0 for /shared entries; for /private ones the account that has set them.
  account_id INTEGER NOT NULL,
  -- In lower case: names are compared without case.
  entry TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (mailbox_id, account_id, entry)
) STRICT, WITHOUT ROWID;

CREATE INDEX annotation_account ON annotation (account_id) WHERE account_id > 0;

-- Who else may do what with a mailbox (RFC 4314). The owner has all rights, and no row.
CREATE TABLE acl (
  mailbox_id INTEGER NOT NULL REFERENCES mailbox (id),
  -- The account that has the rights; 0: all accounts of the scope that the owner is of.
  grantee INTEGER NOT NULL,
  -- 1: these rights are taken away.
  negative INTEGER NOT NULL,
  -- Letters of RFC 4314 §2.1, one at least.
  rights TEXT NOT NULL,
  PRIMARY KEY (mailbox_id, grantee, negative)
) STRICT, WITHOUT ROWID;

-- What do others let this account do?
CREATE INDEX acl_grantee ON acl (grantee, mailbox_id);

-- -------------------------------------------------------------------------------------------------------- messages

-- Octets that arrived once, whatever the number of recipients and copies.
CREATE TABLE email (
  id INTEGER PRIMARY KEY,
  -- Octets as received, without the trace.
  size INTEGER NOT NULL,
  trace_size INTEGER NOT NULL,
  -- Return-Path, Received, …: whole lines, served before the octets.
  trace BLOB NOT NULL,
  -- Large octets lie in large/<file> beside the database; then `octets` is null.
  file TEXT,
  -- Last, so that reading the columns before it touches no overflow page.
  octets BLOB,
  CHECK ((file IS NULL) <> (octets IS NULL))
) STRICT;

CREATE INDEX email_file ON email (file) WHERE file IS NOT NULL;

-- Emails whose last copy is gone; they are removed in small steps when nothing else is to be done.
CREATE TABLE garbage (
  email_id INTEGER PRIMARY KEY REFERENCES email (id)
) STRICT;

-- Each set of flags that occurs, once: a message needs a number, and STORE works set by set.
CREATE TABLE flag_set (
  id INTEGER PRIMARY KEY,
  -- Divided by blanks: system flags first, keywords after them in order; each keyword as it was first spelled.
  flags TEXT NOT NULL UNIQUE
) STRICT;

-- A message in a mailbox: one copy of an email.
CREATE TABLE message (
  mailbox_id INTEGER NOT NULL REFERENCES mailbox (id),
  uid INTEGER NOT NULL,
  email_id INTEGER NOT NULL REFERENCES email (id),
  flag_set INTEGER NOT NULL REFERENCES flag_set (id),
  mod_seq INTEGER NOT NULL,
  size INTEGER NOT NULL,
  internal_date INTEGER NOT NULL,
  -- When it came into this mailbox (RFC 8514).
  saved_date INTEGER NOT NULL,
  PRIMARY KEY (mailbox_id, uid)
) STRICT, WITHOUT ROWID;

-- Where are the copies of an email? Ids ascend, so this grows at its end.
CREATE INDEX message_email ON message (email_id);

-- What was appended under a key is not appended again.
CREATE TABLE import_key (
  mailbox_id INTEGER NOT NULL REFERENCES mailbox (id),
  key TEXT NOT NULL,
  PRIMARY KEY (mailbox_id, key)
) STRICT, WITHOUT ROWID;

-- What IMAP and the lists need from an email's MIME structure, computed once, in the background, in the order of ids.
CREATE TABLE derived (
  email_id INTEGER PRIMARY KEY REFERENCES email (id),
  -- Days since 1970 of the Date field, disregarding time and zone; null: no date.
  sent_day INTEGER,
  -- Bit 0: has an attachment; bit 1: has an inline part other than text.
  parts INTEGER NOT NULL,
  -- JSON of what a list shows: message id, subject, addresses, number of attachments, snippet.
  summary TEXT NOT NULL,
  -- Finished texts of ENVELOPE, BODY and BODYSTRUCTURE (RFC 9051 §7.5.2).
  envelope BLOB NOT NULL,
  body BLOB NOT NULL,
  body_structure BLOB NOT NULL,
  -- The encoded tree of parts with their offsets, relative to trace and octets together.
  tree BLOB NOT NULL
) STRICT;

-- Searches for attachments and days walk over this instead of the wide rows.
CREATE INDEX derived_parts ON derived (email_id, parts, sent_day);

-- By what SORT and THREAD order messages (RFC 5256, RFC 5957): computed with `derived`, and narrow, for whole mailboxes
-- of it are read at once. Texts are keys of i;unicode-casemap, '' where there is none.
CREATE TABLE sort_key (
  email_id INTEGER PRIMARY KEY REFERENCES email (id),
  -- The Date field in UTC; null: no date, and the message's internal date counts.
  sent_at INTEGER,
  base_subject TEXT NOT NULL,
  -- 1: the subject says that it is a reply or was forwarded.
  is_reply INTEGER NOT NULL,
  -- The local parts of the first addresses, and what is shown of them.
  from_mailbox TEXT NOT NULL,
  to_mailbox TEXT NOT NULL,
  cc_mailbox TEXT NOT NULL,
  from_display TEXT NOT NULL,
  to_display TEXT NOT NULL,
  -- 53 bits of the message id's hash; 0: it has none.
  message_id INTEGER NOT NULL,
  -- The same of each reference, as doubles, least octet first; null: none.
  reference_ids BLOB
) STRICT;

-- ------------------------------------------------------------------------------------------------------ change log

-- What one number changed. A row names all messages of one mailbox that the number changed in one way. The log reaches
-- back 100,000 numbers of its account; whoever asks for older reads everything anew.
CREATE TABLE change (
  account_id INTEGER NOT NULL,
  mod_seq INTEGER NOT NULL,
  mailbox_id INTEGER NOT NULL,
  -- 1 arrived, 2 flags, 3 expunged; 4 mailbox created, 5 deleted, 6 renamed, 7 attributes, 8 rights; 9 annotations, where
  -- mailbox 0 is the server.
  type INTEGER NOT NULL,
  -- Types 1 to 3: the UIDs as an IMAP sequence set, ascending.
  uids TEXT,
  -- Types 4 to 8: the name after the change, and before a renaming. Type 9: the entries, divided by line feeds.
  name TEXT,
  old_name TEXT,
  PRIMARY KEY (account_id, mod_seq, mailbox_id, type)
) STRICT, WITHOUT ROWID;

CREATE INDEX change_mailbox ON change (mailbox_id, mod_seq);

-- ---------------------------------------------------------------------------------------------------- transactions

-- An accepted SMTP transaction as the lists count it; narrow, for they walk over it. It leaves with its last copy.
CREATE TABLE accepted (
  email_id INTEGER PRIMARY KEY REFERENCES email (id),
  -- 22 letters and digits: time first, so that the unique index grows at its end; then 15 random ones.
  public_id TEXT NOT NULL UNIQUE,
  -- Seconds.
  received_at INTEGER NOT NULL,
  copies INTEGER NOT NULL,
  -- Copies without \Seen.
  unread INTEGER NOT NULL
) STRICT;

-- What was said when it was handed in (RFC 5321 §3.3, RFC 3461 §4).
CREATE TABLE origin (
  email_id INTEGER PRIMARY KEY REFERENCES email (id),
  received_at_ms INTEGER NOT NULL,
  reverse_path TEXT NOT NULL,
  return_type TEXT,
  envelope_id TEXT,
  -- JSON: [{address, notify?, originalRecipient?}, …]
  forward_paths TEXT NOT NULL,
  -- JSON: {service, conversation, remoteAddress, helo, login, tls}
  origin TEXT NOT NULL
) STRICT;

-- Tags of accepted transactions; all rows of one tag spell it alike. A tag that no row names is no more.
CREATE TABLE tagged (
  -- ASCII: compared without case.
  tag TEXT NOT NULL COLLATE NOCASE,
  email_id INTEGER NOT NULL REFERENCES email (id),
  PRIMARY KEY (tag, email_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX tagged_email ON tagged (email_id);

-- What happened to transactions after they arrived. The last 10,000 rows are kept.
CREATE TABLE transaction_event (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  -- 1 read, 2 unread, 3 deleted, 4 tags changed
  type INTEGER NOT NULL,
  -- Deleted: the account that held the copies. Read and unread: the account whose copies are, while those of others are
  -- not; only whoever owns it is told. Otherwise 0.
  account_id INTEGER NOT NULL,
  -- How many transactions.
  count INTEGER NOT NULL,
  -- JSON: email ids (read, unread, tags) or public ids (deleted)
  transactions TEXT NOT NULL
) STRICT;
