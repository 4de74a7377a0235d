package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"diemtin/aggregator"
)

const reference = "docs/feeds-yaml.md"

// documentedKeys reads the reference: its headings in code are paths, the rows
// below them keys. It returns what each path's type column says.
func documentedKeys(t *testing.T) map[string]string {
	t.Helper()
	heading := regexp.MustCompile("^#{2,3} `([^`]+)`$")
	row := regexp.MustCompile("^\\| `([a-z][a-z0-9_]*)` \\| ([^|]+) \\|")
	keys, prefix := map[string]string{}, ""
	for line := range strings.SplitSeq(repoFile(t, reference), "\n") {
		if m := heading.FindStringSubmatch(line); m != nil {
			prefix = m[1] + "."
		} else if m := row.FindStringSubmatch(line); m != nil {
			path := prefix + m[1]
			if _, twice := keys[path]; twice {
				t.Errorf("%s has %s twice", reference, path)
			}
			keys[path] = m[2]
		}
	}
	return keys
}

// configKeys walks the types of feeds.yaml and returns the type of each path in
// the words of the reference.
func configKeys(typ reflect.Type, prefix string, into map[string]string) {
	for i := range typ.NumField() {
		key := typ.Field(i).Tag.Get("yaml")
		if key == "" {
			continue
		}
		path := prefix + key
		word, inner := typeWord(typ.Field(i).Type)
		into[path] = word
		if strings.HasPrefix(word, "list of keys") {
			path += "[]"
		}
		if inner != nil {
			configKeys(inner, path+".", into)
		}
	}
}

// typeWord names a type as the reference does, and the struct within it.
func typeWord(typ reflect.Type) (word string, inner reflect.Type) {
	switch typ.Kind() {
	case reflect.Pointer:
		return typeWord(typ.Elem())
	case reflect.Slice:
		word, inner = typeWord(typ.Elem())
		return "list of " + word, inner
	case reflect.Struct:
		return "keys", typ
	case reflect.String:
		return "text", nil
	case reflect.Bool:
		return "true or false", nil
	case reflect.Float64:
		return "number", nil
	case reflect.Int, reflect.Int64:
		if typ == reflect.TypeFor[aggregator.Duration]() {
			return "duration", nil
		}
		return "whole number", nil
	}
	return typ.String(), nil
}

// Every key of feeds.yaml is in the reference with its type, and no other.
func TestFeedsYAMLReference(t *testing.T) {
	t.Parallel()
	want := map[string]string{}
	configKeys(reflect.TypeFor[file](), "", want)
	have := documentedKeys(t)
	for path, word := range want {
		if have[path] != word {
			t.Errorf("%s: %s has type %q, the program %q", reference, path, have[path], word)
		}
	}
	for path := range have {
		if _, ok := want[path]; !ok {
			t.Errorf("%s documents %s, which does not exist", reference, path)
		}
	}
	if len(want) < 60 {
		t.Errorf("only %d keys were found: the walk is broken", len(want))
	}
}

// fences lists the code blocks of a page by their kind ("yaml", "yaml broken").
func fences(page string) (kinds, blocks []string) {
	for _, m := range regexp.MustCompile("(?ms)^```([a-z ]+)\n(.*?)^```$").FindAllStringSubmatch(page, -1) {
		kinds, blocks = append(kinds, m[1]), append(blocks, m[2])
	}
	return kinds, blocks
}

// Every example of the reference is read as it stands, with the required
// sections that it leaves out; every broken one says what the page claims.
func TestFeedsYAMLExamples(t *testing.T) {
	t.Parallel()
	site := "site: {title: x, base_url: \"https://x.example\"}\n"
	outlets := "outlets: [{id: x, name: X, domains: [x.example], scope: national}]\n"
	kinds, blocks := fences(repoFile(t, reference))
	good, broken := 0, 0
	for i, kind := range kinds {
		switch kind {
		case "yaml":
			good++
			text := blocks[i]
			if !strings.Contains(text, "site:") {
				text += site
			}
			if !strings.Contains(text, "\noutlets:") && !strings.HasPrefix(text, "outlets:") {
				text += outlets
			}
			cfg, found := readFile("example", []byte(text))
			checkExamples(cfg, found)
			if err := found.err(); err != nil {
				t.Errorf("%s:\n%s\n%v", reference, blocks[i], err)
			}
		case "yaml broken":
			broken++
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "feeds.yaml"), []byte(blocks[i]), 0o644); err != nil {
				t.Fatal(err)
			}
			cmd := command(t, "check")
			cmd.Dir = dir
			said, err := cmd.CombinedOutput()
			if err == nil || i+1 == len(blocks) || string(said) != blocks[i+1] {
				t.Errorf("%s: check says %v\n%s", reference, err, said)
			}
		}
	}
	if good < 5 || broken != 1 {
		t.Errorf("%d good and %d broken examples were found", good, broken)
	}
}

