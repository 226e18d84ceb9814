package sqlstore_test

import (
	"testing"

	"latchkey/service/keyring"
	"latchkey/service/keyring/keyringtest"
)

func TestKeys(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			keyringtest.Conformance(t, func(t *testing.T) keyring.Store { return open(t, opts).Keys() })
		})
	}
}
