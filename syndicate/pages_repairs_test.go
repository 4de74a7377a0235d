package syndicate

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"diemtin/store"
)

// TestRepairsHaveTexts reads the aggregator's sources for the kinds of repairs
// it notes: each has a text in both languages, and no text is left over.
func TestRepairsHaveTexts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../aggregator/*.go")
	if err != nil {
		t.Fatal(err)
	}
	noted := map[string]bool{}
	for _, name := range append(files, "../aggregator/vi/encoding.go") {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?:\.addN?\(|Repair\w+\s*= )"([a-z0-9]+_[a-z0-9_]+|duplicate|recovered|mojibake)"`).FindAllSubmatch(text, -1) {
			noted[string(m[1])] = true
		}
	}
	if len(noted) < 30 {
		t.Errorf("only %d kinds were found", len(noted))
	}
	for kind := range noted {
		text := repairTexts[kind]
		if text.Is.VI == "" || text.Is.EN == "" || (text.Fix.VI == "") != (text.Fix.EN == "") {
			t.Errorf("%s: texts %+v", kind, text)
		}
	}
	for kind := range repairTexts {
		if !noted[kind] {
			t.Errorf("%s: nobody notes such a repair", kind)
		}
	}
	s := &Server{lang: languages[0]}
	if rows := s.repairRows([]store.Repair{{Kind: "of_tomorrow", Count: 2}}); len(rows) != 1 || rows[0] != (repairRow{What: "2 × of_tomorrow"}) {
		t.Errorf("a kind of a newer program: %+v", rows)
	}
}
