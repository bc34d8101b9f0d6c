-- What all mailboxes of an account hold together, copy by copy. Kept by arithmetic in the transaction that changes the
-- messages; a test counts again.
ALTER TABLE account ADD COLUMN used_messages INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN used_octets INTEGER NOT NULL DEFAULT 0;
-- What they may hold (RFC 9208 §5). Null: what the server gives to every account; -1: there is no limit.
ALTER TABLE account ADD COLUMN most_messages INTEGER;
ALTER TABLE account ADD COLUMN most_octets INTEGER;

UPDATE account SET
  used_messages = (SELECT coalesce(sum(messages), 0) FROM mailbox WHERE account_id = account.id),
  used_octets = (SELECT coalesce(sum(octets), 0) FROM mailbox WHERE account_id = account.id);
