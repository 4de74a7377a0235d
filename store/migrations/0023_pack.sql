-- Less room. Four columns of items hold packed text from now on: title,
-- summary, content and topics. The program writes the table anew (store/repack.go).

-- Where a story stands in the queue of an archive is known: at the time of its
-- listing, or at that in archived_late.
DROP INDEX IF EXISTS unsealed_story;
