//go:build !unix

package syndicate

import "time"

// processorTime is not known here: the clock stands for it.
func processorTime() time.Duration { return time.Duration(time.Now().UnixNano()) }
