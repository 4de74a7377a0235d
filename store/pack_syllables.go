package store

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// How Vietnamese writes its syllables: an initial, a rime and one of six tones.
// All that these tables can form has a number, in the order of the loops in
// countSyllables. What is stored depends on those numbers: nothing here may
// ever change (TestSyllablesStand). Another order is another packedMark.

// tones of each vowel: none, huyền, sắc, hỏi, ngã, nặng.
var tones = map[rune][]rune{
	'a': []rune("aàáảãạ"), 'ă': []rune("ăằắẳẵặ"), 'â': []rune("âầấẩẫậ"), 'e': []rune("eèéẻẽẹ"), 'ê': []rune("êềếểễệ"), 'i': []rune("iìíỉĩị"),
	'o': []rune("oòóỏõọ"), 'ô': []rune("ôồốổỗộ"), 'ơ': []rune("ơờớởỡợ"), 'u': []rune("uùúủũụ"), 'ư': []rune("ưừứửữự"), 'y': []rune("yỳýỷỹỵ"),
}

// initials and the vowels that may follow; with "y" stands y alone, with "yê"
// what begins with it too.
var initials = []struct{ letters, before string }{
	{"", "aăâeêioôơuưyê"}, {"b", "aăâeêioôơuưy"}, {"c", "aăâoôơuư"}, {"ch", "aăâeêioôơuư"}, {"d", "aăâeêioôơuưy"}, {"đ", "aăâeêioôơuưy"},
	{"g", "aăâioôơuư"}, {"gh", "eêi"}, {"gi", "aăâeêoôơuư"}, {"h", "aăâeêioôơuưy"}, {"k", "aeêiy"}, {"kh", "aăâeêioôơuư"},
	{"l", "aăâeêioôơuưy"}, {"m", "aăâeêioôơuưy"}, {"n", "aăâeêioôơuưy"}, {"ng", "aăâoôơuư"}, {"ngh", "eêi"}, {"nh", "aăâeêioôơuư"},
	{"ph", "aăâeêioôơuư"}, {"qu", "aăâeêiôơyê"}, {"r", "aăâeêioôơuư"}, {"s", "aăâeêioôơuưy"}, {"t", "aăâeêioôơuưy"}, {"th", "aăâeêioôơuưy"},
	{"tr", "aăâeêioôơuư"}, {"v", "aăâeêioôơuưy"}, {"x", "aăâeêioôơuư"},
}

// rimes that take all six tones, and those that end in a stop, which take sắc
// and nặng. A bar stands before the vowel that carries the tone.
var (
	rimes = strings.Fields(`|a |ai |ao |au |ay |am |an |ang |anh |ăm |ăn |ăng |âm |ân |âng |âu |ây |e |em |en |eng |eo |ê |êm |ên |ênh |êu
		|i |ia |im |in |inh |iu i|êm i|ên i|êng i|êu |o |oi |om |on |ong o|ai o|ay o|an o|ang o|anh o|am o|ăn o|ăng o|ăm o|en o|eo |oa o|a |oe o|e
		|ô |ôi |ôm |ôn |ông |ơ |ơi |ơm |ơn |u |ui |um |un |ung |ua u|ôi u|ôm u|ôn u|ông u|ân u|âng u|ây u|ê u|ênh u|ơ |uy u|y uy|ên uy|a u|ynh u|yu
		|ư |ưi |ưng |ưu |ưa ư|ơi ư|ơm ư|ơn ư|ơng ư|ơu |y y|êm y|ên y|êng y|êu |ynh`)
	stoppedRimes = strings.Fields(`|ac |ach |ap |at |ăc |ăp |ăt |âc |âp |ât |ec |ep |et |êch |êp |êt |ich |ip |it i|êc i|êp i|êt |oc |op |ot o|ac o|ach o|at o|ăc o|ăt o|et
		|ôc |ôp |ôt |ơp |ơt |uc |up |ut u|ôc u|ôt u|ât uy|êt u|ych u|yt |ưc |ưt ư|ơc ư|ơp ư|ơt |ych |yt y|êt`)
)

// How a syllable is written.
const (
	lower = iota
	title // its first letter is a capital
	upper // all its letters are
	caseForms
)

// syllables is every syllable in each form by its number, and by what is
// written the number, with the form above its 14 bits.
type syllables struct {
	written [caseForms][]syllable
	number  map[string]uint16
}

// syllable is a space and a syllable, all in one piece of memory: to read a
// text goes all over the table.
type syllable struct {
	spaced [15]byte
	size   uint8
}

var allSyllables = sync.OnceValue(countSyllables)

func countSyllables() *syllables {
	s := &syllables{number: make(map[string]uint16, caseForms<<14)}
	for _, initial := range initials {
		for _, rime := range rimes {
			s.add(initial.letters, initial.before, rime, []int{0, 1, 2, 3, 4, 5})
		}
		for _, rime := range stoppedRimes {
			s.add(initial.letters, initial.before, rime, []int{2, 5})
		}
	}
	return s
}

// add numbers an initial with a rime, in these tones, if it may stand there.
func (s *syllables) add(initial, before, rime string, with []int) {
	glide, rest, _ := strings.Cut(rime, "|")
	first, _ := utf8.DecodeRuneInString(glide + rest)
	if !strings.ContainsRune(before, first) || first == 'y' && glide+rest != "y" && !strings.HasSuffix(before, "yê") {
		return
	}
	vowel, size := utf8.DecodeRuneInString(rest)
	for _, tone := range with {
		written := initial + glide + string(tones[vowel][tone]) + rest[size:]
		if _, twice := s.number[written]; twice { // "gi" with "a" is "g" with "ia"
			continue
		}
		n := uint16(len(s.written[lower]))
		first, size := utf8.DecodeRuneInString(written)
		forms := [caseForms]string{lower: written, title: string(unicode.ToUpper(first)) + written[size:], upper: strings.ToUpper(written)}
		for form, written := range forms {
			w := syllable{size: uint8(1 + len(written))}
			copy(w.spaced[:], " "+written)
			s.written[form] = append(s.written[form], w)
			if _, twice := s.number[written]; !twice { // a single capital is both
				s.number[written] = n | uint16(form)<<14
			}
		}
	}
}
