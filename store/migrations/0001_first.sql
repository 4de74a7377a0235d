-- Times are milliseconds since 1970 UTC, 0 = unknown. Lists are JSON in TEXT.
-- {{id}} is the engine's 64-bit row key, {{clustered}} its table keyed without
-- a row id; see engine.go.

CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value BIGINT NOT NULL
);

CREATE TABLE outlets (
  id       TEXT PRIMARY KEY,
  name     TEXT NOT NULL,
  aliases  TEXT NOT NULL,
  domains  TEXT NOT NULL,
  scope    TEXT NOT NULL,
  province TEXT NOT NULL,
  rank     BIGINT NOT NULL,
  show_as  TEXT NOT NULL,
  images   BIGINT NOT NULL,
  delay    BIGINT NOT NULL,
  place    BIGINT NOT NULL,
  active   BIGINT NOT NULL
);

CREATE TABLE sources (
  id            TEXT PRIMARY KEY,
  outlet        TEXT NOT NULL,
  kind          TEXT NOT NULL,
  url           TEXT NOT NULL,
  topic         TEXT NOT NULL,
  active        BIGINT NOT NULL,
  etag          TEXT NOT NULL DEFAULT '',
  last_modified TEXT NOT NULL DEFAULT '',
  body_hash     TEXT NOT NULL DEFAULT '',
  next_at       BIGINT NOT NULL DEFAULT 0,
  interval_ms   BIGINT NOT NULL DEFAULT 0,
  why           TEXT NOT NULL DEFAULT '',
  fails         BIGINT NOT NULL DEFAULT 0,
  outcome       TEXT NOT NULL DEFAULT '',
  detail        TEXT NOT NULL DEFAULT '',
  last_try      BIGINT NOT NULL DEFAULT 0,
  last_success  BIGINT NOT NULL DEFAULT 0,
  last_new      BIGINT NOT NULL DEFAULT 0,
  visited       BIGINT NOT NULL DEFAULT 0,
  lease_until   BIGINT NOT NULL DEFAULT 0,
  lease_by      TEXT NOT NULL DEFAULT ''
);
CREATE INDEX sources_due ON sources (next_at) WHERE active = 1;

CREATE TABLE items (
  id            {{id}},
  outlet        TEXT NOT NULL,
  source        TEXT NOT NULL,
  story         TEXT NOT NULL,
  title         TEXT NOT NULL,
  link          TEXT NOT NULL,
  summary       TEXT NOT NULL,
  content       TEXT NOT NULL,
  authors       TEXT NOT NULL,
  image         TEXT NOT NULL,
  categories    TEXT NOT NULL,
  enclosures    TEXT NOT NULL,
  lang          TEXT NOT NULL,
  published     BIGINT NOT NULL,
  published_raw TEXT NOT NULL,
  updated       BIGINT NOT NULL,
  seen          BIGINT NOT NULL,
  attribution   TEXT NOT NULL,
  province      TEXT NOT NULL,
  topics        TEXT NOT NULL,
  fingerprint   BIGINT NOT NULL,
  merge_reason   TEXT NOT NULL,
  merge_score    DOUBLE PRECISION NOT NULL,
  merge_evidence TEXT NOT NULL,
  merge_at       BIGINT NOT NULL
);
CREATE INDEX items_story ON items (story);

-- An alias is 63 bits of SHA-256 over the outlet's id and the alias.
CREATE TABLE aliases (
  hash BIGINT PRIMARY KEY,
  item BIGINT NOT NULL
){{clustered}};

CREATE TABLE carriers (
  item   BIGINT NOT NULL,
  source TEXT NOT NULL,
  PRIMARY KEY (source, item)
){{clustered}};

CREATE TABLE stories (
  id           TEXT PRIMARY KEY,
  list_at      BIGINT NOT NULL, -- when its outlet's terms allow it
  hold_until   BIGINT NOT NULL, -- when waiting for copies ends
  listed       BIGINT NOT NULL,
  updated      BIGINT NOT NULL,
  shown        BIGINT NOT NULL,
  quoted       BIGINT NOT NULL,
  original     BIGINT NOT NULL,
  original_why TEXT NOT NULL,
  topics       TEXT NOT NULL,
  province     TEXT NOT NULL,
  backfill     BIGINT NOT NULL,
  copies       BIGINT NOT NULL,
  merged_into  TEXT NOT NULL DEFAULT ''
);
CREATE INDEX stories_held ON stories (list_at) WHERE listed = 0 AND merged_into = '';

-- The two orders in which a scope's listed stories are read.
CREATE TABLE by_listed (
  scope TEXT NOT NULL,
  at    BIGINT NOT NULL,
  story TEXT NOT NULL,
  PRIMARY KEY (scope, at, story)
){{clustered}};
CREATE TABLE by_published (
  scope TEXT NOT NULL,
  at    BIGINT NOT NULL,
  story TEXT NOT NULL,
  PRIMARY KEY (scope, at, story)
){{clustered}};

CREATE TABLE revisions (
  scope TEXT PRIMARY KEY,
  at    BIGINT NOT NULL
){{clustered}};

-- Keys under which items with nearly the same text find each other; the two
-- tables change places every window, and the older one is emptied.
CREATE TABLE sketches_0 (
  key  BIGINT NOT NULL,
  item BIGINT NOT NULL,
  PRIMARY KEY (key, item)
){{clustered}};
CREATE TABLE sketches_1 (
  key  BIGINT NOT NULL,
  item BIGINT NOT NULL,
  PRIMARY KEY (key, item)
){{clustered}};
