package server_test

import (
	"crypto/aes"
	"crypto/cipher"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/model/sqlstore"
)

func masterKeyOf(t *testing.T, folder string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// openStoreOf opens the folder's database beside whoever has it open.
func openStoreOf(t *testing.T, folder string) *sqlstore.DB {
	t.Helper()
	db, err := sqlstore.Open(filepath.Join(folder, "latchkey.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// unseal opens a sealed text with nothing but the standard library.
func unseal(t *testing.T, key []byte, aad, sealed string) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(sealed, ":")
	raw, err := base64.RawStdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(raw) < aead.NonceSize() {
		t.Fatalf("%s is not sealed: %v", aad, err)
	}
	plain, err := aead.Open(nil, raw[:aead.NonceSize()], raw[aead.NonceSize():], []byte(aad))
	if err != nil {
		t.Fatalf("%s: %v", aad, err)
	}
	return plain
}

// keysOf are the server's own keys.
func keysOf(t *testing.T, folder string) secretsOf {
	t.Helper()
	rows, err := openStoreOf(t, folder).Keys().Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	keys, master := secretsOf{}, masterKeyOf(t, folder)
	for _, k := range rows {
		secret := unseal(t, master, "keys|"+string(k.Purpose)+"|"+k.ID, k.Sealed)
		if k.Purpose == model.KeyIDToken { // a page of the file need not hold all of it: bytes of a prime will do
			secret = secret[len(secret)/2:][:32]
		}
		keys.raw(string(k.Purpose)+" key "+k.ID, secret)
	}
	return keys
}

// sealedTexts looks into every column of every table for what looks sealed, by
// "table.column".
func sealedTexts(t *testing.T, folder string) map[string][]string {
	t.Helper()
	pool, err := sql.Open("sqlite", "file:"+filepath.Join(copied(t, folder), "latchkey.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pool.Close() }()
	looksSealed := regexp.MustCompile(`v1:[0-9a-z]{6,8}:[A-Za-z0-9+/]{16,}`)
	texts := map[string][]string{}
	for _, at := range columnsOf(t, pool) {
		for _, value := range valuesOf(t, pool, at[0], at[1]) {
			if found := looksSealed.FindString(value); found != "" {
				texts[at[0]+"."+at[1]] = append(texts[at[0]+"."+at[1]], found)
			}
		}
	}
	return texts
}

func columnsOf(t *testing.T, pool *sql.DB) [][2]string {
	t.Helper()
	rows, err := pool.QueryContext(t.Context(), `SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table'`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var list [][2]string
	for rows.Next() {
		var at [2]string
		if err := rows.Scan(&at[0], &at[1]); err != nil {
			t.Fatal(err)
		}
		list = append(list, at)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func valuesOf(t *testing.T, pool *sql.DB, table, column string) []string {
	t.Helper()
	query := fmt.Sprintf(`SELECT CAST(%q AS TEXT) FROM %q WHERE %q IS NOT NULL`, column, table, column)
	rows, err := pool.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var list []string
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			t.Fatal(err)
		}
		list = append(list, value)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// Whoever seals a new column must name it in sqlstore's list, or a rotation
// would leave it behind and drop the key it needs.
func TestEverySealedColumnIsSealedAnew(t *testing.T) {
	folder, _ := tellWholeStory(t)
	listed := sealedByList(t, folder)
	before := sealedTexts(t, folder)
	delete(before, "keys.sealed") // under the master key
	if diff := cmp.Diff(slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(listed))); diff != "" {
		t.Errorf("columns with sealed values (-found in the database +in sqlstore's list):\n%s", diff)
	}
	app := attach(t, folder)
	r, err := app.RotateKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Closed) > 0 {
		t.Errorf("these did not open under the AAD of their place: %v", r.Closed)
	}
	after := sealedTexts(t, folder)
	delete(after, "keys.sealed")
	total := 0
	for at, texts := range after {
		total += len(texts)
		for i, text := range texts {
			if !strings.HasPrefix(text, "v1:"+r.Seal+":") {
				t.Errorf("%s still holds %s", at, text)
			}
			if slices.Contains(before[at], text) {
				t.Errorf("value %d of %s is what it was", i, at)
			}
		}
		if len(texts) != len(before[at]) {
			t.Errorf("%s has %d sealed values, had %d", at, len(texts), len(before[at]))
		}
	}
	if total != r.Resealed {
		t.Errorf("%d values were sealed anew, and there are %d", r.Resealed, total)
	}
	for _, values := range sealedByList(t, folder) {
		for _, v := range values {
			if _, err := app.Ring.Open(v.AAD(), v.Value); err != nil {
				t.Errorf("%s: %v", v.AAD(), err)
			}
		}
	}
}

// sealedByList are the sealed values that sqlstore knows of, by "table.column".
func sealedByList(t *testing.T, folder string) map[string][]model.Sealed {
	t.Helper()
	values, err := openStoreOf(t, folder).Keys().Sealed(t.Context(), "", model.Sealed{}, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	list := map[string][]model.Sealed{}
	for _, v := range values {
		if strings.HasPrefix(v.Value, "v1: ") {
			continue // somebody wrote a text that begins so
		}
		list[v.Table+"."+v.Column] = append(list[v.Table+"."+v.Column], v)
	}
	return list
}
