package vi

import (
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"
)

// dateNow is a Wednesday morning in Việt Nam.
var dateNow = time.Date(2024, 11, 6, 10, 30, 0, 0, time.FixedZone("", vietnamOffset))

func TestParseDate(t *testing.T) {
	t.Parallel()
	const (
		usual    = "2024-11-05T14:15:00+07:00"
		midnight = "2024-11-05T00:00:00+07:00"
		half     = "2024-11-05T14:15:30+07:00"
	)
	tests := []struct{ in, want string }{
		// RFC 822 and what is made of it.
		{"Tue, 05 Nov 2024 14:15:30 +0700", half},
		{"Tue, 5 Nov 2024 14:15:30 +0700", half},
		{"05 Nov 2024 14:15:30 +0700", half},
		{"Wed, 05 Nov 2024 14:15:30 +0700", half}, // the wrong weekday
		{"Tue, 05 Nov 24 14:15 +0700", usual},
		{"Tue, 05 Nov 2024 14:15 +0700", usual},
		{"Tue, 05 Nov 2024 14:15:00", usual},
		{"Tue,05 Nov 2024 14:15:00 GMT+7", usual},
		{"Tue, 05 Nov 2024 14:15:00 GMT+07", usual},
		{"Tue, 05 Nov 2024 14:15:00 GMT+07:00", usual},
		{"Tue, 05 Nov 2024 14:15:00 GMT+0700", usual},
		{"Tue, 05 Nov 2024 14:15:00 GMT +7", usual},
		{"Tue, 05 Nov 2024 14:15:00 UTC+7", usual},
		{"Tue, 05 Nov 2024 14:15:00 UTC+07:00", usual},
		{"Tue, 05 Nov 2024 14:15:00 +7", usual},
		{"Tue, 05 Nov 2024 14:15:00 +07", usual},
		{"Tue, 05 Nov 2024 14:15:00 +07:00", usual},
		{"Tue, 05 Nov 2024 14:15:00 ICT", usual},
		{"Tue, 05 Nov 2024 07:15:00 GMT", usual},
		{"Tue, 05 Nov 2024 07:15:00 UT", usual},
		{"Tue, 05 Nov 2024 07:15:00 UTC", usual},
		{"Tue, 05 Nov 2024 07:15:00 Z", usual},
		{"Tue, 05 Nov 2024 02:15:00 EST", usual},
		{"Tue, 05 Nov 2024 02:15:00 -0500", usual},
		{"Mon, 04 Nov 2024 23:15:00 PST", usual},
		{"Tue, 05 Nov 2024 03:15:00 EDT", usual},
		{"Tuesday, 05-Nov-24 07:15:00 GMT", usual},
		{"Tuesday, November 5, 2024 14:15", usual},
		{"Tue Nov  5 14:15:00 2024", usual},
		{"Tue Nov  5 14:15:00 ICT 2024", usual},
		{"Thu 7 Nov 2024 14:15", "2024-11-07T14:15:00+07:00"},
		{"05/Nov/2024:14:15:00 +0700", usual},
		{"Nov 5, 2024, 2:15:00\u202FPM", usual},
		{"Nov  5 2024  2:15PM", usual},
		{"5th of November 2024 at 14:15", usual},
		{"November 5th, 2024", midnight},
		{"Sept. 5, 2024", "2024-09-05T00:00:00+07:00"},
		{"Tue Nov 05 2024 14:15:00 GMT+0700 (Indochina Time)", usual},
		{"Tue Nov 05 2024 14:15:00 GMT+0700 (Giờ Đông Dương)", usual},

		// RFC 3339 and ISO 8601.
		{"2024-11-05T14:15:00+07:00", usual},
		{"2024-11-05T07:15:00Z", usual},
		{"2024-11-05T07:15:00.000Z", usual},
		{"2024-11-05T14:15:30.25+07:00", "2024-11-05T14:15:30.25+07:00"},
		{"2024-11-05T14:15:30,123456789+0700", "2024-11-05T14:15:30.123456789+07:00"},
		{"2024-11-05T14:15:30.7654321", "2024-11-05T14:15:30.7654321+07:00"},
		{"2024-11-05T14:15:00+0700", usual},
		{"2024-11-05T14:15:00+07", usual},
		{"2024-11-05T14:15+07:00", usual},
		{"2024-11-05T02:15:00-05:00", usual},
		{"2024-11-05T02:15:00-05", usual},
		{"2024-11-05T14:15:00", usual},
		{"2024-11-05t14:15", usual},
		{"2024-11-05 14:15:00", usual},
		{"2024-11-05 14:15:00 +0700", usual},
		{"2024-11-05 14:15:00+07", usual},
		{"2024-11-05 14:15:00 +0700 +07 m=+0.012", usual},
		{"2024-11-05 07:15:00.000 UTC", usual},
		{"2024/11/05 14:15", usual},
		{"2024-11-05", midnight},
		{"2024-11-05T24:00:00", "2024-11-06T00:00:00+07:00"},
		{"20241105T141500+0700", usual},
		{"20241105T071500Z", usual},
		{"20241105 14:15", usual},

		// Digits alone.
		{"1730790900", usual},
		{"1730790900.5", "2024-11-05T14:15:00.5+07:00"},
		{"1730790900000", usual},
		{"1730790900000000", usual},
		{"1730790900000000000", usual},
		{"20241105141500", usual},
		{"20241105141500250", "2024-11-05T14:15:00.25+07:00"},
		{"202411051415", usual},
		{"20241105", midnight},
		{"/Date(1730790900000)/", usual},
		{`\/Date(1730790900000+0700)\/`, usual},

		// Day before month.
		{"12/3/2026 9:15:00 AM", "2026-03-12T09:15:00+07:00"},
		{"11/25/2024", "2024-11-25T00:00:00+07:00"},
		{"11/25/2024 2:15:00 PM", "2024-11-25T14:15:00+07:00"},
		{"05/11/2024", midnight},
		{"5/11/2024", midnight},
		{"05-11-2024", midnight},
		{"05.11.2024", midnight},
		{"5/11/24", midnight},
		{"05.11.24 14:15", usual},
		{"05 / 11 / 2024", midnight},
		{"05/11/2024 14:15", usual},
		{"05/11/2024 14:15:30", half},
		{"14:15 05/11/2024", usual},
		{"14:15:30 05-11-2024", half},
		{"14:15, 05/11/2024", usual},
		{"14:15 | 05/11/2024", usual},
		{"14:15 - 05/11/2024", usual},
		{"14:15 -05/11/2024", usual},
		{"14:15-05-11-2024", usual},
		{"14:15 – 5/11/2024", usual},
		{"14:15 - 5 tháng 11, 2024", usual},
		{"05/11/2024-14:15", usual},
		{"05/11/2024, 14:15", usual},
		{"05/11/2024 • 14:15", usual},
		{"05/11/2024 lúc 14:15", usual},
		{"05-11-2024 - 14:15 PM", usual},
		{"05.11.2024 | 14:15 PM", usual},
		{"05/11/2024 2:15:00 CH", usual},
		{"05/11/2024 02:15:00 SA", "2024-11-05T02:15:00+07:00"},
		{"05/11/2024 12:15 SA", "2024-11-05T00:15:00+07:00"},
		{"05/11/2024 12:15 CH", "2024-11-05T12:15:00+07:00"},
		{"05/11/2024 12:15 AM", "2024-11-05T00:15:00+07:00"},
		{"05/11/2024 12:15 p.m.", "2024-11-05T12:15:00+07:00"},
		{"05/11/2024 2:15 C.H", usual},
		{"05/11/2024 9:15 S.A", "2024-11-05T09:15:00+07:00"},
		{"2:15 chiều 05/11/2024", usual},
		{"2 giờ 15 chiều ngày 5/11/2024", usual},
		{"Chiều 2:15 05/11/2024", usual},
		{"9:15 tối 05/11/2024", "2024-11-05T21:15:00+07:00"},
		{"9:15 sáng 05/11/2024", "2024-11-05T09:15:00+07:00"},
		{"12:15 trưa 05/11/2024", "2024-11-05T12:15:00+07:00"},
		{"2 PM 5/11/2024", "2024-11-05T14:00:00+07:00"},
		{"14h15 05/11/2024", usual},
		{"14g15 05/11/2024", usual},
		{"14H15, 05-11-2024", usual},
		{"14h15' ngày 05/11/2024", usual},
		{"14h15 - 5/11/2024", usual},
		{"14h 05/11/2024", "2024-11-05T14:00:00+07:00"},
		{"14h, 5 tháng 11 năm 2024", "2024-11-05T14:00:00+07:00"},
		{"14 giờ 15 phút, 05/11/2024", usual},
		{"14 giờ 15 phút 30 giây ngày 5-11-2024", half},
		{"05/11/2024 14.15.00", usual},
		{"05/11/2024 14.15.30", half},
		{"05/11/2024 14.15", usual},
		{"05.11.2024 14.15", usual},
		{"05.11.2024 | 14.15 PM", usual},
		{"05-11-2024, lúc 2.15 PM (GMT+7)", usual},
		{"2024-11-05 14.15.00", usual},
		{"5.11.24 - 14.15.30", half},
		{"14.15 05/11/2024", usual},
		{"14.15.30, ngày 05/11/2024", half},
		{"Thứ ba, ngày 5 tháng 11 năm 2024, 14.15", usual},
		{"05/11/2024 14.15.00 (1.234 lượt xem)", usual},
		{"05/11/2024 1.234 lượt xem", midnight},
		{"05/11/2024, 3.50%", midnight},
		{"05/11/2024, bản 1.10", midnight},
		{"05/11/2024 25.15", midnight},
		{"05.11.24 - 06.11.24", midnight},
		{"05.11 - 06.11.2024", "2024-11-06T00:00:00+07:00"},
		{"05.11.2024 - 06.11.2024", midnight},
		{"14:15 05/11/2024 (GMT+7)", usual},
		{"05/11/2024 14:15 (GMT+07:00)", usual},
		{"07:15 05/11/2024 GMT", usual},
		{"14:15 GMT+7 - Nov 5, 2024", usual},
		{"(14:15 05/11/2024)", usual},

		// Vietnamese words.
		{"Thứ ba, 05/11/2024 14:15 (GMT+7)", usual},
		{"Thứ Ba, ngày 5/11/2024 - 14:15", usual},
		{"Thứ Hai, 4/11/2024, 14:15 (GMT+7)", "2024-11-04T14:15:00+07:00"},
		{"Thứ 3, 05/11/2024 14:15", usual},
		{"Thu 3, 05/11/2024 14:15", usual},
		{"Thứ 3 ngày 5 tháng 11 năm 2024", midnight},
		{"T3, 05/11/2024 14:15", usual},
		{"T3 05/11/2024", midnight},
		{"Chủ nhật, 03/11/2024, 14:15", "2024-11-03T14:15:00+07:00"},
		{"CN, 03/11/2024", "2024-11-03T00:00:00+07:00"},
		{"ngày 5 tháng 11 năm 2024", midnight},
		{"ngay 5 thang 11 nam 2024 luc 14:15", usual},
		{"Ngày 05 tháng 11 năm 2024, 14 giờ 15 phút", usual},
		{"Ngày 5/11/2024", midnight},
		{"Ngày 5, tháng 11, năm 2024", midnight},
		{"5 tháng 11, 2024", midnight},
		{"5 Tháng Mười Một, 2024 14:15", usual},
		{"Tháng Mười Một 5, 2024", midnight},
		{"Tháng 11 5, 2024", midnight},
		{"Tháng Mười 5, 2024", "2024-10-05T00:00:00+07:00"},
		{"Tháng Mười Hai 15, 2023", "2023-12-15T00:00:00+07:00"},
		{"ngày 5 tháng năm năm 2024", "2024-05-05T00:00:00+07:00"},
		{"5 tháng tư 2024", "2024-04-05T00:00:00+07:00"},
		{"05 Th11 2024", midnight},
		{"05 Th11, 2024 14:15", usual},
		{"5 thg 11, 2024 14:15", usual},
		{"14:15:00 Giờ Đông Dương Thứ Ba, 5 tháng 11, 2024", usual},
		{"Cập nhật: 14:15 05/11/2024", usual},
		{"Cập nhật lúc 14:15 ngày 5/11/2024", usual},
		{"Đăng ngày 05/11/2024", midnight},
		{"Đăng lúc: 05-11-2024 14:15", usual},
		{"05/11/2024 14:15 (123 lượt xem)", usual},
		{"Đăng 05/11/2024 14:15, sửa 06/11/2024 08:00", usual},
		{"Thứ&nbsp;ba,&nbsp;05/11/2024&nbsp;14:15", usual},
		{"05/11/2024&amp;nbsp;14:15", usual},
		{"  \n05/11/2024\t\u00A014:15 \u200B", usual},

		// Counted from now: 10:30 on 6 November.
		{"3 giờ trước", "2024-11-06T07:30:00+07:00"},
		{"15 phút trước", "2024-11-06T10:15:00+07:00"},
		{"15' trước", "2024-11-06T10:15:00+07:00"},
		{"30 giây trước", "2024-11-06T10:29:30+07:00"},
		{"1 giờ 15 phút trước", "2024-11-06T09:15:00+07:00"},
		{"một giờ trước", "2024-11-06T09:30:00+07:00"},
		{"cách đây 2 tiếng", "2024-11-06T08:30:00+07:00"},
		{"vừa xong", "2024-11-06T10:30:00+07:00"},
		{"Vừa mới đăng", "2024-11-06T10:30:00+07:00"},
		{"2 ngày trước", "2024-11-04T10:30:00+07:00"},
		{"1 tuần trước", "2024-10-30T10:30:00+07:00"},
		{"2 tháng trước", "2024-09-06T10:30:00+07:00"},
		{"1 năm trước", "2023-11-06T10:30:00+07:00"},
		{"an hour ago", "2024-11-06T09:30:00+07:00"},
		{"hôm qua 14:15", usual},
		{"14:15 hôm qua", usual},
		{"Hôm qua, lúc 14h15", usual},
		{"Hôm qua", midnight},
		{"hôm nay", "2024-11-06T00:00:00+07:00"},
		{"Hôm nay, 09:15", "2024-11-06T09:15:00+07:00"},
		{"sáng nay 9:15", "2024-11-06T09:15:00+07:00"},
		{"Hôm nay, 05/11/2024 14:15", usual},
		{"14:15 5/11", usual},
		{"14h15 ngày 5/11", usual},
		{"Ngày 5/11", midnight},
		{"31/12 23:00", "2023-12-31T23:00:00+07:00"},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			t.Parallel()
			want, err := time.Parse(time.RFC3339Nano, tt.want)
			if err != nil {
				t.Fatal(err)
			}
			for form, in := range map[string]string{"as is": tt.in, "decomposed": norm.NFD.String(tt.in), "upper case": strings.ToUpper(tt.in)} {
				if form == "upper case" && strings.ContainsAny(tt.in, "&(") {
					continue // entities and the function's name have their case
				}
				got, err := ParseDate(in, DateOptions{Now: dateNow})
				if err != nil || !got.Equal(want) {
					t.Errorf("%s: ParseDate(%q) = %v, %v, want %v", form, in, got, err, want)
				}
			}
		})
	}
}

