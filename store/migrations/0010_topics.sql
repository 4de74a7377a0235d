-- How far the re-classification of what is stored has come: at most one row.
CREATE TABLE reclassify (
  id       BIGINT PRIMARY KEY,
  rules    TEXT NOT NULL,   -- which rules: a digest
  phase    TEXT NOT NULL,   -- items, stories, done
  since    BIGINT NOT NULL, -- only items seen since
  started  BIGINT NOT NULL,
  finished BIGINT NOT NULL,
  place    BIGINT NOT NULL, -- items from this id on are done, from the newest down
  total    BIGINT NOT NULL, -- items when it started
  seen     BIGINT NOT NULL, -- items judged
  changed  BIGINT NOT NULL, -- of these: whose topics or reasons changed
  moved    BIGINT NOT NULL  -- stories whose topics changed
);

-- Stories whose topics will change, with the topics they gain.
CREATE TABLE reclassified (
  story  TEXT PRIMARY KEY,
  listed BIGINT NOT NULL,
  gained TEXT NOT NULL,
  lost   TEXT NOT NULL
){{clustered}};
CREATE INDEX reclassified_listed ON reclassified (listed);
