package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// editor is who works in the room without a browser.
type editor struct {
	t    *testing.T
	p    *program
	c    *http.Client
	mark string // that the forms carry
}

func newEditor(t *testing.T, p *program, token string) *editor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	e := &editor{t: t, p: p, c: &http.Client{Jar: jar}}
	resp, doc := e.post("/dang-nhap", url.Values{"ten": {"lan"}, "token": {token}})
	if e.mark, _ = doc.Find("input[name=form]").Attr("value"); resp.StatusCode != http.StatusOK || e.mark == "" {
		t.Fatalf("signing in: %s\n%s", resp.Status, doc.Text())
	}
	return e
}

func (e *editor) read(resp *http.Response, err error) (*http.Response, *goquery.Document) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
	defer resp.Body.Close()
	doc, err := goquery.NewDocumentFromReader(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		e.t.Fatal(err)
	}
	return resp, doc
}

func (e *editor) get(path string) (*http.Response, *goquery.Document) {
	e.t.Helper()
	return e.read(e.c.Get(e.p.editors + path))
}

func (e *editor) post(path string, form url.Values) (*http.Response, *goquery.Document) {
	e.t.Helper()
	if e.mark != "" {
		form.Set("form", e.mark)
	}
	return e.read(e.c.PostForm(e.p.editors+path, form))
}

// order gives an order that is carried out, and returns its number.
func (e *editor) order(path string, form url.Values) (ruling string) {
	e.t.Helper()
	resp, doc := e.post(path, form)
	ruling = resp.Request.URL.Query().Get("da")
	if resp.StatusCode != http.StatusOK || ruling == "" {
		e.t.Fatalf("%s %v: %s at %s\n%s", path, form, resp.Status, resp.Request.URL, doc.Find("main").Text())
	}
	if n := doc.Find(".done").Length(); n != 1 {
		e.t.Errorf("%v: the page tells %d times what was done", form, n)
	}
	return ruling
}

func (e *editor) undo(ruling string) string {
	e.t.Helper()
	return e.order("/hoan-tac", url.Values{"ruling": {ruling}, "back": {"/so"}})
}

type explainedCopy struct {
	Item     int64
	Link     string
	Original bool `json:"is_original"`
}

// explained is what readers are told of a story.
func (e *editor) explained(story string) (x struct {
	Story    string
	Original string
	Copies   []explainedCopy
}, status int) {
	e.t.Helper()
	resp, text := get(e.t, e.p.public+"/stories/"+story+"/explain.json")
	if resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal([]byte(text), &x); err != nil {
			e.t.Fatal(err)
		}
	}
	return x, resp.StatusCode
}

