-- The headlines that an item had before; its present one is in items.
CREATE TABLE titles (
  item  BIGINT NOT NULL,
  until BIGINT NOT NULL, -- when we read another in its place
  title TEXT NOT NULL,
  PRIMARY KEY (item, until)
){{clustered}};
