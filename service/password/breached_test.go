package password_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"latchkey/service/fault"
	"latchkey/service/password"
)

// hashOf is a password as the list has it.
func hashOf(plain string) string {
	sum := sha1.Sum([]byte(plain))
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// listOf is the hashes of n passwords in order; breached(i) is the i-th's.
func listOf(n int) []string {
	hashes := make([]string, n)
	for i := range hashes {
		hashes[i] = hashOf(breached(i))
	}
	slices.Sort(hashes)
	return hashes
}

func breached(i int) string { return fmt.Sprintf("breached giraffe %d", i) }

func written(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "breached.txt")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func opened(t testing.TB, text string) *password.Breached {
	t.Helper()
	list, err := password.OpenBreached(written(t, text))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = list.Close() })
	return list
}

// in every spelling that the list comes in.
func TestBreachedPasswordsAreRefused(t *testing.T) {
	for name, of := range map[string]struct {
		n    int
		text func(hashes []string) string
	}{
		"one, without an end":    {1, func(h []string) string { return h[0] }},
		"two":                    {2, func(h []string) string { return strings.Join(h, "\n") + "\n" }},
		"many":                   {3000, func(h []string) string { return strings.Join(h, "\n") + "\n" }},
		"with counts":            {3000, func(h []string) string { return strings.Join(h, ":7\n") + ":123456789" }},
		"CRLF":                   {3000, func(h []string) string { return strings.Join(h, ":1\r\n") + ":1\r\n" }},
		"small letters":          {3000, func(h []string) string { return strings.ToLower(strings.Join(h, "\n")) }},
		"lines of unlike length": {3000, unlike},
	} {
		t.Run(name, func(t *testing.T) {
			p := password.Policy{Breached: opened(t, of.text(listOf(of.n)))}
			for i := range of.n {
				if err := p.CheckNew(breached(i)); !errors.Is(err, password.ErrWeak) || err.Error() != "Password too weak: it is known from a data breach" {
					t.Fatalf("CheckNew(%q) = %v", breached(i), err)
				}
				if err := p.CheckNew(breached(i) + "!"); err != nil {
					t.Fatalf("CheckNew of another = %v", err)
				}
			}
		})
	}
}

func unlike(hashes []string) string {
	var text strings.Builder
	for i, hash := range hashes {
		text.WriteString(hash)
		if i%3 > 0 {
			text.WriteString(":" + strings.Repeat("9", 1+i%20))
		}
		text.WriteString("\n")
	}
	return text.String()
}

func TestOpenBreachedSaysWhatIsWrong(t *testing.T) {
	good := listOf(2000)
	swapped := slices.Clone(good)
	swapped[0], swapped[1999] = swapped[1999], swapped[0]
	const (
		noHash = "this line is not a SHA-1 hash of 40 hex digits, alone or with :COUNT behind it"
		order  = "this line does not come after the one before: the list has to be the one that is ordered by hash"
	)
	for name, tt := range map[string]struct{ text, want string }{
		"an empty file":          {"", "is empty or no file"},
		"plain passwords":        {"hunter2hunter2\nsecret-of-somebody\n", "at byte 0: " + noHash},
		"hashes of another art":  {strings.Repeat("A", 32) + ":1\n", "at byte 0: " + noHash},
		"other digits":           {strings.Repeat("G", 40) + "\n", "at byte 0: " + noHash},
		"no count":               {good[0] + ":\n", "at byte 0: " + noHash},
		"a strange count":        {good[0] + ":-1\n", "at byte 0: " + noHash},
		"a blank line":           {good[0] + "\n\n" + good[1] + "\n", "at byte 41: " + noHash},
		"a blank line at first":  {"\n" + good[0] + "\n", "at byte 0: " + noHash},
		"a line twice":           {good[0] + "\n" + good[0] + "\n", "at byte 41: " + order},
		"two in the wrong order": {good[1] + "\n" + good[0] + "\n", "at byte 41: " + order},
		"the ends swapped":       {strings.Join(swapped, "\n"), order},
		"one endless line":       {strings.Repeat("A", 10_000), "at byte 0: a line is too long"},
		"bytes of a program":     {strings.Repeat("\x00\x01", 500), "at byte 0: a line is too long"},
	} {
		t.Run(name, func(t *testing.T) {
			path := written(t, tt.text)
			_, err := password.OpenBreached(path)
			if err == nil || !strings.HasPrefix(err.Error(), "breached passwords: "+path) || !strings.HasSuffix(err.Error(), tt.want) {
				t.Fatalf("OpenBreached = %v, want …%s", err, tt.want)
			}
			if strings.Contains(err.Error(), "secret-of") || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("it tells what stands in the file: %v", err)
			}
		})
	}
	for name, path := range map[string]string{"no file": filepath.Join(t.TempDir(), "none"), "a folder": t.TempDir()} {
		if _, err := password.OpenBreached(path); err == nil || !strings.HasPrefix(err.Error(), "breached passwords: ") {
			t.Errorf("OpenBreached of %s = %v", name, err)
		}
	}
}

