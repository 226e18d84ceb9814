package behind

import (
	"maps"
	"sync"
)

// waiting is values that are not written yet, one per key.
type waiting[K comparable, V any] struct {
	merge func(a, b V) V

	mu     sync.Mutex
	values map[K]V
}

// Add leaves a value to be written with the next batch, merged with what waits
// under the key already. Beyond 200,000 keys further ones are dropped: the
// database has been away for long, and what is written this way is worth no
// more memory.
func (w *waiting[K, V]) Add(key K, value V) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before, there := w.values[key]
	switch {
	case there:
		w.values[key] = w.merge(before, value)
	case len(w.values) < most:
		w.values[key] = value
	}
}

// Waiting is the value that waits under the key.
func (w *waiting[K, V]) Waiting(key K) (V, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	value, there := w.values[key]
	return value, there
}

// AllWaiting is a copy of all that waits.
func (w *waiting[K, V]) AllWaiting() map[K]V {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.values)
}

func (w *waiting[K, V]) take() (keys []K, values []V) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, value := range w.values {
		keys, values = append(keys, key), append(values, value)
	}
	if len(keys) > 0 {
		w.values = map[K]V{} // give the memory back
	}
	return keys, values
}
