package vi

import "testing"

// Folding a folded letter changes nothing, and the spellings that Canon unites
// fold to the same, for every character there is.
func TestFoldOfEveryRune(t *testing.T) {
	t.Parallel()
	for r := rune(' '); r < 0x20000; r++ {
		if r >= 0xD800 && r <= 0xDFFF {
			continue
		}
		s := NFC(string(r))
		once := Fold(s)
		if twice := Fold(once); twice != once {
			t.Errorf("Fold(%U) = %q, folded again %q", r, once, twice)
		}
		if canon := Fold(Canon(s)); canon != once {
			t.Errorf("Fold(%U) = %q, of its Canon %q", r, once, canon)
		}
	}
}
