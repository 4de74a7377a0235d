-- Stories that more than one outlet may carry, by when they are shown: leading
-- stories are found among the newest of these, without a look at all others.

CREATE INDEX stories_carried ON stories (shown) WHERE copies > 1;
