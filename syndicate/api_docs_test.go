package syndicate

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every example of docs/api.md does what the page says, typed as it stands into
// a shell: it answers by 200, or as the block after it shows.
func TestAPIExamplesRun(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("there is no curl; .ci/packages installs it")
		}
		t.Skip("there is no curl")
	}
	page, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	s := newAPISite(t)
	run := 0
	blocks := regexp.MustCompile("(?ms)^```(sh|json)\n(.*?)^```$").FindAllStringSubmatch(string(page), -1)
	for i, b := range blocks {
		if b[1] != "sh" {
			continue
		}
		for line := range strings.Lines(b[2]) {
			run++
			line = strings.ReplaceAll(strings.TrimSpace(line), "https://tin.example.vn", s.base)
			cmd := exec.Command("sh", "-ec", line)
			cmd.Dir = t.TempDir()
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(cmd.Dir, "none"), "NO_PROXY=*"}
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%s: %v\n%s", line, err, out)
				continue
			}
			if i+1 < len(blocks) && blocks[i+1][1] == "json" {
				if string(out) != blocks[i+1][2] {
					t.Errorf("%s\nsays %s\nand not %s", line, out, blocks[i+1][2])
				}
				continue
			}
			if said := string(out); strings.Contains(said, `"status":`) || len(said) < 4 || strings.Contains(said, `"stories":[]`) {
				t.Errorf("%s\nsays %.300s", line, said)
			}
		}
	}
	if run < 10 {
		t.Errorf("only %d examples were found", run)
	}
}
