-- What stands in a scope's record and in no sealed document of it yet, in the
-- order of entering. late: it does not stand at the top of a current feed
-- (backfill, gained or restored later), so it is sealed at once.
CREATE TABLE unsealed (
  scope TEXT NOT NULL,   -- all, topic:…, channel:…
  at    BIGINT NOT NULL, -- when it entered, unique within the scope
  story TEXT NOT NULL,
  late  BIGINT NOT NULL,
  PRIMARY KEY (scope, at, story)
){{clustered}};
CREATE UNIQUE INDEX unsealed_story ON unsealed (story, scope);

-- Sealed documents.
CREATE TABLE archives (
  scope   TEXT NOT NULL,
  day     TEXT NOT NULL,
  part    BIGINT NOT NULL,
  first   BIGINT NOT NULL, -- the entries that it was made of
  last    BIGINT NOT NULL,
  at      BIGINT NOT NULL, -- when its bytes last changed
  hash    TEXT NOT NULL,   -- SHA-256 of the bytes
  stories TEXT NOT NULL,   -- ids, each between spaces
  body    {{bytes}} NOT NULL, -- gzip
  PRIMARY KEY (scope, day, part)
);
CREATE INDEX archives_last ON archives (last);

-- Where a story entered a scope later than it was listed.
CREATE TABLE archived_late (
  story TEXT NOT NULL,
  scope TEXT NOT NULL,
  at    BIGINT NOT NULL,
  PRIMARY KEY (story, scope)
){{clustered}};

-- What sealed documents must not say any more.
CREATE TABLE archives_stale (
  scope TEXT NOT NULL,
  day   TEXT NOT NULL,
  part  BIGINT NOT NULL,
  story TEXT NOT NULL,
  at    BIGINT NOT NULL,
  PRIMARY KEY (scope, day, part, story)
){{clustered}};

-- Every change of sealed bytes.
CREATE TABLE reseals (
  id      {{id}},
  at      BIGINT NOT NULL,
  scope   TEXT NOT NULL,
  day     TEXT NOT NULL,
  part    BIGINT NOT NULL,
  stories TEXT NOT NULL, -- that were taken out or are quoted anew
  was     TEXT NOT NULL, -- the hash before
  hash    TEXT NOT NULL  -- and after
);

-- The channels of the configuration that have an archive, with their selections.
CREATE TABLE archive_channels (
  id        TEXT PRIMARY KEY,
  selection TEXT NOT NULL
);

INSERT INTO unsealed (scope, at, story, late)
  SELECT p.scope, s.listed, s.id, s.backfill FROM by_published p JOIN stories s ON s.id = p.story
  WHERE p.scope = 'all' OR p.scope LIKE 'topic:%';
