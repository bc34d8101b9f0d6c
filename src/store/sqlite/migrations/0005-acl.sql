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

-- Names that begin so are those of other people's mailboxes now.
UPDATE mailbox SET name = 'Mine, ' || name WHERE name = 'Other Users' OR name GLOB 'Other Users/*';
UPDATE subscription SET name = 'Mine, ' || name WHERE name = 'Other Users' OR name GLOB 'Other Users/*';