// roomOrders gives every order that the room's forms give, undoes it, and does
// it again where that can be.
func roomOrders(t *testing.T, p *program, token string) {
	e := newEditor(t, p, token)
	_, merges := e.get("/moi-gop")
	row := merges.Find("li.pair").First()
	story, _ := row.Find("input[name=story]").Attr("value")
	item, _ := row.Find("input[name=item]").Attr("value")
	if story == "" || item == "" {
		t.Fatalf("no fresh merge:\n%s", merges.Text())
	}
	rows := func(path string) int {
		_, doc := e.get(path)
		return doc.Find("li.pair").Length()
	}

	before, _ := e.explained(story)
	split := e.order("/lenh", url.Values{"verb": {"split"}, "story": {story}, "item": {item}, "back": {"/tin/" + story}})
	eventually(t, "the split", func() bool { x, _ := e.explained(story); return len(x.Copies) == len(before.Copies)-1 })
	e.undo(split)
	eventually(t, "the split undone", func() bool { x, _ := e.explained(story); return len(x.Copies) == len(before.Copies) })
	if resp, doc := e.post("/hoan-tac", url.Values{"ruling": {split}}); resp.StatusCode != http.StatusConflict || !strings.Contains(doc.Text(), "đã được hoàn tác rồi") {
		t.Errorf("undone twice: %s\n%s", resp.Status, doc.Find("main").Text())
	}

	other := before.Copies[slices.IndexFunc(before.Copies, func(c explainedCopy) bool { return !c.Original })]
	pin := e.order("/lenh", url.Values{"verb": {"pin"}, "story": {story}, "item": {strconv.FormatInt(other.Item, 10)}, "back": {"/tin/" + story}})
	eventually(t, "the pin", func() bool { x, _ := e.explained(story); return x.Original == other.Link })
	repin := e.undo(e.undo(pin))
	eventually(t, "the pin once more", func() bool { x, _ := e.explained(story); return x.Original == other.Link })
	e.undo(repin)
	eventually(t, "the pin undone", func() bool { x, _ := e.explained(story); return x.Original == before.Original })

	under := func() bool {
		_, page := get(t, p.public+"/topics/quoc-phong-an-ninh/")
		return strings.Contains(page, story)
	}
	if under() {
		t.Fatal("the story has the topic already")
	}
	topic := e.order("/lenh", url.Values{"verb": {"topic"}, "story": {story}, "topic": {"+quoc-phong-an-ninh"}, "back": {"/tin/" + story}})
	eventually(t, "the topic", under)
	e.undo(topic)
	eventually(t, "the topic undone", func() bool { return !under() })

	hide := e.order("/lenh", url.Values{"verb": {"hide"}, "story": {story}, "back": {"/tin/" + story}})
	eventually(t, "the hiding", func() bool { _, status := e.explained(story); return status == http.StatusGone })
	if resp, doc := e.get("/tin/" + story); resp.StatusCode != http.StatusOK || !strings.Contains(doc.Text(), "đang ẩn ở mọi nơi") {
		t.Errorf("the hidden story's page: %s\n%s", resp.Status, doc.Find("main").Text())
	}
	if resp, doc := e.post("/lenh", url.Values{"verb": {"hide"}, "story": {story}}); resp.StatusCode != http.StatusConflict || !strings.Contains(doc.Text(), "đang ẩn rồi") {
		t.Errorf("hidden twice: %s\n%s", resp.Status, doc.Find("main").Text())
	}
	e.undo(e.undo(e.undo(hide)))
	eventually(t, "the story back", func() bool { _, status := e.explained(story); return status == http.StatusOK })

	waiting := rows("/gan-giong")
	_, near := e.get("/gan-giong")
	pair := near.Find("li.pair form:has(input[value=review])").First()
	one, _ := pair.Find("input[name=story]").Attr("value")
	two, _ := pair.Find("input[name=other]").Attr("value")
	apart := e.order("/lenh", url.Values{"verb": {"review"}, "story": {one}, "other": {two}, "back": {"/gan-giong"}})
	if got := rows("/gan-giong"); got != waiting-1 {
		t.Errorf("%d pairs wait, want %d", got, waiting-1)
	}
	e.undo(apart)
	if got := rows("/gan-giong"); got != waiting {
		t.Errorf("after the undoing %d pairs wait, want %d", got, waiting)
	}
	_, none := e.get("/chua-phan-loai")
	topicless, _ := none.Find("input[name=story]").First().Attr("value")
	left := e.order("/lenh", url.Values{"verb": {"review"}, "story": {topicless}, "back": {"/chua-phan-loai"}})
	if _, none := e.get("/chua-phan-loai"); strings.Contains(none.Find("main .rows").Text(), "Chiếc lá rơi nghiêng") {
		t.Error("what was left without a topic still waits for one")
	}
	e.undo(left)
	e.refusals(story)
}

// refusals are orders that nothing comes of.
func (e *editor) refusals(story string) {
	e.t.Helper()
	for _, tt := range []struct {
		name, path string
		form       url.Values
		status     int
		want       string
	}{
		{"with itself", "/lenh", url.Values{"verb": {"merge"}, "story": {story}, "other": {story}}, http.StatusConflict, "với chính nó"},
		{"with nothing", "/lenh", url.Values{"verb": {"merge"}, "story": {story}, "other": {" "}}, http.StatusConflict, "gộp với tin nào"},
		{"with what is not there", "/lenh", url.Values{"verb": {"merge"}, "story": {story}, "other": {"https://nobody.example/x"}}, http.StatusNotFound, "Không có tin"},
		{"no items", "/lenh", url.Values{"verb": {"split"}, "story": {story}}, http.StatusConflict, "ít nhất một bản"},
		{"no topic", "/lenh", url.Values{"verb": {"topic"}, "story": {story}, "topic": {""}}, http.StatusConflict, "chọn một chuyên mục"},
		{"not the room's", "/lenh", url.Values{"verb": {"takedown"}, "story": {story}}, http.StatusConflict, "không có việc này"},
		{"no ruling", "/hoan-tac", url.Values{"ruling": {"99999"}}, http.StatusNotFound, "Không có tin"},
		{"no reason", "/ly-do", url.Values{"ruling": {"1"}, "why": {" "}}, http.StatusConflict, "viết lý do"},
		{"no rule", "/quy-tac", url.Values{"chuyen-muc": {"xa-hoi"}}, http.StatusConflict, "gõ một cụm từ"},
	} {
		resp, doc := e.post(tt.path, tt.form)
		if text := doc.Find("main").Text(); resp.StatusCode != tt.status || !strings.Contains(text, tt.want) {
			e.t.Errorf("%s: %s, want %d with %q\n%s", tt.name, resp.Status, tt.status, tt.want, text)
		}
	}
}
