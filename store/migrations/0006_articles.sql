-- What an item's own page said, and the queue of the pages still to be read.
CREATE TABLE articles (
  item      {{id}},
  outlet    TEXT NOT NULL,
  state     TEXT NOT NULL, -- waiting, near, read, no_text, failed
  due_at    BIGINT NOT NULL, -- when the page is to be asked for, or the end of the lease; 0 = not
  since     BIGINT NOT NULL, -- when it was put into the queue
  tries     BIGINT NOT NULL DEFAULT 0,
  holds     BIGINT NOT NULL DEFAULT 0, -- its story waits for it
  lease_by  TEXT NOT NULL DEFAULT '',
  outcome   TEXT NOT NULL DEFAULT '', -- of the last try that failed
  detail    TEXT NOT NULL DEFAULT '',
  read_at   BIGINT NOT NULL DEFAULT 0,
  canonical TEXT NOT NULL DEFAULT '',
  authors   TEXT NOT NULL DEFAULT '',
  image     TEXT NOT NULL DEFAULT '',
  published BIGINT NOT NULL DEFAULT 0,
  modified  BIGINT NOT NULL DEFAULT 0,
  length    BIGINT NOT NULL DEFAULT 0, -- of the text, in characters
  robots    TEXT NOT NULL DEFAULT '', -- what the page asks of robots
  text_hash BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX articles_due ON articles (due_at) WHERE due_at > 0;
CREATE INDEX articles_alike ON articles (outlet, text_hash) WHERE text_hash <> 0;

-- The texts of pages, as long as items may be compared with them.
CREATE TABLE article_texts (
  item {{id}},
  at   BIGINT NOT NULL,
  text TEXT NOT NULL
);
CREATE INDEX article_texts_at ON article_texts (at);

ALTER TABLE stories ADD COLUMN read_until BIGINT NOT NULL DEFAULT 0; -- when waiting for pages ends
