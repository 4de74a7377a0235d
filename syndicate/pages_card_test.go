package syndicate

import (
	"bytes"
	"fmt"
	"html/template"
	"testing"
	"time"

	"diemtin/store"
)

// TestCardGolden writes the story card down as it stands in every list of both
// languages: go test ./syndicate -run CardGolden -update, then read the diff.
func TestCardGolden(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 11, 5, 14, 15, 0, 0, store.Zone)
	by := byline{Outlet: link{Text: "Báo Lào Cai", Href: "https://baolaocai.example/a.html"}, Page: "/outlets/laocai/"}
	after := by
	after.After = link{Text: "TTXVN", Href: "https://ttxvn.example/b.html"}
	topic := &link{Text: "Kinh tế", Href: "/topics/kinh-te/"}
	brief := card{Path: "/stories/d", Title: "Tin cùng sự kiện", By: by, At: at}
	cards := []struct {
		name string
		card card
	}{
		{"headline only", card{Path: "/stories/a", Title: `Vải thiều & "giá"`, By: by, At: at}},
		{"with all", card{Path: "/stories/b", Title: "Khai mạc hội nghị", Teaser: "Sáng 5/11, tại Hà Nội.", By: after, At: at, Topic: topic, Carriers: 3}},
		{"leading", card{Path: "/stories/c", Title: "Cầu treo", By: by, At: at, Carriers: 34, First: at.Add(-6 * time.Hour), Event: []card{brief}}},
		{"found", card{Path: "/stories/e", Title: "Vải thiều", Teaser: "Giá vải.", By: by, At: at,
			TitleMarks: []piece{{"Vải", true}, {" thiều", false}}, TeaserMarks: []piece{{"Giá ", false}, {"vải", true}, {".", false}}}},
		{"in another language", card{Path: "/stories/f", Title: "Prices rise", Lang: "en", Teaser: "Again.", By: by, At: at}},
	}
	var got bytes.Buffer
	for _, l := range languages {
		card, err := template.New("").Funcs(l.functions()).ParseFS(web, partials)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cards {
			if c.card.Lang == "" { // as the server does for every card
				c.card.Lang = l.foreign("vi")
			} else {
				c.card.Lang = l.foreign(c.card.Lang)
			}
			fmt.Fprintf(&got, "<!-- %s: %s -->\n", l.tag, c.name)
			if err := card.ExecuteTemplate(&got, "card", c.card); err != nil {
				t.Fatal(err)
			}
			got.WriteString("\n")
		}
	}
	golden(t, "card.html", got.Bytes())
}
