package aggregator

import (
	"time"

	"diemtin/store"
)

var testNow = time.Date(2024, 11, 5, 14, 15, 0, 0, store.Zone)
