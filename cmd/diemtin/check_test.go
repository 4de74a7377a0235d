package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"diemtin/store"
)

// Where agreements are required, check lists the outlets that are shown without
// one, each with its line; the service starts all the same.
func TestCheckAgreements(t *testing.T) {
	t.Parallel()
	today := store.DayOf(time.Now())
	name := filepath.Join(t.TempDir(), "x.yaml")
	write := func(agreements string) {
		text := fmt.Sprintf(`site: {title: x, base_url: "https://tin.example.vn"%s}
outlets:
  - {id: co, name: Có, domains: [co.example], scope: national, agreement: {ref: 12/VB, until: %s}, sources: [{id: co-1, url: "https://co.example/rss"}]}
  - {id: het, name: Hết, domains: [het.example], scope: national, agreement: {ref: 13/VB, until: %s}}
  - {id: khong, name: Không, domains: [khong.example], scope: national}
  - {id: an, name: Ẩn, domains: [an.example], scope: national, show: none}
`, agreements, today, today.Prev())
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("")
	if stdout, stderr, code := output(t, "check", "--config", name); code != 0 {
		t.Errorf("without the switch: exit %d, %q %q", code, stdout, stderr)
	}
	write(", agreements: required")
	_, stderr, code := output(t, "check", "--config", name)
	want := fmt.Sprintf("diemtin: 2 of 4 outlets may not be given out by site.agreements:\n%s:4: het: the agreement 13/VB ended on %s\n%s:5: khong: no agreement\n", name, today.Prev(), name)
	if code != 1 || stderr != want {
		t.Errorf("exit %d, %q, want %q", code, stderr, want)
	}
	if _, err := loadConfig(name); err != nil {
		t.Errorf("the service does not start: %v", err)
	}
	write(", agreements: all")
	if _, stderr, _ := output(t, "check", "--config", name); !strings.Contains(stderr, `site.agreements: agreements "all": want required`) {
		t.Errorf("a wrong word: %q", stderr)
	}
}
