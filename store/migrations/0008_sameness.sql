-- What is compared of an item, kept as long as its sketch: the pairs of tables
-- change places with those of the sketches.
CREATE TABLE forms_0 (
  item {{id}},
  form {{bytes}} NOT NULL
);
CREATE TABLE forms_1 (
  item {{id}},
  form {{bytes}} NOT NULL
);
-- In how many stories a line of an outlet's texts, or of any outlet's, was seen
-- lately, and in how many of every few items a name; story is the last of them.
CREATE TABLE counts_0 (
  key   BIGINT PRIMARY KEY,
  n     BIGINT NOT NULL,
  story BIGINT NOT NULL
){{clustered}};
CREATE TABLE counts_1 (
  key   BIGINT PRIMARY KEY,
  n     BIGINT NOT NULL,
  story BIGINT NOT NULL
){{clustered}};
-- Stories on the same event; each pair stands here in both directions.
CREATE TABLE related (
  story TEXT NOT NULL,
  other TEXT NOT NULL,
  score DOUBLE PRECISION NOT NULL,
  why   TEXT NOT NULL,
  PRIMARY KEY (story, other)
){{clustered}};
