package cache

import (
	"context"
	"fmt"
)

// Find is Load where only the value says which group it belongs to: load
// returns both. Its result is kept only if nothing at all was invalidated since
// the load began.
func (c *Cache[K, V]) Find(ctx context.Context, key K, load func(context.Context) (V, string, error)) (V, error) {
	before := c.invalidations.Load()
	flight := fmt.Sprintf("%v/%d", key, before)
	got, err, _ := c.finds.Do(flight, func() (any, error) {
		value, group, err := load(context.WithoutCancel(ctx)) // others wait for it too
		if err != nil {
			return value, err
		}
		slot := c.slot(group)
		// An invalidation counts itself before it raises the group's generation:
		// one that is not counted yet raises it after this reading.
		generation := c.generation(slot)
		if c.invalidations.Load() == before {
			c.put(key, entry[V]{value: value, group: slot, generation: generation})
		}
		return value, nil
	})
	value, _ := got.(V)
	return value, err
}
