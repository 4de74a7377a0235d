package outlettest

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// gramsOf is a second, plain way to count runs of n syllables, so that the
// tests do not lean on the writer's own.
func gramsOf(text string, n int) map[string]bool {
	f := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return strings.ContainsRune(" \n.,:;?!“”‘’()[]–…/%-+", r)
	})
	out := map[string]bool{}
	for i := 0; i+n <= len(f); i++ {
		out[strings.Join(f[i:i+n], " ")] = true
	}
	return out
}

// overlap returns the shared grams as a share of the shorter text (containment)
// and of both (Jaccard).
func overlap(a, b map[string]bool) (containment, jaccard float64) {
	n := 0
	for g := range a {
		if b[g] {
			n++
		}
	}
	short, all := min(len(a), len(b)), len(a)+len(b)-n
	if short == 0 {
		return 0, 0
	}
	return float64(n) / float64(short), float64(n) / float64(all)
}

// many writes n plain stories of every topic, topic after topic.
func many(t testing.TB, seed int64, n int) []Text {
	t.Helper()
	w := newWriter(t, seed)
	var out []Text
	for i := range n {
		for _, topic := range w.Topics() {
			text, err := w.Write(topic, noon.Add(time.Duration(i)*time.Hour), "")
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, text)
		}
	}
	return out
}

func TestWriterIsDeterministic(t *testing.T) {
	t.Parallel()
	a, b, c := many(t, 5, 2), many(t, 5, 2), many(t, 6, 2)
	if !reflect.DeepEqual(a, b) {
		t.Error("the same seed wrote different stories")
	}
	if reflect.DeepEqual(a, c) {
		t.Error("another seed wrote the same stories")
	}
}

func TestStoriesReadLikeNews(t *testing.T) {
	t.Parallel()
	for _, text := range many(t, 2, 30) {
		body := strings.Join(text.Body, "\n")
		if n := len(strings.Fields(body)); n < 55 || n > maxBody {
			t.Errorf("%q: body of %d syllables", text.Title, n)
		}
		if len(text.Titles) == 0 || text.OtherLead == text.Lead {
			t.Errorf("%q has no other headline or lead", text.Title)
		}
		for _, s := range append([]string{text.Title, text.Lead, text.OtherLead, text.Tag}, text.Body...) {
			if s != strings.Join(strings.Fields(s), " ") || strings.ContainsAny(s, "{}[]|") ||
				strings.Contains(s, " ,") || strings.Contains(s, "..") || s == "" {
				t.Errorf("badly put together: %q", s)
			}
		}
		if strings.HasSuffix(text.Title, ".") || !strings.HasSuffix(text.Lead, ".") {
			t.Errorf("full stops: title %q, lead %q", text.Title, text.Lead)
		}
	}
}

// TestStoriesAreDistinct measures a thousand stories against each other with
// runs of five syllables, as a matcher would, and of three.
func TestStoriesAreDistinct(t *testing.T) {
	t.Parallel()
	texts := many(t, 3, 45)
	type grams struct{ body3, body5, head3 map[string]bool }
	all := make([]grams, len(texts))
	titles := map[string]bool{}
	for i, x := range texts {
		body := strings.Join(x.Body, "\n")
		all[i] = grams{gramsOf(body, 3), gramsOf(body, 5), gramsOf(x.Title+"\n"+x.Lead, 3)}
		if titles[x.Title] {
			t.Errorf("headline twice: %q", x.Title)
		}
		titles[x.Title] = true
	}
	var worst3, worst5, worstHead float64
	for i := range all {
		for j := range i {
			if texts[i].Topic != texts[j].Topic && (i+j)%20 != 0 {
				continue // frames are shared within a topic; of the rest a sample does
			}
			c3, _ := overlap(all[i].body3, all[j].body3)
			c5, _ := overlap(all[i].body5, all[j].body5)
			head, _ := overlap(all[i].head3, all[j].head3)
			worst3, worst5, worstHead = max(worst3, c3), max(worst5, c5), max(worstHead, head)
		}
	}
	t.Logf("%d stories: shared by the two nearest: body 3-syllable %.2f, 5-syllable %.2f, headline and lead %.2f",
		len(texts), worst3, worst5, worstHead)
	if worst3 > 0.30 || worst5 > 0.20 || worstHead > 0.45 {
		t.Error("two different stories are too much alike")
	}
}

func TestSerialTextsAreTraps(t *testing.T) {
	t.Parallel()
	w := newWriter(t, 4)
	for _, series := range w.Series() {
		a, err := w.Serial(series, noon)
		if err != nil {
			t.Fatal(err)
		}
		b, err := w.Serial(series, noon.AddDate(0, 0, 1))
		if err != nil {
			t.Fatal(err)
		}
		words := func(x Text) map[string]bool { // without numbers
			return gramsOf(strings.Map(func(r rune) rune {
				if r >= '0' && r <= '9' {
					return -1
				}
				return r
			}, strings.Join(x.Body, "\n")), 1)
		}
		if c, _ := overlap(words(a), words(b)); c < 0.95 {
			t.Errorf("%s: two days share %.2f of their words, want nearly all", series, c)
		}
		if a.Title == b.Title || reflect.DeepEqual(a.Body, b.Body) {
			t.Errorf("%s: two days are the same text: %q", series, a.Title)
		}
	}
	if _, err := w.Serial("horoscope", noon); err == nil {
		t.Error("an unknown series is no error")
	}
}

func TestFollowUpQuotesButDiffers(t *testing.T) {
	t.Parallel()
	w := newWriter(t, 4)
	for _, topic := range w.Topics() {
		first, err := w.Write(topic, noon, "hung-yen")
		if err != nil {
			t.Fatal(err)
		}
		next := w.FollowUp(first, noon.Add(20*time.Hour))
		if last := next.Body[len(next.Body)-1]; !strings.Contains(last, first.Lead) {
			t.Errorf("%s: the follow-up does not quote the lead: %q", topic, last)
		}
		a, b := first.Title+first.Lead+strings.Join(first.Body, "\n"), next.Title+next.Lead+strings.Join(next.Body, "\n")
		if _, j := overlap(gramsOf(a, 5), gramsOf(b, 5)); j > 0.3 {
			t.Errorf("%s: follow-up and story are the same text, Jaccard %.2f", topic, j)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	w := newWriter(t, 1)
	if _, err := w.Write("gossip", noon, ""); err == nil {
		t.Error("an unknown topic is no error")
	}
	if _, err := w.Write("kinh-te", noon, "atlantis"); err == nil {
		t.Error("an unknown province is no error")
	}
	text, err := w.Write("xay-dung-dang", noon, "hung-yen")
	if err != nil {
		t.Fatal(err)
	}
	if text.Place != "hung-yen" || !strings.Contains(fmt.Sprint(text), "Hưng Yên") {
		t.Errorf("asked for Hưng Yên, got %q: %v", text.Place, text)
	}
}

func BenchmarkWrite(b *testing.B) {
	w := newWriter(b, 1)
	topics := w.Topics()
	for i := 0; b.Loop(); i++ {
		if _, err := w.Write(topics[i%len(topics)], noon, ""); err != nil {
			b.Fatal(err)
		}
	}
}
