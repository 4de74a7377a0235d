package syndicate

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file of testdata/golden.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", file)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s differs; if that is meant, run go test ./syndicate -update and read the diff\ngot:\n%s", path, got)
	}
}

func TestFormatsGolden(t *testing.T) {
	t.Parallel()
	day := typicalFeed()
	day.Channel, day.Size = day.Channel.onDay("2024-11-05"), 20
	feeds := map[string]Feed{
		"topic": typicalFeed(),
		"day":   day,
		"empty": sampleFeed("channels", "dang-va-kinh-te"),
	}
	for name, feed := range feeds {
		for _, f := range formats {
			t.Run(name+"/"+f.name, func(t *testing.T) {
				t.Parallel()
				got, err := f.render(feed)
				if err != nil {
					t.Fatal(err)
				}
				golden(t, name+"."+f.name, got)
			})
		}
	}
}
