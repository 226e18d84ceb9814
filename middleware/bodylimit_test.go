package middleware_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"latchkey/middleware"
	"latchkey/server/web"
)

const tooLarge = `{"code":"body_too_large","named":false,"text":"request body is too large"}`

// readAll answers with the length of the body.
func readAll(c *gin.Context) error {
	var req struct {
		Text string `json:"text"`
	}
	if err := web.JSON(c, &req); err != nil {
		return err
	}
	c.String(http.StatusOK, "taken")
	return nil
}

// bodyOf is a JSON body of that many bytes.
func bodyOf(size int) string {
	const frame = `{"text":""}`
	return `{"text":"` + strings.Repeat("a", size-len(frame)) + `"}`
}

func TestBodyLimit(t *testing.T) {
	engine := newEngine(web.Handle(readAll), middleware.Errors(silent(), render), middleware.BodyLimit("/api/auth/", "/api/public/"))
	for name, tt := range map[string]struct {
		path  string
		size  int
		taken bool
	}{
		"1 MiB":                         {"/api/me/update", 1 << 20, true},
		"1 MiB and a byte":              {"/api/me/update", 1<<20 + 1, false},
		"64 KiB at a sign-in":           {"/api/auth/login", 64 << 10, true},
		"64 KiB and a byte":             {"/api/auth/login", 64<<10 + 1, false},
		"64 KiB and a byte, other path": {"/api/public/x", 64<<10 + 1, false},
	} {
		for how, length := range map[string]int64{"with its length": int64(tt.size), "in chunks": -1} {
			t.Run(name+" "+how, func(t *testing.T) {
				r := httptest.NewRequest(http.MethodPost, tt.path, io.NopCloser(strings.NewReader(bodyOf(tt.size))))
				r.ContentLength = length
				w := do(engine, r)
				if tt.taken {
					wantAnswer(t, w, 200, "taken")
				} else {
					wantAnswer(t, w, 413, tooLarge)
				}
			})
		}
	}
	wantAnswer(t, do(newEngine(fine, middleware.BodyLimit()), newGet("/")), 200, "fine")
}

func TestBodyLimitRefusesUnread(t *testing.T) {
	engine := newEngine(func(*gin.Context) { t.Error("the handler runs") }, middleware.Errors(silent(), render), middleware.BodyLimit())
	r := httptest.NewRequest(http.MethodPost, "/", unreadable{t})
	r.ContentLength = 1<<20 + 1
	wantAnswer(t, do(engine, r), 413, tooLarge)
}

type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("the body is read")
	return 0, io.EOF
}

// After a refusal the rest of the body must not be taken for a request.
func TestBodyLimitClosesTheConnection(t *testing.T) {
	server := httptest.NewServer(newEngine(web.Handle(readAll), middleware.Errors(silent(), render), middleware.BodyLimit()))
	defer server.Close()
	const next = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, request := range map[string]string{
		"by length": "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n" + next,
		"by count":  "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n" + strings.Repeat("a", 0x100001) + "\r\n0\r\n\r\n" + next,
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			// A connection that stays open is the failure; it must not hang the test.
			if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(conn, request); err != nil {
				t.Fatal(err)
			}
			in := bufio.NewReader(conn)
			answer, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			if err != nil || answer.StatusCode != http.StatusRequestEntityTooLarge || string(body) != tooLarge || !answer.Close {
				t.Errorf("answer = %d %s, close %t, %v", answer.StatusCode, body, answer.Close, err)
			}
			if rest, _ := io.ReadAll(in); len(rest) > 0 {
				t.Errorf("a second answer: %s", rest)
			}
		})
	}
}
