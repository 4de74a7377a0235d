package syndicate

// embedTexts are the words around embedded stories, by language; the keys are
// those of items.json too.
var embedTexts = map[string]words{
	"vi": {
		"after":  "theo %s",
		"more":   "Xem thêm tại %s",
		"newtab": "Các liên kết mở trong thẻ mới.",
		"none":   "Chưa có tin nào.",
		"read":   "Đọc bài tại %s (mở trong thẻ mới)",
	},
	"en": {
		"after":  "via %s",
		"more":   "More at %s",
		"newtab": "Links open in a new tab.",
		"none":   "No stories yet.",
		"read":   "Read at %s (opens in a new tab)",
	},
}
