-- Subscriptions to the hubs that sources name (WebSub). The token is the last
-- part of the callback's address; whoever knows it may knock there.
CREATE TABLE push_subscriptions (
  token        TEXT PRIMARY KEY,
  source       TEXT NOT NULL,
  hub          TEXT NOT NULL,
  topic        TEXT NOT NULL,
  callback     TEXT NOT NULL,
  secret       TEXT NOT NULL,
  state        TEXT NOT NULL,
  turn         BIGINT NOT NULL DEFAULT 0, -- raised by every answer of the hub
  created      BIGINT NOT NULL,
  verified     BIGINT NOT NULL DEFAULT 0,
  expires      BIGINT NOT NULL DEFAULT 0,
  delivered    BIGINT NOT NULL DEFAULT 0,
  missed       BIGINT NOT NULL DEFAULT 0,
  fails        BIGINT NOT NULL DEFAULT 0,
  detail       TEXT NOT NULL DEFAULT '',
  next_at      BIGINT NOT NULL,
  lease_until  BIGINT NOT NULL DEFAULT 0,
  lease_by     TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX push_subscriptions_source ON push_subscriptions (source) WHERE state <> 'leaving';
