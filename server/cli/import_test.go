package cli_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pquerna/otp/totp"

	"latchkey/model/alistdb/alistdbtest"
	"latchkey/model/sqlstore"
	"latchkey/server"
	"latchkey/server/cli"
	"latchkey/server/config"
	"latchkey/server/servertest"
	"latchkey/service/importer"
	"latchkey/service/password"
	"latchkey/service/revocation"
)

// The size of a big AList, and how long it may take to import.
const (
	bigUsers = 10_000
	bigRoles = 20
	bigKeys  = 5_000
	goal     = time.Minute
)

const (
	factorSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	theirToken   = "alist-0123456789-of-the-old-installation"
)

// big is an AList of that size, of users u10 … with passwords as bigPassword.
func big(t *testing.T) *alistdbtest.DB {
	t.Helper()
	db := alistdbtest.SQLite(t)
	db.Schema(t)
	db.Insert(t, "roles", alistdbtest.Roles()...)
	db.Insert(t, "users", alistdbtest.People("AList's admin")...)
	var roles, users, keys []alistdbtest.Row
	for i := int64(3); i <= bigRoles; i++ {
		roles = append(roles, alistdbtest.Row{
			"id": i, "name": fmt.Sprintf("role of %d", i), "description": "", "default": false,
			"raw_permission": fmt.Sprintf(`[{"path":"/%d","permission":%d}]`, i, i),
		})
	}
	for i := int64(3); i <= bigUsers; i++ {
		user := alistdbtest.User(i, fmt.Sprintf("u%d", i), bigPassword(i), fmt.Appendf(nil, "[%d]", 3+i%(bigRoles-2)))
		if i%10 == 9 {
			user["otp_secret"] = factorSecret
		}
		users = append(users, user)
	}
	for i := int64(1); i <= bigKeys; i++ {
		keys = append(keys, alistdbtest.Key(i, 2+i, fmt.Sprintf("key %d", i), uint64(i)))
	}
	db.Insert(t, "roles", roles...)
	db.Insert(t, "users", users...)
	db.Insert(t, "ssh_public_keys", keys...)
	db.Insert(t, "setting_items", alistdbtest.Setting("token", theirToken), alistdbtest.Setting("site_title", "Old house"))
	db.Done(t)
	return db
}

func bigPassword(i int64) string { return fmt.Sprintf(" päss %d ", i) }

// command runs one command line on the data folder.
func command(t *testing.T, data string, args ...string) (status int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = cli.Run(t.Context(), append(args, "--data", data), cli.Surroundings{
		In: strings.NewReader(""), Out: &stdout, Err: &stderr, Environ: nil,
	})
	return status, stdout.String(), stderr.String()
}

func dataFolder(t *testing.T) string {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	return data
}

