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
