package racetest_test

import (
	"errors"
	"sync"
	"testing"

	"latchkey/service/racetest"
)

func TestAtOnceCallsAllAtOnce(t *testing.T) {
	var present sync.WaitGroup
	present.Add(8)
	seen := make([]int, 8)
	racetest.AtOnce(8, func(i int) {
		seen[i]++
		present.Done()
		present.Wait() // never ends if one call waits for another
	})
	for i, n := range seen {
		if n != 1 {
			t.Errorf("call %d was made %d times", i, n)
		}
	}
}

func TestTogetherCountsSuccesses(t *testing.T) {
	late := errors.New("late")
	got := racetest.Together(t, 8, late, func(i int) error {
		if i%4 == 0 {
			return nil
		}
		return late
	})
	if got != 2 {
		t.Errorf("%d succeeded, want 2", got)
	}
}
