package main

import (
	"encoding/json"
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
	issued, errs, code := editor("partner", "issue", "so", "--why", "khoá mới")
	fresh := field(issued, "key")
	if code != 0 || fresh == "" {
		t.Fatalf("issue: exit %d, %s%s", code, issued, errs)
	}
	hide := `{"verb":"hide","story":"https://baomot.example/b"}`
	if code, _ := byKey(fresh, hide); code != 201 {
		t.Errorf("the issued key: %d", code)
	}
	for _, order := range []string{`{"verb":"issue"}`, `{"verb":"revoke"}`} {
		if code, _ := byKey(fresh, order); code != 403 {
			t.Errorf("%s by a partner's own key: %d", order, code)
		}
	}
	for _, of := range []struct{ partner, key string }{{"so", fresh}, {"cong", key}} { // the second stands in feeds.yaml
		if out, errs, code := editor("partner", "revoke", of.partner); code != 0 || !strings.Contains(out, "1 keys of "+of.partner) {
			t.Errorf("revoke: exit %d, %s%s", code, out, errs)
		}
		if code, _ := byKey(of.key, hide); code != 401 {
			t.Errorf("a revoked key of %s: %d", of.partner, code)
		}
	}
	ledger, _, _ := editor("rulings")
	for _, want := range []string{"partner-hide", "partner cong", "partner so", "khoá mới", "key", "revoke", "restore"} {
		if !strings.Contains(ledger, want) {
			t.Errorf("the ledger lacks %q:\n%s", want, ledger)
		}
	}
	if _, page := get(t, p.public+"/stories/"+storyOf(t, p, "Cầu treo")+"/explain"); strings.Contains(page, "cong") || strings.Contains(page, "Khôi phục") {
		t.Error("what a partner hid, and why, is told to everybody")
	}
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"partner", "issue", "ai-do"}, 1, "it has cong, so"},
		{[]string{"partner", "revoke", "so"}, 1, "so holds no key"},
		{[]string{"partner", "revoke"}, 2, "want PARTNER"},
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

// storyOf is the id of the story whose headline begins so.
func storyOf(t *testing.T, p *program, title string) string {
	t.Helper()
	_, body := get(t, p.public+"/api/v1/stories")
	var list struct {
		Stories []struct{ ID, Title string }
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		t.Fatal(err)
	}
	for _, s := range list.Stories {
		if strings.HasPrefix(s.Title, title) {
			return s.ID
		}
	}
	t.Fatalf("no story %q in %s", title, body)
	return ""
}
