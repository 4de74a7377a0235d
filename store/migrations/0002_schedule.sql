-- What visits have taught about when a source publishes: the aggregator's text.
ALTER TABLE sources ADD COLUMN learned TEXT NOT NULL DEFAULT '';
