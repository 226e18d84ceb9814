package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a process may take over anything. Nothing takes as
// long; it turns a hanging test into a failing one.
const patience = time.Minute

// program is a running latchkey.
type program struct {
	cmd    *exec.Cmd
	url    string
	out    *transcript
	err    *transcript
	done   chan struct{} // closed when it has ended
	status error         // of exec.Cmd.Wait, once done is closed
	client *http.Client
}

// launch starts the program and returns when it answers. Who launches it
// kills it.
func launch(ctx context.Context, cmd *exec.Cmd) (*program, error) {
	p := &program{cmd: cmd, out: newTranscript(), err: newTranscript(), done: make(chan struct{})}
	p.client = &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = p.out, p.err, patience
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.done)
		p.status = cmd.Wait()
	}()
	if err := p.awaitAddress(ctx); err != nil {
		p.kill()
		return nil, fmt.Errorf("start %s: %w\n%s%s", strings.Join(cmd.Args, " "), err, p.out, p.err)
	}
	return p, nil
}

func (p *program) awaitAddress(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	announced := regexp.MustCompile(`answers on (\S+)\n`)
	for {
		if found := announced.FindStringSubmatch(p.out.String()); found != nil {
			p.url = found[1]
			return nil
		}
		select {
		case <-p.out.grew:
		case <-p.done:
			return errors.New("it ended")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// kill is kill -9.
func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
	p.client.CloseIdleConnections()
}

// stop is SIGTERM. The error is nil if it ends with status 0.
func (p *program) stop() error {
	p.client.CloseIdleConnections()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.done:
		return p.status
	case <-time.After(patience):
		p.kill()
		return errors.New("it did not stop")
	}
}

// call is one HTTP request to the program.
type call struct {
	method, path, token, clientID, body string
}

// answer is what came back.
type answer struct {
	Status  int             `json:"-"`
	Text    string          `json:"-"`
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

func (p *program) call(ctx context.Context, c call) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, c.method, p.url+c.path, strings.NewReader(c.body))
	if err != nil {
		return answer{}, err
	}
	for name, value := range map[string]string{"Authorization": c.token, "Client-Id": c.clientID} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	if c.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	a := answer{Status: resp.StatusCode, Text: string(text)}
	_ = json.Unmarshal(text, &a) // not every answer is an envelope
	return a, err
}

// errRefused says that the program answered something else than success.
var errRefused = errors.New("refused")

// signIn returns the token and the device, or errRefused.
func (p *program) signIn(ctx context.Context, username, password, clientID string) (token, device string, err error) {
	body, err := json.Marshal(map[string]string{"username": username, "password": password})
	if err != nil {
		return "", "", err
	}
	a, err := p.call(ctx, call{method: http.MethodPost, path: "/api/auth/login", clientID: clientID, body: string(body)})
	if err != nil {
		return "", "", err
	}
	if a.Code != http.StatusOK {
		return "", "", fmt.Errorf("sign in as %s: %w: %s", username, errRefused, a.Text)
	}
	var in struct {
		Token     string `json:"token"`
		DeviceKey string `json:"device_key"`
	}
	err = json.Unmarshal(a.Data, &in)
	return in.Token, in.DeviceKey, err
}

// transcript is what a process has printed so far.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
	grew chan struct{} // filled after a write
}

func newTranscript() *transcript { return &transcript{grew: make(chan struct{}, 1)} }

func (tr *transcript) Write(p []byte) (int, error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.text.Write(p)
	select {
	case tr.grew <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (tr *transcript) String() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.text.String()
}

// build builds the program, with the race detector if this test has it and the
// build can have it.
func build(t testing.TB, environ ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "latchkey")
	args := []string{"build", "-o", path}
	if raceEnabled && !slices.Contains(environ, "CGO_ENABLED=0") {
		args = append(args, "-race")
	}
	goIn(t, environ, append(args, "latchkey")...)
	return path
}

func goIn(t testing.TB, environ []string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Env = append(os.Environ(), environ...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// withoutSettings is the environment without what would configure latchkey.
func withoutSettings() []string {
	var list []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "LATCHKEY_") {
			list = append(list, v)
		}
	}
	return list
}

// run starts a built program on the folder, and kills it when the test ends.
func run(t testing.TB, path, folder string, environ ...string) *program {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), path, "--data", folder, "--http", "127.0.0.1:0", "--sftp", "")
	cmd.Env = append(withoutSettings(), environ...)
	p, err := launch(t.Context(), cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

// command runs one of the program's commands on the folder and returns what
// it printed.
func command(t testing.TB, path, folder string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), path, append(args, "--data", folder)...)
	cmd.Env = withoutSettings()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("latchkey %s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}
