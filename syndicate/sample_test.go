package syndicate

import (
	"fmt"
	"strings"
	"time"

	"diemtin/store"
)

// sampleConfig is a small site: four outlets, three topics, three provinces.
func sampleConfig() Config {
	return Config{
		Site: Site{Title: "Điểm tin", BaseURL: "https://tin.example.vn", Language: "vi",
			Operator: "Tòa soạn thử", Contact: "toasoan@example.vn"},
		Topics: []store.TopicInfo{
			{ID: "xay-dung-dang", VI: "Xây dựng Đảng", EN: "Party building"},
			{ID: "kinh-te", VI: "Kinh tế", EN: "Economy"},
			{ID: "giao-duc", VI: "Giáo dục", EN: "Education"},
		},
		Outlets: []store.Outlet{
			{ID: "trunguong", Name: "Báo Trung Ương", Domains: []string{"trunguong.example.vn"},
				Scope: store.National, Rank: 1, Show: store.ShowSummary, Images: true},
			{ID: "laocai", Name: "Báo Lào Cai", Domains: []string{"laocai.example.vn"},
				Scope: store.Provincial, Province: "lao-cai", Rank: 3, Show: store.ShowSummary},
			{ID: "tieude", Name: "Báo Chỉ Tiêu Đề", Domains: []string{"tieude.example.vn"},
				Scope: store.Ministry, Rank: 2, Show: store.ShowHeadline, Images: true},
			{ID: "an", Name: "Báo Ẩn", Domains: []string{"an.example.vn"},
				Scope: store.National, Rank: 2, Show: store.ShowNone},
		},
		Places: []Place{
			{ID: "lao-cai", Name: "Lào Cai"}, {ID: "hung-yen", Name: "Hưng Yên"},
			{ID: "thai-binh", Name: "Thái Bình", Into: "hung-yen"},
		},
		Channels: []ChannelConfig{{
			ID: "dang-va-kinh-te", Title: Names{"Đảng và kinh tế", "Party and economy"},
			Description: Names{VI: "Hai chuyên mục trong một nguồn cấp tin."},
			Topics:      []store.Topic{"xay-dung-dang", "kinh-te"},
		}},
		Version: "0.1.0",
	}
}

// at is a moment of 5 November 2024 in Việt Nam.
func at(clock string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04:05.000", "2024-11-05 "+clock, store.Zone)
	if err != nil {
		panic(err)
	}
	return t.UTC() // as the store gives it
}

// sampleStory is the n-th story of a channel, quoted from an outlet.
func sampleStory(n int, o store.Outlet, change ...func(*store.Story)) store.Story {
	published := at("14:15:00.000").Add(-time.Duration(n) * time.Minute)
	listed := published.Add(4*time.Minute + time.Duration(n)*time.Millisecond)
	it := store.Item{
		ID: int64(100 + n), Outlet: o.ID, Source: o.ID + "-home",
		Title:     fmt.Sprintf("Xã Bắc Hà khai giảng lớp học thứ %d", n),
		Link:      fmt.Sprintf("https://%s/tin/bai-%d.html", o.Domains[0], n),
		Summary:   "Sáng 5/11, lớp học buổi tối của xã mở cửa đón ba mươi học viên, phần lớn là phụ nữ vùng cao.",
		Published: published, Seen: published.Add(time.Minute), Lang: "vi",
	}
	st := store.Story{
		ID: "story" + strings.Repeat("a", 5) + fmt.Sprintf("%03d", n), Listed: listed, Updated: listed,
		Outlet: o, Topics: []store.Topic{"giao-duc"}, Carriers: 1,
	}
	it.Story = st.ID
	st.Quoted, st.Original = it, it
	for _, f := range change {
		f(&st)
	}
	st.Shown = st.Quoted.Time() // as the store does it when it lists a story
	if st.Shown.After(st.Listed) {
		st.Shown = st.Listed
	}
	return st
}

// quoted changes the quoted item of a sample, which stays its own original.
func quoted(f func(*store.Item)) func(*store.Story) {
	return func(st *store.Story) {
		f(&st.Quoted)
		st.Original = st.Quoted
	}
}

// sampleFeed is a feed of one channel with these stories.
func sampleFeed(kind, id string, stories ...store.Story) Feed {
	cfg := sampleConfig()
	ch, ok := cfg.channel(kind, id)
	if !ok {
		panic("no channel " + kind + "/" + id)
	}
	return Feed{Config: &cfg, Channel: ch, Stories: stories}
}

// typicalFeed has one story of each ordinary shape.
func typicalFeed() Feed {
	outlets := sampleConfig().Outlets
	national, provincial, headlines := outlets[0], outlets[1], outlets[2]
	return sampleFeed("topics", "giao-duc",
		sampleStory(1, national, quoted(func(it *store.Item) {
			it.Authors = []string{"Nguyễn Văn Ánh", "Trần Thị Bưởi"}
			it.Image = "https://trunguong.example.vn/anh/lop học.JPG"
			it.Enclosures = []store.Enclosure{{URL: it.Image, Type: "image/jpeg", Length: 48213}}
		})),
		sampleStory(2, provincial, func(st *store.Story) {
			st.Quoted.Attribution = store.Attribution{Text: "TTXVN"}
			st.Original = sampleStory(9, national).Quoted
			st.Updated = st.Listed.Add(2 * time.Hour)
			st.Province, st.Carriers = "lao-cai", 3
			st.Topics = []store.Topic{"giao-duc", "xay-dung-dang"}
		}),
		sampleStory(3, headlines, quoted(func(it *store.Item) {
			it.Published = time.Time{}
			it.Title, it.Lang = "A class for \"everyone\" < 5 km & more", "en"
		})),
	)
}
