package syndicate

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"diemtin/store"
)

const (
	// maxPhrase bounds what an editor types as a phrase, in bytes.
	maxPhrase = 200
	// maxTrials is how many results are kept for whoever saves what he tried.
	maxTrials = 32
)

// Trial is what a rule would change of what is stored.
type Trial struct {
	Since   time.Time // of the oldest item that was to be looked at
	Reached time.Time // of the oldest item that was looked at
	Looked  int       // items
	Matched int       // of these: the phrase stands in them
	Whole   bool      // all was looked at; else a bound of time or number ended it
	Topics  []TrialTopic
	Faults  []TrialFault // examples of feeds.yaml that the rule would break
}

// TrialTopic is what one topic gains and loses.
type TrialTopic struct {
	Topic        store.Topic
	Gained, Lost int
	Gains        []TrialItem // some of them, the newest
	Losses       []TrialItem
}

// TrialItem is an item that comes or goes.
type TrialItem struct {
	Story, Title string
	Why          string // in Vietnamese
}

// TrialFault is an example that a topic must, or must not, get, and with the
// rule would not, or would.
type TrialFault struct {
	Topic   store.Topic
	Example string
	Want    bool
}

// trials are the newest results, by what was tried.
type trials struct {
	mu  sync.Mutex
	all map[string]Trial
	age []string // the oldest first
}

func newTrials() *trials { return &trials{all: map[string]Trial{}} }

func trialKey(p store.Proposal) string {
	return fmt.Sprint(p.Topic, "\x00", p.Phrase, "\x00", p.Effect, p.Weight, p.Places)
}

func (t *trials) get(p store.Proposal) (Trial, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	found, ok := t.all[trialKey(p)]
	return found, ok
}

func (t *trials) put(p store.Proposal, result Trial) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := trialKey(p)
	if _, ok := t.all[key]; !ok {
		t.age = append(t.age, key)
	}
	if t.all[key] = result; len(t.age) > maxTrials {
		delete(t.all, t.age[0])
		t.age = t.age[1:]
	}
}

// rulesRoom is the page on rules.
type rulesRoom struct {
	Topics    []topicChoice
	Asked     store.Proposal // what the form has
	Places    []placeChoice
	Days      int // that a trial looks back
	Fault     string
	Trial     *trialRoom
	Proposals []proposalRow
}

type placeChoice struct {
	ID, Name string
	On       bool
}

// trialRoom is a trial in words.
type trialRoom struct {
	Trial
	Topic  string // that the rule is for
	Gained int    // by it
	Lost   int
	Rows   []trialRow
	Wrong  []string
}

type trialRow struct {
	TrialTopic
	Name string
	Own  bool // the topic that the rule is for
}

// proposalRow is a proposal that waits for whoever keeps feeds.yaml.
type proposalRow struct {
	store.Proposal
	Name string // of its topic
	What string
	Try  string // address that tries it again
	Done bool   // feeds.yaml has it
}

var placesOfRules = []placeChoice{{ID: "title", Name: "tiêu đề"}, {ID: "summary", Name: "tóm tắt"}, {ID: "body", Name: "thân bài"}}

// effectWords say what a rule does.
var effectWords = map[store.Effect]string{store.EffectPhrase: "kéo về chuyên mục", store.EffectMask: "không tính cụm này", store.EffectSilence: "loại khỏi chuyên mục"}

// weightsOfRules are the strengths that the room offers, of docs/topics.md.
var weightsOfRules = []float64{3, 2, 1}

// readProposal reads the form of a rule.
func (m *Room) readProposal(form url.Values) (store.Proposal, error) {
	p := store.Proposal{Topic: store.Topic(form.Get("chuyen-muc")), Phrase: scrub(form.Get("tu")), Effect: store.Effect(form.Get("viec")), Note: scrub(shorten(form.Get("ghi-chu"), maxWhy))}
	p.Weight, _ = strconv.ParseFloat(form.Get("suc"), 64) // checked below
	for _, place := range placesOfRules {
		if slices.Contains(form["o"], place.ID) {
			p.Places = append(p.Places, place.ID)
		}
	}
	switch all := len(p.Places) == len(placesOfRules); {
	case p.Effect == store.EffectSilence && len(p.Places) == 0: // as feeds.yaml has it where nothing is said
		p.Places = []string{"title", "summary"}
	case p.Effect != store.EffectSilence && all:
		p.Places = nil
	}
	if p.Effect != store.EffectPhrase {
		p.Weight = 0
	}
	_, known := m.topicName(p.Topic)
	switch {
	case !known:
		return p, slip("Hãy chọn một chuyên mục.")
	case p.Phrase == "":
		return p, slip("Hãy gõ một cụm từ.")
	case len(p.Phrase) > maxPhrase:
		return p, slip("Cụm từ quá dài; hãy chọn phần ngắn nhất vẫn nói đúng chuyên mục.")
	case strings.ContainsAny(p.Phrase, "<>()|"):
		return p, slip("Hãy gõ cụm từ như trong bài, không dùng các dấu < > ( ) |.")
	case effectWords[p.Effect] == "":
		return p, slip("Hãy chọn cụm từ này dùng để làm gì.")
	case p.Effect == store.EffectPhrase && !slices.Contains(weightsOfRules, p.Weight):
		return p, slip("Hãy chọn mức chắc chắn.")
	}
	return p, nil
}