// fading is a list that cannot be read, or not any more.
type fading struct{ err error }

func (f fading) ReadAt([]byte, int64) (int, error) { return 0, f.err }

// What cannot be checked is not taken, and everybody is told in words.
func TestUnreadableListLetsNoPasswordThrough(t *testing.T) {
	cut := listOf(3)
	for name, list := range map[string]*password.Breached{
		"a fault of the disk":   password.BreachedIn(fading{errors.New("input/output error")}, 1<<30),
		"a file that was cut":   password.BreachedIn(strings.NewReader(cut[0]+"\n"), 1<<30),
		"a file that was wiped": password.BreachedIn(fading{io.EOF}, 82),
		"other text since":      password.BreachedIn(strings.NewReader("not a hash at all\n"), 18),
	} {
		p := password.Policy{Breached: list}
		err := p.CheckNew("tall giraffes hum")
		if !errors.Is(err, password.ErrUnchecked) || fault.Of(err).Kind != fault.Unavailable {
			t.Errorf("%s: CheckNew = %v, want ErrUnchecked", name, err)
		}
		if strings.Contains(fmt.Sprint(err), "giraffe") {
			t.Errorf("%s: the failure tells the password: %v", name, err)
		}
		if err := p.CheckNew("short"); !errors.Is(err, password.ErrWeak) {
			t.Errorf("%s: CheckNew of a short one = %v", name, err)
		}
	}
}

func TestBreachedInParallel(t *testing.T) {
	p := password.Policy{Breached: opened(t, strings.Join(listOf(500), "\n"))}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i := range 500 {
				if p.CheckNew(breached(i)) == nil || p.CheckNew(breached(i+1000)) != nil {
					t.Errorf("wrong about the %d-th", i)
				}
			}
		})
	}
	group.Wait()
}

// The search finds what a scan finds.
func FuzzLines(f *testing.F) {
	f.Add("b\nd\nf", "d", false)
	f.Add("b\nd\nf\n", "f", true)
	f.Add("", "", false)
	f.Add("\n", "", false)
	f.Add(strings.Repeat("a", 125)+"\n"+strings.Repeat("b", 125), strings.Repeat("b", 125), true)
	f.Fuzz(func(t *testing.T, text, wanted string, crlf bool) {
		text, wanted = strings.ReplaceAll(text, "\r", ""), strings.NewReplacer("\r", "", "\n", "").Replace(wanted)
		list := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		slices.Sort(list)
		for i := range list {
			list[i] = list[i][:min(len(list[i]), 120)]
		}
		slices.Sort(list)
		end := "\n"
		if crlf {
			end = "\r\n"
		}
		whole := strings.Join(list, end)
		if strings.HasSuffix(text, "\n") {
			whole += end
		}
		for _, look := range append(list, wanted, wanted+"\x00", "") {
			scan := whole != "" && slices.Contains(list, look) && (look != "" || strings.Contains(whole, "\n"))
			got, err := password.HasLine(strings.NewReader(whole), int64(len(whole)), []byte(look))
			if err != nil || got != scan {
				t.Fatalf("%q in %q: %v, %v, a scan says %v", look, whole, got, err, scan)
			}
		}
	})
}

// The cost of a check, when the file is in the machine's memory.
func BenchmarkBreached(b *testing.B) {
	var text bytes.Buffer
	for _, hash := range listOf(1 << 20) {
		text.WriteString(hash + ":1\r\n")
	}
	p := password.Policy{Breached: opened(b, text.String())}
	for b.Loop() {
		if err := p.CheckNew("tall giraffes hum"); err != nil {
			b.Fatal(err)
		}
	}
}
