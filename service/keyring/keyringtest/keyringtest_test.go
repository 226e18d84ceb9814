package keyringtest_test

import (
	"testing"

	"latchkey/service/keyring"
	"latchkey/service/keyring/keyringtest"
)

func TestStore(t *testing.T) {
	keyringtest.Conformance(t, func(*testing.T) keyring.Store { return keyringtest.New() })
}
