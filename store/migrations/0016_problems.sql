-- Times during which a source could not be read.
CREATE TABLE problems (
  source  TEXT NOT NULL,
  began   BIGINT NOT NULL, -- the first visit that failed
  noted   BIGINT NOT NULL, -- when it was taken for a problem
  ended   BIGINT NOT NULL, -- the first visit that did not fail; 0 = it lasts
  url     TEXT NOT NULL,
  outcome TEXT NOT NULL,   -- of the visit that made it a problem
  detail  TEXT NOT NULL,
  PRIMARY KEY (source, began)
){{clustered}};
CREATE UNIQUE INDEX problems_lasting ON problems (source) WHERE ended = 0;
CREATE INDEX problems_noted ON problems (noted);
