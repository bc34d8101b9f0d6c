-- Tags of accepted transactions; all rows of one tag spell it alike. A tag that no row names is no more.
CREATE TABLE tagged (
  -- ASCII: compared without case.
  tag TEXT NOT NULL COLLATE NOCASE,
  email_id INTEGER NOT NULL REFERENCES email (id),
  PRIMARY KEY (tag, email_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX tagged_email ON tagged (email_id);
