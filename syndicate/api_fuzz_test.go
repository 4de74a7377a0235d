package syndicate

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Whatever a query holds, it is refused with a reason, or it has one canonical
// form, which leads to itself.
func FuzzAPIQuery(f *testing.F) {
	for _, q := range []string{"", "topics=kinh-te,giao-duc&match=any", "outlets=LAOCAI&limit=7&cursor=1730790180000.7ytwhz5tuyomk", "q=%22v%E1%BA%A3i+thi%E1%BB%81u%22+-gi%C3%A1",
		"since=0&limit=200", "month=2024-11&channel=dang-va-kinh-te", "day=2024-11-05&order=published", "limit=%zz", "topics=a&topics=b", "provinces=,%00,", "q=-&x;y", "cursor=9999999999999999999999."} {
		f.Add(q)
	}
	s := newFeedSite(f).server
	f.Fuzz(func(t *testing.T, raw string) {
		if len(raw) > 1000 {
			return
		}
		for _, route := range apiRoutes() {
			doc, err := askAPI(s, route, raw)
			if err != nil {
				var p apiProblem
				if !errors.As(err, &p) || p.status != http.StatusBadRequest || p.detail == "" {
					t.Errorf("%s?%s: %#v", route.path, raw, err)
				}
				continue
			}
			if strings.ContainsAny(doc.address, " \r\n") {
				t.Errorf("%s?%s has the address %q", route.path, raw, doc.address)
			}
			_, query, _ := strings.Cut(doc.address, "?")
			again, err := askAPI(s, route, query)
			if err != nil || again.address != doc.address {
				t.Errorf("%s?%s leads to %s, and that to %s, %v", route.path, raw, doc.address, again.address, err)
			}
		}
	})
}

func askAPI(s *Server, route apiRoute, raw string) (apiDoc, error) {
	q, err := route.query(raw)
	if err != nil {
		return apiDoc{}, err
	}
	return route.ask(s, httptest.NewRequest(http.MethodGet, "/", nil), q)
}
