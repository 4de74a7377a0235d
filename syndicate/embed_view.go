package syndicate

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"diemtin/store"
)

// embedView is what every form of an embed shows.
type embedView struct {
	cfg     *Config
	lang    *language
	style   string
	Channel Channel
	Options embedOptions
	Items   []embedItem
}

// embedItem is one story of an embed. It leads to the outlet's own article, as
// an entry of a feed does.
type embedItem struct {
	ID     string // of the story
	Title  string
	Lang   string // of the title
	Link   string
	Source string // "Báo Lào Cai (theo TTXVN)"
	Outlet string
	At     time.Time
	Image  string // https only; empty if there is none that may be shown
}

// embedView begins what an embed of a channel shows.
func (s *Server) embedView(ch Channel, opt embedOptions) embedView {
	return embedView{cfg: &s.cfg, lang: s.speaking(languageTagged(opt.Lang)).lang, style: s.embedStyle, Channel: ch, Options: opt}
}

// show fills in the stories.
func (v *embedView) show(stories []store.Story) {
	f, w := Feed{Config: v.cfg}, v.lang.words
	for i := range stories {
		st := &stories[i]
		e := f.entry(st)
		it := embedItem{ID: st.ID, Title: e.title, Lang: cmp.Or(e.lang, v.cfg.language()), Link: e.link,
			Outlet: e.outlet.name, Source: e.outlet.name, At: e.created}
		if after := v.cfg.attribution(&st.Quoted, &st.Outlet); after.Text != "" {
			it.Source += " (" + fmt.Sprintf(w["embed.after"], after.Text) + ")"
		}
		if strings.HasPrefix(e.image.url, "https://") {
			it.Image = e.image.url
		}
		v.Items = append(v.Items, it)
	}
}

// Title is the channel's name in the language of the embed, and Tag that of the
// name if it is another.
func (v *embedView) Title() string {
	name, _ := v.lang.called(v.Channel.Title)
	return plainName(name)
}

func (v *embedView) Tag() string {
	_, tag := v.lang.called(v.Channel.Title)
	return tag
}

// Clock writes a moment as its language does.
func (v *embedView) Clock(t time.Time) string { return v.lang.clock(t) }

// Page is the channel's own page, and Home this site's.
func (v *embedView) Page() string { return v.cfg.address(v.Channel.url("", 0)) }
func (v *embedView) Site() string { return plainName(v.cfg.Site.Title) }

// More is what the link to the channel's page says.
func (v *embedView) More() string {
	w := v.lang.words
	return fmt.Sprintf(w["embed.more"], v.Site())
}

// Say is one of the words around the stories.
func (v *embedView) Say(key string, args ...any) (string, error) {
	return v.lang.words.say(key, args...)
}

// Pictures says whether to show them.
func (v *embedView) Pictures() bool { return v.Options.Images }

// Style is the whole style of the page. It stands within, so that a frame is
// one request, and its policy names it by its hash.
func (v *embedView) Style() template.CSS {
	css := v.style
	if v.Options.Accent != "" {
		css += "html[data-theme]{--accent:#" + v.Options.Accent + "}"
	}
	return template.CSS(css) // ours, with six hexadecimal digits in it
}

// Script is what tells the page around the frame how high it is.
func (v *embedView) Script() embedScript { return newestScript }

// embedHeader is what goes with every answer of an embed: as with feeds, but
// that a partner's are asked about each time, since it may hide a story at
// once.
func (s *Server) embedHeader(f *embedForm, v *embedView) http.Header {
	h := feedHeader("<" + v.Page() + `>; rel=canonical`)
	if p := v.Options.Partner; p != nil {
		h.Set("Cache-Control", askFirst)
		if p.limited() {
			h.Del("Access-Control-Allow-Origin") // each of its sites gets its own
			h.Set("Vary", "Origin")
		}
	}
	if f.file == "" {
		h.Set("Content-Security-Policy", v.policy())
		h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		h.Set("X-Robots-Tag", "noindex")
	}
	return h
}

// policy is the Content-Security-Policy of the page: its own style, our script
// if it is let in, pictures only where they were asked for.
func (v *embedView) policy() string {
	sum := sha256.Sum256([]byte(v.Style()))
	images := ""
	if v.Options.Images {
		images = "; img-src https:"
	}
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; script-src 'self'" + images +
		"; form-action 'none'; base-uri 'none'; frame-ancestors " + v.Options.Partner.ancestors()
}

func (s *Server) renderEmbedPage(v *embedView) ([]byte, error) { return s.embedTemplate("page", v) }

func (s *Server) renderEmbedFragment(v *embedView) ([]byte, error) {
	return s.embedTemplate("fragment", v)
}

func (s *Server) embedTemplate(name string, v *embedView) ([]byte, error) {
	var b bytes.Buffer
	if err := s.embedViews.ExecuteTemplate(&b, name, v); err != nil {
		return nil, fmt.Errorf("render the embed %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// parseEmbedViews reads the templates of embeds.
func parseEmbedViews() (*template.Template, error) {
	return template.New("").Funcs(template.FuncMap{
		"iso": func(t time.Time) string { return t.In(store.Zone).Format(time.RFC3339) },
	}).ParseFS(web, "web/embed/*.html")
}

// The forms of items.json. Its keys stay: scripts of every version that was
// ever released read them.
type (
	embedJSON struct {
		Title string          `json:"title"`
		Page  string          `json:"page"`
		Lang  string          `json:"lang"`
		More  string          `json:"more"`
		Note  string          `json:"note"`
		Items []embedJSONItem `json:"items"`
	}
	embedJSONItem struct {
		ID     string `json:"id"`
		Title  string `json:"title"`
		Lang   string `json:"lang"`
		URL    string `json:"url"`
		Source string `json:"source"`
		Date   string `json:"date"` // RFC 3339
		Shown  string `json:"shown"`
		Image  string `json:"image,omitempty"`
	}
)

// renderEmbedItems writes what our script reads.
func (s *Server) renderEmbedItems(v *embedView) ([]byte, error) {
	w := v.lang.words
	doc := embedJSON{Title: v.Title(), Page: v.Page(), Lang: v.Options.Lang, More: v.More(), Note: w["embed.newtab"], Items: []embedJSONItem{}}
	for _, it := range v.Items {
		doc.Items = append(doc.Items, embedJSONItem{it.ID, it.Title, it.Lang, it.Link, it.Source, it.At.Format(time.RFC3339), v.lang.clock(it.At), it.Image})
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // it is served as JSON, never inside a page
	err := enc.Encode(doc)
	return b.Bytes(), err
}
