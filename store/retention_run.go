package store

import (
	"context"
	"time"
)

const (
	// restBetween is the least pause between two steps; as a rule it is as long
	// as the step, so that others have the writer for half of the time.
	restBetween = 5 * time.Millisecond
	// stepsPerLog is after how many steps SQLite's log is written back: well
	// before the 4,000 pages at which a writer would have to do it.
	stepsPerLog = 8
)

// RetentionReport is what one run did.
type RetentionReport struct {
	Reduction
	Returned int64         // bytes given back to the disk
	Steps    int           // transactions that it took
	Longest  time.Duration // the longest of them, with its waiting for others
}

// Retain runs retention once and gives back the space that is free then, in
// steps with pauses. ran is false if another process is at it. stepped, which
// may be nil, is told how long each step took. What was done until an error is
// done.
func (db *DB) Retain(ctx context.Context, r Retention, stepped func(time.Duration)) (report RetentionReport, ran bool, err error) {
	run, err := db.BeginRetention(ctx, r, time.Now())
	if err != nil || run == nil {
		return report, false, err
	}
	inSteps := func(step func() (bool, error)) error {
		for more := true; more; {
			start := time.Now()
			if more, err = step(); err != nil {
				return err
			}
			took := time.Since(start)
			report.Steps, report.Longest = report.Steps+1, max(report.Longest, took)
			if stepped != nil {
				stepped(took)
			}
			if report.Steps%stepsPerLog == 0 {
				if err := db.WriteLogBack(ctx); err != nil {
					return err
				}
			}
			if more && !rest(ctx, max(took, restBetween)) {
				return ctx.Err()
			}
		}
		return nil
	}
	err = inSteps(func() (bool, error) {
		done, more, err := run.Step(ctx, time.Now())
		report.Reduction = report.plus(done)
		return more, err
	})
	if err == nil {
		err = inSteps(func() (bool, error) {
			bytes, more, err := db.GiveBack(ctx)
			report.Returned += bytes
			return more, err
		})
	}
	if err == nil {
		err = run.End(ctx, time.Now())
	}
	return report, true, err
}

func (a Reduction) plus(b Reduction) Reduction {
	return Reduction{Stories: a.Stories + b.Stories, Items: a.Items + b.Items, Pages: a.Pages + b.Pages,
		Texts: a.Texts + b.Texts, Titles: a.Titles + b.Titles, Relations: a.Relations + b.Relations}
}

// rest waits; false if ctx ended meanwhile.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
