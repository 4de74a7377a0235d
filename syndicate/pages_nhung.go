package syndicate

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// nhungPath is where the codes for embeds are made.
const nhungPath = "/nhung/"

// nhungView is the configurator: what was chosen, and the codes for it.
type nhungView struct {
	Groups   []embedGroup // of the list of channels
	Mixes    []choices    // to mix several
	Mixed    bool
	Options  embedOptions
	Partner  string // as it was typed
	Counts   int    // the most there may be
	Why      string // no code can be made
	Title    string // of the channel, as the embed calls it
	Tag      string // of that title, if its language is not the page's
	Preview  string // address of the frame's page
	Height   int    // of the frame, in pixels
	Codes    []embedCode
	Own      string // address of its own script
	Colour   string // of the field, with the number sign
	Headings []int
}

// embedGroup is the channels of one kind to choose from.
type embedGroup struct {
	Title string
	All   []choice
}

// embedCode is one way to embed: its code, and what the policy of the page
// around must let in.
type embedCode struct {
	ID           string
	Title, About string
	More         bool // it goes with the one before
	Rows         int  // lines of the code
	Code         string
	Policy       string // empty: nothing
}

// nhungRoutes registers the configurator.
func (s *Server) nhungRoutes() {
	s.mux.HandleFunc("GET "+nhungPath+"{$}", s.serveNhung)
	s.mux.HandleFunc("GET "+strings.TrimSuffix(nhungPath, "/"), func(w http.ResponseWriter, r *http.Request) {
		to := url.URL{Path: nhungPath, RawQuery: r.URL.RawQuery}
		http.Redirect(w, r, to.String(), http.StatusMovedPermanently)
	})
}

// nhungScript names our own script by its content.
var nhungScript = addressOf("nhung.js", embeddedFile("web/nhung.js"))

// nhungPolicy is what the page may do beyond others: show a frame of our own,
// and ask for itself anew.
const nhungPolicy = "; connect-src 'self'; frame-src 'self'"

func (s *Server) serveNhung(w http.ResponseWriter, r *http.Request) {
	s = s.speaking(languageOf(r.URL))
	p := s.nhungPage(r.URL.Query())
	p.Address = nhungAddress(r.URL.Query())
	header := s.pageHeader()
	header.Set("Content-Security-Policy", header.Get("Content-Security-Policy")+nhungPolicy)
	header.Set("Cache-Control", askFirst)
	var body bytes.Buffer
	err := s.views[s.lang].render(&body, s.frame(p))
	if err != nil {
		s.answerWithout(w, r, renderError{fmt.Errorf("render %s: %w", p.View, err)})
		return
	}
	if p.Status != 0 {
		header.Set("Content-Type", "text/html; charset=utf-8")
		header.Set("Cache-Control", "no-store")
		maps.Copy(w.Header(), header)
		w.WriteHeader(p.Status)
		w.Write(body.Bytes()) // an error is the reader's hanging up
		return
	}
	doc, err := newRendition(body.Bytes(), "text/html; charset=utf-8", header, time.Time{})
	if err != nil {
		s.answerWithout(w, r, renderError{err})
		return
	}
	doc.serve(w, r)
}

// nhungAddress is the address of what was chosen, without the page's language.
func nhungAddress(q url.Values) string {
	q = maps.Clone(q)
	q.Del("lang")
	u := url.URL{Path: nhungPath, RawQuery: q.Encode()}
	return u.String()
}

// nhungPage is the form, with the codes for what it asks for.
func (s *Server) nhungPage(q url.Values) page {
	p := page{View: "nhung", Title: s.words["nhung.title"], About: s.words["nhung.lead"], Path: nhungPath, NoIndex: nhungAddress(q) != nhungPath}
	q.Set("lang", cmp.Or(q.Get("words"), s.lang.tag)) // that of the embed
	if readAccent(q.Get("accent")) == s.embedAccent {
		q.Del("accent") // what the field sends if nobody touched it
	}
	ch, err := s.nhungChannel(q)
	opt, wrong := s.readEmbedOptions(q)
	v := nhungView{Options: opt, Partner: q.Get("partner"), Counts: maxEmbedStories, Own: nhungScript,
		Colour: "#" + s.embedAccent, Headings: []int{2, 3, 4, 5, 6}}
	if opt.Accent != "" {
		v.Colour = "#" + opt.Accent
	}
	s.nhungChoices(&v, q, &ch)
	var no refusal
	if errors.As(errors.Join(err, wrong), &no) {
		v.Why, p.Status = no.why, no.code
		p.Body = v
		return p
	}
	view := s.embedView(ch, opt)
	v.Title, v.Tag, v.Preview, v.Height = view.Title(), s.lang.foreign(cmp.Or(view.Tag(), opt.Lang)), embedAddress(&ch, &embedForms[0], &opt), frameHeight(opt)
	v.Codes = s.embedCodes(&view, v.Height)
	p.Body = v
	return p
}

