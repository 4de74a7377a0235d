package syndicate

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template/parse"

	"go.yaml.in/yaml/v3"
)

// look is what pages are made of: the embedded files of web/, and in their
// place, or beside them, those of a folder of the operator's. It is read once,
// at the start.
type look struct {
	dir string
	own map[string]string // the operator's files by their names in web/, as "parts/card.html"
}

// maxOwnFile bounds one file of the operator's folder, in bytes: far more than
// any of ours, far less than a film dropped there by mistake.
const maxOwnFile = 1 << 20

// ownFiles are the files beside templates that the folder may hold. theme.css
// follows our stylesheet; all others stand in the place of ours.
var ownFiles = []string{"style.css", "theme.css", "feed.css", "favicon.svg", "words.vi.yaml", "words.en.yaml"}

// openLook reads the operator's folder; "" means that there is none.
func openLook(dir string) (look, error) {
	l := look{dir: dir, own: map[string]string{}}
	if dir == "" {
		return l, nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return l, fmt.Errorf("open the folder of templates: %w", err)
	}
	defer root.Close()
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(d.Name(), "."), strings.HasPrefix(d.Name(), "README"):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return nil
		}
		return l.take(root, name)
	})
	if err != nil {
		return l, fmt.Errorf("read the folder of templates: %w", err)
	}
	return l, nil
}

// take reads one of the operator's files, if it has a place.
func (l look) take(root *os.Root, name string) error {
	folder, ext := path.Dir(name), path.Ext(name)
	_, err := fs.Stat(web, "web/"+name)
	known := slices.Contains(ownFiles, name) || ext == ".html" && (folder == "parts" || folder == "." && err == nil)
	if !known {
		return fmt.Errorf("%s: no page or file of that name; want a page such as story.html, a part such as parts/card.html, or %s",
			filepath.Join(l.dir, name), strings.Join(ownFiles, ", "))
	}
	info, err := root.Stat(name)
	if err != nil {
		return err
	}
	if info.Size() > maxOwnFile {
		return fmt.Errorf("%s has %d bytes; want at most %d", filepath.Join(l.dir, name), info.Size(), maxOwnFile)
	}
	text, err := root.ReadFile(name)
	l.own[name] = string(text)
	return err
}

// file is the operator's file of a name, else ours.
func (l look) file(name string) ([]byte, error) {
	if text, ok := l.own[name]; ok {
		return []byte(text), nil
	}
	return web.ReadFile("web/" + name)
}

// style is the stylesheet, with the operator's theme after it.
func (l look) style() ([]byte, error) {
	text, err := l.file("style.css")
	if theme, ok := l.own["theme.css"]; ok {
		text = append(append(text, '\n'), theme...)
	}
	return text, err
}

// addressOf names an asset by its content, so that browsers may keep it for
// ever and never show a page with an older one.
func addressOf(name string, content []byte) string {
	sum := sha256.Sum256(content)
	return "/assets/" + name + "?v=" + hex.EncodeToString(sum[:6])
}

// parse adds to templates those of a file: first ours, then the operator's,
// which take the place of ours of the same name.
func (l look) parse(t *template.Template, name string) (*template.Template, error) {
	if text, err := web.ReadFile("web/" + name); err == nil {
		if t, err = t.New(name).Parse(string(text)); err != nil {
			return nil, err
		}
	}
	text, ok := l.own[name]
	if !ok {
		return t, nil
	}
	at := filepath.Join(l.dir, name)
	t, err := t.New(at).Parse(text)
	if err != nil {
		return nil, plainError(err)
	}
	if t.Tree != nil && !parse.IsEmptyTree(t.Tree.Root) {
		return nil, fmt.Errorf("%s:1: text outside {{define}} is never shown", at)
	}
	for _, def := range ownDefine.FindAllStringSubmatchIndex(text, -1) {
		if name := text[def[2]:def[3]]; !l.uses(name) {
			return nil, fmt.Errorf("%s:%d: nothing uses a template %q", at, 1+strings.Count(text[:def[0]], "\n"), name)
		}
	}
	return t, nil
}

