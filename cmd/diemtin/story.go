package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"diemtin/store"
	"diemtin/syndicate"
)

// storyOrder is one thing an editor does: how it is called, and how its
// arguments become an order.
type storyOrder struct {
	verb      store.RuleVerb
	args      string
	low, high int // how many arguments
	fill      func(o *syndicate.Order, args []string)
}

// noLimit is for orders that take any number of arguments.
const noLimit = 1 << 10

var storyOrders = []storyOrder{
	{store.RuleMerge, "STORY STORY", 2, 2, func(o *syndicate.Order, a []string) { o.Story, o.Other = a[0], a[1] }},
	{store.RuleUnmerge, "STORY|RULING", 1, 1, storyOrRuling},
	{store.RuleSplit, "STORY ITEM…", 2, noLimit, storyAndItems},
	{store.RulePin, "STORY ITEM", 2, 2, storyAndItems},
	{store.RuleHide, "STORY", 1, 1, storyOrRuling},
	{store.RuleTakedown, "STORY|URL|--outlet ID --why TEXT", 0, 1, storyOrRuling},
	{store.RuleRestore, "STORY|URL|RULING|--outlet ID", 0, 1, storyOrRuling},
	{store.RuleTopic, "STORY +TOPIC|-TOPIC…", 2, noLimit, func(o *syndicate.Order, a []string) { o.Story, o.Topics = a[0], a[1:] }},
	{store.RuleAdd, "URL|--title TEXT [--summary TEXT --link URL] [--outlet ID]", 0, 1, func(o *syndicate.Order, a []string) {
		if len(a) > 0 {
			o.Address = a[0]
		}
	}},
}

func storyAndItems(o *syndicate.Order, args []string) {
	o.Story = args[0]
	for _, a := range args[1:] {
		o.Items = append(o.Items, syndicate.Ref(a))
	}
}

// storyOrRuling reads a number as a ruling's: a story's id has 13 letters.
func storyOrRuling(o *syndicate.Order, args []string) {
	if len(args) == 0 {
		return
	}
	if n, err := strconv.ParseInt(args[0], 10, 64); err == nil && len(args[0]) < 13 && o.Verb != store.RuleHide && o.Verb != store.RuleTakedown {
		o.Ruling = n
		return
	}
	o.Story = args[0]
}

// storyUsage lists the orders, one a line.
func storyUsage() string {
	var b strings.Builder
	for _, s := range storyOrders {
		fmt.Fprintf(&b, "\n  diemtin story %-8s %s", s.verb, s.args)
	}
	return b.String()
}

var storyVerb = verb{name: "story", args: "ORDER …\n" + storyUsage(), dashed: true,
	short:   "Rule on stories: merge, unmerge, split, pin, hide, takedown, restore, topic, add.",
	example: "diemtin story merge mjxpqf4w2kz3a b7ywq2ndr6tle --why \"cùng một bản tin TTXVN\"",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		how := accessFlags(fs)
		why := fs.String("why", "", "`text` for the ledger; a takedown must have one")
		outlet := fs.String("outlet", "", "`id` of the outlet to take down or to restore, or of what is added")
		title := fs.String("title", "", "headline `text` of what is added")
		summary := fs.String("summary", "", "summary `text` of what is added")
		link := fs.String("link", "", "`address` of what is added, if its page is not to be read")
		asJSON := fs.Bool("json", false, "print the ruling as JSON")
		return func(ctx context.Context, std stdio, args []string) error {
			o, err := readOrder(args)
			if err != nil {
				return err
			}
			o.Why, o.Outlet, o.Title, o.Summary, o.Link = *why, *outlet, *title, *summary, *link
			return carry(ctx, std, how, o, *asJSON)
		}
	}}

// readOrder reads the arguments of story.
func readOrder(args []string) (syndicate.Order, error) {
	if len(args) == 0 {
		return syndicate.Order{}, errUsage{errors.New("story: which order?" + storyUsage())}
	}
	for _, s := range storyOrders {
		if string(s.verb) != args[0] {
			continue
		}
		if n := len(args) - 1; n < s.low || n > s.high {
			return syndicate.Order{}, errUsage{fmt.Errorf("story %s: want %s", s.verb, s.args)}
		}
		o := syndicate.Order{Verb: s.verb}
		s.fill(&o, args[1:])
		return o, nil
	}
	return syndicate.Order{}, errUsage{fmt.Errorf("story: unknown order %q%s", args[0], storyUsage())}
}

func carry(ctx context.Context, std stdio, how access, o syndicate.Order, asJSON bool) (err error) {
	e, who, done, err := how.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	r, err := e.Carry(ctx, who, o)
	if err != nil {
		return err
	}
	if asJSON {
		return writeJSON(std.out, r)
	}
	fmt.Fprintf(std.out, "ruling %d: %s\n", r.ID, ruledWords(r))
	return nil
}

