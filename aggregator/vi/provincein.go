package vi

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// otherNames are names that contain a province's or a place's but mean something
// else: the Pacific, a province of 1975–1991, a battle, a port, a king of legend,
// football clubs and firms, a paper, a brand of cement.
const otherNames = "Thái Bình Dương, Hà Nam Ninh, Điện Biên Phủ, Nam Định Vũ, Bình Dương Vương, " +
	"Hoàng Anh Gia Lai, HAGL, FLC Thanh Hóa, SHB Đà Nẵng, Becamex Bình Dương, Đồng Tâm Long An, Gạch Đồng Tâm Long An, " +
	"Than Quảng Ninh, Sông Lam Nghệ An, Hồng Lĩnh Hà Tĩnh, Thép Xanh Nam Định, XSKT Cần Thơ, Thể Công Thanh Hóa, " +
	"Thiên Trường Nam Định, Đông Á Thanh Hóa, Topenland Bình Định, Quy Nhơn Bình Định, MerryLand Quy Nhơn Bình Định, " +
	"Sanna Khánh Hòa, Long An FC, Hà Nội FC, Hải Phòng FC, Sài Gòn FC, Hà Nội T&T, Quảng Nam FC, Nam Định FC, " +
	"Ninh Bình FC, Sài Gòn Giải Phóng, Kinh tế Sài Gòn"

// mention is a name to be found in a text.
type mention struct {
	syllables []string // in the form of Token.Text
	dash      bool     // a dash may stand between its parts
	id        string   // the province; "" for other names
	place     bool     // a place inside the province
}

// addMention enters name among the names to be found, but for HCM, which
// without "TP." is as often the Youth Union.
func (g *gazetteerIndex) addMention(name, id string) {
	if name == "HCM" {
		return
	}
	m := mention{syllables: Syllables(name), dash: strings.Contains(name, "-"), id: id}
	g.mentions[m.syllables[0]] = append(g.mentions[m.syllables[0]], m)
}

// ProvinceIn returns the ID of the one province a text is about, and what
// shows it, such as `title "Thái Bình" 2`: place, name as written, mentions. Both are "" if no province is named
// or several are, equally often.
//
// A province is named by its name, or that of a town, district or sight in it
// that no other has, in capitals on syllable boundaries, unless
// the words around make it a street, a river, a lower unit, a person or another
// name. The title decides before the summary, which only breaks ties; a name at the
// beginning of the title with a colon counts thrice. A former province beside
// the present one it was merged into, as often, counts as the present.
func ProvinceIn(title, summary string) (id, evidence string) {
	head := mentionsIn(title, true)
	text := mentionsIn(summary, false)
	best := head.leaders(nil)
	place, found := "title", head
	if len(best) == 0 {
		place, found = "summary", text
		best = text.leaders(nil)
	} else if len(best) > 1 {
		best = text.leaders(best)
	}
	id = sameToday(best)
	for _, f := range found {
		if id != "" && slices.Contains(best, f.id) && f.firm {
			evidence += fmt.Sprintf(", %q %d", f.raw, f.count)
		}
	}
	if evidence == "" {
		return "", ""
	}
	return id, place + " " + strings.TrimPrefix(evidence, ", ")
}

const (
	// textBytes is how far into an article's text its province is looked for,
	// some 200 syllables: after them the mistakes grow faster than the finds.
	textBytes = 1200
	// textMentions is how often a text must name the province, cityMentions how
	// often one of the two cities from which the whole country's news is
	// written. Of 2,313 articles whose headline or lead names a province, the
	// texts alone give 1,291 one, 1,268 of them the same; 544 of 5,659 others
	// gain one.
	textMentions = 2
	cityMentions = 3
)

// ProvinceInText returns the ID of the province that an article's text is about
// if it is surely one: named again and again at the beginning, and more than
// twice as often as all others together. besides are provinces that must not be named
// there at all for another to be the one, such as the outlet's own.
func ProvinceInText(text string, besides ...string) (id string) {
	all := mentionsIn(cutText(text), false)
	count, total := map[string]int{}, 0
	for _, f := range all {
		total += f.count
		p, _ := ProvinceByID(f.id)
		count[p.Present()] += f.count
		if slices.Contains(besides, f.id) || slices.Contains(besides, p.Present()) {
			return ""
		}
	}
	var named []string
	for _, f := range all {
		p, _ := ProvinceByID(f.id)
		needed := textMentions
		if p.Present() == "ha-noi" || p.Present() == "ho-chi-minh" {
			needed = cityMentions
		}
		if n := count[p.Present()]; f.firm && n >= needed && 3*n > 2*total {
			named = append(named, f.id)
		}
	}
	return sameToday(named)
}

