package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"diemtin/store"
)

// An editor's verbs on the database alone, and what they say to what cannot be.
func TestEditorsVerbs(t *testing.T) {
	t.Parallel()
	one, two, config := pressRoom(t)
	dir := t.TempDir()
	file, dsn := config("feed.rss"), "sqlite:"+filepath.Join(dir, "x.db")
	one.tell(told{"1", "https://baomot.example/a", "Cầu treo Nậm Lúc nối đôi bờ suối dữ", wire},
		told{"2", "https://baomot.example/b", "Giá vàng miếng tăng phiên thứ ba liên tiếp", "Giá vàng miếng sáng nay tăng thêm 400.000 đồng mỗi lượng."})
	two.tell()
	verb := func(args ...string) (string, string, int) {
		t.Helper()
		return run2(t, command(t, append(args, "--config", file, "--db", dsn)...))
	}
	if _, errs, code := verb("poll"); code != 0 {
		t.Fatal(errs)
	}
	rule := func(args ...string) store.Ruling {
		t.Helper()
		out, errs, code := verb(append([]string{"story", "--json", "--who", "lan"}, args...)...)
		var r store.Ruling
		if err := json.Unmarshal([]byte(out), &r); code != 0 || err != nil {
			t.Fatalf("%v: exit %d, %s%s", args, code, out, errs)
		}
		return r
	}
	a, b := rule("hide", "https://baomot.example/a"), rule("takedown", "https://baomot.example/b", "--why", "thử")
	if a.Who != "lan" || a.Story == b.Story || len(b.Items) != 1 {
		t.Errorf("rulings %+v, %+v", a, b)
	}
	rule("restore", "urn:diemtin:story:"+a.Story)
	rule("restore", "2")
	rule("topic", "https://tin.example.vn/stories/"+a.Story, "+giao-duc", "-the-thao")
	added := rule("add", "--outlet", "bao-hai", "--title", "Thông báo của toà soạn", "--summary", "Không có tin.")
	merged := rule("merge", a.Story, added.Story, "--why", "thử")
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"story"}, 2, "story: which order?"},
		{[]string{"story", "mrege", "x", "y"}, 2, `unknown order "mrege"`},
		{[]string{"story", "merge", a.Story}, 2, "story merge: want STORY STORY"},
		{[]string{"story", "merge", a.Story, a.Story}, 1, "cannot be merged with itself"},
		{[]string{"story", "merge", a.Story, added.Story}, 1, "one story already"},
		{[]string{"story", "hide", a.Story[:11] + "aa"}, 1, "the nearest is " + a.Story},
		{[]string{"story", "hide", "https://baomot.example/none"}, 1, "the address of no article here"},
		{[]string{"story", "pin", a.Story, "https://baomot.example/b"}, 1, "is not in story " + a.Story + " but in " + b.Story},
		{[]string{"story", "pin", a.Story, "x"}, 1, "want its number"},
		{[]string{"story", "takedown", a.Story}, 1, "say why"},
		{[]string{"story", "takedown", "--outlet", "bao-ba", "--why", "x"}, 1, "outlet bao-ba: not found"},
		{[]string{"story", "unmerge", "99"}, 1, "ruling 99: not found"},
		{[]string{"story", "unmerge", "1"}, 1, "already undone"},
		{[]string{"story", "topic", a.Story, "+kinh-tee"}, 1, "not found in feeds.yaml"},
		{[]string{"story", "add", "https://nobody.example/x"}, 1, "no outlet of feeds.yaml has the domain nobody.example"},
		{[]string{"story", "add"}, 1, "give the address of an article, or a headline"},
		{[]string{"rulings", "--limit", "0"}, 2, "want 1 to"},
		{[]string{"token"}, 2, "want one name"},
	} {
		if tt.args[0] == "token" {
			if _, errs, code := output(t, "token"); code != tt.code || !strings.Contains(errs, tt.want) {
				t.Errorf("%v: exit %d, %s", tt.args, code, errs)
			}
			continue
		}
		if _, errs, code := verb(tt.args...); code != tt.code || !strings.Contains(errs, tt.want) {
			t.Errorf("%v: exit %d, %s; want %d, %s", tt.args, code, errs, tt.code, tt.want)
		}
	}
	out, errs, code := verb("rulings", "--json", a.Story)
	var ledger []store.Ruling
	if err := json.Unmarshal([]byte(out), &ledger); code != 0 || err != nil || len(ledger) < 3 || ledger[0].ID != merged.ID || ledger[0].Why != "thử" {
		t.Errorf("rulings: exit %d, %s%s", code, out, errs)
	}
	// While a service holds the database, the verbs say how to go through it.
	p, editor := serveEditors(t, file, dsn)
	if _, errs, code := verb("story", "hide", a.Story); code != 1 || !strings.Contains(errs, "DIEMTIN_TOKEN") || !strings.Contains(errs, "--admin") {
		t.Errorf("without a token: exit %d, %s", code, errs)
	}
	cmd := command(t, "story", "hide", a.Story, "--admin", "127.0.0.1:1", "--config", file, "--db", dsn)
	cmd.Env = append(os.Environ(), "DIEMTIN_TOKEN=x")
	if _, errs, code := run2(t, cmd); code != 1 || !strings.Contains(errs, "no admin listener answers at 127.0.0.1:1") {
		t.Errorf("at the wrong address: exit %d, %s", code, errs)
	}
	cmd = command(t, "story", "hide", a.Story, "--admin", strings.TrimPrefix(p.admin, "http://"), "--config", file, "--db", dsn)
	cmd.Env = append(os.Environ(), "DIEMTIN_TOKEN=x")
	if _, errs, code := run2(t, cmd); code != 1 || !strings.Contains(errs, "want a token of this service") {
		t.Errorf("with a wrong token: exit %d, %s", code, errs)
	}
	if out, errs, code := editor("rulings"); code != 0 || !strings.Contains(out, "lan") {
		t.Errorf("rulings: exit %d, %s%s", code, out, errs)
	}
	if out, errs, code := editor("story", "hide", a.Story[:11]+"aa"); code != 1 || !strings.Contains(errs, "the nearest is "+a.Story) {
		t.Errorf("a typo through the service: exit %d, %s%s", code, out, errs)
	}
	p.stop(t)
}
