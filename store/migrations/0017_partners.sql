-- What a partner hides from its own embeds. A row stays when it is shown
-- again: until and until_who say when and by whom; 0 = it is hidden.
CREATE TABLE partner_hidden (
  partner   TEXT NOT NULL,
  story     TEXT NOT NULL,
  at        BIGINT NOT NULL,
  who       TEXT NOT NULL,
  why       TEXT NOT NULL,
  until     BIGINT NOT NULL DEFAULT 0,
  until_who TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (partner, story, at)
){{clustered}};
