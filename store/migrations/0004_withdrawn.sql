-- Articles that their outlet has removed.
ALTER TABLE items ADD COLUMN check_at BIGINT NOT NULL DEFAULT 0; -- when its page is asked for, 0 = never
ALTER TABLE items ADD COLUMN gone_seen BIGINT NOT NULL DEFAULT 0; -- how often in a row it was found removed
ALTER TABLE items ADD COLUMN withdrawn BIGINT NOT NULL DEFAULT 0; -- since when it is withdrawn
ALTER TABLE items ADD COLUMN withdrawn_why TEXT NOT NULL DEFAULT '';
ALTER TABLE stories ADD COLUMN withdrawn BIGINT NOT NULL DEFAULT 0;
CREATE INDEX items_check ON items (check_at) WHERE check_at > 0;
