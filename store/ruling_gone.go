package store

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"
)

// ruleHide takes a story out of everything that readers see.
func (v *visit) ruleHide(r Ruling) (Ruling, error) {
	s, err := v.live(r.Story)
	if err != nil {
		return r, err
	}
	if s.hidden > 0 {
		return r, refused("story %s is hidden already, by ruling %d", s.id, s.hidden)
	}
	r.Story = s.id
	if r, err = v.enterLedger(r); err != nil {
		return r, err
	}
	if s.visible() {
		if err := v.takeOut(s, BuriedWithdrawn); err != nil {
			return r, err
		}
	}
	if err := v.exec(`UPDATE stories SET hidden = $1 WHERE id = $2`, r.ID, s.id); err != nil {
		return r, fmt.Errorf("hide story: %w", err)
	}
	return r, nil
}

// ruleTakedown takes down a story, some items, or all of an outlet.
func (v *visit) ruleTakedown(r Ruling) (Ruling, error) {
	if r.Why == "" {
		return r, refused("say why")
	}
	switch {
	case r.Outlet != "":
		return v.takeOutlet(r)
	case len(r.Items) > 0:
		return v.takeItems(r)
	}
	return v.ruleHide(r)
}

// byRuling is the reason of an item's withdrawal.
func byRuling(id int64) string { return fmt.Sprintf(rulingFormat, id) }

const rulingFormat = "ruling %d"

// takeItems takes items down. What other outlets still carry stays.
func (v *visit) takeItems(r Ruling) (Ruling, error) {
	items, err := v.itemsByID(r.Items)
	if err != nil {
		return r, fmt.Errorf("read items: %w", err)
	}
	if len(items) < len(r.Items) {
		return r, fmt.Errorf("items %v: %w", r.Items, ErrNotFound)
	}
	r.Story = items[0].Story
	if r, err = v.enterLedger(r); err != nil {
		return r, err
	}
	for _, it := range items {
		if taken, err := v.takenByRuling(it.ID); err != nil || taken {
			return r, errOr(err, refused("item %d is taken down already", it.ID))
		}
		if err := v.exec(`UPDATE items SET check_at = 0, withdrawn = $1, withdrawn_why = $2 WHERE id = $3`, millis(r.At), byRuling(r.ID), it.ID); err != nil {
			return r, fmt.Errorf("withdraw item: %w", err)
		}
		if err := v.itemGone(it.ID, v.outlets[it.Outlet]); err != nil {
			return r, err
		}
	}
	return r, nil
}

func errOr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// ruleRestore undoes a pin, a topic, a hide, a takedown, a review, a proposal or
// what a partner hides: of one ruling, of a story, of items or of an outlet.
func (v *visit) ruleRestore(r Ruling) (Ruling, error) {
	id, err := v.whatToRestore(r)
	if err != nil {
		return r, err
	}
	old, err := v.ruling(id)
	if err != nil {
		return r, err
	}
	r.Undoes, r.Story, r.Other, r.Outlet, r.Items, r.Topics = id, old.Story, old.Other, old.Outlet, old.Items, old.Topics
	r.Partner = old.Partner
	switch {
	case old.Verb == RuleMerge:
		r.Verb = RuleUnmerge
		return v.ruleUnmerge(r)
	case !slices.Contains([]RuleVerb{RulePin, RuleTopic, RuleHide, RuleTakedown, RuleReview, RulePropose, RulePartnerHide}, old.Verb):
		return r, refused("ruling %d is a %s, which cannot be restored; make another ruling", id, old.Verb)
	}
	if r, err = v.enterLedger(r); err != nil {
		return r, err
	}
	switch {
	case old.Verb == RulePin:
		s, err := v.live(old.Story)
		if err != nil || s.pinned != old.Items[0] { // a later pin holds
			return r, err
		}
		return r, v.pin(s, old.before.Pinned)
	case old.Verb == RuleTopic:
		return r, v.forgetTopics(old)
	case old.Verb == RuleReview, old.Verb == RulePropose: // it stands no longer: that it is undone says so
		return r, v.forgetApart(old)
	case old.Verb == RulePartnerHide:
		return r, v.showToPartner(r)
	case old.Outlet != "":
		return v.restoreOutlet(r)
	case old.Verb == RuleTakedown && len(old.Items) > 0:
		return r, v.restoreItems(old)
	}
	return r, v.unhide(id)
}

