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

-- What was derived before is derived again, with sort keys.
DELETE FROM derived;
