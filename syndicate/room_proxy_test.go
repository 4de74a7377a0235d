package syndicate

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// The cookie is Secure where our own proxy says that the browser speaks TLS,
// and nobody else's word on that counts.
func TestRoomCookieSecure(t *testing.T) {
	t.Parallel()
	for proxy, want := range map[string]bool{"127.0.0.1": true, "192.0.2.1": false} {
		o := newOpenRoom(t, Editors{Proxies: []string{proxy}})
		resp, _ := o.ask(t, o.client(t), "POST", "/dang-nhap", url.Values{"ten": {"lan"}, "token": {"secret"}}, "X-Forwarded-Proto: https")
		if c := resp.Cookies(); len(c) != 1 || c[0].Secure != want {
			t.Errorf("behind %s: %v", proxy, c)
		}
	}
}

// Who a proxy says is there is believed from the proxies of feeds.yaml alone.
func TestRoomBehindProxy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		editors Editors
		header  []string
		who     string
	}{
		{"the proxy", Editors{Proxies: []string{"127.0.0.0/8"}, Header: "X-Remote-User"}, []string{"X-Remote-User: Trần Lan"}, "Trần Lan"},
		{"somebody else", Editors{Proxies: []string{"192.0.2.1"}, Header: "X-Remote-User"}, []string{"X-Remote-User: lan"}, ""},
		{"somebody else who claims to come through it", Editors{Proxies: []string{"192.0.2.1"}, Header: "X-Remote-User"}, []string{"X-Remote-User: lan", "X-Forwarded-For: 192.0.2.1"}, ""},
		{"no header is configured", Editors{Proxies: []string{"127.0.0.1"}}, []string{"X-Remote-User: lan"}, ""},
		{"another header", Editors{Proxies: []string{"127.0.0.1"}, Header: "X-Remote-User"}, []string{"Remote-User: lan"}, ""},
		{"an empty name", Editors{Proxies: []string{"127.0.0.1"}, Header: "X-Remote-User"}, []string{"X-Remote-User: "}, ""},
		{"a name that is none", Editors{Proxies: []string{"127.0.0.1"}, Header: "X-Remote-User"}, []string{"X-Remote-User: <script>"}, ""},
		{"a very long name", Editors{Proxies: []string{"127.0.0.1"}, Header: "X-Remote-User"}, []string{"X-Remote-User: " + strings.Repeat("x", 65)}, ""},
		{"two names", Editors{Proxies: []string{"127.0.0.1"}, Header: "X-Remote-User"}, []string{"X-Remote-User: lan", "X-Remote-User: minh"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := newOpenRoom(t, tt.editors)
			c := o.client(t)
			resp, page := o.ask(t, c, "GET", "/huong-dan", nil, tt.header...)
			if in := resp.StatusCode == http.StatusOK; in != (tt.who != "") {
				t.Fatalf("%s", resp.Status)
			}
			if tt.who == "" {
				return
			}
			if !strings.Contains(page, ">"+tt.who+"<") || strings.Contains(page, "Đăng xuất") || len(resp.Cookies()) > 0 {
				t.Errorf("the page for %s:\n%s", tt.who, page)
			}
			if resp, _ := o.ask(t, c, "POST", "/lenh", url.Values{"verb": {"hide"}, "story": {"aaaaaaaaaaaaa"}}, tt.header...); resp.StatusCode != http.StatusForbidden {
				t.Errorf("without a mark: %s", resp.Status)
			}
			_, page = o.ask(t, c, "GET", "/quy-tac?chuyen-muc=kinh-te&viec=mask&tu=x", nil, tt.header...)
			resp, _ = o.ask(t, c, "POST", "/lenh", url.Values{"form": {markIn(t, page)}, "verb": {"hide"}, "story": {"aaaaaaaaaaaaa"}}, tt.header...)
			if resp.StatusCode != http.StatusSeeOther || o.desk.who != tt.who {
				t.Errorf("%s in the name of %q", resp.Status, o.desk.who)
			}
		})
	}
}

func TestEditorsCheck(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		editors Editors
		want    string
	}{
		{"nothing", Editors{}, ""},
		{"a proxy that says who is there", Editors{Proxies: []string{"10.0.0.0/8"}, Header: "X-Remote-User"}, ""},
		{"a proxy without a header", Editors{Proxies: []string{"10.0.0.1"}}, ""},
		{"a header without a proxy", Editors{Header: "X-Remote-User"}, "header: a header says who is there only if"},
		{"no header's name", Editors{Header: "X Remote", Proxies: []string{"10.0.0.1"}}, `header: header "X Remote"`},
		{"no address", Editors{Proxies: []string{"proxy.local"}}, `proxies[0]: proxy "proxy.local"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var found []string
			tt.editors.check(func(path, problem string) { found = append(found, path+": "+problem) })
			if got := strings.Join(found, "\n"); !strings.HasPrefix(got, tt.want) || (got == "") != (tt.want == "") {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