// whatToRestore finds the ruling that is meant.
func (v *visit) whatToRestore(r Ruling) (id int64, err error) {
	switch {
	case r.Undoes > 0:
		return r.Undoes, nil
	case r.Outlet != "":
		err = v.queryRow(`SELECT coalesce(max(taken), 0) FROM outlets WHERE id = $1`, r.Outlet).Scan(&id)
		if err == nil && id == 0 {
			err = refused("outlet %q is not taken down", r.Outlet)
		}
		return id, err
	case len(r.Items) > 0:
		taken, err := v.takedownOf(`id = $1`, r.Items[0])
		if err == nil && taken == 0 {
			s, err := v.storyOf(r.Items[0])
			if err == nil && s != nil && s.hidden > 0 {
				return s.hidden, nil
			}
			return 0, errOr(err, refused("item %d is not taken down", r.Items[0]))
		}
		return taken, err
	}
	s, err := v.live(r.Story)
	if err != nil {
		return 0, err
	}
	if s.hidden > 0 {
		return s.hidden, nil
	}
	taken, err := v.takedownOf(`story = $1`, s.id)
	if err == nil && taken == 0 {
		err = refused("story %s is neither hidden nor taken down", s.id)
	}
	return taken, err
}

// takedownOf is the latest ruling in force that took down items; 0 if there is none.
func (v *visit) takedownOf(which string, arg any) (id int64, err error) {
	rows, err := v.query(`SELECT withdrawn_why FROM items WHERE withdrawn > 0 AND `+which, arg)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var why string
		if err := rows.Scan(&why); err != nil {
			return 0, err
		}
		var by int64
		if _, err := fmt.Sscanf(why, rulingFormat, &by); err == nil {
			id = max(id, by)
		}
	}
	return id, rows.Err()
}

// unhide brings back every story that a ruling hides: the one it was made for,
// and what was merged with it since.
func (v *visit) unhide(ruling int64) error {
	all, err := scanRows(v.query(`SELECT `+storyColumns+` FROM stories WHERE hidden = $1 AND hidden > 0`, ruling))
	if err != nil {
		return fmt.Errorf("find hidden stories: %w", err)
	}
	for i := range all {
		if err := v.show(&all[i]); err != nil {
			return err
		}
	}
	return nil
}

// show ends the hiding of a story. One that was never listed comes out when
// its time has come, once.
func (v *visit) show(s *row) error {
	s.hidden = 0
	if err := v.exec(`UPDATE stories SET hidden = 0 WHERE id = $1`, s.id); err != nil {
		return fmt.Errorf("show story: %w", err)
	}
	if !s.visible() {
		return nil
	}
	return v.putBack(s)
}

