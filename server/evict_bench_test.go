package server_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"latchkey/server/servertest"
)

// BenchmarkEvict is an eviction from request to answer: both its transactions
// are synced to disk. It reports the 99th percentile beside the mean.
func BenchmarkEvict(b *testing.B) {
	s := servertest.Open(b)
	desk := s.Admin(b, "desk")
	var took []time.Duration
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		device := s.Admin(b, fmt.Sprintf("device %d", n)).DeviceKey
		b.StartTimer()
		begin := time.Now()
		reply := s.Do(b, servertest.Request{Path: "/api/me/sessions/evict", Token: desk.Token, ClientID: "desk", Body: map[string]string{"session_id": device}})
		took = append(took, time.Since(begin))
		if reply.Code != 200 {
			b.Fatal(reply.Text)
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
}
