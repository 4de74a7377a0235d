package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"text/tabwriter"
	"time"

	"diemtin/store"
)

var migrateVerb = verb{name: "migrate", short: "Copy an SQLite database into an empty PostgreSQL one, and check every row.",
	example: "diemtin migrate --from sqlite:/var/lib/diemtin/diemtin.db --to postgres://news@127.0.0.1/news",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		from := fs.String("from", "", "`DSN` of the database to copy: sqlite:PATH")
		to := fs.String("to", "", "`DSN` of the new one: postgres://…")
		return func(ctx context.Context, std stdio, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			if *from == "" || *to == "" {
				return errUsage{errors.New("migrate: want --from and --to; see diemtin migrate -h")}
			}
			return migrate(ctx, std, *from, *to)
		}
	}}

func migrate(ctx context.Context, std stdio, from, to string) error {
	start := time.Now()
	t := tabwriter.NewWriter(std.out, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "ROWS\t TABLE\t")
	var tables, rows int64
	err := store.Move(ctx, from, to, func(m store.MovedTable) {
		tables, rows = tables+1, rows+m.Rows
		if m.Rows > 0 {
			fmt.Fprintf(t, "%d\t %s\t\n", m.Rows, m.Name)
		}
	})
	if err != nil {
		return fmt.Errorf("%w; nothing was copied, and %s is as it was", err, from)
	}
	t.Flush()
	fmt.Fprintf(std.out, "\n%d rows of %d tables copied and read back the same, in %s; start the service with --db and the new address\n",
		rows, tables, time.Since(start).Round(time.Millisecond))
	return nil
}
