package syndicate

import (
	"errors"
	"net/http"
	"strings"

	"diemtin/store"
)

// roomFault is what went wrong, for an editor.
type roomFault struct {
	Said   string
	Detail string // in the words of the program; "" = Said is all
	Back   string
}

// fail says why a page or an order could not be had.
func (m *Room) fail(w http.ResponseWriter, r *http.Request, in visitor, err error) {
	f := roomFault{Said: faultSaid(err), Detail: err.Error(), Back: backTo(r)}
	v := roomView{View: "fault", Title: "Không làm được", Status: http.StatusInternalServerError}
	switch {
	case errors.Is(err, store.ErrNotFound):
		v.Status, v.Title = http.StatusNotFound, "Không tìm thấy"
	case errors.Is(err, store.ErrRefused):
		v.Status = http.StatusConflict
	default:
		m.log.ErrorContext(r.Context(), "editors' room", "path", r.URL.Path, "error", err)
		f.Detail = ""
	}
	if r.Method == http.MethodGet {
		f.Back = "/"
	}
	v.Body = f
	m.write(w, r, in, v)
}

// faultWords are the causes that editors meet, by a part of the store's words.
var faultWords = [][2]string{
	{"cannot be merged with itself", "Một tin không thể gộp với chính nó. Hãy chọn hai tin khác nhau."},
	{"are one story", "Hai tin này đã là một tin rồi."},
	{"already undone", "Quyết định này đã được hoàn tác rồi; có thể đồng nghiệp vừa làm."},
	{"hidden already", "Tin này đang ẩn rồi."},
	{"neither hidden nor taken down", "Tin này không ẩn, nên không có gì để hiện lại."},
	{"nothing would be left", "Không thể tách tất cả các bản: phải còn ít nhất một bản ở lại."},
	{"which items", "Hãy đánh dấu ít nhất một bản muốn tách."},
	{"is not in story", "Bản này không còn ở trong tin; có thể đồng nghiệp vừa tách. Hãy mở lại trang."},
	{"to be the original already", "Bản này đã được chọn làm bản gốc rồi."},
	{"has topics", "Tin này vừa có chuyên mục, nên không còn ở danh sách chưa phân loại."},
	{"nothing is left", "Không còn gì để hoàn tác: các bản đã sang tin khác."},
	{"has a reason already", "Quyết định này đã có lý do, hoặc là của người khác."},
	{"proposed already", "Đề xuất này đã có rồi."},
	{"want topics", "Hãy chọn một chuyên mục."},
	{"say why", "Hãy viết lý do."},
	{"does not undo", "Quyết định này không còn hoàn tác được như vậy; hãy mở trang tin và làm lại từ đó."},
	{"cannot be restored", "Việc này không hoàn tác được."},
	{"is withdrawn", "Báo đã gỡ bài này."},
}

// faultSaid says in Vietnamese why something was not done.
func faultSaid(err error) string {
	var said slip
	if errors.As(err, &said) {
		return string(said)
	}
	for _, w := range faultWords {
		if strings.Contains(err.Error(), w[0]) {
			return w[1]
		}
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return "Không có tin, bài hay quyết định nào như vậy. Hãy kiểm tra lại mã hoặc địa chỉ."
	case errors.Is(err, store.ErrRefused):
		return "Việc này không làm được như vậy."
	}
	return "Máy chủ gặp lỗi nên chưa làm gì cả. Hãy thử lại; nếu vẫn lỗi, hãy báo người vận hành."
}

// slip is an editor's slip, in Vietnamese.
type slip string

func (r slip) Error() string { return string(r) }
func (slip) Unwrap() error   { return store.ErrRefused }
