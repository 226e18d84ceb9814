package keyringtest_test

import (
	"strconv"
	"testing"

	"latchkey/model"
	"latchkey/service/keyring"
	"latchkey/service/keyring/keyringtest"
)

func TestStore(t *testing.T) {
	keyringtest.Conformance(t, func(*testing.T) keyring.Store { return keyringtest.New() })
	keyringtest.SealedConformance(t, func(*testing.T) keyringtest.Sealing {
		store := keyringtest.New()
		return keyringtest.Sealing{Store: store, Put: func(_ *testing.T, texts ...string) []model.Sealed {
			for i, text := range texts {
				store.Put(model.Sealed{Table: "t", Column: "c", Row: strconv.Itoa(i), Value: text})
			}
			return store.Values()
		}}
	})
}
