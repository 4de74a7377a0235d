package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"diemtin/syndicate"
)

// A partner's story is gone from its own embeds at once, through the service
// and by its own key, and from no other place.
func TestPartnerHides(t *testing.T) {
	t.Parallel()
	one, two, config := pressRoom(t)
	file, dsn := config("feed.rss"), "sqlite:"+filepath.Join(t.TempDir(), "x.db")
	const key = "dt_của-đối-tác"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = fmt.Appendf(text, "partners:\n  - {id: cong, name: Cổng, key: %s}\n  - {id: so, name: Sở, origins: [\"https://so.example.vn\"]}\n", syndicate.HashToken(key))
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	one.tell(told{"1", "https://baomot.example/a", "Cầu treo Nậm Lúc nối đôi bờ suối dữ", wire},
		told{"2", "https://baomot.example/b", "Giá vàng miếng tăng phiên thứ ba liên tiếp", "Giá vàng miếng sáng nay tăng thêm 400.000 đồng mỗi lượng."})
	two.tell()
	p, editor := serveEditors(t, file, dsn)
	p.swept(t)
	shown := func(partner, title string) bool {
		resp, body := get(t, p.public+"/embed/items.json?partner="+partner)
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("embed of %s: %s", partner, resp.Status)
		}
		return strings.Contains(body, title)
	}
	if !shown("cong", "Cầu treo") || !shown("cong", "Giá vàng") {
		t.Fatal("the embed lacks the stories")
	}
	out, errs, code := editor("partner", "hide", "cong", "https://baomot.example/a", "--why", "trùng tin của cổng")
	if code != 0 || !strings.Contains(out, "is hidden from the embeds of cong") {
		t.Fatalf("hide: exit %d, %s%s", code, out, errs)
	}
	eventually(t, "the embed to follow", func() bool { return !shown("cong", "Cầu treo") })
	if !shown("so", "Cầu treo") {
		t.Error("another partner's embed lacks the story")
	}
	if _, feed := get(t, p.public+"/feed.atom"); !strings.Contains(feed, "Cầu treo") {
		t.Error("the feed lacks the story")
	}
	byKey := func(key, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.admin+syndicate.PartnersPath, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+key)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode, resp.Header.Get("Content-Type")
	}
	for _, tt := range []struct {
		key, body string
		code      int
	}{
		{key, `{"verb":"hide","story":"https://baomot.example/b"}`, 201}, {key, `{"verb":"hide","story":"https://baomot.example/b"}`, 409},
		{key, `{"verb":"hide","partner":"so","story":"https://baomot.example/b"}`, 403}, {"falsch", `{"verb":"hide","partner":"cong","story":"x"}`, 401},
		{syndicate.HashToken(key), `{"verb":"hide","partner":"cong","story":"x"}`, 401}, {key, `{"verb":"burn","story":"https://baomot.example/b"}`, 409},
		{key, `{"verb":"hide","story":"https://baomot.example/none"}`, 404}, {key, `{"verb":"hide","stroy":"x"}`, 400},
	} {
		if code, media := byKey(tt.key, tt.body); code != tt.code || code >= 400 && media != "application/problem+json" {
			t.Errorf("%s: %d %s, want %d", tt.body, code, media, tt.code)
		}
	}
	eventually(t, "the embed to follow", func() bool { return !shown("cong", "Giá vàng") })
	if out, errs, code := editor("partner", "show", "cong", "https://baomot.example/a"); code != 0 {
		t.Fatalf("show: exit %d, %s%s", code, out, errs)
	}
	eventually(t, "the story to come back", func() bool { return shown("cong", "Cầu treo") })
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"partner", "hide", "cong"}, 2, "want PARTNER STORY|URL"},
		{[]string{"partner", "hide", "ai-do", "x"}, 1, "it has cong, so"},
		{[]string{"partner", "show", "so", "https://baomot.example/a"}, 1, "not found among those that so hides"},
		{[]string{"partner", "list", "a", "b"}, 2, "unexpected argument"},
	} {
		if _, errs, code := editor(tt.args...); code != tt.code || !strings.Contains(errs, tt.want) {
			t.Errorf("%v: exit %d, %s; want %d, %s", tt.args, code, errs, tt.code, tt.want)
		}
	}
	out, errs, code = editor("partner", "list")
	for _, want := range []string{"https://so.example.vn", "(any site)", "trùng tin của cổng", "lan", "partner cong", " by lan"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("list: exit %d, lacks %q: %s%s", code, want, out, errs)
		}
	}
	if n := p.metric(t, `diemtin_embed_requests_total{code="200",form="items",partner="cong"}`); n < 4 {
		t.Errorf("the partner's counter is at %v", n)
	}
	p.stop(t)
	out, errs, code = run2(t, command(t, "partner", "list", "--config", file, "--db", dsn, "cong"))
	if code != 0 || strings.Contains(out, "so.example.vn") || !strings.Contains(out, "trùng tin của cổng") {
		t.Errorf("list without a service: exit %d, %s%s", code, out, errs)
	}
}
