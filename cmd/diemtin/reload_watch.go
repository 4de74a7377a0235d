package main

import (
	"bytes"
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"diemtin/store"
)

// watchEvery is how often the file is looked at under --watch. It is read once
// it has stood still from one look to the next, so that a file that is being
// written is not taken for a broken one.
const watchEvery = time.Second

// heedReloads reloads at SIGHUP, and when the file changes if that is watched,
// until ctx ends.
func (s *service) heedReloads(ctx context.Context, hup <-chan os.Signal) {
	var look <-chan time.Time
	w := watched{name: s.reloads.inForce().name}
	if s.watch {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		look = tick.C
		w.begin()
	}
	for {
		who := ""
		select {
		case <-ctx.Done():
			return
		case <-hup:
			who = store.WhoSignal
		case <-look:
			if w.changed() {
				who = store.WhoWatch
			}
		}
		if who != "" {
			s.reload(ctx, who, "") // which has logged how it ended
		}
	}
}

// watched is a file whose changes are noticed, whether it is written in place
// or another one is put in its place.
type watched struct {
	name        string
	taken, seen []byte // what was taken last, and what stood there at the last look
}

func (w *watched) begin() {
	w.taken, _ = os.ReadFile(w.name) // a file that cannot be read is one that will change
	w.seen = w.taken
}

// changed says whether the file holds something new that stands still.
func (w *watched) changed() bool {
	text, err := os.ReadFile(w.name)
	if err != nil {
		return false // another one is being put in its place
	}
	still := bytes.Equal(text, w.seen)
	w.seen = text
	if !still || bytes.Equal(text, w.taken) {
		return false
	}
	w.taken = text
	return true
}

// hangups is where SIGHUP arrives.
func hangups() (hup chan os.Signal, stop func()) {
	hup = make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	return hup, func() { signal.Stop(hup) }
}
