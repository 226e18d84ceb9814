// Package cache owns the memory that answers without the database: a bounded
// read-through map whose loads lose against invalidations. It keeps state,
// never a verdict, and knows nothing of what it keeps.
package cache

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/singleflight"
)

const (
	shardCount = 64      // locks; more than enough for the cores of one machine
	groupCount = 1 << 14 // generation counters, 8 bytes each
)

// Cache maps keys to values that belong to groups. Invalidating a group makes
// every value of it a miss, also one whose load began before: an entry counts
// only while its group's generation is the one from before its load.
//
// Groups share a fixed number of generations, so that invalidating costs no
// memory; two groups that share one only cost each other a reload.
type Cache[K comparable, V any] struct {
	seed     maphash.Seed
	perShard int
	shards   [shardCount]shard[K, V]
	groups   [groupCount]atomic.Uint64
	everyone atomic.Uint64
	flights  singleflight.Group

	invalidations atomic.Uint64 // of any group, each counted before its generation rises
	finds         singleflight.Group
}

type shard[K comparable, V any] struct {
	mu      sync.RWMutex
	entries map[K]entry[V]
}

type entry[V any] struct {
	value      V
	group      uint32
	generation uint64
}

// New makes a cache of at most about size entries.
func New[K comparable, V any](size int) *Cache[K, V] {
	c := &Cache[K, V]{seed: maphash.MakeSeed(), perShard: max(1, size/shardCount)}
	for i := range c.shards {
		c.shards[i].entries = make(map[K]entry[V])
	}
	return c
}

// Get is the value if it is there and nothing invalidated it.
func (c *Cache[K, V]) Get(key K) (V, bool) {
	s := c.shard(key)
	s.mu.RLock()
	e, ok := s.entries[key]
	s.mu.RUnlock()
	if !ok || e.generation != c.generation(e.group) {
		var none V
		return none, false
	}
	return e.value, true
}

// Load is the value from load, which runs once for all who ask for the key at
// the same time. Its result is kept unless it fails. A caller that comes after
// an invalidation never gets the result of a load that began before it.
func (c *Cache[K, V]) Load(ctx context.Context, key K, group string, load func(context.Context) (V, error)) (V, error) {
	slot := c.slot(group)
	generation := c.generation(slot)
	flight := fmt.Sprintf("%v/%d/%d", key, slot, generation)
	got, err, _ := c.flights.Do(flight, func() (any, error) {
		value, err := load(context.WithoutCancel(ctx)) // others wait for it too
		if err == nil {
			c.put(key, entry[V]{value: value, group: slot, generation: generation})
		}
		return value, err
	})
	value, _ := got.(V)
	return value, err
}

// Invalidate makes every value of the group a miss.
func (c *Cache[K, V]) Invalidate(group string) {
	c.invalidations.Add(1)
	c.groups[c.slot(group)].Add(1)
}

// InvalidateAll makes every value a miss.
func (c *Cache[K, V]) InvalidateAll() {
	c.invalidations.Add(1)
	c.everyone.Add(1)
}

// Len is the number of entries, invalid ones included.
func (c *Cache[K, V]) Len() int {
	n := 0
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.RLock()
		n += len(s.entries)
		s.mu.RUnlock()
	}
	return n
}

func (c *Cache[K, V]) put(key K, e entry[V]) {
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.entries[key]; !there && len(s.entries) >= c.perShard {
		for victim := range s.entries { // Go starts at a random one
			delete(s.entries, victim)
			break
		}
	}
	s.entries[key] = e
}

func (c *Cache[K, V]) shard(key K) *shard[K, V] {
	return &c.shards[maphash.Comparable(c.seed, key)%shardCount]
}

func (c *Cache[K, V]) slot(group string) uint32 {
	return uint32(maphash.String(c.seed, group) % groupCount)
}

// generation changes with every invalidation that concerns the slot: both
// counters only grow, so their sum never returns to an earlier value.
func (c *Cache[K, V]) generation(slot uint32) uint64 {
	return c.groups[slot].Load() + c.everyone.Load()
}
