package outboxtest_test

import (
	"testing"

	"latchkey/service/outbox/outboxtest"
)

func TestStoreConforms(t *testing.T) {
	outboxtest.Conformance(t, func(*testing.T) outboxtest.Harness {
		return outboxtest.Harness{Store: outboxtest.New(), Account: "ann"}
	})
}
