package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"diemtin/aggregator/outlettest"
	"diemtin/store"
)

// TestPictures makes README's pictures, of the demo's news: make pictures.
func TestPictures(t *testing.T) {
	dir := os.Getenv("DIEMTIN_PICTURES")
	if dir == "" {
		t.Skip("make pictures runs it")
	}
	_, config := world(t, outlettest.Options{Seed: 1, Stories: 420, Days: 9, Slow: 100 * time.Millisecond})
	p := serve(t, config, "sqlite:"+filepath.Join(t.TempDir(), "pictures.db"))
	p.swept(t)
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(need(t, "chromium")), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()))
	alloc, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	defer cancel()
	tab, cancel := chromedp.NewContext(alloc)
	defer cancel()
	yesterday := string(store.DayOf(time.Now().AddDate(0, 0, -1))) // full, whatever the hour
	for _, x := range []struct {
		name, address string
		width, height int64
	}{
		{"home", p.public + "/", 1280, 1000},
		{"day", p.public + "/days/" + yesterday + "/?by=time", 390, 844},
		{"embed", partner(t, p.public) + "/", 900, 640},
	} {
		shot, err := photograph(tab, x.address, x.width, x.height)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, x.name+".jpg"), shot, 0o644)
		}
		if err != nil {
			t.Errorf("picture %s: %v", x.name, err)
		}
	}
	p.stop(t)
}

// photograph is what a window of that size shows of a page, at twice the
// density: for screens that have it, and no larger than README needs.
func photograph(tab context.Context, address string, width, height int64) ([]byte, error) {
	if _, err := chromedp.Call(tab, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1.5}); err != nil {
		return nil, err
	}
	if err := chromedp.Do(tab, chromedp.Navigate(address)); err != nil {
		return nil, err
	}
	quality := int64(82)
	shot, err := chromedp.Call(tab, cdppage.CaptureScreenshot, cdppage.CaptureScreenshotParams{Format: cdppage.CaptureScreenshotFormatJpeg, Quality: &quality})
	return shot.Data, err
}

// partner is a site of somebody else that embeds a topic.
func partner(t *testing.T, base string) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!DOCTYPE html><html lang="vi"><meta charset="utf-8"><title>Cổng thông tin của đơn vị</title>
<style>body{margin:0;font:16px/1.6 system-ui,"Noto Sans",sans-serif;color:#223}header{background:#1d4e89;color:#fff;padding:14px 28px;font-size:22px}
main{display:grid;grid-template-columns:1fr 340px;gap:28px;padding:20px 28px}p{color:#556}iframe{border:1px solid #cdd;width:340px;height:500px}h2{margin:0 0 8px;font-size:18px}</style>
<header>Cổng thông tin của đơn vị</header><main><section><h2>Giới thiệu</h2><p>Đây là trang của một đơn vị khác. Khung bên cạnh nhúng một chuyên mục bằng một dòng mã, không cần script.</p>
<h2>Lịch công tác</h2><p>Thứ Hai: giao ban đầu tuần.</p><p>Thứ Tư: tiếp công dân.</p><p>Thứ Sáu: hội nghị sơ kết tháng.</p></section>
<section><h2>Tin xây dựng Đảng</h2><iframe src="%s/embed/topics/xay-dung-dang/?count=4" title="Tin xây dựng Đảng"></iframe></section></main></html>`, base)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}
