-- Retention. What is reduced keeps its headline, its authors, its link and its
-- times, its places in listings and all its identities.
ALTER TABLE items ADD COLUMN reduced BIGINT NOT NULL DEFAULT 0; -- 1 = it is
ALTER TABLE stories ADD COLUMN reduced BIGINT NOT NULL DEFAULT 0; -- since when its items are
CREATE INDEX stories_whole ON stories (listed) WHERE listed > 0 AND reduced = 0 AND merged_into = '';
