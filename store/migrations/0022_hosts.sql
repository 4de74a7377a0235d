-- What processes that share one database owe a host together. At most one of
-- them asks it at a time: it belongs to lease_by until lease_until. Nobody asks
-- before ready_at. ip is the address that answered last; waits has until when
-- each of its sources was asked to wait, by id. A row named "ip …" is a machine,
-- for which many hosts may stand. Losing all of it costs a pause, so PostgreSQL
-- need not write it to its log.
CREATE {{passing}}TABLE hosts (
  host        TEXT PRIMARY KEY,
  lease_by    TEXT NOT NULL DEFAULT '',
  lease_until BIGINT NOT NULL DEFAULT 0,
  ready_at    BIGINT NOT NULL DEFAULT 0,
  ip          TEXT NOT NULL DEFAULT '',
  waits       TEXT NOT NULL DEFAULT ''
){{clustered}};
