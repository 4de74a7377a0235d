package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"diemtin/aggregator/outlettest"
)

// withRoom starts the program with an editors' room, to which lan and minh have
// tokens.
func withRoom(t *testing.T, opt outlettest.Options, prepare func(*outlettest.World)) (p *program, token, tokens, config, dsn string) {
	t.Helper()
	w, config := world(t, opt)
	if prepare != nil {
		prepare(w)
	}
	token, line := newToken("lan")
	_, other := newToken("minh")
	tokens = filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(tokens, []byte(line+"\n"+other+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dsn = "sqlite:" + filepath.Join(t.TempDir(), "room.db")
	p = serve(t, config, dsn, "--editors", "127.0.0.1:0", "--tokens", tokens)
	p.swept(t)
	return p, token, tokens, config, dsn
}

// leads are those of pairs that an editor may take for one article: the same
// words, and then other numbers.
var leads = []string{
	"Đoàn công tác của quỹ bảo trợ đã tới bản Nậm Chua trao tặng bếp sưởi, chăn bông cùng áo ấm cho các hộ người Mảng trong đợt rét sương muối đầu mùa năm nay",
	"Hội nuôi ong vùng Quế Lạc vừa nhận chứng chỉ mật hoa nhãn sau hai vụ quay mật thử dưới sự kèm cặp của kỹ sư trường trung cấp nghề nông lâm",
	"Câu lạc bộ thuyền nan cửa Lò Vôi sáng nay thả xuống phá những lứa cua giống được ương trong chum sành theo lối cũ của các cụ làng chài",
	"Nhóm thợ chạm đình làng Vân Cốc hoàn tất bộ cửa võng sơn son, mất gần một năm đục đẽo từ gỗ mít do dòng họ Khuất hiến tặng",
}

// nearly publishes those pairs, and an article that no topic takes.
func nearly(w *outlettest.World) {
	at := time.Now().Add(-30 * time.Minute)
	for i, lead := range leads {
		first := strings.Fields(lead)
		w.Outlet("trung-uong").Add(outlettest.Article{Title: "Ghi nhanh: " + strings.Join(first[:9], " "), Lead: lead + ", cho 127 hộ.", Body: []string{"Việc này do thôn tự làm."},
			Topic: "xa-hoi", Published: at.Add(time.Duration(i) * time.Minute)})
		w.Outlet("can-tho").Add(outlettest.Article{Title: "Chuyện ở cơ sở: " + strings.Join(first[4:14], " "), Lead: lead + ", cho 93 hộ.", Body: []string{"Bà con mổ lợn đón khách, trẻ nhỏ được khám răng."},
			Topic: "xa-hoi", Published: at.Add(time.Duration(5+i) * time.Minute)})
	}
	w.Outlet("nhip-song").Add(outlettest.Article{Title: "Chiếc lá rơi nghiêng", Lead: "Có một chiều như thế, nghe thời gian đi qua rất khẽ.", Body: []string{"Và thôi."}, Published: at.Add(7 * time.Minute)})
}

// tab opens a window of a real browser.
func tab(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("the short loop opens no browser")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(need(t, "chromium")), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
	alloc, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	page, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	longest := 2 * time.Minute
	if os.Getenv("DIEMTIN_SCREENSHOTS") != "" {
		longest = 15 * time.Minute
	}
	page, cancel = context.WithTimeout(page, longest)
	t.Cleanup(cancel)
	return page
}

// browser is a window on the editors' room.
type browser struct {
	t    *testing.T
	tab  context.Context
	base string
}

func (b browser) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.tab, steps...); err != nil {
		b.t.Fatalf("%s: %v\n%s", what, err, b.text())
	}
}

