package sftpd_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ssh"

	"latchkey/service/racetest"
)

// What a mounted folder (sshfs and the like) does to a file that programs have
// open: blocks in any order and side by side, cut and grown, replaced under its
// name.
func TestMountedFolderPatterns(t *testing.T) {
	const block, blocks = 32 << 10, 64
	d := open(t)
	d.member(t, "ann")
	key := newKey(t)
	d.addKey(t, "ann", "laptop", key)
	files := d.files(t, "ann", ssh.PublicKeys(key))
	f, err := files.OpenFile("/data", os.O_RDWR|os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	want := make([]byte, block*blocks)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(want) // never fails
	order := rand.Perm(blocks)
	racetest.AtOnce(4, func(worker int) {
		for i := worker; i < blocks; i += 4 {
			at := order[i] * block
			if _, err := f.WriteAt(want[at:at+block], int64(at)); err != nil {
				t.Errorf("write at %d: %v", at, err)
			}
		}
	})
	racetest.AtOnce(4, func(worker int) {
		got := make([]byte, block+7)
		for i := worker; i < blocks-1; i += 4 {
			at := order[i]*block/2 + i
			if _, err := f.ReadAt(got, int64(at)); err != nil || !bytes.Equal(got, want[at:at+len(got)]) {
				t.Errorf("read at %d: %v", at, err)
			}
		}
	})

	if err := f.Truncate(3 * block); err != nil {
		t.Errorf("cut: %v", err)
	}
	if err := f.Truncate(4 * block); err != nil {
		t.Errorf("grow: %v", err)
	}
	whole := append(bytes.Clone(want[:3*block]), make([]byte, block)...)
	if got, err := os.ReadFile(filepath.Join(d.root, "ann", "data")); err != nil || !bytes.Equal(got, whole) {
		t.Errorf("after it was cut and grown: %d bytes, %v", len(got), err)
	}

	other, err := files.Create("/data.tmp")
	if err == nil {
		_, err = other.Write([]byte("new"))
	}
	if err != nil || other.Close() != nil || files.PosixRename("/data.tmp", "/data") != nil {
		t.Fatalf("replace an open file: %v", err)
	}
	old := make([]byte, 16)
	if _, err := f.ReadAt(old, 0); err != nil || !bytes.Equal(old, want[:16]) {
		t.Errorf("who had the old file open reads %x, %v", old, err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("close what has no name any more: %v", err)
	}
	if f, err = files.Open("/data"); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(f); err != nil || string(got) != "new" {
		t.Errorf("the name leads to %q, %v", got, err)
	}
}