// restoreItems undoes takeItems. Their pages are asked for: their outlets may
// have removed them meanwhile.
func (v *visit) restoreItems(old Ruling) error {
	for _, id := range old.Items {
		res, err := v.execResult(`UPDATE items SET check_at = $1, gone_seen = 0, withdrawn = 0, withdrawn_why = '' WHERE id = $2 AND withdrawn_why = $3`,
			millis(v.r.At), id, byRuling(old.ID))
		if err != nil {
			return fmt.Errorf("restore item: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			continue // another ruling took it down again
		}
		if err := v.itemBack(id); err != nil {
			return err
		}
	}
	return nil
}

// forgetTopics undoes a ruling on topics: what earlier and later rulings say
// of them holds.
func (v *visit) forgetTopics(old Ruling) error {
	s, err := v.live(old.Story)
	if err != nil {
		return err
	}
	ruled := slices.Clone(s.ruled)
	for _, topic := range old.Topics {
		i := slices.Index(ruled, topic)
		if i < 0 {
			continue
		}
		ruled = slices.Delete(ruled, i, i+1)
		if j := slices.IndexFunc(old.before.Topics, func(b string) bool { return b[1:] == topic[1:] }); j >= 0 {
			ruled = append(ruled, old.before.Topics[j])
		}
	}
	return v.ruleTopics(s, ruled)
}

// takeOutlet lets readers see nothing of an outlet, now and until restored.
func (v *visit) takeOutlet(r Ruling) (Ruling, error) {
	var taken int64
	known := -1
	if err := v.queryRow(`SELECT coalesce(max(taken), 0), count(*) FROM outlets WHERE id = $1`, r.Outlet).Scan(&taken, &known); err != nil {
		return r, err
	}
	if known == 0 {
		return r, fmt.Errorf("outlet %s: %w", r.Outlet, ErrNotFound)
	}
	if taken > 0 {
		return r, refused("outlet %s is taken down already, by ruling %d", r.Outlet, taken)
	}
	r, err := v.enterLedger(r)
	if err != nil {
		return r, err
	}
	return r, v.setTaken(r.Outlet, r.ID)
}

// restoreOutlet undoes takeOutlet. What other outlets are quoted for since
// stays theirs.
func (v *visit) restoreOutlet(r Ruling) (Ruling, error) {
	if err := v.exec(`DELETE FROM tombstones WHERE why = $1 AND story IN (SELECT t.story FROM tombstones t
		JOIN by_published p ON p.scope = t.scope AND p.at = t.shown AND p.story = t.story WHERE t.scope = $2)`, BuriedWithdrawn, "outlet:"+r.Outlet); err != nil {
		return r, fmt.Errorf("forget tombstones: %w", err)
	}
	// What came meanwhile is listed now, once; what is no news any more is not
	// pushed at subscribers.
	if err := v.exec(`UPDATE stories SET list_at = $1, backfill = CASE WHEN shown < $2 THEN 1 ELSE backfill END
		WHERE listed = 0 AND merged_into = '' AND list_at = $3
		AND EXISTS (SELECT 1 FROM items i WHERE i.story = stories.id AND i.outlet = $4 AND i.withdrawn = 0)`,
		millis(r.At), millis(r.At.Add(-newsFor)), never, r.Outlet); err != nil {
		return r, fmt.Errorf("let later stories be listed: %w", err)
	}
	return r, v.setTaken(r.Outlet, 0)
}

// setTaken raises every revision: there is hardly a feed without the outlet.
func (v *visit) setTaken(outlet string, ruling int64) error {
	if err := v.exec(`UPDATE outlets SET taken = $1 WHERE id = $2`, ruling, outlet); err != nil {
		return fmt.Errorf("take outlet down: %w", err)
	}
	if err := v.noteOutlet(outlet); err != nil {
		return err
	}
	if err := v.exec(`UPDATE revisions SET at = $1`, v.tick(millis(v.r.At))); err != nil {
		return fmt.Errorf("raise revisions: %w", err)
	}
	return nil
}

const (
	// newsFor is the age from which a story that was kept back is no news.
	newsFor = 24 * time.Hour
	// buriedOfOutlet is how many of an outlet's newest stories keep their
	// place in feeds when it is taken down: no feed holds more of them.
	buriedOfOutlet = 1000
	// outletBatch is how many stories one transaction goes through, so that
	// visits need not wait long.
	outletBatch = 64
)

// settleOutlet carries a takedown of an outlet, or its restoring, on to the
// stories that quote it: what other outlets carry is quoted from them, the
// rest leaves tombstones.
func (db *DB) settleOutlet(ctx context.Context, r Ruling, judge Judge) error {
	if err := db.loadOutlets(ctx); err != nil {
		return fmt.Errorf("read outlets: %w", err)
	}
	outlets := *db.outlets.Load()
	if r.Verb == RuleTakedown {
		if err := db.do(ctx, 1, func(t *tx) error {
			t.tick(millis(r.At))
			return t.exposeOutlet(r.Outlet)
		}); err != nil {
			return fmt.Errorf("go through what was merged: %w", err)
		}
	}
	at, story := int64(math.MaxInt64), ""
	for seen := 0; ; {
		var n int
		err := db.do(ctx, outletBatch, func(t *tx) (err error) {
			v := t.editing(r.At, outlets, judge)
			var batch []row
			if batch, err = scanRows(t.query(`SELECT `+storyColumns+` FROM stories WHERE id IN (SELECT story FROM by_published
				WHERE scope = $1 AND at <= $2 AND (at, story) < ($2, $3) ORDER BY at DESC, story DESC LIMIT $4) ORDER BY shown DESC, id DESC`,
				"outlet:"+r.Outlet, at, story, outletBatch)); err != nil {
				return err
			}
			n = len(batch)
			for i := range batch {
				at, story = batch[i].shown, batch[i].id
				if err := v.settleStory(&batch[i], r, seen+i < buriedOfOutlet); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("go through the stories of %s: %w", r.Outlet, err)
		}
		if seen += n; n < outletBatch {
			return nil
		}
	}
}

func (v *visit) settleStory(s *row, r Ruling, recent bool) error {
	v.note(s.id)
	o := v.outlets[r.Outlet]
	scopes := scopesOf(o, s.topics, s.province)
	if r.Verb == RuleRestore { // it stands where it stood; documents sealed meanwhile lack it
		v.tick(millis(v.r.At))
		return v.archive(s, scopes)
	}
	if s.copies > 1 {
		items, err := v.storyItems(s.id)
		if err != nil {
			return fmt.Errorf("read items: %w", err)
		}
		if left := free(items, v.outlets, millis(v.r.At)); len(left) > 0 {
			return v.quoteAnew(s, o, left, v.r.At, v.outlets, v.judge)
		}
	}
	v.tick(millis(v.r.At))
	if err := v.expose(s); err != nil {
		return err
	}
	if !recent {
		return nil
	}
	v.raise(s, o)
	return v.bury(s, scopes, BuriedWithdrawn, v.tick(millis(v.r.At)))
}