// nhungChannel is what the form asks for: a mix if anything is ticked, else the
// channel of the list, else everything.
func (s *Server) nhungChannel(q url.Values) (Channel, error) {
	if slices.ContainsFunc(mixKinds, q.Has) {
		return s.embeddedMix(nil, q)
	}
	kind, id, _ := strings.Cut(q.Get("channel"), "/")
	ch, ok := s.cfg.channel(kind, id)
	if !ok {
		return ch, refusal{code: http.StatusNotFound, why: s.noChannel(kind, id)}
	}
	return ch, nil
}

// nhungChoices fills in what there is to choose from.
func (s *Server) nhungChoices(v *nhungView, q url.Values, chosen *Channel) {
	for _, kind := range kinds {
		g := embedGroup{Title: s.words[kind+".title"]}
		for _, ch := range s.cfg.channelsOf(kind) {
			g.All = append(g.All, choice{kind + "/" + ch.ID, s.linkTo(&ch), ch.Path == chosen.Path})
		}
		if len(g.All) > 0 {
			v.Groups = append(v.Groups, g)
		}
	}
	for _, kind := range mixKinds {
		g := choices{Kind: kind, Title: s.words[kind+".title"]}
		ids, _, _ := s.mixed(kind, q[kind]) // those that there are
		for _, ch := range s.cfg.channelsOf(kind) {
			g.All = append(g.All, choice{ch.ID, s.linkTo(&ch), slices.Contains(ids, ch.ID)})
		}
		g.Open = len(ids) > 0
		v.Mixed = v.Mixed || g.Open
		if len(g.All) > 0 {
			v.Mixes = append(v.Mixes, g)
		}
	}
}

// frameHeight is how high a frame is given before its page says it itself: what
// so many headlines of one line take.
func frameHeight(o embedOptions) int {
	const head, each, picture = 95, 67, 19 // pixels, as the style makes them
	n := head + o.Count*each
	if o.Images {
		n += o.Count * picture
	}
	return n
}

// embedCodes are the ways to embed what a view shows.
func (s *Server) embedCodes(v *embedView, height int) []embedCode {
	origin := s.cfg.origin()
	pictures := ""
	if v.Options.Images {
		pictures = "img-src https:"
	}
	forms := map[string]string{}
	for i := range embedForms {
		forms[embedForms[i].name] = s.cfg.address(embedAddress(&v.Channel, &embedForms[i], &v.Options))
	}
	script := fmt.Sprintf("<script async src=\"%s\"\n  integrity=\"%s\" crossorigin=\"anonymous\"></script>", s.cfg.address(newestScript.Path), newestScript.Integrity)
	frame := fmt.Sprintf("<iframe src=\"%s\"\n  title=\"%s\" width=\"100%%\" height=\"%d\" loading=\"lazy\" frameborder=\"0\"></iframe>",
		html.EscapeString(forms["page"]), html.EscapeString(v.Title()+" – "+v.Site()), height)
	element := fmt.Sprintf("<diemtin-feed%s>\n  <p><a href=\"%s\">%s</a></p>\n</diemtin-feed>",
		v.attributes(), html.EscapeString(v.Page()), html.EscapeString(v.Title()+" – "+v.Site()))
	w := s.words
	return []embedCode{
		{ID: "khung", Title: w["nhung.frame"], About: w["nhung.frame.is"], Rows: 4, Code: frame, Policy: "frame-src " + origin},
		{ID: "tu-cao", Title: w["nhung.grow"], About: w["nhung.grow.is"], More: true, Rows: 4, Code: script, Policy: "script-src " + origin},
		{ID: "ma", Title: w["nhung.script"], About: w["nhung.script.is"], Rows: 8, Code: script + "\n" + element,
			Policy: joinPolicy("script-src "+origin, "connect-src "+origin, pictures)},
		{ID: "may-chu", Title: w["nhung.fragment"], About: w["nhung.fragment.is"], Rows: 2, Code: forms["fragment"], Policy: pictures},
	}
}

func joinPolicy(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}

// attributes are those of the element that shows what the view does.
func (v *embedView) attributes() string {
	var b strings.Builder
	set := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, ` %s="%s"`, name, html.EscapeString(value))
		}
	}
	switch ch := &v.Channel; {
	case ch.Query != "":
		for part := range strings.SplitSeq(ch.Query, "&") {
			name, value, _ := strings.Cut(part, "=")
			set(name, value)
		}
	case ch.ID != "":
		set(ch.Kind+"s", ch.ID)
	}
	o := &v.Options
	set("count", strconv.Itoa(o.Count))
	for part := range strings.SplitSeq(o.query([]string{"accent", "images", "dates", "lang", "partner"}), "&") {
		name, value, _ := strings.Cut(part, "=")
		set(name, value)
	}
	set("theme", o.Theme)
	return b.String()
}
