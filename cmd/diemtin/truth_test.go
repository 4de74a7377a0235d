package main

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"diemtin/aggregator"
	"diemtin/aggregator/outlettest"
	"diemtin/store"
)

// One round over the simulated outlets, compared with what they really
// published: no story may hold two, whatever the outlets did to their texts.
// How many copies were found depends on what they did, and is logged.
func TestStoriesAgainstTruth(t *testing.T) {
	t.Parallel()
	w, config := world(t, outlettest.Options{Seed: 21, Stories: 150, Days: 3, Slow: 10 * time.Millisecond})
	file := filepath.Join(t.TempDir(), "truth.db")
	if _, stderr, code := output(t, "poll", "--config", config, "--db", "sqlite:"+file); code != 0 {
		t.Fatalf("poll: exit %d\n%s", code, stderr)
	}
	db, err := store.OpenReadOnly(t.Context(), "sqlite:"+file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	owner := map[string]outlettest.Story{} // by story id of ours
	found, all := map[outlettest.Reprint]int{}, map[outlettest.Reprint]int{}
	for _, truth := range w.Truth() {
		original := ""
		for _, print := range truth.Prints {
			id, err := db.StoryOfLink(t.Context(), aggregator.LinkKey(print.Link))
			if err != nil {
				continue // it has left its feed, or its outlet fails
			}
			if other, ok := owner[id]; ok && other.ID != truth.ID {
				t.Errorf("story %s holds both %q and %q", id, other.Title, truth.Title)
			}
			owner[id] = truth
			if print.Original {
				original = id
				continue
			}
			if original == "" || print.Outlet == "song-hong" { // its listings give headlines alone
				continue
			}
			all[print.Reprint]++
			if id == original {
				found[print.Reprint]++
			}
		}
	}
	for _, how := range slices.Sorted(maps.Keys(all)) {
		t.Logf("%s: %d of %d copies found", how, found[how], all[how])
	}
	// A lead of fewer than 24 syllables proves nothing by itself (docs/sameness.md),
	// and how many the world has depends on the hour at which it is told.
	if found[outlettest.SameLead] < all[outlettest.SameLead]*3/4 {
		t.Errorf("%d of %d copies with the same lead found, want three in four", found[outlettest.SameLead], all[outlettest.SameLead])
	}
}
