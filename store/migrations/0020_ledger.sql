-- Everything that is done over the admin listener stands in the ledger: what
-- concerns a partner too, under its id.
ALTER TABLE rulings ADD COLUMN partner TEXT NOT NULL DEFAULT '';

-- What partners hid before enters it under its own times. A partner's rows
-- have times of their own, so that each finds its entry again.
ALTER TABLE partner_hidden ADD COLUMN ruling BIGINT NOT NULL DEFAULT 0;
INSERT INTO rulings (id, at, who, verb, story, other, outlet, items, topics, why, merge, before, partner)
SELECT (SELECT coalesce(max(id), 0) FROM rulings) + row_number() OVER (ORDER BY at, partner, verb), at, who, verb, story, '', '', 'null', 'null', why, '{}', '{}', partner
FROM (SELECT at, who, 'partner-hide' AS verb, story, why, partner FROM partner_hidden
  UNION ALL SELECT until, until_who, 'restore', story, '', partner FROM partner_hidden WHERE until > 0) AS entries;
UPDATE partner_hidden SET ruling = (SELECT r.id FROM rulings r
  WHERE r.verb = 'partner-hide' AND r.partner = partner_hidden.partner AND r.story = partner_hidden.story AND r.at = partner_hidden.at);
UPDATE rulings SET undoes = (SELECT p.ruling FROM partner_hidden p
  WHERE p.partner = rulings.partner AND p.story = rulings.story AND p.until = rulings.at) WHERE verb = 'restore' AND partner <> '';
UPDATE rulings SET undone = (SELECT r.id FROM rulings r WHERE r.undoes = rulings.id AND r.partner <> '')
  WHERE verb = 'partner-hide' AND EXISTS (SELECT 1 FROM rulings r WHERE r.undoes = rulings.id AND r.partner <> '');

-- Keys of partners that were issued by an editor, and those of feeds.yaml that
-- one revoked, as SHA-256 in hexadecimal. until = 0: it holds.
CREATE TABLE partner_keys (
  hash    TEXT PRIMARY KEY,
  partner TEXT NOT NULL,
  at      BIGINT NOT NULL,
  until   BIGINT NOT NULL DEFAULT 0
){{clustered}};
CREATE INDEX partner_keys_partner ON partner_keys (partner);

-- Who has signed in to the editors' room. id is the SHA-256 of the cookie,
-- token that of the token, as the file of tokens has it.
CREATE TABLE room_sessions (
  id    TEXT PRIMARY KEY,
  who   TEXT NOT NULL,
  token TEXT NOT NULL,
  began BIGINT NOT NULL,
  used  BIGINT NOT NULL
){{clustered}};
CREATE INDEX room_sessions_used ON room_sessions (used);

-- Random keys that several processes share.
CREATE TABLE shared_keys (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
){{clustered}};
