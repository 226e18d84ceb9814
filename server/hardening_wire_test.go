package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey/server"
	"latchkey/server/config"
)

// listen lets the fortress answer on a real listener and returns its address.
func (f *fortress) listen(t testing.TB) string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	addresses, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- f.App.Serve(ctx, func(a net.Addr) { addresses <- a.String() }) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	select {
	case address := <-addresses:
		return address
	case err := <-ended:
		ended <- nil
		t.Fatalf("serve: %v", err)
	}
	return ""
}

// onWire opens a fortress on a free port of this machine.
func onWire(t testing.TB) (f *fortress, address string) {
	t.Helper()
	f = besiege(t, func(c *config.Config, _ *server.Options) { c.HTTP = "127.0.0.1:0" })
	return f, f.listen(t)
}

// wire is what came back on one connection.
type wire struct {
	statuses []int
	codes    []int // the envelopes', else the statuses
	closed   bool  // by the server, before its idle timeout
	rest     string
}

// How long to wait: for a first answer that need not come, and for the end of a
// connection that must. An idle one stays open for two minutes. Neither measures
// speed.
const (
	answerWait = time.Second
	closeWait  = 10 * time.Second
)

// tell sends bytes as they are and reads all answers. half says nothing more
// will come.
func tell(t testing.TB, address, message string, half bool) wire {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	wait := answerWait
	if half {
		wait = closeWait
	}
	_ = conn.SetDeadline(time.Now().Add(wait))
	if _, err := io.WriteString(conn, message); err != nil {
		t.Fatal(err)
	}
	if half {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.CloseWrite()
		}
	}
	var w wire
	r := bufio.NewReader(conn)
	for {
		if _, err := r.Peek(1); err != nil {
			timeout, ok := err.(net.Error) //nolint:errorlint // the connection's own error
			w.closed = !ok || !timeout.Timeout()
			return w
		}
		reply, err := http.ReadResponse(r, nil)
		if err != nil {
			w.rest = err.Error()
			return w
		}
		envelope := struct{ Code int }{reply.StatusCode}
		_ = json.NewDecoder(reply.Body).Decode(&envelope)
		_, _ = io.Copy(io.Discard, reply.Body)
		_ = reply.Body.Close()
		_ = conn.SetDeadline(time.Now().Add(closeWait))
		w.statuses, w.codes = append(w.statuses, reply.StatusCode), append(w.codes, envelope.Code)
	}
}

// signInMessage is a message to the sign-in route with these lines in its head.
func signInMessage(lines, body string) string {
	return "POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + lines + "\r\n" + body
}

// smuggled is a request that nobody sent: it is some other message's body.
const smuggled = "GET /api/smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

