-- When anything last changed that a list of stories says of a story: the order
-- in which those who mirror the store are told.
ALTER TABLE stories ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
UPDATE stories SET changed = CASE WHEN updated > listed THEN updated ELSE listed END WHERE listed > 0;
CREATE INDEX stories_changed ON stories (changed, id);