// ruledWords says what a ruling did, in a sentence.
func ruledWords(r store.Ruling) string {
	items := fmt.Sprintf("%d items", len(r.Items))
	if len(r.Items) == 1 {
		items = fmt.Sprintf("item %d", r.Items[0])
	}
	switch r.Verb {
	case store.RuleMerge:
		return fmt.Sprintf("%s is part of %s now, with %s", r.Other, r.Story, items)
	case store.RuleUnmerge, store.RuleSplit:
		return fmt.Sprintf("%s is a story of its own, with %s; %s keeps the rest, and they never merge by themselves", r.Other, items, r.Story)
	case store.RulePin:
		return fmt.Sprintf("%s is the original of %s", items, r.Story)
	case store.RuleTopic:
		return fmt.Sprintf("%s: %s", r.Story, strings.Join(r.Topics, " "))
	case store.RuleAdd:
		return fmt.Sprintf("%s added, in story %s", items, r.Story)
	case store.RuleApply:
		return "topics of what is stored judged anew"
	case store.RuleReview:
		return reviewedWords(r, items)
	case store.RulePropose:
		return "a rule proposed for " + strings.TrimLeft(strings.Join(r.Topics, " "), "+-")
	case store.RulePoll:
		return "a source of " + r.Outlet + " is visited at once"
	case store.RuleRestore:
		return fmt.Sprintf("ruling %d is undone", r.Undoes)
	case store.RuleReload:
		return "the configuration was read again"
	case store.RulePartnerHide:
		return fmt.Sprintf("%s is hidden from the embeds of partner %s alone", r.Story, r.Partner)
	case store.RuleKey:
		return "partner " + r.Partner + " has a key"
	case store.RuleRevoke:
		return "the keys of partner " + r.Partner + " open nothing any more"
	}
	what := r.Story
	switch {
	case r.Outlet != "":
		what = "all of outlet " + r.Outlet
	case len(r.Items) > 0:
		what = items + " of story " + r.Story
	}
	return what + " is gone; diemtin story restore " + strconv.FormatInt(r.ID, 10) + " brings it back"
}

// reviewedWords says what an editor found right.
func reviewedWords(r store.Ruling, items string) string {
	switch {
	case r.Other != "":
		return fmt.Sprintf("%s and %s are two stories, and never merge by themselves", r.Story, r.Other)
	case len(r.Items) > 0:
		return items + " rightly in story " + r.Story
	}
	return r.Story + " rightly without a topic"
}

var rulingsVerb = verb{name: "rulings", args: "[STORY|URL]\n       diemtin rulings [flags] replay FILE", short: "Show the ledger: who ruled what, when and why; or make the rulings of another one again.",
	example: "diemtin rulings --json --limit 1000 > rulings.json\n  diemtin rulings replay rulings.json",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		how := accessFlags(fs)
		asJSON := fs.Bool("json", false, "print a JSON list")
		all := fs.Bool("all", false, "with the merges that the program made by itself")
		limit := fs.Int("limit", 50, "at most this `number`, the newest")
		return func(ctx context.Context, std stdio, args []string) (err error) {
			q := store.RulingQuery{Humans: !*all, Limit: *limit}
			switch {
			case len(args) == 2 && args[0] == "replay":
				return replayFile(ctx, std, how, args[1])
			case len(args) > 1:
				return errUsage{fmt.Errorf("unexpected argument %q", args[1])}
			case len(args) == 1:
				q.Story, q.Humans = args[0], false
			case *limit < 1 || *limit > store.MaxRulings:
				return errUsage{fmt.Errorf("--limit %d: want 1 to %d", *limit, store.MaxRulings)}
			}
			e, _, done, err := how.read(ctx)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, done()) }()
			found, err := e.Rulings(ctx, q)
			if err != nil {
				return err
			}
			if *asJSON {
				return writeJSON(std.out, orEmpty(found))
			}
			writeLedger(std.out, found)
			return nil
		}
	}}

func replayFile(ctx context.Context, std stdio, how access, name string) (err error) {
	all, err := readLedger(name)
	if err != nil {
		return err
	}
	e, _, done, err := how.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	return replay(ctx, std, e, all)
}

func writeLedger(w io.Writer, all []store.Ruling) {
	if len(all) == 0 {
		fmt.Fprintln(w, "no rulings")
		return
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "RULING\tAT\tWHO\tVERB\tWHAT\tWHY\tUNDONE BY")
	for _, r := range all {
		who, undone := r.Who, ""
		if who == "" {
			who = "(the program)"
		}
		if r.Undone > 0 {
			undone = strconv.FormatInt(r.Undone, 10)
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.At.In(store.Zone).Format(time.DateTime), who, r.Verb, ruledWords(r), r.Why, undone)
	}
	t.Flush()
}

// read is open for those who only read: beside a running service, too.
func (a access) read(ctx context.Context) (office, string, func() error, error) {
	c, _, err := a.service(ctx)
	if err != nil {
		return nil, "", nil, err
	}
	if c != nil {
		return c, "", func() error { return nil }, nil
	}
	cfg, err := loadConfig(*a.config)
	if err != nil {
		return nil, "", nil, err
	}
	db, err := store.OpenReadOnly(ctx, *a.dsn)
	if err != nil {
		return nil, "", nil, err
	}
	return newDesk(cfg, db, nil), "", db.Close, nil
}

// tokenBytes is the length of a token: 256 bits, beyond guessing.
const tokenBytes = 32

// newToken makes a token, and the line that admits its holder.
func newToken(name string) (token, line string) {
	secret := make([]byte, tokenBytes)
	rand.Read(secret) // it never fails
	token = "dt_" + base64.RawURLEncoding.EncodeToString(secret)
	return token, name + ":" + syndicate.HashToken(token)
}

var tokenVerb = verb{name: "token", args: "NAME", short: "Make a token for an editor, and the line of --tokens that admits it.",
	example: "diemtin token lan",
	prepare: func(*flag.FlagSet) func(context.Context, stdio, []string) error {
		return func(_ context.Context, std stdio, args []string) error {
			if len(args) != 1 || args[0] == "" || strings.ContainsAny(args[0], ":#()\n\r") || strings.HasPrefix(args[0], "partner ") {
				return errUsage{errors.New("token: want one name, without : # ( ) and “partner ” before it")}
			}
			token, line := newToken(args[0])
			fmt.Fprintf(std.out, "token  %s\nline   %s\n", token, line)
			fmt.Fprintf(std.err, "Give the token to %s, who keeps it in %s; it is shown only now. Put the line into the file of serve --tokens.\n", args[0], tokenVariable)
			return nil
		}
	}}
