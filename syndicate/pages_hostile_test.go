package syndicate_test

import (
	"strings"
	"testing"

	"diemtin/store"
)

// TestHostileItem: what the store should never hold does no harm on pages.
func TestHostileItem(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bad := article("nhandan", "", strings.Repeat("x", 5000), noon, "kinh-te")
	bad.Link, bad.Attribution = "javascript:alert(1)", store.Attribution{Text: "BÁO NHÂN DÂN", Link: "data:text/html,x"}
	s.publish("nhandan", bad, article("nhandan", "Đảo \u202echiều", "Lời \u202engược.", noon.Add(-1), "kinh-te"))
	path := s.story("Tin của Báo Nhân Dân")
	for _, path := range []string{"/", path, path + "/explain", "/topics/kinh-te/", "/days/2024-11-05/", s.story("Đảo chiều")} {
		html, err := s.page(path).Html()
		if err != nil {
			t.Fatal(err)
		}
		for _, no := range []string{"javascript:", "data:text", "ZgotmplZ", "\u202e", strings.Repeat("x", 1000), "theo BÁO"} {
			if strings.Contains(html, no) {
				t.Errorf("%s shows %.20q", path, no)
			}
		}
	}
	if got := s.page(path).Find(".go a").AttrOr("href", ""); got != path {
		t.Errorf("an item without an address leads to %q, want %q", got, path)
	}
}