func TestParseDateZone(t *testing.T) {
	t.Parallel()
	tokyo := time.FixedZone("", 9*60*60)
	tests := []struct{ in, want string }{
		{"05/11/2024 14:15", "2024-11-05T14:15:00+09:00"},
		{"2024-11-05T14:15:00", "2024-11-05T14:15:00+09:00"},
		{"05/11/2024", "2024-11-05T00:00:00+09:00"},
		{"05/11/2024 14:15 GMT+7", "2024-11-05T14:15:00+07:00"},
		{"1730790900", "2024-11-05T16:15:00+09:00"},
		{"hôm qua", "2024-11-05T00:00:00+09:00"},
	}
	for _, tt := range tests {
		got, err := ParseDate(tt.in, DateOptions{Zone: tokyo, Now: dateNow})
		if s := got.Format(time.RFC3339); err != nil || s != tt.want {
			t.Errorf("ParseDate(%q) in +09:00 = %s, %v, want %s", tt.in, s, err, tt.want)
		}
	}
}

func TestParseDateErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, why string }{
		{"", "empty"},
		{" \u00A0 ", "empty"},
		{"không rõ", "no date in it"},
		{"123", "no date in it"},
		{"14:15", "no date in it"},
		{"2024", "no date in it"},
		{"11/2024", "no date in it"},
		{"5/11", "no date in it"},
		{"13/13/2024", "no month 13"},
		{"31/02/2024", "no day 31 in month 2 of 2024"},
		{"30/2/2023", "no day 30 in month 2 of 2023"},
		{"00/00/0000", "no month 0"},
		{"0000-00-00 00:00:00", "no month 0"},
		{"2024-13-01", "no month 13"},
		{"20241305", "no month 13"},
		{"05/11/2024 25:15", "no time 25:15:00"},
		{"05/11/2024 14:75", "no time 14:75:00"},
		{"05/11/2024 14:15 +9900", "no zone +9900"},
		{"0001-01-01T00:00:00", "before 1990"},
		{"Thu, 01 Jan 1970 00:00:00 GMT", "before 1990"},
		{"05/11/1989", "before 1990"},
		{"05/11/2027", "more than 2 years ahead"},
		{"4102444800", "more than 2 years ahead"},
		{"99999 năm trước", "before 1990"},
		{strings.Repeat("x", 300) + " 05/11/2024", "too long to be a date"},
		{strings.Repeat("x", 5000), "too long to be a date"},
	}
	for _, tt := range tests {
		got, err := ParseDate(tt.in, DateOptions{Now: dateNow})
		if !errors.Is(err, ErrDate) || !got.IsZero() || !strings.Contains(err.Error(), tt.why) {
			t.Errorf("ParseDate(%.40q) = %v, %v, want an error with %q", tt.in, got, err, tt.why)
		}
	}
	if _, err := ParseDate("3 giờ trước", DateOptions{}); !errors.Is(err, ErrDate) {
		t.Errorf("ParseDate of a relative date without Now: %v, want ErrDate", err)
	}
	if got, err := ParseDate("05/11/2039", DateOptions{}); err != nil {
		t.Errorf("ParseDate without Now = %v, %v, want no bound ahead", got, err)
	}
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"Tue, 05 Nov 2024 14:15:00 GMT+7", "Thứ ba, 05/11/2024 14:15 (GMT+7)", "2024-11-05T14:15:00.5Z", "3 giờ trước", "5 thg 11, 24", "/Date(1730790900000)/", "20241105T141500Z", "14h15' ngày 29/2", "Tháng Mười Một 5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseDate(s, DateOptions{Now: dateNow})
		if err != nil {
			if !errors.Is(err, ErrDate) || !got.IsZero() {
				t.Fatalf("ParseDate(%q) = %v, %v, want a zero time and ErrDate", s, got, err)
			}
			return
		}
		if got.UTC().Year() < minYear || got.After(dateNow.AddDate(maxAheadYears, 0, 0)) {
			t.Fatalf("ParseDate(%q) = %v, outside of the window", s, got)
		}
	})
}

func BenchmarkParseDate(b *testing.B) {
	for _, s := range []string{"Tue, 05 Nov 2024 14:15:00 +0700", "Thứ ba, 05/11/2024 14:15 (GMT+7)"} {
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseDate(s, DateOptions{Now: dateNow}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
