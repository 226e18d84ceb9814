package clienttest_test

import (
	"testing"

	"latchkey/service/client"
	"latchkey/service/client/clienttest"
)

func TestStore(t *testing.T) {
	clienttest.Conformance(t, func(*testing.T) client.Store { return clienttest.New() })
}
