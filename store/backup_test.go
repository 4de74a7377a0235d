package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"diemtin/store"
)

// lists is what a database shows, as far as readers can tell.
func lists(t *testing.T, db *store.DB) []string {
	t.Helper()
	var all []string
	for _, s := range stories(t, db, store.Query{Limit: store.MaxStories}) {
		all = append(all, fmt.Sprint(s.ID, s.Listed, s.Quoted.Title, s.Carriers))
	}
	return all
}

// A copy made while visits are stored is of one moment: it holds what was
// committed before, and each visit whole or not at all.
func TestBackupWhileWriting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	dsn := "sqlite:" + filepath.Join(dir, "a.db")
	db, err := store.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	sync1(t, db, 1)
	visit := func(n int) {
		record(t, db, "o0-home", now.Add(time.Duration(n)*time.Second), article("o0", fmt.Sprint("Tin ", 2*n), now), article("o0", fmt.Sprint("Tin ", 2*n+1), now))
	}
	for n := range 20 {
		visit(n)
	}
	ctx, stop := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	writing.Go(func() {
		for n := 20; ctx.Err() == nil; n++ {
			visit(n)
		}
	})
	s, err := store.Backup(t.Context(), dsn, filepath.Join(dir, "copy.db"))
	stop()
	writing.Wait()
	if err != nil {
		t.Fatal(err)
	}
	after := lists(t, db)
	restored, err := store.OpenReadOnly(t.Context(), "sqlite:"+s.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer restored.Close()
	got := lists(t, restored)
	if len(got) < 40 || len(got)%2 != 0 || int64(len(got)) != s.Items {
		t.Errorf("the copy has %d stories and says %d items; want an even number of 40 or more", len(got), s.Items)
	}
	if !slices.Equal(got, after[len(after)-len(got):]) { // the newest come first
		t.Error("what the copy shows is not what the database showed at one moment")
	}
	if _, err := store.Backup(t.Context(), dsn, s.Path); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("over an existing file: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".copy.db.*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestRestore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a.db")
	dsn, copied := "sqlite:"+path, filepath.Join(dir, "copy.db")
	db, err := store.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	sync1(t, db, 1)
	record(t, db, "o0-home", now, article("o0", "Trước", now))
	before := lists(t, db)
	if _, err := store.Backup(t.Context(), dsn, copied); err != nil {
		t.Fatal(err)
	}
	record(t, db, "o0-home", now.Add(time.Minute), article("o0", "Sau", now))
	after := lists(t, db)
	if _, _, err := store.Restore(t.Context(), dsn, copied, now); !errors.Is(err, store.ErrInUse) {
		t.Errorf("while it is in use: %v, want ErrInUse", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s, kept, err := store.Restore(t.Context(), dsn, copied, now)
	if err != nil || s.Items != 1 || !s.Newest.Equal(now) {
		t.Fatalf("restored %+v, %v", s, err)
	}
	for _, tt := range []struct {
		path string
		want []string
	}{{path, before}, {kept, after}} {
		db, err := store.Open(t.Context(), "sqlite:"+tt.path)
		if err != nil {
			t.Fatal(err)
		}
		if got := lists(t, db); !slices.Equal(got, tt.want) {
			t.Errorf("%s shows %v, want %v", tt.path, got, tt.want)
		}
		db.Close()
	}
	if _, kept, err := store.Restore(t.Context(), "sqlite:"+filepath.Join(dir, "new.db"), copied, now); err != nil || kept != "" {
		t.Errorf("where nothing stood: kept %q, %v", kept, err)
	}
}

// What is no whole database of ours is named, and nothing is touched.
func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	dsn := "sqlite:" + filepath.Join(dir, "a.db")
	db, err := store.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	sync1(t, db, 1)
	for n := range 60 {
		record(t, db, "o0-home", now.Add(time.Duration(n)*time.Second), article("o0", fmt.Sprint("Tin ", n), now))
	}
	whole := filepath.Join(dir, "whole.db")
	if _, err := store.Backup(t.Context(), dsn, whole); err != nil {
		t.Fatal(err)
	}
	want := lists(t, db)
	db.Close()
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	const page = 8192
	for _, tt := range []struct {
		name string
		text []byte
		want string
	}{
		{"cut", text[:len(text)/2/page*page], "damaged"},
		{"a page of noise", slices.Concat(text[:len(text)/2/page*page], bytes.Repeat([]byte{0xa5}, page), text[(len(text)/2/page+1)*page:]), "damaged"},
		{"no database", []byte("Không phải cơ sở dữ liệu.\n"), "damaged"},
		{"empty", nil, "not of this program"},
	} {
		bad := filepath.Join(dir, strings.ReplaceAll(tt.name, " ", "-"))
		if err := os.WriteFile(bad, tt.text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := store.Restore(t.Context(), dsn, bad, now); !errors.Is(err, store.ErrDamaged) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want ErrDamaged and %q", tt.name, err, tt.want)
		}
	}
	db, err = store.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if got := lists(t, db); !slices.Equal(got, want) {
		t.Error("a refused restore has changed the database")
	}
}