// dump is every row of our tables, as text.
func dump(t *testing.T, data string) []string {
	t.Helper()
	pool, err := sql.Open("sqlite", "file:"+filepath.Join(data, "latchkey.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	var all []string
	for _, table := range []string{"accounts", "devices", "logins", "roles", "settings", "ssh_keys", "totp"} {
		all = append(all, rows(t, pool, table)...)
	}
	return all
}

func rows(t *testing.T, pool *sql.DB, table string) []string {
	t.Helper()
	result, err := pool.QueryContext(t.Context(), "SELECT * FROM "+table+" ORDER BY 1")
	if err != nil {
		t.Fatal(err)
	}
	defer result.Close()
	columns, err := result.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for result.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range into {
			into[i] = &values[i]
		}
		if err := result.Scan(into...); err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprint(table, values))
	}
	if err := result.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestImportOfABigAList(t *testing.T) {
	source, data := big(t), dataFolder(t)
	begin := time.Now()
	status, out, errs := command(t, data, "import", "alist", source.Path, "--progress")
	took := time.Since(begin)
	t.Logf("%d users, %d roles and %d keys took %v", bigUsers, bigRoles, bigKeys, took.Round(time.Millisecond))
	if status != 0 || took > 10*goal {
		t.Fatalf("status %d after %v\n%s%s", status, took, out, errs)
	}
	for _, want := range []string{"roles           20", "users           10000  10000", "SSH keys        5000   5000", "From " + source.Path} {
		if !strings.Contains(out, want) {
			t.Errorf("the report lacks %q:\n%s", want, out)
		}
	}
	for _, want := range []string{"reading users: 10000 rows", "writing accounts: 10000 rows"} {
		if !strings.Contains(errs, want) {
			t.Errorf("the progress lacks %q:\n%s", want, errs)
		}
	}
	if _, listed, _ := command(t, data, "audit", "list", "--event", "accounts_imported"); !strings.Contains(listed, `"accounts":10000,`) {
		t.Errorf("the events of the import:\n%s", listed)
	}
	before := dump(t, data)
	if status, out, errs = command(t, data, "import", "alist", source.Path); status != 0 || strings.Contains(errs, "rows") {
		t.Errorf("second import: status %d\n%s%s", status, out, errs)
	}
	if diff := cmp.Diff(before, dump(t, data)); diff != "" {
		t.Fatalf("the second import changed something (-before +after):\n%s", diff)
	}
	s := servertest.Open(t, func(cfg *config.Config, _ *server.Options) { cfg.Data = data })
	signInAll(t, s, 1000, 1150) // sealed
	wrapAll(t, s, data)
	signInAll(t, s, 2000, 2150) // wrapped
	signInAll(t, s, 1000, 1150) // plain
	checkDoors(t, s)
}

// wrapAll does what the background worker does, without its pauses.
func wrapAll(t *testing.T, s *servertest.Server, data string) {
	t.Helper()
	db, err := sqlstore.Open(filepath.Join(data, "latchkey.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	cost := password.Defaults()
	cost.MemoryKiB, cost.Time = 64, 1
	hasher, err := password.New(cost)
	if err != nil {
		t.Fatal(err)
	}
	deps := importer.Deps{Store: db.Imports(), Passwords: password.NewChecker(hasher, s.App.Ring), Hub: &revocation.Hub{}}
	begin := time.Now()
	n, err := importer.NewWrapper(importer.WrapConfig{Batch: 500}, deps, hasher, slog.New(slog.DiscardHandler)).WrapAll(t.Context())
	// The guest has none, and 135 of 150 users have signed in, the others lacking
	// a code.
	if want := bigUsers - 1 - 135; err != nil || n != want {
		t.Fatalf("wrapped %d passwords, %v, want %d", n, err, want)
	}
	t.Logf("%d passwords wrapped at test cost in %v", n, time.Since(begin).Round(time.Millisecond))
}

// signInAll signs users in with their old passwords: the even ones plain, the
// odd ones hashed, and those with a second factor with a code.
func signInAll(t *testing.T, s *servertest.Server, from, to int64) {
	t.Helper()
	for i := from; i < to; i++ {
		path, plain := "/api/auth/login", bigPassword(i)
		if i%2 == 1 {
			path, plain = "/api/auth/login/hash", password.Static(plain)
		}
		body := map[string]string{"username": fmt.Sprintf("u%d", i), "password": plain}
		reply := s.Do(t, servertest.Request{Path: path, Body: body})
		if i%10 != 9 {
			if reply.Code != http.StatusOK {
				t.Fatalf("sign in as u%d: %s", i, reply.Text)
			}
			continue
		}
		if reply.Code != http.StatusPaymentRequired {
			t.Errorf("sign in as u%d without a code: %s", i, reply.Text)
		}
	}
}

// checkDoors looks at what else came over.
func checkDoors(t *testing.T, s *servertest.Server) {
	t.Helper()
	body := map[string]string{"username": "u19", "password": bigPassword(19)}
	code, err := totp.GenerateCode(factorSecret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	body["otp_code"] = code
	if reply := s.Do(t, servertest.Request{Path: "/api/auth/login", Body: body}); reply.Code != http.StatusOK {
		t.Errorf("sign in with a code of the old authenticator: %s", reply.Text)
	}
	in := s.SignIn(t, "u20", bigPassword(20), "client")
	if reply := s.Do(t, servertest.Request{Path: "/api/me/sshkey/list", Token: in.Token}); !strings.Contains(reply.Text, `"title":"key 18"`) {
		t.Errorf("u20's keys: %s", reply.Text)
	}
	if reply := s.Do(t, servertest.Request{Path: "/api/me", Token: theirToken}); !strings.Contains(reply.Text, `"username":"admin"`) {
		t.Errorf("the old static token: %s", reply.Text)
	}
	same := servertest.Request{Path: "/api/me/update", Token: theirToken, Body: map[string]string{"username": "admin", "password": "AList's admin"}}
	if reply := s.Do(t, same); reply.Code != http.StatusOK {
		t.Errorf("update with the present password, which is an imported one: %s", reply.Text)
	}
	s.SignIn(t, "admin", "AList's admin", "client")
	if reply := s.Do(t, servertest.Request{Path: "/api/public/settings"}); !strings.Contains(reply.Text, `"site_title":"Old house"`) {
		t.Errorf("settings: %s", reply.Text)
	}
	reply := s.Do(t, servertest.Request{Path: "/api/auth/login", Body: map[string]string{"username": "u30", "password": "päss 30"}, From: "198.51.100.1"})
	if reply.Code != http.StatusBadRequest {
		t.Errorf("sign in without the blanks of a password: %s", reply.Text)
	}
}

// small is an AList with one user.
func small(t *testing.T) *alistdbtest.DB {
	t.Helper()
	db := alistdbtest.SQLite(t)
	db.Schema(t)
	db.Insert(t, "users", alistdbtest.User(5, "ann", "ann's password", "0"))
	return db
}

func TestDryRunWritesNothing(t *testing.T) {
	source, data := small(t), dataFolder(t)
	if status, _, errs := command(t, data, "migrate"); status != 0 {
		t.Fatal(errs)
	}
	before := dump(t, data)
	status, out, errs := command(t, data, "import", "alist", source.Path, "--dry-run", "--sessions")
	if status != 0 || !strings.Contains(out, "nothing was written") || !strings.Contains(out, "users           1      1") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
	if diff := cmp.Diff(before, dump(t, data)); diff != "" {
		t.Errorf("it wrote (-before +after):\n%s", diff)
	}
}

func TestImportBesideARunningServer(t *testing.T) {
	data := dataFolder(t)
	s := servertest.Open(t, func(cfg *config.Config, _ *server.Options) { cfg.Data, cfg.HTTP = data, "127.0.0.1:0" })
	ctx, stop := context.WithCancel(t.Context())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- s.App.Serve(ctx, func(net.Addr) { close(ready) }) }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	source := small(t)
	source.Insert(t, "setting_items", alistdbtest.Setting("site_title", "Old house"))
	if reply := s.Do(t, servertest.Request{Path: "/api/public/settings"}); strings.Contains(reply.Text, "Old house") {
		t.Fatal("the title is there already")
	}
	if status, out, errs := command(t, data, "import", "alist", source.Path); status != 0 {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
	s.SignIn(t, "ann", "ann's password", "client")
	if reply := s.Do(t, servertest.Request{Path: "/api/public/settings"}); !strings.Contains(reply.Text, "Old house") {
		t.Errorf("the running server did not hear of the settings: %s", reply.Text)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Serve = %v", err)
	}
}

func TestRefusedImports(t *testing.T) {
	source := small(t)
	for name, tt := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"no source":                {nil, 2, "SOURCE is missing"},
		"a file that is not there": {[]string{"/nowhere/data.db"}, 1, "there is no file /nowhere/data.db"},
		"another prefix":           {[]string{source.Path, "--prefix", "y_"}, 1, `tables with the prefix "x_" are`},
		"an unreachable server":    {[]string{"mysql://u:hunter22hunter22@127.0.0.1:1/alist"}, 1, "open MySQL 127.0.0.1:1/alist"},
		"a misspelt URL":           {[]string{"mysql//u:hunter22hunter22@127.0.0.1/alist"}, 1, "the source is not understood"},
	} {
		t.Run(name, func(t *testing.T) {
			data := dataFolder(t)
			if status, _, errs := command(t, data, "migrate"); status != 0 {
				t.Fatal(errs)
			}
			before := dump(t, data)
			status, out, errs := command(t, data, append([]string{"import", "alist"}, tt.args...)...)
			if status != tt.status || !strings.Contains(errs, tt.want) {
				t.Errorf("status %d, %q, want %d, %q", status, errs, tt.status, tt.want)
			}
			if strings.Contains(out+errs, "hunter22") {
				t.Errorf("the password is repeated: %s%s", out, errs)
			}
			if diff := cmp.Diff(before, dump(t, data)); diff != "" {
				t.Errorf("it wrote (-before +after):\n%s", diff)
			}
		})
	}
}