// cutText returns the beginning of a text, up to textBytes.
func cutText(text string) string {
	if len(text) <= textBytes {
		return text
	}
	return text[:strings.LastIndexByte(text[:textBytes], ' ')+1]
}

// sameToday returns the ID if there is only one, or the present province if all
// belong to it today, else "".
func sameToday(ids []string) string {
	if len(ids) == 1 {
		return ids[0]
	}
	today := ""
	for _, id := range ids {
		p, _ := ProvinceByID(id)
		if today != "" && p.Present() != today {
			return ""
		}
		today = p.Present()
	}
	return today
}

// found counts the mentions of a province in one text.
type found struct {
	id    string
	raw   string // as first written
	count int
	firm  bool // some mention is more than the dateline of national news
}

type findings []found

// leaders returns the IDs named most often, of those among if it is not nil,
// which are returned if none of them is named.
func (f findings) leaders(among []string) (ids []string) {
	most := 0
	for _, p := range f {
		if among != nil && !slices.Contains(among, p.id) {
			continue
		}
		if p.count > most {
			most, ids = p.count, nil
		}
		if p.count == most {
			ids = append(ids, p.id)
		}
	}
	if ids == nil {
		return among
	}
	return ids
}

// leadWeight is what a name with a colon at the beginning of a title counts:
// "Thái Bình: Học tập kinh nghiệm của Hải Dương, Hưng Yên".
const leadWeight = 3

// mentionsIn finds the provinces named in text, in order.
func mentionsIn(text string, isTitle bool) (all findings) {
	t := taggedText{text: text, toks: Tokens(text), isTitle: isTitle}
	g := gazetteer()
	for i := 0; i < len(t.toks); {
		m, n := t.match(g, i)
		if n == 0 {
			i++
			continue
		}
		if m.id != "" && t.means(m, i, n) {
			weight := 1
			if t.leads(i, n) {
				weight = leadWeight
			}
			raw := text[t.toks[i].Start:t.toks[i+n-1].End]
			all = all.add(found{m.id, raw, weight, !t.isDateline(m.id, i)})
		}
		i += n
	}
	return all
}

// add counts what was found.
func (f findings) add(new found) findings {
	for i := range f {
		if f[i].id == new.id {
			f[i].count += new.count
			f[i].firm = f[i].firm || new.firm
			return f
		}
	}
	return append(f, new)
}

// taggedText is a text with its tokens.
type taggedText struct {
	text    string
	toks    []Token
	isTitle bool
}

// match returns the longest name that begins at token i, with all its
// syllables capitalised, and how many tokens it has.
func (t taggedText) match(g *gazetteerIndex, i int) (m mention, n int) {
	for _, m := range g.mentions[t.toks[i].Text] {
		if t.fits(m, i) {
			return m, len(m.syllables)
		}
	}
	return m, 0
}

func (t taggedText) fits(m mention, i int) bool {
	if i+len(m.syllables) > len(t.toks) {
		return false
	}
	for k, s := range m.syllables {
		tok := t.toks[i+k]
		elided := k > 0 && t.gap(i+k, "'’") && !t.joined(i+k) // "Ea H'leo"
		if tok.Text != s || !isCapital(tok.Raw) && !isKindOfUnit(s) && !elided {
			return false
		}
		if k > 0 && !elided && !t.joined(i+k) && !(m.dash && t.gap(i+k, "-–—")) && !(m.syllables[k-1] == "tp" && t.gap(i+k, ".")) {
			return false
		}
	}
	return true
}

// isKindOfUnit tells whether the syllable is of the word for a unit or a kind of
// place, which a name may have before it.
func isKindOfUnit(s string) bool {
	switch s {
	case "tỉnh", "thành", "phố", "tp", "quận", "huyện", "thị", "xã", "phường", "đảo", "bán", "mũi", "núi", "thác", "cửa", "khẩu":
		return true
	}
	return false
}

// joined tells whether only white space stands before token i.
func (t taggedText) joined(i int) bool { return t.gap(i, "") }

// gap tells whether only white space stands before token i, or with it one of
// the characters of signs.
func (t taggedText) gap(i int, signs string) bool {
	between := strings.TrimSpace(t.text[t.toks[i-1].End:t.toks[i].Start])
	return between == "" || utf8.RuneCountInString(between) == 1 && strings.Contains(signs, between)
}

func isCapital(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return lowerRune(r) != r
}

// word returns token i as far as only white space stands between it and the
// next, else "". After "TP" there may be a point.
func (t taggedText) word(i int) string {
	if i < 0 || i+1 >= len(t.toks) {
		return ""
	}
	if s := t.toks[i].Text; t.joined(i+1) || s == "tp" && t.gap(i+1, ".") {
		return s
	}
	return ""
}