func (b browser) text() string {
	text, _ := chromedp.Run(b.tab, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`))
	return text
}

// press presses the button that reads so, first of those under the selector,
// and waits for the page that follows.
func (b browser) press(under, reads string) {
	b.t.Helper()
	before := b.at()
	found, err := chromedp.Run(b.tab, chromedp.Evaluate[bool](fmt.Sprintf(`(() => {
		const old = document.querySelector("[data-press]"); if (old) old.removeAttribute("data-press");
		const e = [...document.querySelectorAll(%q + " button")].find(e => e.textContent.trim().startsWith(%q));
		if (e) e.setAttribute("data-press", "");
		document.documentElement.setAttribute("data-old", "");
		return !!e;
	})()`, under, reads)))
	if err != nil || !found {
		b.t.Fatalf("no button %q under %q at %s: %v\n%s", reads, under, before, err, b.text())
	}
	b.do("press "+reads, chromedp.Click("[data-press]"), chromedp.WaitReady("html:not([data-old]) footer"))
}

func (b browser) at() string {
	at, err := chromedp.Run(b.tab, chromedp.Location())
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.TrimPrefix(at, b.base)
}

func (b browser) open(path string) {
	b.t.Helper()
	b.do("open "+path, chromedp.Navigate(b.base+path))
}

func (b browser) sees(what ...string) {
	b.t.Helper()
	text := b.text()
	for _, w := range what {
		if !strings.Contains(text, w) {
			b.t.Errorf("%s does not say %q:\n%s", b.at(), w, text)
		}
	}
}

func (b browser) sound(what string) {
	b.t.Helper()
	faults, err := chromedp.Run(b.tab, chromedp.Evaluate[[]string](faultsOfLayout))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, f := range faults {
		b.t.Errorf("%s: %s", what, f)
	}
}

// window sets the width and whether scripts run.
func (b browser) window(width int64, scripts bool) {
	b.t.Helper()
	disabled := func(ctx context.Context, to *chromedp.Target) (v chromedp.Void, err error) {
		_, err = cdp.Call(ctx, to, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !scripts})
		return v, err
	}
	b.do("set the window", chromedp.EmulateViewport(width, 900), disabled)
}

func (b browser) colours(scheme string) {
	b.t.Helper()
	b.do("choose colours", func(ctx context.Context, to *chromedp.Target) (v chromedp.Void, err error) {
		_, err = cdp.Call(ctx, to, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return v, err
	})
}

func (b browser) signIn(token string) {
	b.t.Helper()
	b.open("/gan-giong")
	b.sees("Đăng nhập phòng biên tập")
	b.sound("the door")
	b.do("fill in the door", chromedp.SendKeys("#ten", "lan"), chromedp.SendKeys("#token", token))
	b.press("main", "Vào phòng")
	if at := b.at(); at != "/gan-giong" {
		b.t.Errorf("the door leads to %s, want what was asked for", at)
	}
}

// What editors do in their room, and what readers see of it: in the end
// nothing, since each undoes what he did.
func TestRoom(t *testing.T) {
	t.Parallel()
	p, token, tokens, config, dsn := withRoom(t, outlettest.Options{Seed: 11, Stories: 60, Days: 2, Slow: 100 * time.Millisecond}, nearly)
	_, before := get(t, p.public+"/feed.json")
	t.Run("orders", func(t *testing.T) { roomOrders(t, p, token) })
	t.Run("browser", func(t *testing.T) { roomInBrowser(t, p, token, config, dsn) })
	// What was split off for a moment keeps its place empty, so the oldest entry
	// has left the window; nothing else has moved, and nothing came.
	eventually(t, "the feed as it was", func() bool {
		_, after := get(t, p.public+"/feed.json")
		was, is := idsOf(before), idsOf(after)
		return len(is) >= len(was)-1 && slices.Equal(is, was[:len(is)])
	})
	ledger, _, _ := output(t, "rulings", "--db", dsn, "--config", config)
	for _, want := range []string{"lan", "merge", "unmerge", "split", "pin", "topic", "review", "hide", "restore", "thử ẩn"} {
		if !strings.Contains(ledger, want) {
			t.Errorf("the ledger lacks %q:\n%s", want, ledger)
		}
	}
	t.Run("reloaded", func(t *testing.T) {
		e := newEditor(t, p, token)
		text, err := os.ReadFile(config)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(config, []byte(strings.Replace(string(text), "title: ", "title: Bản mới ", 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, errs, code := bearing(t, token, "reload", "--admin", strings.TrimPrefix(p.admin, "http://")); code != 0 {
			t.Fatalf("reload: exit %d, %s", code, errs)
		}
		if _, doc := e.get("/so"); !strings.Contains(doc.Find("footer").Text(), "Bản mới ") || doc.Find("h1").Text() != "Sổ quyết định" {
			t.Errorf("after a reload the same session sees\n%s", doc.Text())
		}
	})
	t.Run("revoked", func(t *testing.T) {
		e := newEditor(t, p, token)
		if err := os.WriteFile(tokens, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if resp, _ := e.get("/so"); resp.Request.URL.Path != "/dang-nhap" {
			t.Errorf("whose token was revoked sees %s", resp.Request.URL)
		}
	})
	p.stop(t)
	if strings.Contains(p.log.String(), "ERROR") {
		t.Errorf("the log has errors:\n%s", p.log)
	}
}

// roomInBrowser signs in, merges two stories, undoes it, hides one and proposes
// a rule: on a phone and a desk, with scripts and without.
func roomInBrowser(t *testing.T, p *program, token, config, dsn string) {
	b := browser{t, tab(t), p.editors}
	for i, w := range []struct {
		width   int64
		scripts bool
	}{{360, false}, {1280, true}, {360, true}, {1280, false}} {
		b.window(w.width, w.scripts)
		b.signIn(token)
		b.sees("Ghi nhanh: ", "Chuyện ở cơ sở: ", "con số khác nhau")
		b.sound(fmt.Sprintf("near at %d px", w.width))

		b.press("li.pair:has(a[href]):first-child", "Gộp làm một")
		b.sees("Đã làm, ghi vào sổ", "Gộp")
		b.press(".done", "Hoàn tác")
		b.sees("Bỏ gộp")

		b.open("/")
		b.press(".columns section:first-child li:first-child", "Ẩn ngay")
		b.sees("Ẩn ở mọi nơi")
		b.do("say why", chromedp.SendKeys(".done input[name=why]", "thử ẩn"))
		b.press(".done", "Ghi lý do")
		b.press(".done", "Hoàn tác")
		b.sees("Hoàn tác quyết định số")

		b.open("/quy-tac?chuyen-muc=xa-hoi&viec=phrase&suc=3&tu=" + url.QueryEscape("Nậm Chua"))
		b.sees("Kết quả thử", "cụm từ có trong")
		b.sound(fmt.Sprintf("rules at %d px", w.width))
		b.do("say why", chromedp.SendKeys("#ghi-chu", "bản vùng cao"))
		b.press(".save", "Lưu thành đề xuất")
		b.sees("Đề xuất quy tắc cho chuyên mục", "bản vùng cao")
		if i == 0 {
			out, errs, code := output(t, "topics", "proposals", "--config", config, "--db", dsn)
			if code != 0 || !strings.Contains(out, `{phrase: "Nậm Chua", weight: 3}`) || !strings.Contains(out, ": lan, ") {
				t.Errorf("topics proposals: exit %d\n%s%s", code, out, errs)
			}
		}
		b.press(".done", "Hoàn tác")
		b.press("header.top", "Đăng xuất")
		b.sees("Đăng nhập phòng biên tập")
	}
	if dir := os.Getenv("DIEMTIN_SCREENSHOTS"); dir != "" {
		b.pictures(dir, token)
	}
}

// idsOf are the ids of the entries of a JSON feed, in their order.
func idsOf(feed string) (ids []string) {
	for line := range strings.SplitSeq(feed, `"id":`) {
		if id, _, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), `"`), `"`); ok && strings.HasPrefix(id, "urn:") {
			ids = append(ids, id)
		}
	}
	return ids
}

// pictures leaves a picture of every page, at three widths, light and dark.
func (b browser) pictures(dir, token string) {
	b.window(1280, false)
	b.open("/dang-nhap")
	b.signIn(token)
	b.open("/moi-gop")
	merged, _ := chromedp.Run(b.tab, chromedp.Evaluate[string](`document.querySelector("a.button[href^='/tin/']").getAttribute("href")`))
	b.open("/")
	b.press(".columns section:first-child li:last-child", "Ẩn ngay")
	hidden, err := chromedp.Run(b.tab, chromedp.Evaluate[string](`document.querySelector(".done a[href^='/tin/']").getAttribute("href")`))
	if err != nil {
		b.t.Fatal(err)
	}
	done := b.at()
	rule := "/quy-tac?chuyen-muc=xa-hoi&viec=phrase&suc=2&tu=" + url.QueryEscape("người dân")
	pages := map[string]string{"home": "/", "done": done, "near": "/gan-giong", "merges": "/moi-gop", "topicless": "/chua-phan-loai", "story": merged, "hidden": hidden,
		"search": "/tim?q=" + url.QueryEscape("xã"), "ledger": "/so", "rules": "/quy-tac", "trial": rule, "help": "/huong-dan", "fault": "/tin/aaaaaaaaaaaaa"}
	for _, scheme := range []string{"light", "dark"} {
		b.colours(scheme)
		for _, width := range []int64{360, 768, 1280} {
			b.window(width, false)
			for name, path := range pages {
				b.open(path)
				b.sound(fmt.Sprintf("%s at %d px", path, width))
				b.picture(filepath.Join(dir, fmt.Sprintf("room-%s-%s-%d.jpg", name, scheme, width)))
			}
		}
	}
	b.open(done)
	b.press(".done", "Hoàn tác")
	b.press("header.top", "Đăng xuất")
	for _, scheme := range []string{"light", "dark"} {
		b.colours(scheme)
		for _, width := range []int64{360, 768, 1280} {
			b.window(width, false)
			b.open("/dang-nhap")
			b.picture(filepath.Join(dir, fmt.Sprintf("room-door-%s-%d.jpg", scheme, width)))
		}
	}
}

func (b browser) picture(file string) {
	b.t.Helper()
	picture, err := chromedp.Run(b.tab, chromedp.FullScreenshot(80))
	if err := errors.Join(err, os.WriteFile(file, picture, 0o644)); err != nil {
		b.t.Fatal(err)
	}
}
