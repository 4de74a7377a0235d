package outlettest

import (
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

func TestCharsetsKeepTheText(t *testing.T) {
	t.Parallel()
	const text = "Tổng Bí thư: “Chống lãng phí” – ƯỚC 5,7%, Đắk Lắk, ngày 5/11… khuỷu, nghĩa, ộ Ự ằ"
	got, err := charmap.Windows1258.NewDecoder().Bytes(windows1258.encode(text))
	if err != nil || norm.NFC.String(string(got)) != text {
		t.Errorf("windows-1258: %q, %v", norm.NFC.String(string(got)), err)
	}
	if got := decodeUTF16(t, string(utf16Text.encode(text))); got != text {
		t.Errorf("UTF-16: %q", got)
	}
	if got := string(utf8NFD.encode(text)); got == text || norm.NFC.String(got) != text {
		t.Errorf("NFD: %q", got)
	}
	if got := string(windows1258.encode("中")); got != "&#20013;" {
		t.Errorf("a letter that windows-1258 lacks: %q", got)
	}
}

func TestSlug(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Đắk Lắk: “Chống lãng phí” 5,7%": "dak-lak-chong-lang-phi-5-7",
		"  Ủy ban  ": "uy-ban",
		"":           "",
	} {
		if got := slug(in); got != want {
			t.Errorf("slug(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestDateForms(t *testing.T) {
	t.Parallel()
	afternoon := time.Date(2024, 11, 5, 7, 15, 9, 0, time.UTC)
	night := time.Date(2024, 11, 4, 17, 5, 9, 0, time.UTC) // just past midnight in Việt Nam
	for _, tc := range []struct {
		name             string
		form             dateForm
		afternoon, night string
	}{
		{"rfc 822", dateRFC822, "Tue, 05 Nov 2024 14:15:09 +0700", "Tue, 05 Nov 2024 00:05:09 +0700"},
		{"rfc 3339", dateRFC3339, "2024-11-05T14:15:09+07:00", "2024-11-05T00:05:09+07:00"},
		{"gmt+7", dateGMT7, "Tue, 05 Nov 2024 14:15:09 GMT+7", "Tue, 05 Nov 2024 00:05:09 GMT+7"},
		{"no zone", dateBare, "2024-11-05 14:15:09", "2024-11-05 00:05:09"},
		{"day first", dateSlash, "05/11/2024 14:15", "05/11/2024 00:05"},
		{"portal", datePortal, "05.11.2024 | 14:15 PM", "05.11.2024 | 00:05 AM"},
		{"weekday", dateWeekday, "Thứ Ba, 05/11/2024 - 14:15", "Thứ Ba, 05/11/2024 - 00:05"},
		{"SA and CH", dateSACH, "5/11/2024 2:15:09 CH", "5/11/2024 12:05:09 SA"},
	} {
		if got := tc.form(afternoon); got != tc.afternoon {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.afternoon)
		}
		if got := tc.form(night); got != tc.night {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.night)
		}
	}
}
