package store

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
)

// Corpus is what recent news as a whole says about the words of one item: the
// judge's statistics. The zero value knows nothing.
type Corpus struct {
	Common map[uint64]bool // which of the item's lines are boilerplate
	Items  int             // items whose names were counted
	Names  map[uint32]int  // in how many of these each of the item's names stands
}

const (
	// commonOfOutlet and commonOfAll are in how many different stories, of one
	// outlet and of all, a line is boilerplate. A text that its outlet carries
	// in three addresses is one story if its copies are told, and a quotation
	// comes back in a follow-up or two; docs/sameness.md.
	commonOfOutlet = 4
	commonOfAll    = 8
	// maxLines and maxNames bound what is counted of one item.
	maxLines = 8
	maxNames = 24
	// namesOfEvery is the share of items whose names are counted, one of so
	// many: which names are rare shows in a sample too, and each costs a row.
	namesOfEvery = 8
)

// Keys of the counts: of a line of an outlet, of a line of any, of a name, of
// the number of items whose names were counted.
func lineKey(outlet string, line uint64) int64 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], line)
	sum := sha256.Sum256(append([]byte(outlet+"\x00"), b[:]...))
	return int64(binary.BigEndian.Uint64(sum[:]) >> 1)
}

func nameKey(name uint32) int64 { return -2 - int64(name) }

const countedKey = int64(-1)

// corpus asks the counts about an item.
func (t *tx) corpus(it *Item) (c Corpus, err error) {
	lines, names := it.Lines[:min(len(it.Lines), maxLines)], it.Names[:min(len(it.Names), maxNames)]
	keys := []any{countedKey}
	for _, line := range lines {
		keys = append(keys, lineKey(it.Outlet, line), lineKey("", line))
	}
	for _, name := range names {
		keys = append(keys, nameKey(name))
	}
	counts := make(map[int64]int, len(keys))
	keys = padded(keys)
	in := places(1, len(keys))
	err = t.eachPair(`SELECT key, n FROM counts_0 WHERE key IN (`+in+`) UNION ALL SELECT key, n FROM counts_1 WHERE key IN (`+in+`)`, keys,
		func(key, n int64) { counts[key] += int(n) })
	if err != nil {
		return c, err
	}
	c.Items, c.Names = counts[countedKey], make(map[uint32]int, len(names))
	for _, name := range names {
		c.Names[name] = counts[nameKey(name)]
	}
	for _, line := range lines {
		if counts[lineKey(it.Outlet, line)] >= commonOfOutlet || counts[lineKey("", line)] >= commonOfAll {
			if c.Common == nil {
				c.Common = map[uint64]bool{}
			}
			c.Common[line] = true
		}
	}
	return c, nil
}

// count adds a new item to the counts. A line counts once a story.
func (t *tx) count(now int64, it *Item) error {
	var keys []int64
	for _, line := range it.Lines[:min(len(it.Lines), maxLines)] {
		keys = append(keys, lineKey(it.Outlet, line), lineKey("", line))
	}
	if it.ID%namesOfEvery == 0 {
		keys = append(keys, countedKey)
		for _, name := range it.Names[:min(len(it.Names), maxNames)] {
			keys = append(keys, nameKey(name))
		}
	}
	slices.Sort(keys)
	if keys = slices.Compact(keys); len(keys) == 0 {
		return nil
	}
	story := int64(binary.BigEndian.Uint64([]byte(fmt.Sprintf("%-8.8s", it.Story))) >> 1)
	args := []any{story}
	for _, k := range keys {
		args = append(args, k)
	}
	table := windowTable("counts", now)
	return t.exec(`INSERT INTO `+table+` (story, key, n) VALUES `+valueRows("($1, $%d, 1)", 2, len(keys))+`
		ON CONFLICT (key) DO UPDATE SET n = `+table+`.n + 1, story = excluded.story WHERE `+table+`.story <> excluded.story OR `+table+`.key < 0`, args...)
}
