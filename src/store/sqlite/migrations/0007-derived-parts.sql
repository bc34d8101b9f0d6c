-- Searches for attachments and days walk over this instead of the wide rows.
CREATE INDEX derived_parts ON derived (email_id, parts, sent_day);
