-- What visits teach about how to fetch and how well a source is written.
ALTER TABLE sources ADD COLUMN full_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sources ADD COLUMN moved_to TEXT NOT NULL DEFAULT '';
ALTER TABLE sources ADD COLUMN moved_seen BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sources ADD COLUMN repairs TEXT NOT NULL DEFAULT '';
ALTER TABLE sources ADD COLUMN robots TEXT NOT NULL DEFAULT '';
