package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"
)

// axiosVersion is the HTTP client of AList's web frontend. The page pins the
// file by its hash.
const axiosVersion = "1.21.1"

// glance is how long a page may take over anything. As with patience, nothing
// takes as long.
const glance = 20 * time.Second

type step = chromedp.Action[chromedp.Void]

// lacking ends the test because the machine has no such thing: as skipped,
// unless LATCHKEY_TEST_REQUIRE=1 wants it.
func lacking(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("LATCHKEY_TEST_REQUIRE") == "1" {
		t.Fatalf(format+", and LATCHKEY_TEST_REQUIRE=1 wants it", args...)
	}
	t.Skipf(format, args...)
}

// axios is the file of that library for browsers.
func axios(t testing.TB) string {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil {
		lacking(t, "npm: %v", err)
	}
	folder := t.TempDir()
	cmd := exec.CommandContext(t.Context(), npm, "install", "axios@"+axiosVersion, "--no-save", "--prefix", folder,
		"--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	cmd.WaitDelay = patience
	if out, err := cmd.CombinedOutput(); err != nil {
		lacking(t, "%s: %v\n%s", cmd, err, out)
	}
	return filepath.Join(folder, "node_modules", "axios", "dist", "axios.min.js")
}

// chromium starts a browser; the context is its.
func chromium(t testing.TB, more ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		lacking(t, "chromium: %v", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	options = append(options, more...)
	ctx, cancel := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("close chromium: %v", err)
		}
		cancel()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return ctx
}

// site serves the page, and before the program what is below /api, as AList
// has them on one origin.
type site struct {
	browser        context.Context //nolint:containedctx // a chromedp context is the handle of its browser
	url, elsewhere string          // where the page is; where it finds the API if that is not the same
	program        atomic.Pointer[program]
	mu             sync.Mutex
	log            []*http.Request // that went through to the program
}

// serve serves the page before the program. Where apart is set, the page asks
// the program itself, on another origin.
func (s stand) serve(t testing.TB, p *program, apart bool) *site {
	t.Helper()
	at := &site{browser: s.browser}
	at.program.Store(p)
	if apart {
		at.elsewhere = p.url
	}
	const folder = "testdata/browser/"
	file := func(path string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, path) }
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", at.through())
	mux.Handle("/axios.min.js", file(s.axios))
	mux.Handle("/app.js", file(folder+"app.js"))
	mux.HandleFunc("/alist.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = fmt.Fprintf(w, "window.ALIST = {api: %q};\n", at.elsewhere)
	})
	mux.Handle("/", file(folder+"index.html"))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	at.url = server.URL
	return at
}

func (s *site) through() http.Handler {
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		to, err := url.Parse(s.program.Load().url)
		if err != nil {
			panic(err)
		}
		r.SetURL(to)
		r.Out.Host = r.In.Host
		s.mu.Lock()
		defer s.mu.Unlock()
		s.log = append(s.log, r.In)
	}}
}

// requests is what went through to the program, oldest first.
func (s *site) requests() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log
}

// asksLikeAList says that the page is a stand-in worth testing with.
func asksLikeAList(t *testing.T, at *site) {
	t.Helper()
	id := regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	first := ""
	for _, r := range at.requests() {
		got := r.Header.Get("Client-Id")
		if first == "" {
			first = got
		}
		if !id.MatchString(got) || got != first {
			t.Errorf("%s %s: Client-Id %q", r.Method, r.URL, got)
		}
		if kind := r.Header.Get("Content-Type"); kind != "" && r.ContentLength <= 0 {
			t.Errorf("%s %s: Content-Type %q without a body", r.Method, r.URL, kind)
		}
		if auth := r.Header.Get("Authorization"); strings.HasPrefix(auth, "Bearer") {
			t.Errorf("%s %s: Authorization %q", r.Method, r.URL, auth)
		}
	}
}

// tab is a page in a browser context of its own, as if on another device.
type tab struct {
	testing.TB

	ctx  context.Context //nolint:containedctx // a chromedp context is the handle of its page
	site *site
}

