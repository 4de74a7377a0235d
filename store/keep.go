package store

import (
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// What a judge compares of an item is kept in one piece, apart from its row: a
// dozen candidates are then a dozen pages to read, instead of four for each
// (the row, its story by two trees, the form). The story in it is changed with
// the row's; whether the item was withdrawn, only the row says.

// keptVersion is the first byte of what is kept; another one is not read.
const keptVersion = 0xd1

var errKept = errors.New("what is kept of an item is damaged")

// encodeKept writes what is compared of an item: lengths as uvarints before
// texts, times in milliseconds, the judge's form at the end.
func encodeKept(it *Item) []byte {
	attribution := ""
	if it.Attribution != (Attribution{}) {
		attribution = encoded(it.Attribution)
	}
	b := make([]byte, 0, 64+len(it.Title)+len(it.Link)+len(attribution)+len(it.Form))
	b = append(b, keptVersion)
	for _, s := range []string{it.Story, it.Outlet, it.Title, it.Link, attribution} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	b = binary.AppendVarint(b, millis(it.Published))
	b = binary.AppendVarint(b, millis(it.Seen))
	return append(b, it.Form...)
}

// decodeKept reads what encodeKept wrote.
func decodeKept(id int64, b []byte) (*Item, error) {
	if len(b) == 0 || b[0] != keptVersion {
		return nil, errKept
	}
	b = b[1:]
	it := &Item{ID: id}
	var attribution string
	for _, s := range []*string{&it.Story, &it.Outlet, &it.Title, &it.Link, &attribution} {
		size, n := binary.Uvarint(b)
		if n <= 0 || uint64(len(b)-n) < size {
			return nil, errKept
		}
		*s, b = string(b[n:n+int(size)]), b[n+int(size):]
	}
	var times [2]int64
	for i := range times {
		ms, n := binary.Varint(b)
		if n <= 0 {
			return nil, errKept
		}
		times[i], b = ms, b[n:]
	}
	it.Published, it.Seen, it.Form = fromMillis(times[0]), fromMillis(times[1]), b
	if attribution == "" {
		return it, nil
	}
	return it, decode(attribution, &it.Attribution)
}

// keptOf calls each with what is kept of items, in both tables; what the one
// holds that is filled now comes last.
func (t *tx) keptOf(now int64, ids []any, each func(id int64, table string, kept []byte)) error {
	if len(ids) > maxNear { // for candidates, a statement for each number of them
		ids = padded(ids)
	}
	in := ` WHERE item IN (` + places(1, len(ids)) + `)`
	older, filling := windowTable("forms", now+SketchWindow.Milliseconds()), windowTable("forms", now)
	rows, err := t.query(`SELECT item, 0, form FROM `+older+in+` UNION ALL SELECT item, 1, form FROM `+filling+in, ids...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, which int64
		var kept []byte
		if err := rows.Scan(&id, &which, &kept); err != nil {
			return err
		}
		each(id, [2]string{older, filling}[which], kept)
	}
	return rows.Err()
}

// keepStory follows items into another story.
func (t *tx) keepStory(now int64, items []int64, story string) error {
	type change struct {
		id    int64
		table string
		kept  []byte
	}
	var changes []change
	ids := make([]any, len(items))
	for i, id := range items {
		ids[i] = id
	}
	for _, chunk := range chunks(ids) {
		if err := t.keptOf(now, chunk, func(id int64, table string, kept []byte) {
			if it, err := decodeKept(id, kept); err == nil {
				it.Story = story
				changes = append(changes, change{id, table, encodeKept(it)})
			}
		}); err != nil {
			return fmt.Errorf("read what is kept of items: %w", err)
		}
	}
	for _, c := range changes {
		if err := t.exec(`UPDATE `+c.table+` SET form = $1 WHERE item = $2`, c.kept, c.id); err != nil {
			return fmt.Errorf("keep the story of item %d: %w", c.id, err)
		}
	}
	return nil
}

// loadNear returns, in the order of ids, what of the items a judge compares:
// what is kept, or else their words. Some may have been withdrawn since:
// confirm tells.
func (t *tx) loadNear(now int64, ids []int64) ([]*Item, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	byID := make(map[int64]*Item, len(ids))
	if err := t.keptOf(now, args, func(id int64, _ string, kept []byte) {
		if it, err := decodeKept(id, kept); err == nil {
			byID[id] = it
		}
	}); err != nil {
		return nil, err
	}
	var missing []any
	for _, id := range ids {
		if byID[id] == nil {
			missing = append(missing, id)
		}
	}
	if err := t.loadWords(missing, byID); err != nil {
		return nil, err
	}
	var all []*Item
	for _, id := range ids {
		if it := byID[id]; it != nil {
			all = append(all, it)
		}
	}
	return all, nil
}

// loadWords reads the items of which nothing is kept, with the texts of their
// pages if those are at hand.
func (t *tx) loadWords(ids []any, byID map[int64]*Item) error {
	if len(ids) == 0 {
		return nil
	}
	ids = padded(ids)
	rows, err := t.query(`SELECT id, outlet, story, title, link, summary, published, seen, attribution
		FROM items WHERE id IN (`+places(1, len(ids))+`)`, ids...)
	if err != nil {
		return err
	}
	defer rows.Close()
	var all []*Item
	for rows.Next() {
		it := &Item{}
		var published, seen int64
		var attribution string
		if err := rows.Scan(&it.ID, &it.Outlet, &it.Story, (*text)(&it.Title), &it.Link, (*text)(&it.Summary), &published, &seen, &attribution); err != nil {
			return err
		}
		if err := decode(attribution, &it.Attribution); err != nil {
			return err
		}
		it.Published, it.Seen = fromMillis(published), fromMillis(seen)
		byID[it.ID], all = it, append(all, it)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	rows.Close()
	return t.loadTexts(all)
}

// match asks the judge, and again without the item it names if a copy must not
// join that one's story. It returns those near that are left.
func (v *visit) match(it *Item, near []*Item) (index int, m Merge, left []*Item, err error) {
	for {
		if index, m = v.judge.Match(it, near); index < 0 {
			return index, m, near, nil
		}
		ok, err := v.confirm(near[index])
		if err != nil {
			return -1, m, near, fmt.Errorf("look up item %d: %w", near[index].ID, err)
		}
		if ok {
			return index, m, near, nil
		}
		near = slices.Delete(slices.Clone(near), index, index+1)
	}
}

// confirm tells whether a copy of an item may join its story, which it looks
// up: not if its outlet took it back. One that a ruling hides it does join:
// that is how its copies stay hidden.
func (t *tx) confirm(it *Item) (bool, error) {
	var open int64
	err := t.queryRow(`SELECT i.story, CASE WHEN i.withdrawn = 0 AND (s.withdrawn = 0 OR s.hidden > 0) THEN 1 ELSE 0 END
		FROM items i JOIN stories s ON s.id = i.story WHERE i.id = $1`, it.ID).Scan(&it.Story, &open)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return open > 0, err
}
