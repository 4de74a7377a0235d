package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"diemtin/store"
	"diemtin/syndicate"
)

// readLedger reads what diemtin rulings --json printed, the oldest first.
func readLedger(name string) ([]store.Ruling, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var all []store.Ruling
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, fmt.Errorf("%s is no output of diemtin rulings --json: %w", name, err)
	}
	slices.SortFunc(all, func(a, b store.Ruling) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

// replay carries out editors' rulings of another ledger, the oldest first, with
// their reasons; those that stand in this one already are left alone. One that
// cannot be carried out is told, with why, and stops none of the others: its
// story may come back with the next visits, and then the ledger is given again.
func replay(ctx context.Context, std stdio, e office, rulings []store.Ruling) error {
	here, err := wholeLedger(ctx, e)
	if err != nil {
		return err
	}
	known := map[string]int64{}
	for _, r := range here {
		known[ruledAs(r, signature(r))] = r.ID
		if i := strings.LastIndex(r.Why, "("); i >= 0 { // made again before
			known[ruledAs(r, r.Why[i:])] = r.ID
		}
	}
	numbers := map[int64]int64{} // of rulings there, here; notMade of those that are not
	wanted, done, had := 0, 0, 0
	for _, r := range rulings {
		if r.Who == "" || slices.Contains(bygone, r.Verb) {
			continue
		}
		wanted++
		if id := known[ruledAs(r, signature(r))]; id > 0 {
			numbers[r.ID] = id
			had++
			continue
		}
		again, err := carryAgain(ctx, e, r, numbers)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			numbers[r.ID] = notMade
			fmt.Fprintf(std.err, "diemtin: ruling %d, %s of %s by %s: not made again: %v\n", r.ID, r.Verb, cmp.Or(r.Story, r.Outlet, r.Partner), r.Who, err)
			continue
		}
		numbers[r.ID] = again.ID
		done++
	}
	fmt.Fprintf(std.out, "%d of %d rulings made again, %d stood already\n", done, wanted, had)
	return nil
}

// bygone are the verbs of what was done once and is of no use again; what the
// program ruled it makes again by itself.
var bygone = []store.RuleVerb{store.RuleApply, store.RulePoll, store.RuleReload}

// wholeLedger reads all of an editor's ledger, the newest first.
func wholeLedger(ctx context.Context, e syndicate.Editor) (all []store.Ruling, err error) {
	for before := int64(0); ; {
		some, err := e.Rulings(ctx, store.RulingQuery{Humans: true, Before: before, Limit: store.MaxRulings})
		if err != nil {
			return nil, fmt.Errorf("read the ledger: %w", err)
		}
		all = append(all, some...)
		if len(some) < store.MaxRulings {
			return all, nil
		}
		before = some[len(some)-1].ID
	}
}

// signature says who made a ruling and when; it ends the reason of one that is made
// again, so that it is known as the same for ever.
func signature(r store.Ruling) string {
	return fmt.Sprintf("(%s, %s)", r.Who, r.At.In(store.Zone).Format("15:04:05 02/01/2006"))
}

// ruledAs is what two ledgers know a ruling by.
func ruledAs(r store.Ruling, signed string) string {
	return fmt.Sprintf("%s %s %s %s %s", r.Verb, r.Story, r.Outlet, r.Partner, signed)
}

// notMade stands for the number of a ruling that could not be made again.
const notMade = -1

// carryAgain carries out one ruling; it stands in the ledger under today.
func carryAgain(ctx context.Context, e office, r store.Ruling, numbers map[int64]int64) (store.Ruling, error) {
	if r.Verb == store.RuleAdd {
		return r, errors.New("an article that was added by hand has to be added again")
	}
	if r.Verb == store.RulePropose {
		return r, errors.New("a rule that was proposed has to be proposed again, in the editors' room")
	}
	if numbers[r.Undoes] == notMade {
		return r, fmt.Errorf("ruling %d, which it undoes, was not made again", r.Undoes)
	}
	if r.Partner != "" {
		return partnerAgain(ctx, e, r)
	}
	o := syndicate.Order{Verb: r.Verb, Story: r.Story, Other: r.Other, Outlet: r.Outlet, Topics: r.Topics,
		Ruling: cmp.Or(numbers[r.Undoes], r.Undoes),
		Why:    strings.TrimSpace(r.Why + " " + signature(r))}
	for _, item := range r.Items {
		o.Items = append(o.Items, syndicate.Ref(strconv.FormatInt(item, 10)))
	}
	if o.Ruling > 0 && (r.Verb == store.RuleUnmerge || r.Verb == store.RuleRestore) { // the ruling that is undone says all
		o.Story, o.Other, o.Items = "", "", nil
	}
	return e.Carry(ctx, r.Who, o)
}

// partnerAgain carries out what concerns a partner alone.
func partnerAgain(ctx context.Context, e office, r store.Ruling) (store.Ruling, error) {
	why := strings.TrimSpace(r.Why + " " + signature(r))
	switch r.Verb {
	case store.RuleKey:
		return r, errors.New("the ledger does not hold the key; issue another, with diemtin partner issue")
	case store.RuleRevoke:
		done, err := e.RevokeKeys(ctx, r.Who, r.Partner, why)
		return store.Ruling{ID: done.Ruling}, err
	}
	o := syndicate.PartnerOrder{Verb: "hide", Partner: r.Partner, Story: r.Story, Why: why}
	if r.Verb == store.RuleRestore {
		o.Verb = "show"
	}
	done, err := e.CarryPartner(ctx, r.Who, o)
	return store.Ruling{ID: done.Ruling}, err
}
