package store

// Topic is the id of a topic of feeds.yaml, such as "xay-dung-dang".
type Topic string

// NoTopic selects the stories that no topic has: "Tin khác".
const NoTopic Topic = ""

// orNone are topics as listings know them: none is NoTopic.
func orNone(topics []Topic) []Topic {
	if len(topics) == 0 {
		return []Topic{NoTopic}
	}
	return topics
}

// TopicInfo is what readers see of a topic.
type TopicInfo struct {
	ID Topic
	VI string // name in Vietnamese
	EN string // name in English
}

// ItemTopic is one topic of an item, with the evidence for it.
type ItemTopic struct {
	Topic   Topic    `json:"topic"`
	Score   float64  `json:"score"`
	Primary bool     `json:"primary,omitempty"`
	Reasons []Phrase `json:"reasons"`
}

// Phrase is one piece of evidence for a topic: what was found, where, and how
// much it counted.
type Phrase struct {
	Text   string  `json:"text"`   // the phrase as feeds.yaml has it, or the section's name
	Place  string  `json:"place"`  // title, summary, body or section
	Weight float64 `json:"weight"` // what it added to the score
}
