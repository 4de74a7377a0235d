package store

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
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
	maxNames = 16
	// maxSightings bounds the lines and names that were seen once and are kept
	// in memory, twice as many in all: some 10 MB.
	maxSightings = 100_000
	// namesOfEvery is the share of items whose names are counted, one of so
	// many: which names are rare shows in a sample too, and each costs a row.
	namesOfEvery = 8
)

// Keys of the counts: of a line of an outlet, of a line of any, of a name, of
// the number of items whose names were counted.
func lineKey(outlet string, line uint64) int64 {
	h := fnv.New64a()
	h.Write([]byte(outlet))
	h.Write(binary.LittleEndian.AppendUint64(nil, line))
	return int64(h.Sum64() >> 1)
}

func nameKey(name uint32) int64 { return -2 - int64(name) }

const countedKey = int64(-1)

// sightings are what was seen once, by key, with the story where: nearly all
// lines never come again, and to store each cost more pages than all else of an
// item. What a restart forgets is learned one story later. The older half is
// dropped when the younger is full.
type sightings struct{ young, old map[int64]int64 }

// again tells whether a key was seen in another story, and notes it.
func (s *sightings) again(key, story int64) bool {
	where, seen := s.young[key]
	if !seen {
		where, seen = s.old[key]
	}
	if seen && where != story {
		return true
	}
	if s.young == nil || len(s.young) >= maxSightings {
		s.young, s.old = make(map[int64]int64), s.young
	}
	s.young[key] = story
	return false
}

// corpus asks the counts about an item; counts are what they say of each key.
func (t *tx) corpus(it *Item) (c Corpus, counts map[int64]int, err error) {
	lines, names := it.Lines[:min(len(it.Lines), maxLines)], it.Names[:min(len(it.Names), maxNames)]
	keys := []any{countedKey}
	for _, line := range lines {
		keys = append(keys, lineKey(it.Outlet, line), lineKey("", line))
	}
	for _, name := range names {
		keys = append(keys, nameKey(name))
	}
	counts = make(map[int64]int, len(keys))
	for len(keys)%8 != 0 { // few statements, that stay prepared
		keys = append(keys, countedKey)
	}
	in := places(1, len(keys))
	err = t.eachPair(`SELECT key, n FROM counts_0 WHERE key IN (`+in+`) UNION ALL SELECT key, n FROM counts_1 WHERE key IN (`+in+`)`, keys,
		func(key, n int64) { counts[key] += int(n) })
	if err != nil {
		return c, nil, err
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
	return c, counts, nil
}

// count adds a new item to the counts, of which counts are those of its keys. A
// line counts once a story; what was never seen before waits in memory.
func (t *tx) count(now int64, it *Item, counts map[int64]int) error {
	var keys []int64
	for _, line := range it.Lines[:min(len(it.Lines), maxLines)] {
		keys = append(keys, lineKey(it.Outlet, line), lineKey("", line))
	}
	if it.ID%namesOfEvery == 0 {
		for _, name := range it.Names[:min(len(it.Names), maxNames)] {
			keys = append(keys, nameKey(name))
		}
		keys = append(keys, countedKey)
	}
	story := int64(fnvOf(it.Story) >> 1)
	slices.Sort(keys)
	keys = slices.DeleteFunc(slices.Compact(keys), func(key int64) bool {
		return key != countedKey && counts[key] == 0 && !t.w.once.again(key, story)
	})
	if len(keys) == 0 {
		return nil
	}
	table := windowTable("counts", now)
	args, rows := []any{story}, make([]string, len(keys))
	for i, k := range keys {
		n := 1
		if counts[k] == 0 && k != countedKey {
			n = 2 // with the sighting
		}
		rows[i] = fmt.Sprintf("($1, $%d, $%d)", len(args)+1, len(args)+2)
		args = append(args, k, n)
	}
	return t.exec(`INSERT INTO `+table+` (story, key, n) VALUES `+strings.Join(rows, ", ")+`
		ON CONFLICT (key) DO UPDATE SET n = `+table+`.n + 1, story = excluded.story
		WHERE `+table+`.story <> excluded.story OR `+table+`.key < 0`, args...)
}

func fnvOf(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}