// start returns the number of the token with which the name at token i begins,
// its kind of unit included.
func (t taggedText) start(i int) int {
	switch {
	case t.word(i-1) == "phố" && t.word(i-2) == "thành":
		return i - 2
	case t.word(i-1) == "tỉnh", t.word(i-1) == "tp":
		return i - 1
	}
	return i
}

// leads tells whether the n tokens at i, with their kind of unit, begin a title
// and a colon follows.
func (t taggedText) leads(i, n int) bool {
	return t.isTitle && t.start(i) == 0 && strings.HasPrefix(t.text[t.toks[i+n-1].End:], ":")
}

// shouts tells whether most words have a capital, which then tells nothing.
func (t taggedText) shouts() bool {
	capitals := 0
	for _, tok := range t.toks {
		if isCapital(tok.Raw) {
			capitals++
		}
	}
	return 4*capitals > 3*len(t.toks)
}

// means tells whether the n tokens at i, which are the name m, mean it here.
func (t taggedText) means(m mention, i, n int) bool {
	if t.isClub(i, n) {
		return false
	}
	if m.place {
		return t.isPlace(i, n)
	}
	return t.isProvince(m.id, i, n)
}

// isClub tells whether the name of n tokens at i is that of a football club,
// which plays all over the country.
func (t taggedText) isClub(i, n int) bool {
	switch t.word(i - 1) {
	case "clb", "u19", "u21", "u15", "u17":
		return true
	}
	return t.word(i-2) == "lạc" && t.word(i-1) == "bộ" ||
		i+n < len(t.toks) && t.joined(i+n) && t.toks[i+n].Raw == "FC"
}

// isProvince tells whether the n tokens at i, which are a name of the province,
// mean it here.
func (t taggedText) isProvince(id string, i, n int) bool {
	switch {
	case t.start(i) < i: // "tỉnh Hòa Bình"
		return true
	case id == "hoa-binh" && t.shouts() && !t.leads(i, n): // it may be peace
		return false
	case t.isAbroad(i + n):
		return false
	}
	return !changesName(t.word(i-2), t.word(i-1)) && !t.isPerson(i, n)
}

// isDateline tells whether the name at token i only says that the capital is
// where something of the whole country happened: "Sáng nay, tại Hà Nội, Thủ
// tướng …".
func (t taggedText) isDateline(id string, i int) bool {
	return id == "ha-noi" && !t.isTitle && t.word(i-1) == "tại"
}

// isAbroad tells whether "Trung Quốc" follows at token i: Henan is Hà Nam too.
func (t taggedText) isAbroad(i int) bool {
	return i+1 < len(t.toks) && t.toks[i].Text == "trung" && t.toks[i+1].Text == "quốc"
}

// changesName tells whether the name after these two words is not a
// province's but that of a street, river, lower unit, house, firm or person.
func changesName(before, word string) bool {
	switch word {
	case "đường", "ngõ", "hẻm", "ngách",
		"phường", "xã", "thôn", "ấp", "làng", "trấn", "huyện", "quận",
		"sông", "bia", "nobel", "ông", "bà", "anh", "chị", "cô":
		return true
	case "phố":
		return before != "đường" // "đường phố Hà Nội" are all its streets
	}
	switch before + " " + word {
	case "đại lộ", "công viên", "nhà hát", "tập đoàn", "trường đua", "thi đấu", "xi măng", "ca sĩ", "bún bò", "theo giờ":
		return true
	}
	return false
}

// isPerson tells whether the n tokens at i end a person's name: a family name
// stands one or two capitalised words before. Of one syllable, Huế is also a
// frequent given name.
func (t taggedText) isPerson(i, n int) bool {
	before := t.word(i - 1)
	if n == 1 {
		switch before {
		case "em", "bé", "cháu", "mẹ", "kim", "thu", "thanh", "minh", "ngọc", "bích", "hồng":
			return true
		}
	}
	return before != "" && isCapital(t.toks[i-1].Raw) && (isFamilyName(before) || isFamilyName(t.word(i-2)))
}

// isFamilyName tells whether the word is a frequent family name that is not
// also a frequent word at the beginning of a headline, as Hồ, Đoàn and Mai are.
func isFamilyName(word string) bool {
	switch word {
	case "nguyễn", "trần", "lê", "phạm", "hoàng", "huỳnh", "phan", "vũ", "võ", "đặng",
		"bùi", "đỗ", "ngô", "đinh", "trịnh", "trương", "tạ", "lý", "thị":
		return true
	}
	return false
}
