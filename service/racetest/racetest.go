// Package racetest does one thing many times at once and counts how that went.
// It is for tests alone, and knows nothing of what they test.
package racetest

import (
	"errors"
	"sync"
	"testing"
)

// Together calls act with 0 to n-1, all at once, and returns how many calls
// succeeded. The others must fail with otherwise, or the test does.
func Together(t testing.TB, n int, otherwise error, act func(i int) error) int {
	t.Helper()
	errs := make([]error, n)
	AtOnce(n, func(i int) { errs[i] = act(i) })
	fine := 0
	for i, err := range errs {
		switch {
		case err == nil:
			fine++
		case !errors.Is(err, otherwise):
			t.Errorf("call %d of %d at once = %v, want nil or %v", i, n, err, otherwise)
		}
	}
	return fine
}

// Once is Together for what may succeed only once.
func Once(t testing.TB, n int, otherwise error, act func(i int) error) {
	t.Helper()
	if fine := Together(t, n, otherwise, act); fine != 1 {
		t.Errorf("%d of %d calls at once succeeded, want 1", fine, n)
	}
}

// AtOnce calls fn with 0 to n-1, all at once, and returns when all are done.
func AtOnce(n int, fn func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	all.Wait()
}
