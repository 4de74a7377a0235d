-- What editors decide, and what the program merges by itself: the ledger.
-- who = '' is the program. undone is the ruling that undid this one, undoes the one it undid.
CREATE TABLE rulings (
  id     {{id}},
  at     BIGINT NOT NULL,
  who    TEXT NOT NULL,
  verb   TEXT NOT NULL,
  story  TEXT NOT NULL,
  other  TEXT NOT NULL,
  outlet TEXT NOT NULL,
  items  TEXT NOT NULL,
  topics TEXT NOT NULL,
  why    TEXT NOT NULL,
  merge  TEXT NOT NULL,
  before TEXT NOT NULL,
  undoes BIGINT NOT NULL DEFAULT 0,
  undone BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX rulings_story ON rulings (story);
CREATE INDEX rulings_editors ON rulings (id) WHERE who <> '';
CREATE INDEX rulings_other ON rulings (other);

-- Stories that never merge by themselves; each pair stands in both orders.
CREATE TABLE apart (
  a      TEXT NOT NULL,
  b      TEXT NOT NULL,
  ruling BIGINT NOT NULL,
  PRIMARY KEY (a, b)
){{clustered}};

-- Where a listed story stood that stands there no longer: its place in the
-- window stays taken, so that no older story comes back into a feed.
CREATE TABLE tombstones (
  scope    TEXT NOT NULL,
  listed   BIGINT NOT NULL,
  story    TEXT NOT NULL,
  at       BIGINT NOT NULL,
  shown    BIGINT NOT NULL,
  backfill BIGINT NOT NULL,
  why      TEXT NOT NULL,
  PRIMARY KEY (scope, listed, story)
){{clustered}};
CREATE INDEX tombstones_at ON tombstones (scope, at);
CREATE INDEX tombstones_shown ON tombstones (scope, shown);
CREATE INDEX tombstones_story ON tombstones (story);

ALTER TABLE stories ADD COLUMN hidden BIGINT NOT NULL DEFAULT 0; -- the ruling that hides it
ALTER TABLE stories ADD COLUMN pinned BIGINT NOT NULL DEFAULT 0; -- the item ruled to be the original
ALTER TABLE stories ADD COLUMN ruled_topics TEXT NOT NULL DEFAULT ''; -- what a ruling adds and removes
ALTER TABLE stories ADD COLUMN quoted_before TEXT NOT NULL DEFAULT ''; -- items that it quoted once
ALTER TABLE outlets ADD COLUMN taken BIGINT NOT NULL DEFAULT 0; -- the ruling that took it down
CREATE INDEX stories_merged ON stories (merged_into) WHERE merged_into <> '';
CREATE INDEX stories_hidden ON stories (hidden) WHERE hidden > 0;
