-- What readers can search: the folded headline and summary of each listed
-- story's quoted item, under the time of its listing, which is its own.
{{search}};
CREATE INDEX stories_listed ON stories (listed) WHERE listed > 0;
