package outlettest_test

import (
	"fmt"
	"net/http"

	"diemtin/aggregator/outlettest"
)

// A story that three outlets carry is one story, the national paper's.
func Example() {
	world, err := outlettest.New(outlettest.Options{Seed: 1, Stories: -1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer world.Close()
	story, err := world.PublishFrom("trung-uong", "hung-yen", "song-hong")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range story.Prints {
		resp, err := http.Get(p.Link)
		if err != nil {
			fmt.Println(err)
			return
		}
		resp.Body.Close()
		fmt.Println(world.Outlet(p.Outlet).Name, resp.StatusCode, p.Original)
	}
	// Output:
	// Báo Trung ương Mẫu 200 true
	// Báo Hưng Yên Mẫu 200 false
	// Cổng thông tin Sông Hồng Mẫu 200 false
}
