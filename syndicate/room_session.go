package syndicate

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"diemtin/store"
)

const (
	// sessionCookie names the cookie of a session.
	sessionCookie = "diemtin_phong"
	// sessionLength ends a session: a shift, and who forgot to sign out.
	sessionLength = 12 * time.Hour
	// sessionIdle ends one that nobody uses.
	sessionIdle = 2 * time.Hour
	// sessionNoted is how often the use of one is written down: a click a second
	// need not wait for the database's one writer.
	sessionNoted = time.Minute
	// maxSessions bounds their number; the one used longest ago makes room.
	maxSessions = 1000
	// signInsPerMinute of one client address: tokens cannot be guessed, but
	// trying must not cost us anything either.
	signInsPerMinute = 10
	// maxForm bounds a form, in bytes: a thousand items to split off.
	maxForm = 64 << 10
	// maxNameLength of who a proxy says is there, in bytes.
	maxNameLength = 64
)

var (
	headerForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,63}$`)
	// nameForm is what the ledger takes as a name from a proxy.
	nameForm = regexp.MustCompile(`^[\pL\pN][\pL\pN._@+ -]*$`)
)

// visitor is who asks.
type visitor struct {
	who     string
	form    string // mark that the forms made for this visitor carry
	session string // id of the session; "" if a proxy says who it is
}

var errTokens = errors.New("the file of tokens cannot be read")

// readTokens reads the file anew each time: who is taken out of it is out.
func readTokens(file string) ([]byte, error) {
	list, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errTokens, err)
	}
	if len(list) > maxTokens {
		return nil, fmt.Errorf("%w: it has %d bytes", errTokens, len(list))
	}
	return list, nil
}

// identify finds out who asks: whom a proxy of ours names, else whose session
// it is. who is empty if that is nobody.
func (m *Room) identify(r *http.Request) (visitor, error) {
	if who := m.named(r); who != "" {
		return visitor{who: who, form: m.mark("proxy " + who)}, nil
	}
	c, err := r.Cookie(sessionCookie)
	if err != nil || m.tokens == "" {
		return visitor{}, nil
	}
	list, err := readTokens(m.tokens)
	if err != nil {
		return visitor{}, err
	}
	s, err := m.sessions.Session(r.Context(), HashToken(c.Value))
	switch now := m.now(); {
	case errors.Is(err, store.ErrNotFound):
		return visitor{}, nil
	case err != nil:
		return visitor{}, err
	case now.Sub(s.Began) > sessionLength || now.Sub(s.Used) > sessionIdle || hashHolder(list, s.Token) != s.Who:
		return visitor{}, m.sessions.EndSession(r.Context(), s.ID)
	case now.Sub(s.Used) > sessionNoted:
		if err := m.sessions.UseSession(r.Context(), s.ID, now); err != nil {
			return visitor{}, err
		}
	}
	return visitor{who: s.Who, form: m.mark("session " + c.Value), session: s.ID}, nil
}

// named is whom a proxy of ours says it has signed in; anybody else's word on
// that is not heard.
func (m *Room) named(r *http.Request) string {
	if m.editors.Header == "" || !m.trusted(r) {
		return ""
	}
	all := r.Header.Values(m.editors.Header)
	if len(all) != 1 || len(all[0]) > maxNameLength || !nameForm.MatchString(all[0]) || reservedName(all[0]) {
		return ""
	}
	return all[0]
}

// trusted says whether a request comes straight from a proxy of ours.
func (m *Room) trusted(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && m.doors.ours(from.Addr().Unmap().WithZone(""))
}

// mark is what the forms of one visitor carry, which no other site can know.
func (m *Room) mark(id string) string {
	h := hmac.New(sha256.New, m.key)
	h.Write([]byte(id))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// signedIn lets in who is known, and leads others to the door.
func (m *Room) signedIn(serve func(http.ResponseWriter, *http.Request, visitor)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		in, err := m.identify(r)
		switch {
		case err != nil:
			m.closed(w, r, err)
		case in.who != "":
			serve(w, r, in)
		case r.Method == http.MethodGet || r.Method == http.MethodHead:
			to := "/dang-nhap"
			if back := r.URL.RequestURI(); back != "/" {
				to += "?" + url.Values{"toi": {localPath(back)}}.Encode()
			}
			http.Redirect(w, r, to, http.StatusSeeOther)
		default:
			m.door(w, r, http.StatusUnauthorized, "Phiên làm việc đã kết thúc, nên việc vừa rồi chưa được làm. Hãy đăng nhập rồi làm lại.")
		}
	}
}

// ordering lets only forms through that the room has made for this visitor.
func (m *Room) ordering(do func(http.ResponseWriter, *http.Request, visitor)) func(http.ResponseWriter, *http.Request, visitor) {
	return func(w http.ResponseWriter, r *http.Request, in visitor) {
		if err := r.ParseForm(); err != nil {
			m.fail(w, r, in, slip("Biểu mẫu quá dài hoặc không đọc được."))
			return
		}
		if subtle.ConstantTimeCompare([]byte(r.PostFormValue("form")), []byte(in.form)) != 1 {
			m.forged(w, r)
			return
		}
		do(w, r, in)
	}
}

// forged refuses a form that another site may have made.
func (m *Room) forged(w http.ResponseWriter, r *http.Request) {
	m.log.WarnContext(r.Context(), "form refused in the editors' room", "path", r.URL.Path, "client", m.doors.client(r), "origin", r.Header.Get("Origin"))
	m.write(w, r, visitor{}, roomView{View: "fault", Title: "Không nhận biểu mẫu này", Status: http.StatusForbidden, Body: roomFault{
		Said: "Biểu mẫu này không phải do phòng biên tập vừa đưa ra, nên không có gì được làm. Hãy mở lại trang rồi bấm lần nữa.", Back: "/"}})
}

// closed says that nobody can be let in now.
func (m *Room) closed(w http.ResponseWriter, r *http.Request, err error) {
	said := "Máy chủ không đọc được danh sách người được vào. Hãy báo người vận hành."
	if !errors.Is(err, errTokens) {
		said = "Cơ sở dữ liệu chưa trả lời. Hãy thử lại sau ít phút."
	}
	m.log.ErrorContext(r.Context(), "nobody let in to the editors' room", "file", m.tokens, "error", err)
	m.write(w, r, visitor{}, roomView{View: "fault", Title: "Phòng biên tập đang đóng", Status: http.StatusServiceUnavailable, Body: roomFault{
		Said: said, Back: "/"}})
}

// doorView is the page to sign in.
type doorView struct {
	Fault  string
	To     string // where to go then
	ByName bool   // by a token; else only through a proxy
	Hours  int    // a session lasts at most
}

func (m *Room) door(w http.ResponseWriter, r *http.Request, status int, fault string) {
	to := r.FormValue("toi")
	if r.Method != http.MethodGet && r.URL.Path != "/dang-nhap" {
		to = r.PostFormValue("back")
	}
	m.write(w, r, visitor{}, roomView{View: "dang-nhap", Title: "Đăng nhập", Status: status,
		Body: doorView{Fault: fault, To: localPath(to), ByName: m.tokens != "", Hours: int(sessionLength.Hours())}})
}

func (m *Room) signInPage(w http.ResponseWriter, r *http.Request) {
	if in, err := m.identify(r); err == nil && in.who != "" {
		http.Redirect(w, r, localPath(r.FormValue("toi")), http.StatusSeeOther)
		return
	}
	m.door(w, r, http.StatusOK, "")
}

// signIn begins a session for a name and its token.
func (m *Room) signIn(w http.ResponseWriter, r *http.Request) {
	if wait := m.doors.take(r); wait > 0 {
		w.Header().Set("Retry-After", seconds(wait))
		m.log.WarnContext(r.Context(), "too many tries to sign in", "client", m.doors.client(r))
		m.door(w, r, http.StatusTooManyRequests, "Đã thử quá nhiều lần. Hãy đợi "+seconds(wait)+" giây rồi thử lại.")
		return
	}
	if m.tokens == "" {
		m.door(w, r, http.StatusForbidden, "Phòng này chỉ vào được qua cổng của cơ quan.")
		return
	}
	list, err := readTokens(m.tokens)
	if err != nil {
		m.closed(w, r, err)
		return
	}
	name, hash := strings.TrimSpace(r.PostFormValue("ten")), HashToken(strings.TrimSpace(r.PostFormValue("token")))
	who := hashHolder(list, hash)
	if who == "" || who != name {
		m.log.WarnContext(r.Context(), "sign-in refused", "client", m.doors.client(r))
		m.door(w, r, http.StatusForbidden, "Tên hoặc token không đúng.")
		return
	}
	id, err := m.begin(r.Context(), who, hash)
	if err != nil {
		m.closed(w, r, err)
		return
	}
	http.SetCookie(w, m.cookie(r, id, int(sessionLength.Seconds())))
	m.log.InfoContext(r.Context(), "signed in to the editors' room", "who", who, "client", m.doors.client(r))
	http.Redirect(w, r, localPath(r.PostFormValue("toi")), http.StatusSeeOther)
}

// cookie carries a session; age is in seconds, below 0 ends it. It is Secure
// wherever the editor's browser speaks TLS.
func (m *Room) cookie(r *http.Request, id string, age int) *http.Cookie {
	secure := r.TLS != nil || m.trusted(r) && r.Header.Get("X-Forwarded-Proto") == "https"
	return &http.Cookie{Name: sessionCookie, Value: id, Path: "/", MaxAge: age, HttpOnly: true, Secure: secure, SameSite: http.SameSiteStrictMode}
}

// begin makes a session, and room for it. What the cookie holds stands nowhere
// but in the cookie.
func (m *Room) begin(ctx context.Context, who, hash string) (cookie string, err error) {
	cookie = rand.Text() + rand.Text() // 256 bits
	now := m.now()
	return cookie, m.sessions.BeginSession(ctx, store.Session{ID: HashToken(cookie), Who: who, Token: hash, Began: now, Used: now}, maxSessions)
}

func (m *Room) signOut(w http.ResponseWriter, r *http.Request, in visitor) {
	if in.session != "" {
		if err := m.sessions.EndSession(r.Context(), in.session); err != nil {
			m.fail(w, r, in, err)
			return
		}
	}
	http.SetCookie(w, m.cookie(r, "", -1))
	http.Redirect(w, r, "/dang-nhap", http.StatusSeeOther)
}
