package aggregator

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"diemtin/aggregator/outlettest"
	"diemtin/store"
)

// hostile are outlets with one fault each, and the outcome every visit to them
// must end in.
var hostile = map[string]struct {
	response outlettest.Response
	want     store.Outcome
}{
	"slow-loris":      {outlettest.Response{Body: feedOf("A", "B"), Drip: 50 * time.Millisecond}, store.Timeout},
	"hangs":           {outlettest.Response{Delay: time.Hour}, store.Timeout},
	"endless":         {outlettest.Response{Body: feedOf("A"), Endless: true}, store.TooLarge},
	"gzip-bomb":       {outlettest.Response{Bomb: 4 << 20}, store.TooLarge},
	"nested-bomb":     {outlettest.Response{Body: outlettest.Nested(200_000)}, store.TooLarge},
	"entity-bomb":     {outlettest.Response{Body: entityBomb}, store.New},
	"redirect-loop":   {outlettest.RedirectTo("/feed"), store.Refused},
	"to-metadata":     {outlettest.RedirectTo("http://169.254.169.254/latest/meta-data/"), store.Refused},
	"to-loopback":     {outlettest.RedirectTo("http://[::1]:9/feed"), store.Refused},
	"to-file":         {outlettest.RedirectTo("file:///etc/passwd"), store.Refused},
	"storm-429":       {outlettest.Response{Status: 429, RetryAfter: time.Second}, store.Throttled},
	"storm-503":       {outlettest.Response{Status: 503, RetryAfter: time.Second, RetryDate: true}, store.Throttled},
	"resets":          {outlettest.Response{Reset: true}, store.Connect},
	"wrong-length":    {outlettest.Response{Body: feedOf("A"), Length: 1 << 20}, store.New}, // what came is read
	"cut-off":         {outlettest.Response{Body: feedOf("A", "B"), Cut: 120}, store.Connect},
	"wrong-type":      {outlettest.Response{Body: "\x89PNG\r\n\x1a\n" + strings.Repeat("\x00\xff", 500)}, store.NotAFeed},
	"a-page":          {outlettest.Response{Body: "<!DOCTYPE html><html><body>Xin chào</body></html>"}, store.NotAFeed},
	"gone":            {outlettest.Status(410), store.Gone},
	"five-hundred":    {outlettest.Status(500), store.HTTP5xx},
	"forbidden":       {outlettest.Status(403), store.HTTP4xx},
	"firewall":        {outlettest.Response{Status: 403, Header: map[string][]string{"Cf-Mitigated": {"challenge"}}}, store.Blocked},
	"mislabelled-zip": {outlettest.Response{Body: "plain", Header: map[string][]string{"Content-Encoding": {"br"}}}, store.NotAFeed},
}

const entityBomb = `<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>
<rss version="2.0"><channel><title>T</title><item><title>Bom &c;&c;</title><link>/bom</link></item></channel></rss>`

// maxHeap bounds the memory of the run.
const maxHeap = 300 << 20

// Healthy outlets are read on time beside hostile ones, for thousands of
// visits, in bounded memory, and nothing is left behind.
func TestHostileOutletsHarmNobody(t *testing.T) {
	if testing.Short() {
		t.Skip("the short loop leaves out the long run")
	}
	const healthy, visits = 10, 3000
	before := runtime.NumGoroutine()
	cfg := Config{Topics: testTopics(), Agent: "diemtin/test (+a@example.vn)",
		Limits: Limits{AllowPrivate: true, Timeout: Duration(time.Second), MaxBytes: 1 << 20, Workers: 32, HostPause: new(Duration)}}
	add := func(id string, r outlettest.Response) {
		o := outlettest.NewOrigin(t)
		o.Handle("/feed", r)
		cfg.Outlets = append(cfg.Outlets, OutletConfig{ID: id, Name: id, Domains: []string{o.Addr}, Scope: store.National,
			Sources: []SourceConfig{{ID: id, URL: o.URL + "/feed", Every: Every{Min: Duration(20 * time.Millisecond), Max: Duration(25 * time.Millisecond)}}}})
	}
	for i := range healthy {
		add(fmt.Sprintf("healthy-%d", i), outlettest.Response{Body: feedOf(fmt.Sprintf("Tin lành %d", i))})
	}
	for id, h := range hostile {
		add(id, h.response)
	}
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "hostile.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Sync(t.Context(), cfg.StoreOutlets(), cfg.StoreSources()); err != nil {
		t.Fatal(err)
	}
	a, err := New(cfg, db, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	for id, c := range a.set().sources {
		c.access.client = clientTo(strings.TrimSuffix(strings.TrimPrefix(c.source.URL, "http://"), "/feed"))
		a.set().sources[id] = c
	}
	if peak := runUntil(t, a, visits); peak > maxHeap {
		t.Errorf("the heap grew to %d MB, want at most %d", peak>>20, maxHeap>>20)
	}
	checkOutcomes(t, db)
	if files, err := os.ReadDir("/proc/self/fd"); err == nil && len(files) > 200 {
		t.Errorf("%d files are open after the run", len(files))
	}
	db.Close()
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before+5*len(cfg.Outlets) && time.Now().Before(deadline); {
		runtime.Gosched()
	}
	if n := runtime.NumGoroutine(); n > before+5*len(cfg.Outlets) {
		t.Errorf("%d goroutines after the run, %d before", n, before)
	}
}

// clientTo is a guarded client that admits one loopback address: where an
// outlet redirects to is guarded as it is in the open net.
func clientTo(admitted string) *http.Client {
	t := newTransport(true)
	t.DialContext = (&net.Dialer{Control: func(network, address string, c syscall.RawConn) error {
		if address == admitted {
			return nil
		}
		return guardDial(network, address, c)
	}}).DialContext
	return &http.Client{Transport: t, CheckRedirect: checkRedirect}
}

// runUntil runs the loop until so many visits were made, and returns the
// highest heap that was seen.
func runUntil(t *testing.T, a *Aggregator, visits int) (peak uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for made := 0; made < visits; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("only %d of %d visits were made in time", made, visits)
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapInuse)
		made = 0
		for _, o := range store.Outcomes {
			made += int(testutil.ToFloat64(a.metrics.refreshes.WithLabelValues(string(o))))
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("run ended with %v", err)
	}
	return peak
}

// checkOutcomes checks that each fault ended in its outcome with a cause, and
// that healthy sources were read all along.
func checkOutcomes(t *testing.T, db *store.DB) {
	t.Helper()
	all, err := db.Sources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	newest := time.Time{}
	for _, s := range all {
		if s.State.LastTry.After(newest) {
			newest = s.State.LastTry
		}
	}
	for _, s := range all {
		h, bad := hostile[s.ID]
		switch {
		case !bad && (!s.State.Outcome.OK() || newest.Sub(s.State.LastSuccess) > 3*time.Second):
			t.Errorf("%s: %s %s, last read %v before the end", s.ID, s.State.Outcome, s.State.Detail, newest.Sub(s.State.LastSuccess))
		case bad && h.want.OK() && !s.State.Outcome.OK(), bad && !h.want.OK() && s.State.Outcome != h.want:
			t.Errorf("%s: %s (%s), want %s", s.ID, s.State.Outcome, s.State.Detail, h.want)
		case bad && !h.want.OK() && s.State.Detail == "":
			t.Errorf("%s: no cause is given", s.ID)
		}
	}
}
