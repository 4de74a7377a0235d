package store

import (
	"fmt"
	"slices"
	"strings"
)

// ruledTopics are a story's topics as rulings say: what they add stands after
// what was found, what they remove is gone. Of two rulings on one topic the
// later one holds.
func ruledTopics(found []Topic, ruled []string) []Topic {
	all := slices.Clone(found)
	for _, r := range ruled {
		id := Topic(r[1:])
		all = slices.DeleteFunc(all, func(t Topic) bool { return t == id && r[0] == '-' })
		if r[0] == '+' && !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return all
}

// ruleTopic rules that a story has a topic ("+kinh-te") or has it not
// ("-kinh-te").
func (v *visit) ruleTopic(r Ruling) (Ruling, error) {
	s, err := v.live(r.Story)
	if err != nil {
		return r, err
	}
	if len(r.Topics) == 0 {
		return r, refused("want topics such as +kinh-te or -the-thao")
	}
	for _, one := range r.Topics {
		if len(one) < 2 || !strings.ContainsRune("+-", rune(one[0])) {
			return r, refused("topic %q: want +TOPIC or -TOPIC", one)
		}
	}
	r.Story, r.before.Topics = s.id, s.ruled
	if r, err = v.enterLedger(r); err != nil {
		return r, err
	}
	return r, v.ruleTopics(s, slices.Concat(s.ruled, r.Topics))
}

// ruleTopics stores what rulings say of a story's topics, the latest of each
// last, and moves a listed story between the listings of topics.
func (v *visit) ruleTopics(s *row, ruled []string) error {
	kept := []string{}
	for i, r := range ruled {
		later := slices.ContainsFunc(ruled[i+1:], func(l string) bool { return l[1:] == r[1:] })
		if !later {
			kept = append(kept, r)
		}
	}
	if slices.Equal(kept, s.ruled) {
		return nil
	}
	s.ruled = kept
	if err := v.exec(`UPDATE stories SET ruled_topics = $1 WHERE id = $2`, encoded(kept), s.id); err != nil {
		return fmt.Errorf("rule on topics: %w", err)
	}
	if s.listed == 0 || s.mergedInto != "" {
		return nil
	}
	return v.retopic(s)
}

// retopic finds a listed story's topics anew: what its items have, and what
// rulings say.
func (v *visit) retopic(s *row) error {
	topics, err := v.found(s)
	if err != nil {
		return err
	}
	return v.setTopics(s, topics, true, v.ticking())
}

// itemsByID reads items, withdrawn ones too.
func (t *tx) itemsByID(ids []int64) ([]stored, error) {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	args = padded(args)
	return scanItems(t.query(`SELECT `+itemColumns+` FROM items WHERE id IN (`+places(1, len(args))+`) ORDER BY id`, args...))
}