// ambiguous are messages that two readers could understand differently
// (RFC 9112 §5.1, §6.1, §6.3, §11.2). Each ends with what a smuggler wants to be
// taken for a request of its own.
func ambiguous() map[string]string {
	chunk := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(smuggled), smuggled)
	all := map[string]string{
		"a length and chunks":             signInMessage("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"+smuggled),
		"chunks and a length":             signInMessage("Transfer-Encoding: chunked\r\nContent-Length: 6\r\n", "0\r\n\r\n"+smuggled),
		"a long length and chunks":        signInMessage(fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding: chunked\r\n", 5+len(smuggled)), "0\r\n\r\n"+smuggled),
		"chunks twice":                    signInMessage("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"+smuggled),
		"chunked before another":          signInMessage("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"+smuggled),
		"a folded encoding":               signInMessage("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"+smuggled),
		"a blank first line":              "GET /api/me HTTP/1.1\r\n X: y\r\nHost: a\r\n\r\n" + smuggled,
		"NUL in a header":                 "GET /api/me HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n" + smuggled,
		"CR in a header":                  "GET /api/me HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n" + smuggled,
		"NUL in a name":                   "GET /api/me HTTP/1.1\r\nHost: a\r\nX\x00: a\r\n\r\n" + smuggled,
		"a name without a colon":          "GET /api/me HTTP/1.1\r\nHost: a\r\nContent-Length 5\r\n\r\n" + smuggled,
		"an empty name":                   "GET /api/me HTTP/1.1\r\nHost: a\r\n: 5\r\n\r\n" + smuggled,
		"two hosts":                       "GET /api/me HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + smuggled,
		"the same host twice":             "GET /api/me HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n" + smuggled,
		"no host":                         "GET /api/me HTTP/1.1\r\n\r\n" + smuggled,
		"a broken host":                   "GET /api/me HTTP/1.1\r\nHost: a b\r\n\r\n" + smuggled,
		"two versions":                    "GET /api/me" + strings.Repeat(" HTTP/1.1", 2) + "\r\nHost: a\r\n\r\n" + smuggled,
		"another version":                 "GET /api/me HTTP/1.9x\r\nHost: a\r\n\r\n" + smuggled,
		"no version":                      "GET /api/me\r\nHost: a\r\n\r\n" + smuggled,
		"a tab before the version":        "GET\t/api/me\tHTTP/1.1\r\nHost: a\r\n\r\n" + smuggled,
		"a broken method":                 "GE(T /api/me HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled,
		"a control character in the path": "GET /api/\x01me HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled,
		"another protocol":                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"chunks of HTTP/1.0":              strings.Replace(signInMessage("Transfer-Encoding: chunked\r\n", "0\r\n\r\n"+smuggled), "HTTP/1.1", "HTTP/1.0", 1),
	}
	for _, length := range []string{"+0", "-0", "-1", "0x0", "0,0", "0, 0", "0;", "0 0", "", "0.0", "1e0", "０", "18446744073709551616", "9223372036854775808", "0\x00"} {
		all["the length "+length] = signInMessage("Content-Length: "+length+"\r\n", smuggled)
	}
	for _, coding := range []string{"identity", "gzip", "gzip, chunked", "chunked, chunked", "chunked,", "xchunked", "chunkedx", "\"chunked\"", "chunked;q=1", "\x0bchunked", "chunked\x00", "chünked", "cow"} {
		all["the encoding "+coding] = signInMessage("Transfer-Encoding: "+coding+"\r\n", "0\r\n\r\n"+smuggled)
	}
	for name, line := range map[string]string{
		"length": "Content-Length : 0\r\n", "encoding": "Transfer-Encoding : chunked\r\n", "encoding by a tab": "Transfer-Encoding\t: chunked\r\n",
	} {
		all["a blank at the "+name] = signInMessage(line, "0\r\n\r\n"+smuggled)
	}
	for name, lines := range map[string]string{"two lengths": "Content-Length: 0\r\nContent-Length: 5\r\n", "three lengths": "Content-Length: 5\r\nContent-Length: 5\r\nContent-Length: 0\r\n"} {
		all[name] = signInMessage(lines, smuggled)
	}
	for name, body := range map[string]string{
		"a negative chunk": "-1\r\n", "a signed chunk": "+0\r\n\r\n", "a 0x chunk": "0x0\r\n\r\n", "an endless chunk": "ffffffffffffffffff\r\n", "a huge chunk": "8000000000000000\r\n", "an empty chunk size": "\r\n\r\n",
		"a chunk of words": "zz\r\n", "a chunk of blanks": " 0\r\n\r\n", "a short chunk": "1\r\nxy\r\n0\r\n\r\n", "a chunk without its line end": "1\r\nx0\r\n\r\n", "a line feed in an extension": "0;a\nb\r\n\r\n", "a CR in an extension": "0;a\rb\r\n\r\n",
		"a bare line feed behind a size": "1\nx\r\n0\r\n\r\n", "a bare line feed behind a chunk": "1\r\nx\n0\r\n\r\n", "a broken trailer": "0\r\nX y\r\n\r\n", "a length as trailer": "0\r\nContent-Length : 9\r\n\r\n",
	} {
		all[name] = signInMessage("Transfer-Encoding: chunked\r\n", body+chunk)
	}
	return all
}

