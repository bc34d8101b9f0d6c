-- The search index: a database of its own, for it can be made anew from the mail at any time. Texts are folded
-- (src/mail/search-text.ts) before they come here, as what is looked for is. Only the index is kept, not the texts.
--
-- The tokens are all sequences of three characters, so that any substring of three or more is found by its place and
-- needs no second look. Two U+0001 end each text: so every character begins a token, and substrings of one or two
-- characters can be looked up as beginnings of tokens. Three end a subject or a field of addresses that was more than
-- letters in another case before it was folded: whoever minds accents looks at the mail itself.

-- One row.
CREATE TABLE state (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  -- The store that this is the index of: counter.store.
  store TEXT NOT NULL,
  -- Emails up to this id are in the index, or in `unparsed`.
  position INTEGER NOT NULL
) STRICT;

-- Emails that could not be parsed; a search reads them.
CREATE TABLE unparsed (
  email_id INTEGER PRIMARY KEY
) STRICT;

-- Row ids are email ids. `other_addresses`: Sender, Reply-To, Return-Path. `file_names`: of parts.
CREATE VIRTUAL TABLE field_index USING fts5 (
  subject_text, from_text, to_text, cc_text, bcc_text, other_addresses, file_names,
  content = '', contentless_delete = 1, tokenize = 'trigram case_sensitive 1'
);

-- Every header field of the message and of its parts, as lines `name: body`.
CREATE VIRTUAL TABLE header_index USING fts5 (
  header_text,
  content = '', contentless_delete = 1, tokenize = 'trigram case_sensitive 1'
);

CREATE VIRTUAL TABLE body_index USING fts5 (
  body_text,
  content = '', contentless_delete = 1, tokenize = 'trigram case_sensitive 1'
);

-- Larger pieces before they are merged: half the work for some memory.
INSERT INTO field_index (field_index, rank) VALUES ('hashsize', 524288);
INSERT INTO header_index (header_index, rank) VALUES ('hashsize', 1048576);
INSERT INTO body_index (body_index, rank) VALUES ('hashsize', 4194304);
INSERT INTO body_index (body_index, rank) VALUES ('automerge', 8);

-- The tokens themselves, for substrings shorter than one.
CREATE VIRTUAL TABLE field_tokens USING fts5vocab (field_index, 'instance');
CREATE VIRTUAL TABLE header_tokens USING fts5vocab (header_index, 'instance');
CREATE VIRTUAL TABLE body_tokens USING fts5vocab (body_index, 'instance');

PRAGMA user_version = 3;