var ownDefine = regexp.MustCompile(`\{\{-?\s*define\s+"([^"]*)"`)

// uses says whether a template of ours or the operator's calls for one of that
// name.
func (l look) uses(name string) bool {
	call := regexp.MustCompile(`\{\{-?\s*template\s+"` + regexp.QuoteMeta(name) + `"`)
	for _, text := range l.own {
		if call.MatchString(text) {
			return true
		}
	}
	found := name == "frame"
	fs.WalkDir(web, "web", func(file string, d fs.DirEntry, err error) error {
		if err == nil && path.Ext(file) == ".html" && !found {
			text, err := web.ReadFile(file)
			found = err == nil && call.Match(text)
		}
		return err
	})
	return found
}

// plainError leaves out of an error of a template package what says only that
// it is one: what remains begins with the file and the line.
func plainError(err error) error {
	text := err.Error()
	for _, prefix := range []string{"template: ", "html/template:"} {
		text = strings.TrimPrefix(text, prefix)
	}
	return errors.New(text)
}

// partNames lists the files of fragments, ours and the operator's.
func (l look) partNames() ([]string, error) {
	ours, err := fs.Glob(web, partials)
	names := map[string]bool{}
	for _, name := range ours {
		names[strings.TrimPrefix(name, "web/")] = true
	}
	for name := range l.own {
		if path.Dir(name) == "parts" {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names)), err
}

// verbs are what a text has put in.
var verbs = regexp.MustCompile(`%[-+# 0]*[0-9]*[a-z]`)

// words are the texts of a language with the operator's in place of ours.
func (l look) words(lang string, ours words) (words, error) {
	name := "words." + lang + ".yaml"
	text, ok := l.own[name]
	if !ok {
		return ours, nil
	}
	at := filepath.Join(l.dir, name)
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	if len(doc.Content) == 0 {
		return ours, nil
	}
	if doc.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: want lines such as nav.home: Mới nhất", at, doc.Content[0].Line)
	}
	all := maps.Clone(ours)
	for i := 0; i+1 < len(doc.Content[0].Content); i += 2 {
		key, value := doc.Content[0].Content[i], doc.Content[0].Content[i+1]
		old, known := ours[key.Value]
		switch {
		case !known:
			return nil, fmt.Errorf("%s:%d: no text is called %q", at, key.Line, key.Value)
		case value.Kind != yaml.ScalarNode:
			return nil, fmt.Errorf("%s:%d: %s: want a text", at, value.Line, key.Value)
		case !slices.Equal(verbs.FindAllString(old, -1), verbs.FindAllString(value.Value, -1)):
			return nil, fmt.Errorf("%s:%d: %s: want %q in it, in this order, as in %q", at, value.Line, key.Value, verbs.FindAllString(old, -1), old)
		}
		all[key.Value] = value.Value
	}
	return all, nil
}

// language is one of ours with the operator's texts.
func (l look) language(ours *language) (*language, error) {
	texts, err := l.words(ours.tag, ours.words)
	own := *ours
	own.words = texts
	return &own, err
}

// openPages reads all that pages are made of.
func (s *Server) openPages() (err error) {
	s.look, s.languages, s.views, err = openViews(s.cfg.Site.Templates)
	if err != nil {
		return err
	}
	s.lang, s.words = s.languages[0], s.languages[0].words
	sheet, err := s.look.style()
	s.styleAddress = addressOf("style.css", sheet)
	return err
}

// openViews reads the templates and texts of a look in all languages; those of
// an operator's folder are tried.
func openViews(dir string) (l look, spoken []*language, all map[*language]views, err error) {
	if l, err = openLook(dir); err != nil {
		return l, nil, nil, err
	}
	all = map[*language]views{}
	for _, ours := range languages {
		own, err := l.language(ours)
		if err != nil {
			return l, nil, nil, err
		}
		if dir != "" {
			if err := l.try(own); err != nil {
				return l, nil, nil, err
			}
		}
		if all[own], err = parseViews(l, own); err != nil {
			return l, nil, nil, err
		}
		spoken = append(spoken, own)
	}
	return l, spoken, all, nil
}
