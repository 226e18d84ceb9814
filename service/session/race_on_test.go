//go:build race

package session_test

const raceEnabled = true // sync.Pool drops at random under the race detector