// open opens the path of the site in a new browser context.
func (s *site) open(t testing.TB, path string) *tab {
	t.Helper()
	p := &tab{TB: t, site: s}
	var cancel context.CancelFunc
	p.ctx, cancel = chromedp.NewContext(s.browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	if err := chromedp.Do(p.ctx); err != nil { // with a deadline it would end the page
		t.Fatalf("open a tab: %v", err)
	}
	t.Cleanup(func() {
		if !t.Failed() && strings.HasPrefix(p.state(), "failure") {
			t.Errorf("the page failed\n%s", p.state())
		}
	})
	p.visit(path)
	return p
}

func (p *tab) visit(path string) { p.Helper(); p.do(chromedp.Navigate(p.site.url + path)) }
func (p *tab) reload()           { p.Helper(); p.do(chromedp.Reload()) }

// do takes the steps in turn; each waits for what it needs.
func (p *tab) do(steps ...step) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, glance)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.Fatalf("%v\n%s", err, p.state())
	}
}

func (p *tab) ask(a chromedp.Action[string]) string {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, glance)
	defer cancel()
	text, err := chromedp.Run(ctx, a)
	if err != nil {
		p.Fatalf("%v\n%s", err, p.state())
	}
	return text
}

// state is the name of the view, and what a person would see.
func (p *tab) state() string {
	ctx, cancel := context.WithTimeout(p.ctx, glance)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](
		`document.body.dataset.view + " at " + location.pathname + location.search + "\n" + document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	return text
}

func (p *tab) text(selector string) string {
	p.Helper()
	return p.ask(chromedp.TextContent(chromedp.CSS(selector)))
}

func (p *tab) stored(key string) string {
	p.Helper()
	return p.ask(chromedp.Evaluate[string](fmt.Sprintf(`localStorage.getItem(%q) ?? ""`, key)))
}

// at waits until the view is ready.
func (p *tab) at(view string) {
	p.Helper()
	p.do(chromedp.WaitReady(chromedp.CSS(fmt.Sprintf("body[data-view=%q]", view))))
	if folder := os.Getenv("LATCHKEY_TEST_SCREENSHOTS"); folder != "" {
		p.shoot(filepath.Join(folder, view+".png"))
	}
}

func (p *tab) shoot(path string) {
	p.Helper()
	picture, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(path, picture, 0o600)
	}
	if err != nil {
		p.Fatal(err)
	}
}

func (p *tab) click(selector string) { p.Helper(); p.do(chromedp.Click(chromedp.CSS(selector))) }

// fill puts the text into the field in place of what is there.
func (p *tab) fill(selector, text string) {
	p.Helper()
	at := chromedp.CSS(selector)
	p.do(chromedp.WaitVisible(at), chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector(%q).value = ""`, selector)),
		chromedp.SendKeys(at, text))
}

// appears and goes wait for an element.
func (p *tab) appears(selector string) {
	p.Helper()
	p.do(chromedp.WaitVisible(chromedp.CSS(selector)))
}

func (p *tab) goes(selector string) {
	p.Helper()
	p.do(chromedp.WaitNotPresent(chromedp.CSS(selector)))
}

// told waits for a toast that begins with this text and takes it away.
func (p *tab) told(text string) {
	p.Helper()
	selector := fmt.Sprintf("#toasts li[title^=%q]", text)
	p.click(selector)
	p.goes(selector)
}

// silent says that no toast is left.
func (p *tab) silent() {
	p.Helper()
	if text := p.text("#toasts"); text != "" {
		p.Errorf("the page says %q, want nothing", text)
	}
}

// submitLogin fills in the form and sends it.
func (p *tab) submitLogin(username, password string) {
	p.Helper()
	p.at("login")
	p.fill("#form-login [name=username]", username)
	p.fill("#form-login [name=password]", password)
	p.click("#login")
}

// signIn goes from the login page to the view that it leads to.
func (p *tab) signIn(username, password, view string) {
	p.Helper()
	p.submitLogin(username, password)
	p.told("Login successfully")
	p.at(view)
}

// menu goes to a view by its link.
func (p *tab) menu(view string) {
	p.Helper()
	p.click("#go-" + view)
	p.at(view)
}

// row selects the row of a table that is about the thing.
func row(id string) string { return `#rows tr[data-id="` + id + `"]` }

// code is the code of the step that is so many after the present one.
func code(t *testing.T, secret string, steps int) string {
	t.Helper()
	text, err := totp.GenerateCode(secret, time.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// wrong differs from the code in all digits.
func wrong(code string) string {
	return strings.Map(func(digit rune) rune { return '0' + (digit-'0'+5)%10 }, code)
}
