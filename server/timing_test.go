package server_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"latchkey/server"
	"latchkey/server/config"
)

// TestTimingOfKnownAndUnknownNames prints how long refusals take for a name that
// somebody has and for one that nobody has, over HTTP and with hashes of full
// size, in random order. It judges nothing: a machine with other work
// cannot. LATCHKEY_TEST_TIMING_N is how many of each, 2,000 if it is not set.
func TestTimingOfKnownAndUnknownNames(t *testing.T) {
	if os.Getenv("LATCHKEY_TEST_HEAVY") != "1" {
		t.Skip("takes minutes: LATCHKEY_TEST_HEAVY=1 runs it")
	}
	n, err := strconv.Atoi(os.Getenv("LATCHKEY_TEST_TIMING_N"))
	if err != nil {
		n = 2000
	}
	var opened time.Time
	s := serve(t, t.TempDir(), nil, func(c *config.Config, o *server.Options) {
		o.HashMemoryKiB, c.AccessLog = 0, false
		opened = time.Now()
		// Ten hours pass in each second, so that nobody is throttled for long.
		o.Now = func() time.Time { return opened.Add(36_000 * time.Since(opened)) }
	})
	s.AddUser(t, "somebody")
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	p := &program{url: "http://" + s.addr, client: client}
	took := map[string][]float64{}
	for len(took["somebody"]) < n || len(took["nobody"]) < n {
		name := []string{"somebody", "nobody"}[rand.IntN(2)]
		begun := time.Now()
		a, err := p.call(t.Context(), call{
			method: http.MethodPost, path: "/api/auth/login", body: fmt.Sprintf(`{"username":%q,"password":"wrong horse"}`, name),
		})
		if err != nil {
			t.Fatal(err)
		}
		if a.Code == http.StatusBadRequest && len(took[name]) < n {
			took[name] = append(took[name], float64(time.Since(begun))/float64(time.Millisecond))
		}
	}
	for _, name := range []string{"somebody", "nobody"} {
		d := describe(took[name])
		t.Logf("%-8s  n %d  mean %.3f ms  median %.3f ms  standard deviation %.3f ms", name, d.n, d.mean, d.median, d.deviation)
	}
	welch, z := compare(took["somebody"], took["nobody"])
	t.Logf("Welch's t %.2f, Mann-Whitney z %.2f: beyond ±1.96 is what chance does once in 20 times", welch, z)
}

type sample struct {
	n                       int
	mean, median, deviation float64
}

func describe(values []float64) sample {
	d := sample{n: len(values)}
	for _, v := range values {
		d.mean += v / float64(d.n)
	}
	for _, v := range values {
		d.deviation += (v - d.mean) * (v - d.mean) / float64(d.n-1)
	}
	d.deviation = math.Sqrt(d.deviation)
	sorted := slices.Sorted(slices.Values(values))
	d.median = (sorted[(d.n-1)/2] + sorted[d.n/2]) / 2
	return d
}

// compare is Welch's t, and the normal approximation of Mann and Whitney's U,
// which single slow answers do not sway.
func compare(a, b []float64) (welch, z float64) {
	x, y := describe(a), describe(b)
	n, m := float64(x.n), float64(y.n)
	welch = (x.mean - y.mean) / math.Sqrt(x.deviation*x.deviation/n+y.deviation*y.deviation/m)
	all := slices.Sorted(slices.Values(slices.Concat(a, b)))
	ranks := 0.0
	for _, v := range a {
		at, _ := slices.BinarySearch(all, v)
		ranks += float64(at) + 1
	}
	u := ranks - n*(n+1)/2
	return welch, (u - n*m/2) / math.Sqrt(n*m*(n+m+1)/12)
}