// pages lists everything we wrote in Markdown.
func pages(t *testing.T) []string {
	t.Helper()
	all := []string{"README.md", "CHANGELOG.md"}
	for _, pattern := range []string{"docs/*.md", "docs/*/*.md"} {
		found, err := filepath.Glob(root + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			all = append(all, strings.TrimPrefix(f, root))
		}
	}
	return all
}

// anchors are the fragments that a page's headings have.
func anchors(page string) []string {
	var all []string
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(page, -1) {
		all = append(all, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, m[1]))
	}
	return all
}

// A link between our pages leads somewhere.
func TestDocLinks(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	code := regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	for _, name := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(repoFile(t, name), ""), -1) {
			target, fragment, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			file := name
			if target != "" {
				file = filepath.Join(filepath.Dir(name), target)
			}
			if _, err := os.Stat(root + file); err != nil {
				t.Errorf("%s links to %s, which does not exist", name, m[1])
				continue
			}
			if fragment != "" && !slices.Contains(anchors(repoFile(t, file)), fragment) {
				t.Errorf("%s links to %s, which has no such heading", name, m[1])
			}
		}
	}
}

// A command that a page tells people to type is one that the program takes.
func TestDocumentedCommands(t *testing.T) {
	t.Parallel()
	line := regexp.MustCompile(`(?m)(?:^|/|-u diemtin |\s|&& )diemtin ((?:serve|demo|poll|probe|explain|rulings|token|check|config|reload|status|doctor|health|version)\b[^\n#|&;)]*)`)
	checked := 0
	for _, name := range pages(t) {
		kinds, blocks := fences(repoFile(t, name))
		for i, block := range blocks {
			if !slices.Contains([]string{"sh", "text", "ini", "yaml"}, kinds[i]) {
				continue
			}
			for _, m := range line.FindAllStringSubmatch(strings.ReplaceAll(block, "\\\n", " "), -1) {
				checked++
				if err := commandParses(strings.Fields(m[1])); err != nil {
					t.Errorf("%s: diemtin %s: %v", name, m[1], err)
				}
			}
		}
	}
	if checked < 10 {
		t.Errorf("only %d commands were found", checked)
	}
}

// named are paths of this repository as pages write them in code.
var named = regexp.MustCompile("`((?:aggregator|cmd/diemtin|store|syndicate|deploy|docs|\\.ci)/[A-Za-z0-9_./-]+)`")

// A file that the map names is there.
func TestNamedFilesExist(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, name := range pages(t) {
		for _, m := range named.FindAllStringSubmatch(repoFile(t, name), -1) {
			checked++
			if _, err := os.Stat(root + m[1]); err != nil {
				t.Errorf("%s names %s, which does not exist", name, m[1])
			}
		}
	}
	if checked < 20 {
		t.Errorf("only %d files were found", checked)
	}
}

// A decision is one page in one form.
func TestDecisionsForm(t *testing.T) {
	t.Parallel()
	const longest = 60 // lines
	all, err := filepath.Glob(root + "docs/decisions/*.md")
	if err != nil || len(all) < 2 {
		t.Fatalf("decisions: %v, %v", all, err)
	}
	for i, path := range all {
		name := strings.TrimPrefix(path, root)
		if !strings.HasPrefix(filepath.Base(name), fmt.Sprintf("%04d-", i+1)) {
			t.Errorf("%s: want number %04d", name, i+1)
		}
		if strings.HasPrefix(filepath.Base(name), "0002-") {
			continue // written before the form was fixed
		}
		page := repoFile(t, name)
		if n := strings.Count(page, "\n"); n > longest {
			t.Errorf("%s has %d lines, want at most %d", name, n, longest)
		}
		var parts []string
		for _, m := range regexp.MustCompile(`(?m)^## (.*)$`).FindAllStringSubmatch(page, -1) {
			parts = append(parts, m[1])
		}
		if want := []string{"Context", "Decision", "Reasons", "What it costs"}; !slices.Equal(parts, want) {
			t.Errorf("%s has the parts %q, want %q", name, parts, want)
		}
		if !strings.HasPrefix(page, fmt.Sprintf("# %d. ", i+1)) {
			t.Errorf("%s: the title does not begin with its number", name)
		}
	}
}
