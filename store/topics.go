package store

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"
)

// sectionPlace is the place of the evidence that a source's section gives.
const sectionPlace = "section"

// opinionPlace is the place of the evidence that the learned second opinion
// gives.
const opinionPlace = "opinion"

// storyTopics are the topics of the items of a story together, of which the
// one with the id original counts most: its topics stand first, in its order.
// What only other items have follows, most items first, unless nothing but
// their sections or the second opinion speaks for it and the original has topics of its own.
func storyTopics(items []Item, original int64) []Topic {
	var all []Topic
	if i := slices.IndexFunc(items, func(it Item) bool { return it.ID == original }); i >= 0 {
		all = topicIDs(items[i].Topics)
	}
	own := len(all)
	type support struct {
		topic   Topic
		primary int
		items   int
		score   float64
	}
	var more []support
	for _, it := range items {
		for _, tp := range it.Topics {
			if slices.Contains(all[:own], tp.Topic) || own > 0 && !spoken(tp) {
				continue
			}
			i := slices.IndexFunc(more, func(s support) bool { return s.topic == tp.Topic })
			if i < 0 {
				i, more = len(more), append(more, support{topic: tp.Topic})
			}
			more[i].items, more[i].score = more[i].items+1, math.Max(more[i].score, tp.Score)
			if tp.Primary {
				more[i].primary++
			}
		}
	}
	slices.SortFunc(more, func(a, b support) int {
		return cmp.Or(b.primary-a.primary, b.items-a.items, cmp.Compare(b.score, a.score), cmp.Compare(a.topic, b.topic))
	})
	for _, s := range more {
		all = append(all, s.topic)
	}
	return all
}

// spoken says whether anything but its section, or the second opinion, speaks
// for an item's topic.
func spoken(tp ItemTopic) bool {
	return slices.ContainsFunc(tp.Reasons, func(p Phrase) bool { return p.Place != sectionPlace && p.Place != opinionPlace })
}

// gainTopics gives a listed story the topics that a new copy brings. It never
// takes one away: what readers have found under a topic stays there.
func (v *visit) gainTopics(s *row, it *Item) error {
	if !s.visible() || listAt(it, v.outlets[it.Outlet], millis(v.r.At)) > millis(v.r.At) {
		return nil
	}
	topics := slices.Clone(s.topics)
	for _, tp := range it.Topics {
		if !slices.Contains(topics, tp.Topic) && (len(s.topics) == 0 || spoken(tp)) {
			topics = append(topics, tp.Topic)
		}
	}
	return v.setTopics(s, ruledTopics(topics, s.ruled), false, v.ticking())
}

// setTopics moves a story between the listings of topics, as move does.
func (v *visit) setTopics(s *row, topics []Topic, told bool, at func() int64) error {
	return v.move(s, topics, s.province, told, at)
}

// move moves a story between the listings of topics and provinces at the moment
// that at gives out. It stands in each at its own place, the time of its
// listing, and is dated anew only if told says so. Where it leaves a listing,
// its place there stays empty.
func (v *visit) move(s *row, topics []Topic, province string, told bool, at func() int64) error {
	if slices.Equal(topics, s.topics) && province == s.province {
		return nil
	}
	o, err := v.quotedOutlet(s)
	if err != nil {
		return err
	}
	before, now := scopesOf(o, s.topics, s.province), at()
	if s.visible() {
		v.raise(s, o)
	}
	if s.topics, s.province = topics, province; told {
		s.updated = now
	}
	if err := v.exec(`UPDATE stories SET topics = $1, province = $2, updated = $3 WHERE id = $4`, encoded(topics), province, s.updated, s.id); err != nil {
		return fmt.Errorf("change topics and province: %w", err)
	}
	if !s.visible() {
		return nil
	}
	v.raise(s, o)
	after := scopesOf(o, s.topics, s.province)
	gained, lost := without(after, before), without(before, after)
	if len(gained) > 0 {
		if err := v.exhume(s.id, gained); err != nil {
			return err
		}
	}
	if err := v.bury(s, lost, buriedMoved, now); err != nil {
		return err
	}
	if err := v.relist(s, gained, lost); err != nil {
		return err
	}
	return v.archive(s, after)
}

// relist enters a story into scopes and takes it out of others.
func (t *tx) relist(s *row, gained, lost []string) error {
	for table, at := range map[string]int64{"by_listed": s.listed, "by_published": s.shown} {
		if table == "by_listed" && s.backfill != 0 {
			continue
		}
		for _, scope := range lost {
			if err := t.exec(`DELETE FROM `+table+` WHERE scope = $1 AND at = $2 AND story = $3`, scope, at, s.id); err != nil {
				return fmt.Errorf("take out of %s: %w", scope, err)
			}
		}
		for _, scope := range gained {
			if err := t.exec(`INSERT INTO `+table+` (scope, at, story) VALUES ($1, $2, $3) ON CONFLICT (scope, at, story) DO NOTHING`, scope, at, s.id); err != nil {
				return fmt.Errorf("enter into %s: %w", scope, err)
			}
		}
	}
	return nil
}

// ticking gives out one moment, taken from the clock when first asked for: all
// that a transaction changes together is one change.
func (v *visit) ticking() func() int64 {
	return sync.OnceValue(func() int64 { return v.tick(millis(v.r.At)) })
}

// ItemsBack returns at most limit items that are neither withdrawn nor reduced, the newest
// first: those with an id below before (0 = all) that were seen since.
func (db *DB) ItemsBack(ctx context.Context, before int64, since time.Time, limit int) ([]Item, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	rows, err := scanItems(db.engine.read.QueryContext(ctx, `SELECT `+itemColumns+` FROM items
		WHERE id < $1 AND withdrawn = 0 AND reduced = 0 ORDER BY id DESC LIMIT $2`, before, limit))
	if err != nil {
		return nil, fmt.Errorf("read items: %w", err)
	}
	items := make([]Item, 0, len(rows))
	for _, it := range rows {
		if it.Seen.Before(since) { // ids grow with the time of seeing
			break
		}
		items = append(items, it.Item)
	}
	return items, nil
}

// RuledItem is the item that a story with an editor's ruling on its topics
// quotes, with the topics the story has since, the primary one first.
type RuledItem struct {
	Story   string
	Title   string
	Summary string
	Content string
	Topics  []Topic
	Ruled   []string // "+topic", "-topic"
}

// RuledItems returns every listed story whose topics an editor has ruled on.
func (db *DB) RuledItems(ctx context.Context) ([]RuledItem, error) {
	rows, err := db.engine.read.QueryContext(ctx, `SELECT s.id, i.title, i.summary, i.content, s.topics, s.ruled_topics
		FROM stories s JOIN items i ON i.id = s.quoted WHERE s.ruled_topics NOT IN ('', '[]', 'null') AND s.listed > 0 AND s.merged_into = '' ORDER BY s.listed, s.id`)
	if err != nil {
		return nil, fmt.Errorf("read ruled items: %w", err)
	}
	defer rows.Close()
	var all []RuledItem
	for rows.Next() {
		var r RuledItem
		var topics, ruled string
		if err := rows.Scan(&r.Story, (*text)(&r.Title), (*text)(&r.Summary), (*text)(&r.Content), &topics, &ruled); err != nil {
			return nil, fmt.Errorf("read ruled items: %w", err)
		}
		if err := cmp.Or(decode(topics, &r.Topics), decode(ruled, &r.Ruled)); err != nil {
			return nil, fmt.Errorf("read ruled items: %w", err)
		}
		all = append(all, r)
	}
	return all, rows.Err()
}
