package sftpd_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"latchkey/model"
	"latchkey/server/servertest"
)

// ann is a member's files, and her folder on the server.
func ann(t testing.TB, d *door) (files *sftp.Client, folder string) {
	t.Helper()
	d.member(t, "ann")
	return d.files(t, "ann", pass(servertest.AdminPassword)), filepath.Join(d.root, "ann")
}

func TestFilesGoUpAndDown(t *testing.T) {
	d := open(t)
	files, folder := ann(t, d)
	const size = 10 << 20
	sent := make([]byte, size)
	_, _ = rand.Read(sent)
	f, err := files.Create("/big.bin")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.ReadFrom(bytes.NewReader(sent)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	stored, err := os.ReadFile(filepath.Join(folder, "big.bin"))
	if err != nil || sha256.Sum256(stored) != sha256.Sum256(sent) {
		t.Errorf("stored %d bytes, %v, want the %d that were sent", len(stored), err, size)
	}
	back, err := files.Open("/big.bin")
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	var got bytes.Buffer
	if _, err := back.WriteTo(&got); err != nil || sha256.Sum256(got.Bytes()) != sha256.Sum256(sent) {
		t.Errorf("read %d bytes, %v, want those that were sent", got.Len(), err)
	}
}

func TestFileOperations(t *testing.T) {
	d := open(t)
	files, folder := ann(t, d)
	put := func(name, text string, flags int) {
		t.Helper()
		f, err := files.OpenFile(name, flags)
		if err == nil {
			_, err = f.Write([]byte(text))
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			t.Errorf("write %s: %v", name, err)
		}
	}
	want := func(name, text string) {
		t.Helper()
		got, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil || string(got) != text {
			t.Errorf("%s holds %q, %v, want %q", name, got, err, text)
		}
	}
	wantErr := func(what string, err error, is error) {
		t.Helper()
		if !errors.Is(err, is) {
			t.Errorf("%s: %v, want %v", what, err, is)
		}
	}
	const create = os.O_WRONLY | os.O_CREATE
	put("/a", "0123456789", create|os.O_TRUNC)
	put("/a", "ab", os.O_WRONLY)
	want("a", "ab23456789")
	put("/a", "+", os.O_WRONLY|os.O_APPEND)
	want("a", "ab23456789+")
	put("/big", strings.Repeat("x", 100), create)
	long := strings.Repeat("0123456789abcdef", 40_000) // many pieces at once, in order
	put("/big", long, os.O_WRONLY|os.O_APPEND)
	want("big", strings.Repeat("x", 100)+long)
	put("/a", "new", create|os.O_TRUNC)
	want("a", "new")
	_, err := files.OpenFile("/a", create|os.O_EXCL)
	if err == nil {
		t.Error("an exclusive open of what is there succeeded")
	}
	if err := errors.Join(files.MkdirAll("/dir/sub"), files.Chmod("/a", 0o6640), files.Truncate("/a", 2), files.Chtimes("/a", time.Unix(1, 0), time.Unix(1_000_000_000, 0))); err != nil {
		t.Error(err)
	}
	info, err := files.Stat("/a")
	if err != nil || info.Size() != 2 || info.Mode() != 0o640 || info.ModTime().Unix() != 1_000_000_000 {
		t.Errorf("stat /a: %v, %v", info, err)
	}
	if stat, ok := info.Sys().(*sftp.FileStat); !ok || stat.UID != 0 || stat.GID != 0 {
		t.Errorf("the server's user shows: %+v", info.Sys())
	}
	wantErr("chown", files.Chown("/a", 0, 0), fs.ErrPermission)
	put("/b", "b", create)
	if err := files.Rename("/a", "/b"); err == nil {
		t.Error("a rename replaced what was there")
	}
	if err := errors.Join(files.PosixRename("/a", "/b"), files.Rename("/b", "/dir/c")); err != nil {
		t.Error(err)
	}
	want("dir/c", "ne")
	if err := files.RemoveDirectory("/dir"); err == nil {
		t.Error("a folder that is not empty was removed")
	}
	if err := files.RemoveDirectory("/dir/c"); err == nil {
		t.Error("a file was removed as a folder")
	}
	wantErr("open what is not there", second(files.Open("/none")), fs.ErrNotExist)
	for what, err := range map[string]error{
		"symlink": files.Symlink("/dir/c", "/link"), "the other way": files.Symlink("/link", "/dir/c"),
		"out": files.Symlink("/etc/passwd", "/link"), "hard link": files.Link("/dir/c", "/link"),
	} {
		if status, ok := errors.AsType[*sftp.StatusError](err); !ok || status.FxCode() != sftp.ErrSSHFxOpUnsupported {
			t.Errorf("%s: %v, want that it is not supported", what, err)
		}
	}
	if err := errors.Join(files.Remove("/dir/c"), files.RemoveDirectory("/dir/sub"), files.RemoveDirectory("/dir")); err != nil {
		t.Error(err)
	}
	list, err := files.ReadDir("/")
	if err != nil || len(list) != 1 || list[0].Name() != "big" {
		t.Errorf("left: %v, %v, want big", list, err)
	}
	if room, err := files.StatVFS("/"); err != nil || room.TotalSpace() == 0 {
		t.Errorf("StatVFS = %+v, %v", room, err)
	}
	if err := files.RemoveDirectory("/"); err == nil {
		t.Error("the root was removed")
	}
}

func second[T any](_ T, err error) error { return err }

func TestLargeFolderIsListedWhole(t *testing.T) {
	d := open(t)
	files, folder := ann(t, d)
	for i := range 1234 {
		if err := os.WriteFile(filepath.Join(folder, strings.Repeat("n", i%7+1)+time.Duration(i).String()), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list, err := files.ReadDir("/")
	if err != nil || len(list) != 1234 {
		t.Errorf("%d entries, %v, want 1234", len(list), err)
	}
}

func TestRightsHoldPathByPath(t *testing.T) {
	d := open(t)
	d.user(t, "ann", "/home",
		model.PathScope{Path: "/home/team", Permission: read}, model.PathScope{Path: "/home/team/in", Permission: write},
		model.PathScope{Path: "/home/deep/down/box", Permission: full}, model.PathScope{Path: "/other", Permission: full})
	home := filepath.Join(d.root, "home")
	for _, name := range []string{"team/in", "secret", "deep/hidden"} {
		if err := os.MkdirAll(filepath.Join(home, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"team/doc", "secret/doc", "deep/doc"} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"team/way": "../secret", "team/in/way": "../doc", "team/near": "doc"} {
		if err := os.Symlink(target, filepath.Join(home, link)); err != nil {
			t.Fatal(err)
		}
	}
	files := d.files(t, "ann", pass(servertest.AdminPassword))
	readAll := func(name string) error {
		f, err := files.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		return second(io.ReadAll(f))
	}
	create := func(name string) error {
		f, err := files.OpenFile(name, os.O_WRONLY|os.O_CREATE)
		if err != nil {
			return err
		}
		return f.Close()
	}
	for _, tt := range []struct {
		what string
		err  error
		ok   bool
	}{
		{"read where one may", readAll("/team/doc"), true},
		{"read by a link that stays", readAll("/team/near"), true},
		{"read by a link to another scope's files", readAll("/team/way/doc"), false},
		{"read where one may not", readAll("/secret/doc"), false},
		{"read on the way", readAll("/deep/doc"), false},
		{"stat on the way", second(files.Stat("/deep")), true},
		{"stat beside the way", second(files.Stat("/deep/hidden")), false},
		{"stat where one may not", second(files.Stat("/secret/doc")), false},
		{"write where one only reads", create("/team/new"), false},
		{"write where one may", create("/team/in/new"), true},
		{"write by a link to what one only reads", create("/team/in/way"), false},
		{"write at the top", create("/new"), false},
		{"make the folder of a scope by writing there", create("/deep/down/box/new"), true},
		{"move out of what one may write", files.Rename("/team/in/new", "/team/new"), false},
		{"move to another scope", files.Rename("/team/in/new", "/deep/down/box/moved"), false},
		{"move within", files.Rename("/team/in/new", "/team/in/moved"), true},
		{"remove the scope itself", files.RemoveDirectory("/deep/down/box"), false},
		{"remove where one only reads", files.Remove("/team/doc"), false},
		{"make a folder where one may not", files.Mkdir("/secret/dir"), false},
		{"chmod where one only reads", files.Chmod("/team/doc", 0o777), false},
		{"list where one may not", second(files.ReadDir("/secret")), false},
	} {
		if (tt.err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.what, tt.err)
		}
	}
	for dir, want := range map[string]string{"/": "deep team", "/deep": "down", "/team": "doc in near way"} {
		list, err := files.ReadDir(dir)
		var names []string
		for _, info := range list {
			names = append(names, info.Name())
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); err != nil || got != want {
			t.Errorf("list %s: %q, %v, want %q", dir, got, err, want)
		}
	}
}

func TestMissingFolder(t *testing.T) {
	d := open(t)
	d.user(t, "reader", "/readers", model.PathScope{Path: "/", Permission: read})
	d.member(t, "writer")
	c := d.connect(t, "reader", pass(servertest.AdminPassword))
	if _, err := sftp.NewClient(c); err == nil {
		t.Error("a reader without a folder is served")
	}
	d.files(t, "writer", pass(servertest.AdminPassword))
	info, err := os.Stat(filepath.Join(d.root, "writer"))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the writer's folder: %v, %v", info, err)
	}
	if _, err := os.Stat(filepath.Join(d.root, "readers")); err == nil {
		t.Error("the reader's folder was made")
	}
}

// A key's limits are the connection's.
func TestKeyIsConfined(t *testing.T) {
	d := open(t)
	d.member(t, "ann")
	limits := map[string]string{
		"photos":    "read_only = 1, path = '/photos', allowed_ips = '10.0.0.0/8,127.0.0.0/8', expires_at = " + strconv.FormatInt(d.clock.Now().Add(time.Second).UnixMilli(), 10),
		"expired":   "expires_at = " + strconv.FormatInt(d.clock.Now().UnixMilli(), 10),
		"elsewhere": "allowed_ips = '192.0.2.0/24,2001:db8::/32'",
		"suspended": "suspended_at = 1",
	}
	keys, updates := map[string]ssh.Signer{}, []string{}
	for title, columns := range limits {
		keys[title] = newKey(t)
		d.addKey(t, "ann", title, keys[title])
		updates = append(updates, "UPDATE ssh_keys SET "+columns+" WHERE title = '"+title+"'")
	}
	d = d.edit(t, updates...)
	if err := os.MkdirAll(filepath.Join(d.root, "ann", "photos"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.root, "ann", "photos", "1.jpg"), []byte("1"), 0o600); err != nil {
		t.Fatal(err)
	}
	files := d.files(t, "ann", ssh.PublicKeys(keys["photos"]))
	if list, err := files.ReadDir("/"); err != nil || len(list) != 1 || list[0].Name() != "1.jpg" {
		t.Errorf("list: %v, %v", list, err)
	}
	if _, err := files.Stat("/../photos/1.jpg"); err == nil {
		t.Error("the folder above is in reach")
	}
	for what, err := range map[string]error{
		"remove": files.Remove("/1.jpg"), "mkdir": files.Mkdir("/x"), "write": second(files.Create("/x")), "rename": files.Rename("/1.jpg", "/2.jpg"),
	} {
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s with a key that only reads: %v", what, err)
		}
	}
	for _, title := range []string{"expired", "elsewhere", "suspended"} {
		d.wantRefused(t, title, "ann", ssh.PublicKeys(keys[title]))
	}
}
