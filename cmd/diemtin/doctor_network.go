package main

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"diemtin/aggregator"
)

// examineNetwork asks some outlets for their robots.txt, as a visit would, and
// compares clocks.
func examineNetwork(ctx context.Context, cfg *config) []finding {
	client := aggregator.GuardedClient(cfg.aggregate.Limits)
	defer client.CloseIdleConnections()
	var all []finding
	var skews []time.Duration
	asked := 0
	for _, o := range cfg.aggregate.Outlets {
		if len(o.Sources) == 0 || o.Sources[0].Proxy != "" || asked == doctorAsks {
			continue
		}
		asked++
		skew, dated, err := askOutlet(ctx, client, o.Sources[0].URL, cfg.aggregate.Agent)
		if err != nil {
			all = append(all, doubtful("network", networkAdvice(err), "%s: %v", o.ID, err))
			continue
		}
		if dated {
			skews = append(skews, skew)
		}
	}
	switch n := len(all); {
	case asked > 0 && n == asked:
		for i := range all {
			all[i].Grade = "bad" // one may be at fault, not all
		}
	case asked > 0:
		all = append(all, fine("network", "%d of %d outlets answer", asked-n, asked))
	}
	if len(skews) > 0 {
		slices.Sort(skews)
		if skew := skews[len(skews)/2]; skew.Abs() > maxSkew {
			all = append(all, grave("clock", "set it: timedatectl set-ntp true", "it is %s off that of the outlets", skew.Round(time.Second)))
		}
	}
	return all
}

// askOutlet asks for the robots.txt of an address; whatever the answer, the
// network is there. skew is how far our clock is ahead of the server's.
func askOutlet(ctx context.Context, client *http.Client, address, agent string) (skew time.Duration, dated bool, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return 0, false, err
	}
	u.Path, u.RawQuery = "/robots.txt", ""
	ctx, cancel := context.WithTimeout(ctx, doctorAsk)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return 0, false, err
	}
	req.Header.Set("User-Agent", agent)
	resp, err := client.Do(req)
	if err != nil {
		return 0, false, err
	}
	resp.Body.Close()
	at, err := http.ParseTime(resp.Header.Get("Date"))
	return time.Since(at), err == nil, nil
}

// networkAdvice guesses what stands in the way.
func networkAdvice(err error) string {
	switch words := err.Error(); {
	case strings.Contains(words, "lookup"):
		return "names are not resolved: look at /etc/resolv.conf, or the container's DNS"
	case strings.Contains(words, "certificate"):
		return "install certificates (ca-certificates), or something between us reads along"
	case strings.Contains(words, "deadline"), strings.Contains(words, "timeout"), strings.Contains(words, "unreachable"), strings.Contains(words, "refused"):
		return "a firewall, or this network is left through a proxy only: then give the sources a proxy:"
	}
	return "diemtin probe with the id of a source tells more"
}
