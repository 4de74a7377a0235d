package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"diemtin/store"
	"diemtin/syndicate"
)

// office is what editors' verbs work with: a desk here, or that of a service.
type office interface {
	syndicate.Editor
	syndicate.PartnerDesk
}

// CarryPartner hides a story from a partner's embeds, or shows it again.
func (d *desk) CarryPartner(ctx context.Context, who string, o syndicate.PartnerOrder) (store.PartnerHide, error) {
	p := store.PartnerHide{Partner: o.Partner, Who: who, Why: o.Why, At: time.Now()}
	if err := d.knownPartner(o.Partner); err != nil {
		return p, err
	}
	story, _, err := d.find(ctx, o.Story)
	if err != nil {
		return p, err
	}
	p.Story = story
	switch o.Verb {
	case "hide":
		if p, err = d.db.HideFromPartner(ctx, p); err == nil {
			d.count.carried(store.Ruling{Verb: store.RulePartnerHide})
		}
		return p, err
	case "show":
		r, err := d.db.ShowToPartner(ctx, store.Ruling{Who: who, At: p.At, Partner: p.Partner, Story: story, Why: o.Why})
		if err == nil {
			d.count.carried(r)
		}
		p.Until, p.UntilWho, p.Ruling = p.At, who, r.ID
		return p, err
	}
	return p, fmt.Errorf("partner: %w: unknown verb %q; want hide, show, issue or revoke", store.ErrRefused, o.Verb)
}

// IssueKey makes a key by which a partner hides stories itself.
func (d *desk) IssueKey(ctx context.Context, who, partner, why string) (syndicate.PartnerKey, error) {
	k := syndicate.PartnerKey{Partner: partner}
	if err := d.knownPartner(partner); err != nil {
		return k, err
	}
	key, _ := newToken(partner)
	r, err := d.db.IssueKey(ctx, store.Ruling{Who: who, At: time.Now(), Partner: partner, Why: why}, syndicate.HashToken(key))
	if err == nil {
		k.Key, k.Ruling = key, r.ID
		d.count.carried(r)
	}
	return k, err
}

// RevokeKeys ends all keys of a partner, that of feeds.yaml too. One that is no
// longer in feeds.yaml may have keys still.
func (d *desk) RevokeKeys(ctx context.Context, who, partner, why string) (syndicate.PartnerKey, error) {
	configured := ""
	for _, p := range d.knownPartners() {
		if p.ID == partner {
			configured = p.Key
		}
	}
	r, n, err := d.db.RevokeKeys(ctx, store.Ruling{Who: who, At: time.Now(), Partner: partner, Why: why}, configured)
	if err == nil {
		d.count.carried(r)
	}
	return syndicate.PartnerKey{Partner: partner, Revoked: n, Ruling: r.ID}, err
}

// knownPartners are those of the configuration in force.
func (d *desk) knownPartners() []syndicate.Partner { return d.known.Load().partners }

func (d *desk) knownPartner(id string) error {
	var ids []string
	for _, p := range d.knownPartners() {
		ids = append(ids, p.ID)
	}
	if slices.Contains(ids, id) {
		return nil
	}
	if ids == nil {
		ids = []string{"none"}
	}
	return fmt.Errorf("partner %q: %w in feeds.yaml; it has %s", id, store.ErrNotFound, strings.Join(ids, ", "))
}

// Partners lists the partners of feeds.yaml, or one, and what they hide.
func (d *desk) Partners(ctx context.Context, id string) (syndicate.PartnerList, error) {
	list := syndicate.PartnerList{Partners: []syndicate.PartnerInfo{}}
	if id != "" {
		if err := d.knownPartner(id); err != nil {
			return list, err
		}
	}
	for _, p := range d.knownPartners() {
		if id == "" || p.ID == id {
			list.Partners = append(list.Partners, syndicate.PartnerInfo{ID: p.ID, Name: p.Name, Origins: orEmpty(p.Origins)})
		}
	}
	hides, err := d.db.PartnerHides(ctx, id)
	list.Hides = orEmpty(hides)
	return list, err
}

// partnersCall is the call of the admin API.
const partnersCall = "partners"

// CarryPartner sends a partner's order. Who gives it, the token says.
func (c *client) CarryPartner(ctx context.Context, _ string, o syndicate.PartnerOrder) (p store.PartnerHide, err error) {
	body, err := json.Marshal(o)
	if err != nil {
		return p, err
	}
	return p, c.call(ctx, http.MethodPost, partnersCall, body, &p)
}

// IssueKey asks for a key of a partner. Who asks, the token says.
func (c *client) IssueKey(ctx context.Context, _, partner, why string) (syndicate.PartnerKey, error) {
	return c.key(ctx, syndicate.PartnerOrder{Verb: "issue", Partner: partner, Why: why})
}

// RevokeKeys has the keys of a partner revoked. Who asks, the token says.
func (c *client) RevokeKeys(ctx context.Context, _, partner, why string) (syndicate.PartnerKey, error) {
	return c.key(ctx, syndicate.PartnerOrder{Verb: "revoke", Partner: partner, Why: why})
}

