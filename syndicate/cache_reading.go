package syndicate

import (
	"context"
	"sync"
)

// maxReadings is how many channels have what was last read of them at hand. The
// formats of a channel are asked for within the second in which it changed, so
// few are needed; each takes some 5 KB a story.
const maxReadings = 16

// readings are what was last read of channels: a channel is read once per
// revision, however many of its formats are rendered from it.
type readings struct {
	mu   sync.Mutex
	last []*reading // the newest last
}

// reading is a channel as it was at a revision. It never changes once it is
// made.
type reading struct {
	key      docKey // of no format: the channel's own address
	revision int64
	made     sync.Once
	feed     Feed
	err      error
}

// of returns what was read of a channel at a revision, by read if that was not
// done yet. Who comes meanwhile waits.
func (rs *readings) of(ctx context.Context, key docKey, revision int64, read func(context.Context) (Feed, error)) (Feed, error) {
	r := rs.find(key, revision)
	r.made.Do(func() {
		if r.feed, r.err = read(ctx); r.err != nil {
			rs.forget(r) // the next may try
		}
	})
	return r.feed, r.err
}

func (rs *readings) find(key docKey, revision int64) *reading {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for i, r := range rs.last {
		if r.key != key {
			continue
		}
		if r.revision == revision {
			return r
		}
		rs.last = append(rs.last[:i], rs.last[i+1:]...)
		break
	}
	if len(rs.last) == maxReadings {
		rs.last = append(rs.last[:0], rs.last[1:]...)
	}
	r := &reading{key: key, revision: revision}
	rs.last = append(rs.last, r)
	return r
}

func (rs *readings) forget(r *reading) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for i := range rs.last {
		if rs.last[i] == r {
			rs.last = append(rs.last[:i], rs.last[i+1:]...)
			return
		}
	}
}
