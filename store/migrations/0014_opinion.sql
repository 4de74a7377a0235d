-- The second opinion on topics that was learned from the items: at most one row.
CREATE TABLE opinion (
  id      BIGINT PRIMARY KEY,
  tried   BIGINT NOT NULL, -- when learning was last begun
  newest  BIGINT NOT NULL, -- the newest item there was then
  learned BIGINT NOT NULL, -- when the model was stored
  model   {{bytes}} NOT NULL -- as aggregator packs it; empty = none
);

-- Stories without a topic have listings of their own, as those of a topic do.
INSERT INTO by_published (scope, at, story) SELECT 'topic:', shown, id FROM stories
  WHERE topics IN ('[]', 'null', '') AND listed > 0 AND withdrawn = 0 AND hidden = 0 AND merged_into = '';
INSERT INTO by_listed (scope, at, story) SELECT 'topic:', listed, id FROM stories
  WHERE topics IN ('[]', 'null', '') AND listed > 0 AND withdrawn = 0 AND hidden = 0 AND merged_into = '' AND backfill = 0;
INSERT INTO revisions (scope, at) SELECT 'topic:', at FROM revisions WHERE scope = 'all';
