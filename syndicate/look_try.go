package syndicate

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"
)

// bodies are what the template of each page reads.
var bodies = map[string]any{
	"channel": channelView{}, "day": dayView{}, "days": daysView{}, "explain": explainView{}, "gioi-thieu": aboutView{},
	"home": homeView{}, "index": indexView{}, "missing": missingView{}, "mix": askedView{}, "nguon-cap-tin": feedsView{}, "nhung": nhungView{},
	"notice": noticeView{}, "search": askedView{}, "status": statusView{}, "story": storyView{}, "theo-doi": followView{}, "unclassified": unclassifiedView{},
}

// sampleText stands in trials wherever a page has a text, sampleTime where it
// has a time.
const sampleText = "x"

var sampleTime = time.Date(2024, time.November, 5, 14, 15, 0, 0, time.UTC)

// try tries the templates in a language.
func (l look) try(in *language) error {
	sample := *in
	sample.words = maps.Clone(in.words)
	sample.words[sampleText], sample.words[""] = "", "" // the keys of texts that a page names are samples too
	v, err := parseViews(l, &sample)
	if err != nil {
		return err
	}
	page, err := v.try()
	if err == nil || strings.Contains(err.Error(), l.dir) {
		return err
	}
	// html/template does not always say where: then it is the page's own file,
	// or a fragment in it.
	at := l.dir
	if _, own := l.own[page+".html"]; own {
		at = filepath.Join(l.dir, page+".html")
	}
	return fmt.Errorf("%s: %w", at, err)
}

// try writes every page twice, with everything it could show and with nothing,
// so that a template that asks for what is not there is found at the start and
// not by a reader. It returns the first page that is at fault.
func (v views) try() (page string, err error) {
	for _, name := range slices.Sorted(maps.Keys(v)) {
		body, ok := bodies[name]
		if !ok {
			return name, fmt.Errorf("page %s cannot be tried: nothing says what it reads", name)
		}
		for _, full := range []bool{true, false} {
			var f frame
			of := reflect.New(reflect.TypeOf(body)).Elem()
			if full {
				fill(reflect.ValueOf(&f).Elem(), 0)
				fill(of, 0)
			}
			f.View, f.Path, f.Body = name, sampleText, of.Interface()
			if err := v.render(io.Discard, f); err != nil {
				return name, plainError(err)
			}
		}
	}
	return "", nil
}

// maxFill bounds how deep a value is filled: some types hold themselves.
const maxFill = 8

// fill puts something into every place of a value that templates can read.
func fill(v reflect.Value, depth int) {
	if depth > maxFill || !v.CanSet() && v.Kind() != reflect.Struct {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(sampleText)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Float64:
		v.SetFloat(1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), depth+1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), depth+1)
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), depth+1)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(sampleTime))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), depth+1)
		}
	}
}