func (c *client) key(ctx context.Context, o syndicate.PartnerOrder) (k syndicate.PartnerKey, err error) {
	body, err := json.Marshal(o)
	if err != nil {
		return k, err
	}
	return k, c.call(ctx, http.MethodPost, partnersCall, body, &k)
}

// Partners asks for the partners.
func (c *client) Partners(ctx context.Context, id string) (list syndicate.PartnerList, err error) {
	return list, c.call(ctx, http.MethodGet, partnersCall+"?"+url.Values{"partner": {id}}.Encode(), nil, &list)
}

var partnerVerb = verb{name: "partner", short: "Hide stories from the embeds of a partner, show them again, issue and revoke its keys, list them.",
	example: "diemtin partner hide cong-lao-cai mjxpqf4w2kz3a --why \"trùng tin của cổng\"",
	sub: []verb{partnerOrder("hide", "Hide a story from a partner's embeds, at once."), partnerOrder("show", "Show a hidden story again."),
		partnerKeyVerb("issue", "Make a key by which a partner hides stories itself."), partnerKeyVerb("revoke", "End all keys of a partner, at once."), partnerListVerb}}

func partnerOrder(name, short string) verb {
	return verb{name: "partner " + name, args: "PARTNER STORY|URL", short: short, example: "diemtin partner " + name + " cong-lao-cai mjxpqf4w2kz3a",
		prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
			how := accessFlags(fs)
			why := fs.String("why", "", "`text` for the list")
			return func(ctx context.Context, std stdio, args []string) (err error) {
				if len(args) != 2 {
					return errUsage{fmt.Errorf("partner %s: want PARTNER STORY|URL", name)}
				}
				e, who, done, err := how.open(ctx)
				if err != nil {
					return err
				}
				defer func() { err = errors.Join(err, done()) }()
				p, err := e.CarryPartner(ctx, who, syndicate.PartnerOrder{Verb: name, Partner: args[0], Story: args[1], Why: *why})
				if err != nil {
					return err
				}
				said := "is hidden from the embeds of"
				if name == "show" {
					said = "is shown again in the embeds of"
				}
				fmt.Fprintf(std.out, "story %s %s %s\n", p.Story, said, p.Partner)
				return nil
			}
		}}
}

func partnerKeyVerb(name, short string) verb {
	return verb{name: "partner " + name, args: "PARTNER", short: short, example: "diemtin partner " + name + " cong-lao-cai",
		prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
			how := accessFlags(fs)
			why := fs.String("why", "", "`text` for the ledger")
			return func(ctx context.Context, std stdio, args []string) (err error) {
				if len(args) != 1 {
					return errUsage{fmt.Errorf("partner %s: want PARTNER", name)}
				}
				e, who, done, err := how.open(ctx)
				if err != nil {
					return err
				}
				defer func() { err = errors.Join(err, done()) }()
				do := e.IssueKey
				if name == "revoke" {
					do = e.RevokeKeys
				}
				k, err := do(ctx, who, args[0], *why)
				switch {
				case err != nil:
					return err
				case name == "revoke":
					fmt.Fprintf(std.out, "%d keys of %s open nothing any more\n", k.Revoked, k.Partner)
				default:
					fmt.Fprintf(std.out, "key  %s\n", k.Key)
					fmt.Fprintf(std.err, "Give it to %s; it is shown only now.\n", k.Partner)
				}
				return nil
			}
		}}
}

var partnerListVerb = verb{name: "partner list", args: "[PARTNER]", short: "List the partners of feeds.yaml and what they hide.", example: "diemtin partner list",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		how := accessFlags(fs)
		asJSON := fs.Bool("json", false, "print one JSON object")
		return func(ctx context.Context, std stdio, args []string) (err error) {
			if len(args) > 1 {
				return errUsage{fmt.Errorf("unexpected argument %q", args[1])}
			}
			e, _, done, err := how.read(ctx)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, done()) }()
			list, err := e.Partners(ctx, strings.Join(args, ""))
			if err != nil {
				return err
			}
			if *asJSON {
				return writeJSON(std.out, list)
			}
			writePartners(std, list)
			return nil
		}
	}}

func writePartners(std stdio, list syndicate.PartnerList) {
	if len(list.Partners) == 0 {
		fmt.Fprintln(std.out, "no partners in feeds.yaml")
	}
	t := tabwriter.NewWriter(std.out, 0, 4, 2, ' ', 0)
	for _, p := range list.Partners {
		origins := strings.Join(p.Origins, " ")
		if origins == "" {
			origins = "(any site)"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", p.ID, p.Name, origins)
	}
	t.Flush()
	if len(list.Hides) == 0 {
		return
	}
	fmt.Fprintln(std.out)
	fmt.Fprintln(t, "PARTNER\tSTORY\tHIDDEN\tBY\tWHY\tSHOWN AGAIN")
	for _, h := range list.Hides {
		again := ""
		if !h.Until.IsZero() {
			again = h.Until.In(store.Zone).Format(time.DateTime) + " by " + h.UntilWho
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", h.Partner, h.Story, h.At.In(store.Zone).Format(time.DateTime), h.Who, h.Why, again)
	}
	t.Flush()
}