// query is the form of a rule as an address has it.
func proposalQuery(p store.Proposal) string {
	q := url.Values{"chuyen-muc": {string(p.Topic)}, "tu": {p.Phrase}, "viec": {string(p.Effect)}, "o": p.Places}
	if p.Weight > 0 {
		q.Set("suc", strconv.FormatFloat(p.Weight, 'g', -1, 64))
	}
	return "/quy-tac?" + q.Encode()
}

// rulesPage tries the rule that its address has, if it has one.
func (m *Room) rulesPage(ctx context.Context, r *http.Request, _ visitor) (roomView, error) {
	v := rulesRoom{Topics: m.topicChoices(), Days: int(m.triedSpan.Hours() / 24)}
	page := roomView{View: "quy-tac", Title: "Quy tắc chuyên mục", Nav: "/quy-tac"}
	q := r.URL.Query()
	v.Asked = store.Proposal{Topic: store.Topic(q.Get("chuyen-muc")), Effect: store.EffectPhrase, Weight: 2}
	if q.Has("tu") {
		asked, err := m.readProposal(q)
		if v.Asked = asked; err == nil {
			var result Trial
			if result, err = m.try(ctx, asked); err == nil {
				v.Trial = m.trialWords(asked, result)
			}
		}
		if err != nil {
			if v.Fault = faultSaid(err); ctx.Err() != nil {
				return page, err
			}
		}
	}
	for _, place := range placesOfRules {
		place.On = len(v.Asked.Places) == 0 || slices.Contains(v.Asked.Places, place.ID)
		v.Places = append(v.Places, place)
	}
	var err error
	if v.Proposals, err = m.proposals(ctx); err != nil {
		return page, err
	}
	page.Body = v
	return page, nil
}

// try tries a rule, one at a time: whoever comes meanwhile waits.
func (m *Room) try(ctx context.Context, p store.Proposal) (Trial, error) {
	select {
	case m.trying <- struct{}{}:
		defer func() { <-m.trying }()
	case <-ctx.Done():
		return Trial{}, ctx.Err()
	}
	result, err := m.desk.Try(ctx, p)
	if err == nil {
		m.tried.put(p, result)
	}
	return result, err
}

func (m *Room) trialWords(p store.Proposal, t Trial) *trialRoom {
	v := &trialRoom{Trial: t}
	v.Topic, _ = m.topicName(p.Topic)
	for _, x := range t.Topics {
		row := trialRow{TrialTopic: x, Own: x.Topic == p.Topic}
		row.Name, _ = m.topicName(x.Topic)
		row.Gains, row.Losses = scrubbed(row.Gains), scrubbed(row.Losses)
		if row.Own {
			v.Gained, v.Lost = x.Gained, x.Lost
			v.Rows = slices.Insert(v.Rows, 0, row)
		} else {
			v.Rows = append(v.Rows, row)
		}
	}
	for _, f := range t.Faults {
		name, _ := m.topicName(f.Topic)
		must := "không được thuộc"
		if f.Want {
			must = "phải thuộc"
		}
		v.Wrong = append(v.Wrong, fmt.Sprintf("“%s” %s %s", f.Example, must, name))
	}
	return v
}

// scrubbed are items with titles that may stand in a page.
func scrubbed(items []TrialItem) []TrialItem {
	items = slices.Clone(items)
	for i := range items {
		items[i].Title = scrub(items[i].Title)
	}
	return items
}

// proposals are those that stand.
func (m *Room) proposals(ctx context.Context) ([]proposalRow, error) {
	all, err := m.store.Proposals(ctx)
	if err != nil {
		return nil, err
	}
	var rows []proposalRow
	for _, p := range slices.Backward(all) {
		row := proposalRow{Proposal: p, What: effectWords[p.Effect], Try: proposalQuery(p), Done: m.desk.InForce(p)}
		row.Name, _ = m.topicName(p.Topic)
		rows = append(rows, row)
	}
	return rows, nil
}

// propose saves a rule for whoever keeps feeds.yaml.
func (m *Room) propose(w http.ResponseWriter, r *http.Request, in visitor) {
	p, err := m.readProposal(r.PostForm)
	if err != nil {
		m.fail(w, r, in, err)
		return
	}
	result, tried := m.tried.get(p)
	if !tried { // long ago, or by another process
		if result, err = m.try(r.Context(), p); err != nil {
			m.fail(w, r, in, err)
			return
		}
	}
	p.Looked = result.Looked
	for _, t := range result.Topics {
		if t.Topic == p.Topic {
			p.Gained, p.Lost = t.Gained, t.Lost
		}
	}
	done, err := m.desk.Propose(r.Context(), in.who, p)
	if err != nil {
		m.fail(w, r, in, err)
		return
	}
	m.log.InfoContext(r.Context(), "rule proposed", "ruling", done.ID, "who", in.who, "topic", p.Topic)
	http.Redirect(w, r, withDone("/quy-tac", done.ID), http.StatusSeeOther)
}
