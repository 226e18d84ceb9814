package server_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
)

// meReply is a struct of the same shape and size as the answer of /api/me.
type meReply struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    struct {
		ID          int64    `json:"id"`
		Username    string   `json:"username"`
		Password    string   `json:"password"`
		BasePath    string   `json:"base_path"`
		Role        []int64  `json:"role"`
		Disabled    bool     `json:"disabled"`
		Permission  int64    `json:"permission"`
		SSOID       string   `json:"sso_id"`
		OTP         bool     `json:"otp"`
		RoleNames   []string `json:"role_names"`
		Permissions []struct {
			Path       string `json:"path"`
			Permission int64  `json:"permission"`
		} `json:"permissions"`
	} `json:"data"`
}

// bareGin is the unit that everything is measured in: a Gin without
// middleware that answers as many bytes and knows nobody.
func bareGin() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	var reply meReply
	reply.Code, reply.Message = http.StatusOK, "success"
	d := &reply.Data
	d.ID, d.Username, d.BasePath, d.Role, d.Permission = 2, "admin", "/", []int64{2}, 65535
	d.RoleNames = []string{"admin"}
	d.Permissions = append(d.Permissions, struct {
		Path       string `json:"path"`
		Permission int64  `json:"permission"`
	}{"/", 65535})
	engine := gin.New()
	engine.GET("/api/me", func(c *gin.Context) { c.JSON(http.StatusOK, reply) })
	return engine
}

// contenders are the handlers that are compared, each with the headers its
// requests carry.
func contenders(b *testing.B) []contender {
	b.Helper()
	quiet := servertest.Open(b, func(c *config.Config, _ *server.Options) { c.AccessLog = false })
	logged := servertest.Open(b, func(_ *config.Config, o *server.Options) {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil)) //nolint:sloglint // what writing a line costs is measured, and DiscardHandler makes none
	})
	named, nameless := quiet.Admin(b, "bench"), quiet.Admin(b, "")
	return []contender{
		{"bare Gin", bareGin(), ""},
		{"me", quiet.App.Handler(), "Authorization: " + nameless.Token + "\r\n"},
		{"me with Client-Id", quiet.App.Handler(), "Authorization: " + named.Token + "\r\nClient-Id: bench\r\n"},
		{"me with access log", logged.App.Handler(), "Authorization: " + logged.Admin(b, "").Token + "\r\n"},
	}
}

type contender struct {
	name    string
	handler http.Handler
	headers string
}

func (c contender) text() string {
	return "GET /api/me HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\n" + c.headers + "\r\n"
}

// BenchmarkRequest is the whole authenticated request without a network, next
// to a bare Gin handler: what one check costs a core.
func BenchmarkRequest(b *testing.B) {
	for _, c := range contenders(b) {
		b.Run(c.name, func(b *testing.B) {
			req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(c.text())))
			if err != nil {
				b.Fatal(err)
			}
			req.RemoteAddr = "127.0.0.1:4711"
			w := &nullWriter{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				c.handler.ServeHTTP(w, req)
			}
			if w.status != http.StatusOK || w.bytes == 0 {
				b.Fatalf("status %d, %d bytes", w.status, w.bytes)
			}
		})
	}
}

type nullWriter struct {
	header http.Header
	status int
	bytes  int
}

func (w *nullWriter) Header() http.Header         { return w.header }
func (w *nullWriter) WriteHeader(status int)      { w.status = status }
func (w *nullWriter) Write(p []byte) (int, error) { w.bytes += len(p); return len(p), nil }

// BenchmarkLoopback is the same over keep-alive connections on loopback: what
// a client sees. Client and server share the cores.
func BenchmarkLoopback(b *testing.B) {
	list := contenders(b)
	for _, conns := range []int{1, 16, 64} {
		for _, c := range list {
			b.Run(fmt.Sprintf("%d connections/%s", conns, c.name), func(b *testing.B) {
				host := httptest.NewServer(c.handler)
				defer host.Close()
				b.SetParallelism(conns)
				b.RunParallel(func(pb *testing.PB) {
					conn, err := new(net.Dialer).DialContext(b.Context(), "tcp", host.Listener.Addr().String())
					if err != nil {
						b.Error(err)
						return
					}
					defer conn.Close()
					ask(b, pb, conn, c.text())
				})
			})
		}
	}
}

// ask sends the request and reads its answer until the benchmark is over.
func ask(b *testing.B, pb *testing.PB, conn net.Conn, text string) {
	b.Helper()
	in := bufio.NewReader(conn)
	for pb.Next() {
		if _, err := io.WriteString(conn, text); err != nil {
			b.Error(err)
			return
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			b.Error(err)
			return
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || !strings.HasPrefix(string(body), `{"code":200,`) {
			b.Errorf("answer %q, %v", body, err)
			return
		}
	}
}

// BenchmarkSignIn is a whole sign-in at the real cost of the password hash.
func BenchmarkSignIn(b *testing.B) {
	s := servertest.Open(b, func(_ *config.Config, o *server.Options) { o.HashMemoryKiB = 0 })
	b.ReportAllocs()
	for b.Loop() {
		s.Admin(b, "bench")
	}
}
