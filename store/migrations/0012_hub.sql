-- The hub (WebSub). A row of the outbox says that a scope has changed and that
-- nobody has looked yet who is to hear of it.
CREATE TABLE hub_outbox (
  scope    TEXT PRIMARY KEY,
  revision BIGINT NOT NULL, -- the newest
  since    BIGINT NOT NULL  -- the first that waits
){{clustered}};

-- Who hears of a topic. A delivery waits while wanted > 0: a newer change
-- raises it, so that there is never more than one.
CREATE TABLE hub_subscriptions (
  topic         TEXT NOT NULL,
  callback      TEXT NOT NULL,
  host          TEXT NOT NULL, -- of the callback
  secret        TEXT NOT NULL,
  state         TEXT NOT NULL, -- active, ended
  created       BIGINT NOT NULL,
  verified      BIGINT NOT NULL,
  expires       BIGINT NOT NULL,
  wanted        BIGINT NOT NULL DEFAULT 0, -- the revision to deliver at least
  since         BIGINT NOT NULL DEFAULT 0, -- the first change that waits
  hash          TEXT NOT NULL DEFAULT '',  -- of the bytes it got last
  delivered     BIGINT NOT NULL DEFAULT 0,
  fails         BIGINT NOT NULL DEFAULT 0,
  failing_since BIGINT NOT NULL DEFAULT 0,
  detail        TEXT NOT NULL DEFAULT '',
  next_at       BIGINT NOT NULL DEFAULT 0,
  lease_until   BIGINT NOT NULL DEFAULT 0,
  lease_by      TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (topic, callback)
){{clustered}};
CREATE INDEX hub_subscriptions_host ON hub_subscriptions (host);
CREATE INDEX hub_subscriptions_waiting ON hub_subscriptions (next_at) WHERE wanted > 0;
CREATE INDEX hub_subscriptions_leased ON hub_subscriptions (host) WHERE lease_until > 0;

-- What the hub is to ask a callback, or to tell it. One that came to nothing
-- is kept for some minutes: it counts against its client and its host.
CREATE TABLE hub_requests (
  topic         TEXT NOT NULL,
  callback      TEXT NOT NULL,
  mode          TEXT NOT NULL, -- subscribe, unsubscribe, denied
  state         TEXT NOT NULL, -- pending, failed
  host          TEXT NOT NULL,
  client        TEXT NOT NULL, -- who asked for it
  secret        TEXT NOT NULL,
  lease_seconds BIGINT NOT NULL,
  turn          TEXT NOT NULL, -- tells it from one that took its place
  detail        TEXT NOT NULL DEFAULT '',
  tries         BIGINT NOT NULL DEFAULT 0,
  next_at       BIGINT NOT NULL, -- when to ask; for a failed one, when to forget it
  lease_until   BIGINT NOT NULL DEFAULT 0,
  lease_by      TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (topic, callback)
){{clustered}};
CREATE INDEX hub_requests_client ON hub_requests (client);
CREATE INDEX hub_requests_host ON hub_requests (host);

-- By which the service knows its own subscription.
CREATE TABLE hub_canary (
  one   BIGINT PRIMARY KEY,
  token TEXT NOT NULL
);
