-- The editors' room.
-- What editors looked at and found right: an item in its story, or, with item 0,
-- a story without a topic. It holds while its ruling is not undone.
CREATE TABLE reviewed (
  story  TEXT NOT NULL,
  item   BIGINT NOT NULL,
  ruling BIGINT NOT NULL,
  PRIMARY KEY (story, item)
){{clustered}};

-- What editors propose for the rules of the topics, under the number of its
-- entry in the ledger, which has who, when and why. It stands while that is
-- not undone. effect is phrase, mask or silence; places is a list of title,
-- summary, body, empty = all; looked, gained and lost are what trying it found.
CREATE TABLE proposals (
  ruling BIGINT PRIMARY KEY,
  topic  TEXT NOT NULL,
  phrase TEXT NOT NULL,
  effect TEXT NOT NULL,
  weight DOUBLE PRECISION NOT NULL,
  places TEXT NOT NULL,
  note   TEXT NOT NULL,
  looked BIGINT NOT NULL,
  gained BIGINT NOT NULL,
  lost   BIGINT NOT NULL
){{clustered}};
