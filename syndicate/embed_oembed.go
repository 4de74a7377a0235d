package syndicate

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// oEmbed (oembed.com) lets programs that are given the address of a page ask
// how to show it within another.

const oembedPath = "/oembed"

// oembedWidth is how wide a frame is if nobody says how wide it may be, in
// pixels.
const oembedWidth = 600

// oembedAge is how long an answer may be kept: the code for a channel changes
// with the program only, in seconds.
const oembedAge = 86400

// oembed is an answer, of the type "rich".
type oembed struct {
	XMLName      xml.Name `xml:"oembed" json:"-"`
	Version      string   `xml:"version" json:"version"`
	Type         string   `xml:"type" json:"type"`
	Title        string   `xml:"title" json:"title"`
	ProviderName string   `xml:"provider_name" json:"provider_name"`
	ProviderURL  string   `xml:"provider_url" json:"provider_url"`
	CacheAge     int      `xml:"cache_age" json:"cache_age"`
	HTML         string   `xml:"html" json:"html"`
	Width        int      `xml:"width" json:"width"`
	Height       int      `xml:"height" json:"height"`
}

func (s *Server) oembedRoutes() {
	s.mux.HandleFunc("GET "+oembedPath, func(w http.ResponseWriter, r *http.Request) { s.serveOEmbed(w, r) })
	s.mux.HandleFunc("OPTIONS "+oembedPath, preflight)
}

func (s *Server) serveOEmbed(w http.ResponseWriter, r *http.Request) int {
	q := r.URL.Query()
	format := q.Get("format")
	if format != "" && format != "json" && format != "xml" {
		return refuse(w, http.StatusNotImplemented, "format phải là json hoặc xml.")
	}
	answer, err := s.oembed(q)
	var no refusal
	if errors.As(err, &no) {
		return refuse(w, no.code, no.why)
	}
	var body []byte
	media := "application/json"
	if format == "xml" {
		media = "text/xml; charset=utf-8"
		body, err = xml.Marshal(answer)
		body = append([]byte(xml.Header), body...)
	} else {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		err = enc.Encode(answer)
		body = b.Bytes()
	}
	header := http.Header{"Cache-Control": {"public, max-age=" + strconv.Itoa(oembedAge)}}
	openToAll(header)
	doc, bad := newRendition(body, media, header, time.Time{})
	if err = errors.Join(err, bad); err != nil {
		s.log.ErrorContext(r.Context(), "oembed not given out", "error", err)
		return refuse(w, http.StatusInternalServerError, s.words["broken.title"])
	}
	return doc.serve(w, r)
}

// oembed answers for the address of a channel's page, or of its embed.
func (s *Server) oembed(q url.Values) (oembed, error) {
	ch, opt, err := s.channelOf(q.Get("url"))
	if err != nil {
		return oembed{}, err
	}
	v := s.embedView(ch, opt)
	o := oembed{Version: "1.0", Type: "rich", Title: v.Title(), ProviderName: v.Site(), ProviderURL: s.cfg.address("/"), CacheAge: oembedAge,
		Width: oembedWidth, Height: frameHeight(opt)}
	for _, most := range []struct {
		name string
		of   *int
	}{{"maxwidth", &o.Width}, {"maxheight", &o.Height}} {
		raw := q.Get(most.name)
		n, err := strconv.Atoi(raw)
		switch {
		case raw == "":
		case err != nil || n < 1:
			return o, refusal{code: http.StatusBadRequest, why: most.name + " phải là một số dương."}
		default:
			*most.of = min(*most.of, n)
		}
	}
	o.HTML = fmt.Sprintf(`<iframe src="%s" title="%s" width="%d" height="%d" loading="lazy" frameborder="0"></iframe>`,
		html.EscapeString(s.cfg.address(embedAddress(&ch, &embedForms[0], &opt))), html.EscapeString(v.Title()+" – "+v.Site()), o.Width, o.Height)
	return o, nil
}

// channelOf finds the channel whose page, or embed, has an address, with the
// options that this holds.
func (s *Server) channelOf(address string) (ch Channel, opt embedOptions, err error) {
	nothing := refusal{code: http.StatusNotFound, why: "Địa chỉ này không phải của một kênh tin có thể nhúng."}
	u, err := url.Parse(address)
	if err != nil {
		return ch, opt, nothing
	}
	own, err := url.Parse(s.cfg.Site.BaseURL)
	if err != nil || u.Host != own.Host || u.Scheme != "https" && u.Scheme != "http" {
		return ch, opt, nothing
	}
	path, ours := strings.CutPrefix(u.Path, own.Path)
	path, embedded := strings.CutPrefix(path, strings.TrimSuffix(embedFolder, "/"))
	if !ours || path != "" && path[0] != '/' {
		return ch, opt, nothing
	}
	opt = plainEmbed
	if embedded {
		if opt, err = s.speaking(languageTagged(u.Query().Get("lang"))).readEmbedOptions(u.Query()); err != nil {
			return ch, opt, err
		}
	}
	ch, ok, err := s.channelAtPath(path, u.Query())
	if err == nil && !ok {
		err = nothing
	}
	return ch, opt, err
}

// channelAtPath finds the channel of a path from the root.
func (s *Server) channelAtPath(path string, q url.Values) (ch Channel, ok bool, err error) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(parts) == 1 && parts[0] == "":
		ch, ok = s.cfg.channel("", "")
	case len(parts) == 1 && parts[0] == "mix":
		ch, err = s.embeddedMix(nil, q)
		ok = err == nil
	case len(parts) == 2:
		ch, ok = s.cfg.spelled(parts[0], parts[1])
	case len(parts) == 4 && parts[0] == "topics" && parts[2] == "provinces":
		if ch, ok = s.cfg.spelled("topics", parts[1]); ok {
			var why string
			ch, why = s.inProvince(ch, parts[3])
			ok = why == ""
		}
	}
	return ch, ok, err
}

// oembedLinks are where programs ask how to show a page, by media type; nil if
// it cannot be embedded.
func (s *Server) oembedLinks(p *page) []feedLink {
	if p.Path == "" || s.cfg.Site.BaseURL == "" || p.Status != 0 {
		return nil
	}
	ch, ok, err := s.channelAtPath(p.Path, nil)
	if err != nil || !ok || ch.Path != p.Path {
		return nil
	}
	ask := s.cfg.Site.BaseURL + oembedPath + "?url=" + url.QueryEscape(s.cfg.Site.BaseURL+p.Path)
	return []feedLink{{Type: "application/json+oembed", Href: ask, Title: p.Title}, {Type: "text/xml+oembed", Href: ask + "&format=xml", Title: p.Title}}
}
