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
// their reasons. One that cannot be carried out is told, with why, and stops
// none of the others: its story may come back with the next visits, and then
// the ledger can be given again, since what is ruled already is refused.
func replay(ctx context.Context, std stdio, e syndicate.Editor, rulings []store.Ruling) error {
	numbers := map[int64]int64{} // of rulings there, here
	wanted, done := 0, 0
	for _, r := range rulings {
		if r.Who == "" || r.Verb == store.RuleApply { // the program's own, which it makes again by itself
			continue
		}
		wanted++
		again, err := carryAgain(ctx, e, r, numbers)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			fmt.Fprintf(std.err, "diemtin: ruling %d, %s of %s by %s: not made again: %v\n", r.ID, r.Verb, cmp.Or(r.Story, r.Outlet), r.Who, err)
			continue
		}
		numbers[r.ID] = again.ID
		done++
	}
	fmt.Fprintf(std.out, "%d of %d rulings made again\n", done, wanted)
	return nil
}

// carryAgain carries out one of them; it stands in the ledger under today, with
// when it was first made.
func carryAgain(ctx context.Context, e syndicate.Editor, r store.Ruling, numbers map[int64]int64) (store.Ruling, error) {
	if r.Verb == store.RuleAdd {
		return r, errors.New("an article that was added by hand has to be added again")
	}
	o := syndicate.Order{Verb: r.Verb, Story: r.Story, Other: r.Other, Outlet: r.Outlet, Topics: r.Topics,
		Ruling: cmp.Or(numbers[r.Undoes], r.Undoes),
		Why:    fmt.Sprintf("%s (%s, %s)", r.Why, r.Who, r.At.In(store.Zone).Format("15:04 02/01/2006"))}
	for _, item := range r.Items {
		o.Items = append(o.Items, syndicate.Ref(strconv.FormatInt(item, 10)))
	}
	if o.Ruling > 0 { // the ruling that is undone says all
		o.Story, o.Other, o.Items = "", "", nil
	}
	return e.Carry(ctx, r.Who, o)
}
