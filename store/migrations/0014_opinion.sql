-- The second opinion on topics that was learned from the items: at most one row.
CREATE TABLE opinion (
  id      BIGINT PRIMARY KEY,
  tried   BIGINT NOT NULL, -- when learning was last begun
  newest  BIGINT NOT NULL, -- the newest item there was then
  learned BIGINT NOT NULL, -- when the model was stored
  model   {{bytes}} NOT NULL -- as aggregator packs it; empty = none
);
