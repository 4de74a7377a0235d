package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v3"

	"diemtin/aggregator"
	"diemtin/store"
	"diemtin/syndicate"
)

const triedConfig = `site: {title: Điểm tin, base_url: "https://tin.example.vn", language: vi, operator: Thử, contact: a@example.vn}
second_opinion: "off"
outlets:
  - {id: bao-mot, name: Báo Một, domains: [baomot.example], scope: national, show: summary, sources: [{id: mot, url: "https://baomot.example/feed.rss"}]}
topics:
  - id: kinh-te
    name: {vi: Kinh tế, en: Economy}
    phrases: [lãi suất, {phrase: vàng, weight: 1}]
    examples: {no: [Trẻ sơ sinh nhiễm bệnh lạ]}
  - id: y-te
    name: {vi: Y tế, en: Health}
    phrases: [bệnh viện]
`

// tried is a newsroom on stored items with these headlines.
func tried(t testing.TB, titles ...string) *newsroom {
	t.Helper()
	cfg, err := parseConfig("the test's configuration", []byte(triedConfig))
	if err != nil {
		t.Fatal(err)
	}
	db, err := openStore(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "tried.db"), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	src, err := db.Source(t.Context(), "mot")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for from := 0; from < len(titles); from += 500 {
		r := store.Refresh{Source: src, At: now}
		r.Source.State.Visited = true
		for i, title := range titles[from:min(from+500, len(titles))] {
			link := fmt.Sprintf("https://baomot.example/%d", from+i)
			r.Items = append(r.Items, store.Item{Outlet: "bao-mot", Source: "mot", Title: title, Link: link, Published: now, Aliases: []string{"link:" + link}, Sketch: []uint32{uint32(from + i)}})
		}
		if _, err := db.Record(t.Context(), r, aggregator.NewJudge(aggregator.NewNames(nil))); err != nil {
			t.Fatal(err)
		}
	}
	n, err := newNewsroom(t.Context(), cfg, db, newDesk(cfg, db, nil))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A trial shows what the rule changes, and nothing that it does not.
func TestTry(t *testing.T) {
	t.Parallel()
	n := tried(t, "Giá vàng tăng", "Trẻ bị vàng da vào bệnh viện", "Bão đổ bộ", "Tỷ giá đứng yên", "Tỷ giá và lãi suất")
	for _, tt := range []struct {
		name string
		p    store.Proposal
		want string
	}{
		{"a phrase", store.Proposal{Topic: "kinh-te", Phrase: "tỷ giá", Effect: store.EffectPhrase, Weight: 2},
			"5 looked at, 2 matched; kinh-te +1 -0: Tỷ giá đứng yên (“tỷ giá” trong tiêu đề; 4 điểm, cần 1)"},
		{"not in the headline", store.Proposal{Topic: "kinh-te", Phrase: "tỷ giá", Effect: store.EffectPhrase, Weight: 2, Places: []string{"summary"}}, "5 looked at, 0 matched"},
		{"a mask", store.Proposal{Topic: "kinh-te", Phrase: "vàng da", Effect: store.EffectMask},
			"5 looked at, 1 matched; kinh-te +0 -1: Trẻ bị vàng da vào bệnh viện (“vàng” nằm trong “vàng da” nên không tính)"},
		{"a silence", store.Proposal{Topic: "kinh-te", Phrase: "bệnh viện", Effect: store.EffectSilence, Places: []string{"title", "summary"}},
			"5 looked at, 1 matched; kinh-te +0 -1: Trẻ bị vàng da vào bệnh viện (bị loại bởi “bệnh viện”)"},
		{"what breaks an example", store.Proposal{Topic: "kinh-te", Phrase: "bệnh lạ", Effect: store.EffectPhrase, Weight: 2}, "5 looked at, 0 matched; breaks Trẻ sơ sinh nhiễm bệnh lạ"},
		{"a capital asks for a capital", store.Proposal{Topic: "kinh-te", Phrase: "Lãi Suất", Effect: store.EffectPhrase, Weight: 3}, "5 looked at, 0 matched"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			trial, err := n.Try(t.Context(), tt.p)
			if err != nil {
				t.Fatal(err)
			}
			if got := trialLine(trial); got != tt.want || !trial.Whole {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	if _, err := n.Try(t.Context(), store.Proposal{Topic: "kinh-te", Phrase: "giá (vàng", Effect: store.EffectPhrase, Weight: 1}); !errors.Is(err, store.ErrRefused) {
		t.Errorf("a phrase that cannot be read: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := n.Try(ended, store.Proposal{Topic: "kinh-te", Phrase: "vàng", Effect: store.EffectPhrase, Weight: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("whoever asked has gone: %v", err)
	}
}

func trialLine(x syndicate.Trial) string {
	line := fmt.Sprintf("%d looked at, %d matched", x.Looked, x.Matched)
	for _, topic := range x.Topics {
		line += fmt.Sprintf("; %s +%d -%d", topic.Topic, topic.Gained, topic.Lost)
		for _, it := range append(topic.Gains, topic.Losses...) {
			line += fmt.Sprintf(": %s (%s)", it.Title, it.Why)
		}
	}
	for _, f := range x.Faults {
		line += "; breaks " + f.Example
	}
	return line
}

// A ledger with orders that the room gave again, and a proposal that was taken
// back, can be played into a database that lost them.
func TestReplayOfRoom(t *testing.T) {
	t.Parallel()
	n, lost := tried(t, "Giá vàng tăng", "Bão đổ bộ"), tried(t, "Giá vàng tăng", "Bão đổ bộ")
	editing := func(n *newsroom) *desk {
		r, err := aggregator.New(n.rules.Load().aggregate, n.desk.db, newLogger(stdio{io.Discard, io.Discard}, false), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		n.reader = r
		return n.desk
	}
	here, there := editing(n), editing(lost)
	stories, err := here.db.Stories(t.Context(), store.Query{Order: store.ByPublished, Limit: 10})
	if err != nil || len(stories) != 2 {
		t.Fatalf("%d stories, %v", len(stories), err)
	}
	one := stories[0].ID
	carry := func(o syndicate.Order) store.Ruling {
		t.Helper()
		r, err := here.Carry(t.Context(), "lan", o)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	p, err := n.Propose(t.Context(), "lan", store.Proposal{Topic: "kinh-te", Phrase: "tỷ giá", Effect: store.EffectMask})
	if err != nil {
		t.Fatal(err)
	}
	carry(syndicate.Order{Verb: store.RuleRestore, Ruling: p.ID})
	hidden := carry(syndicate.Order{Verb: store.RuleHide, Story: one})
	back := carry(syndicate.Order{Verb: store.RuleRestore, Ruling: hidden.ID})
	carry(syndicate.Order{Verb: store.RuleHide, Story: one, Ruling: back.ID})
	carry(syndicate.Order{Verb: store.RuleReview, Story: stories[1].ID, Other: one})
	ledger, err := wholeLedger(t.Context(), here)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(ledger)
	var out, errs strings.Builder
	if err := replay(t.Context(), stdio{&out, &errs}, there, ledger); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != "4 of 6 rulings made again, 0 stood already\n" {
		t.Errorf("%s%s", got, errs.String())
	}
	for _, want := range []string{"has to be proposed again", "which it undoes, was not made again"} {
		if !strings.Contains(errs.String(), want) {
			t.Errorf("it does not say %q: %s", want, errs.String())
		}
	}
	if id, by, err := there.db.HiddenBy(t.Context(), one); id != one || by == 0 || err != nil {
		t.Errorf("hidden by %d, %v", by, err)
	}
}

// What topics proposals prints can be put into a feeds.yaml as it is.
func TestProposalsAreYAML(t *testing.T) {
	t.Parallel()
	cfg, err := parseConfig("the test's configuration", []byte(triedConfig))
	if err != nil {
		t.Fatal(err)
	}
	topics := cfg.aggregate.Topics
	all := []store.Proposal{
		{ID: 3, Who: "lan", Topic: "y-te", Phrase: `viêm "màng" não: # nặng`, Effect: store.EffectPhrase, Weight: 1.5, Places: []string{"title", "summary"}, Note: "thiếu", Looked: 9, Gained: 4, Lost: 1},
		{ID: 4, Who: "minh", Topic: "kinh-te", Phrase: "vàng da", Effect: store.EffectMask},
		{ID: 5, Who: "minh", Topic: "kinh-te", Phrase: "yes", Effect: store.EffectSilence, Places: []string{"title"}},
		{ID: 6, Who: "minh", Topic: "gone", Phrase: "x", Effect: store.EffectMask},
	}
	var out strings.Builder
	if err := writeProposals(&out, all, topics); err != nil {
		t.Fatal(err)
	}
	var f struct{ Topics []aggregator.TopicConfig }
	if err := yaml.Unmarshal([]byte(out.String()), &f); err != nil {
		t.Fatalf("%v in\n%s", err, out.String())
	}
	if len(f.Topics) != 2 || f.Topics[0].ID != "kinh-te" || f.Topics[1].ID != "y-te" {
		t.Fatalf("topics %+v in\n%s", f.Topics, out.String())
	}
	for _, p := range all[:3] {
		if !hasRule(f.Topics, p) || hasRule(topics, p) {
			t.Errorf("%q: in what was printed %v, in the configuration %v\n%s", p.Phrase, hasRule(f.Topics, p), hasRule(topics, p), out.String())
		}
	}
	if p := f.Topics[1].Phrases[0]; p.Weight != 1.5 || len(p.In) != 2 {
		t.Errorf("%+v in\n%s", p, out.String())
	}
	for _, want := range []string{"# 3: lan, ", "of 9 items +4 -1; thiếu", "# 6 is for topic gone"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it lacks %q:\n%s", want, out.String())
		}
	}
}