// One message never gets two answers, whatever another reader would make of it,
// and what it carries is never taken for a request (H-05).
func TestAmbiguousMessagesGetOneAnswerAtMost(t *testing.T) {
	f, address := onWire(t)
	before := f.rows(t)
	messages := ambiguous()
	for name, message := range messages {
		w := tell(t, address, message, true)
		if len(w.statuses) > 1 || w.rest != "" {
			t.Errorf("%s: answers %v %s, want one at most", name, w.statuses, w.rest)
			continue
		}
		if len(w.codes) == 1 && (w.codes[0] < 400 || w.codes[0] > 499) && w.codes[0] != http.StatusNotImplemented && w.codes[0] != http.StatusHTTPVersionNotSupported {
			t.Errorf("%s: code %v, want a refusal", name, w.codes)
		}
		if !w.closed {
			t.Errorf("%s: the connection stays open", name)
		}
	}
	if strings.Contains(f.log.String(), "smuggled") {
		t.Error("a smuggled request has reached a handler")
	}
	if after := f.rows(t); after != before {
		t.Errorf("rows changed: %s", firstDifference(before, after))
	}
	t.Logf("%d ambiguous messages", len(messages))
}

// The same without a hint that nothing follows: the server itself must end the
// connection, or a proxy would send somebody else's request after it.
func TestAmbiguousMessagesEndTheConnection(t *testing.T) {
	t.Parallel()
	_, address := onWire(t)
	for name, message := range ambiguous() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if w := tell(t, address, strings.TrimSuffix(message, smuggled), false); !w.closed && len(w.statuses) > 0 {
				t.Errorf("answers %v and waits for more", w.statuses)
			}
		})
	}
}

// net/http reads a folded header as one line, as RFC 9112 §5.2 lets a server do
// (rulings 14): the message still gets one answer.
func TestFoldedHeadersGetOneAnswer(t *testing.T) {
	_, address := onWire(t)
	for name, message := range map[string]string{
		"a folded header":          signInMessage("Content-Length: 0\r\nX: a\r\n b\r\n", ""),
		"a folded length":          signInMessage("Content-Length:\r\n 2\r\n", "{}"),
		"a length in a fold":       signInMessage(" Content-Length: 0\r\n", ""),
		"an encoding in a fold":    signInMessage(" Transfer-Encoding: chunked\r\n", ""),
		"a host in a fold":         "GET /api/me HTTP/1.1\r\nX: a\r\n Host: b\r\n\r\n",
		"a fold of a tab":          "GET /api/me HTTP/1.1\r\nHost: a\r\nX:\r\n\tb\r\n\r\n",
		"a fold of nothing at all": "GET /api/me HTTP/1.1\r\nHost: a\r\nX: a\r\n \r\n\r\n",
	} {
		if w := tell(t, address, message, true); len(w.codes) != 1 || w.codes[0] < 400 || w.codes[0] > 499 {
			t.Errorf("%s: answers %v %s, want one refusal", name, w.codes, w.rest)
		}
	}
}

// What is refused by its length alone is not read; what follows on the
// connection is its rest, and no request.
func TestRefusedBodiesAreNotTakenForRequests(t *testing.T) {
	f, address := onWire(t)
	for name, tt := range map[string]struct {
		message string
		want    []int
	}{
		"two honest requests":         {"GET /api/me HTTP/1.1\r\nHost: a\r\n\r\nGET /api/me HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", []int{200, 200}},
		"an announced body":           {signInMessage("Content-Length: 2000000\r\n", strings.Repeat(smuggled, 2000)), []int{413}},
		"a counted body":              {signInMessage("Transfer-Encoding: chunked\r\n", fmt.Sprintf("%x\r\n%s", 1<<20, strings.Repeat(smuggled, 2000))), []int{413}},
		"a body that nobody reads":    {"GET /api/me HTTP/1.1\r\nHost: a\r\nContent-Length: 44\r\nConnection: close\r\n\r\n" + smuggled + "....", []int{200}},
		"a body of an unknown route":  {fmt.Sprintf("POST /api/none HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(smuggled), smuggled), []int{404}},
		"a body with a wrong method":  {fmt.Sprintf("PUT /api/me HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(smuggled), smuggled), []int{405}},
		"a body of a foreign type":    {fmt.Sprintf("POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(smuggled), smuggled), []int{415}},
		"a header of more than 64 KB": {"GET /api/me HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 100<<10) + "\r\n\r\n" + smuggled, []int{431}},
	} {
		w := tell(t, address, tt.message, true)
		if fmt.Sprint(w.statuses) != fmt.Sprint(tt.want) {
			t.Errorf("%s: answers %v %s, want %v", name, w.statuses, w.rest, tt.want)
		}
	}
	if strings.Contains(f.log.String(), "smuggled") {
		t.Error("a smuggled request has reached a handler")
	}
}
