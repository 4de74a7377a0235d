package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"diemtin/store"
)

var backupVerb = verb{name: "backup", args: "FILE", short: "Copy the SQLite database while it is in use, and check the copy.",
	example: "diemtin backup --db sqlite:diemtin.db /var/backups/diemtin-2024-11-05.db",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		dsn := dbFlag(fs)
		return func(ctx context.Context, std stdio, args []string) error {
			if len(args) != 1 {
				return errUsage{errors.New("backup: want the FILE to write; see diemtin backup -h")}
			}
			start := time.Now()
			s, err := store.Backup(ctx, *dsn, args[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(std.out, "%s: %s, checked, in %s\n", s.Path, snapshotWords(s), time.Since(start).Round(time.Millisecond))
			return nil
		}
	}}

var restoreVerb = verb{name: "restore", args: "FILE", short: "Put a backup in the place of the SQLite database, with the rulings made since.",
	example: "diemtin restore --db sqlite:diemtin.db /var/backups/diemtin-2024-11-05.db",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		name, dsn := configFlag(fs), dbFlag(fs)
		return func(ctx context.Context, std stdio, args []string) error {
			if len(args) != 1 {
				return errUsage{errors.New("restore: want the FILE of a backup; see diemtin restore -h")}
			}
			cfg, err := loadConfig(*name)
			if err != nil {
				return err
			}
			return restore(ctx, std, cfg, *dsn, args[0])
		}
	}}

// restore puts a backup in place and rules again what has been ruled since it
// was made, as far as the database that it replaces can still be read.
func restore(ctx context.Context, std stdio, cfg *config, dsn, backup string) error {
	s, kept, err := store.Restore(ctx, dsn, backup, time.Now())
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "restored %s: %s\n", backup, snapshotWords(s))
	if kept == "" {
		return nil
	}
	fmt.Fprintf(std.out, "what stood there is kept as %s; delete it when you no longer need it\n", kept)
	lost, err := rulingsSince(ctx, cfg, "sqlite:"+kept, dsn)
	if err != nil {
		fmt.Fprintf(std.err, "diemtin: the rulings made since the backup cannot be read there (%v); if you have them from diemtin rulings --json, give that file to diemtin rulings replay\n", err)
		return nil
	}
	if len(lost) == 0 {
		return nil
	}
	e, done, err := openDesk(ctx, cfg, dsn)
	if err != nil {
		return err
	}
	return errors.Join(replay(ctx, std, e, lost), done())
}

// rulingsSince are an editor's rulings in one database that its former copy
// lacks, the oldest first.
func rulingsSince(ctx context.Context, cfg *config, dsn, copied string) ([]store.Ruling, error) {
	had, err := newestRuling(ctx, copied)
	if err != nil {
		return nil, err
	}
	db, err := store.OpenReadOnly(ctx, dsn)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	all, err := wholeLedger(ctx, newDesk(cfg, db, nil))
	if err != nil {
		return nil, err
	}
	slices.Reverse(all)
	return slices.DeleteFunc(all, func(r store.Ruling) bool { return r.ID <= had }), nil
}

// newestRuling is the number of the newest ruling in a database, 0 for none.
func newestRuling(ctx context.Context, dsn string) (int64, error) {
	db, err := store.OpenReadOnly(ctx, dsn)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	all, err := db.Rulings(ctx, store.RulingQuery{Limit: 1})
	if err != nil || len(all) == 0 {
		return 0, err
	}
	return all[0].ID, nil
}

func snapshotWords(s store.Snapshot) string {
	words := fmt.Sprintf("%d items, %.1f MB, schema %d", s.Items, float64(s.Bytes)/1e6, s.Schema)
	if !s.Newest.IsZero() {
		words += ", the newest item read at " + s.Newest.In(store.Zone).Format("15:04 02/01/2006")
	}
	return words
}

// backUpFirst copies an SQLite database that is about to be migrated, and
// returns what to tell the operator: above all the line that goes back. It is
// empty if there is nothing to migrate.
func backUpFirst(ctx context.Context, dsn string, now time.Time) (string, error) {
	have, newest, err := store.Schema(ctx, dsn)
	if err != nil || have == 0 || have >= newest {
		return "", err
	}
	path, ok := store.SQLitePath(dsn)
	if !ok {
		return fmt.Sprintf("the schema goes from %d to %d; to go back you need a pg_dump made before", have, newest), nil
	}
	to := fmt.Sprintf("%s.schema-%d-%s", path, have, now.UTC().Format("20060102T150405Z"))
	s, err := store.Backup(ctx, dsn, to)
	if err != nil {
		return "", fmt.Errorf("the schema goes from %d to %d, and before that a copy must be made: %w; give it room, or move the database away", have, newest, err)
	}
	return fmt.Sprintf("the schema goes from %d to %d; the database as it was is kept as %s (%.1f MB).\nTo go back: stop this program, put the former one in its place, and run\n  %s",
		have, newest, to, float64(s.Bytes)/1e6, goBack(path, to)), nil
}

// goBack is the line that brings a database back from its copy.
func goBack(path, backup string) string {
	return fmt.Sprintf("rm -f %s %s && cp -p %s %s", shellWord(path+"-wal"), shellWord(path+"-shm"), shellWord(backup), shellWord(path))
}

// shellWord quotes a word for sh.
func shellWord(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// sayFirst does what backUpFirst does and tells it.
func sayFirst(ctx context.Context, std stdio, dsn string) error {
	note, err := backUpFirst(ctx, dsn, time.Now())
	if note != "" {
		fmt.Fprintln(std.err, "diemtin:", note)
	}
	return err
}
