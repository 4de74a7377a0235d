package aggregator

import (
	"maps"
	"slices"
	"time"

	"diemtin/store"
)

const (
	// pushSettled is how old a subscription must be before a document that
	// names another hub or address replaces it: some servers' copies differ.
	pushSettled = 10 * time.Minute
	// hubGone is how many documents in a row must name no hub.
	hubGone = 3
	// hubTries is how often in a row a hub may leave a request without result
	// before the next hub of the document is tried, and hubRest how long it is
	// then not tried again.
	hubTries = 3
	hubRest  = 24 * time.Hour
)

// leaveHub stands for the choice to have no hub.
const leaveHub = "-"

// choose names the hub to subscribe to, or leaveHub, or "" to leave all as it
// is. The present hub stays for as long as the document names it, unless it
// fails us and there is another that has not.
func (s *subscriber) choose(p store.Push, ad advert, source string, now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(ad.hubs) == 0 {
		if p.Token == "" {
			return ""
		}
		if s.absent[source]++; s.absent[source] < hubGone {
			return ""
		}
		delete(s.absent, source)
		return leaveHub
	}
	delete(s.absent, source)
	maps.DeleteFunc(s.failing, func(_ string, at time.Time) bool { return now.Sub(at) > hubRest })
	if p.Token != "" && fails(p) {
		s.failing[source+" "+p.Hub] = now
	}
	able := slices.IndexFunc(ad.hubs, func(hub string) bool { _, failed := s.failing[source+" "+hub]; return !failed })
	best := ad.hubs[max(able, 0)]
	if p.Token == "" {
		return best
	}
	same := slices.Contains(ad.hubs, p.Hub)
	if same && fails(p) && able >= 0 {
		return best
	}
	if same && p.Topic == ad.topic && p.Callback == s.base+p.Token || now.Sub(p.Created) < pushSettled {
		return ""
	}
	if same {
		return p.Hub
	}
	return best
}

// fails says that a hub refuses a subscription, does not answer, or delivers
// nothing.
func fails(p store.Push) bool {
	return p.State == store.PushDenied || p.State == store.PushPending && p.Fails >= hubTries || p.State == store.PushVerified && p.Missed >= maxMissed
}
