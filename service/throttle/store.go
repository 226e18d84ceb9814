package throttle

import (
	"context"
	"fmt"
	"slices"
	"time"

	"latchkey/model"
	"latchkey/service/behind"
)

// Upkeep of the rows.
const (
	cleanAtMost = 5000 // rows in one transaction
	knownRows   = 10   // times Config.MaxKeys: known addresses are many, and no guesser can make one
)

// entry says that a row must follow its counter in memory, or that a subject
// was lifted.
type entry struct {
	in      *table
	key     key
	account string
	address string
	until   int64               // of a known address, whose row needs nothing in memory
	lift    *model.ThrottleLift // if not nil, nothing else counts
}

// write stores a batch: not what the counters were when it was queued but what
// they are now, so that batches may be written twice and no older state can
// follow a newer one.
func (s *Service) write(ctx context.Context, batch []entry) error {
	var (
		lifts []model.ThrottleLift
		rows  []model.Throttle
		seen  = map[model.ThrottleID]bool{}
		now   = s.now()
	)
	for _, e := range slices.Backward(batch) { // of a known address, the last one counts
		if e.lift != nil {
			lifts = append(lifts, *e.lift)
			continue
		}
		if id := idOf(e.in.kind, e.key); !seen[id] {
			seen[id] = true
			until := e.until
			if until == 0 {
				until = e.in.get(e.key)
			}
			rows = append(rows, model.Throttle{
				ThrottleID: id, Until: s.wall(until, now), AccountKey: e.account, Address: e.address,
			})
		}
	}
	return s.store.SaveThrottles(ctx, lifts, rows)
}

// wall is the instant on the wall clock as it is now, rounded up to what a row
// can hold; now if it is past.
func (s *Service) wall(until int64, now time.Time) model.Time {
	ahead := max(0, until-int64(now.Sub(s.start)))
	return model.At(now.Add(time.Duration(ahead) + time.Millisecond - 1))
}

// note has rows follow their counters within a second. What finds no room is
// left as it is: a crash then errs on the strict side.
func (s *Service) note(entries ...entry) {
	for _, e := range entries {
		_ = s.journal.Add(e)
	}
}

// Load reads what was counted before this process began. A counter that is
// further ahead than a full budget was written by another clock; it is cut, so
// that nobody waits for longer than that.
func (s *Service) Load(ctx context.Context) error {
	now := s.now()
	at := int64(now.Sub(s.start))
	for _, t := range s.counters() {
		rows, err := s.store.Throttles(ctx, model.ThrottleQuery{Kind: t.kind, After: model.At(now), Limit: s.cfg.MaxKeys})
		if err != nil {
			return fmt.Errorf("load throttle: %w", err)
		}
		for _, row := range rows {
			ahead := min(int64(row.Until.Sub(now)), t.limit.full())
			t.raise(key{row.Who, row.Place}, at+ahead, at)
		}
	}
	return nil
}

// Flush returns when all that was noted before is stored.
func (s *Service) Flush(ctx context.Context) error {
	if err := s.journal.Flush(ctx); err != nil {
		return fmt.Errorf("write throttle: %w", err)
	}
	return nil
}

// Clean deletes rows that do not matter any more, and those that are too many.
func (s *Service) Clean(ctx context.Context) error {
	keep := map[model.ThrottleKind]int{model.ThrottleKnown: knownRows * s.cfg.MaxKeys}
	for _, t := range s.counters() {
		keep[t.kind] = s.cfg.MaxKeys
	}
	for kind, n := range keep {
		for {
			deleted, err := s.store.CleanThrottles(ctx, kind, model.At(s.now()), n, cleanAtMost)
			if err != nil {
				return fmt.Errorf("clean throttle: %w", err)
			}
			if deleted < cleanAtMost {
				break
			}
		}
	}
	return nil
}

// Run writes and cleans until ctx ends, and writes once more before it returns
// nil. What cannot be written then errs on the strict side.
func (s *Service) Run(ctx context.Context) error { return s.upkeep().Run(ctx) }

// Close writes what is noted, and logs if that cannot be.
func (s *Service) Close(ctx context.Context) { s.upkeep().Close(ctx) }

func (s *Service) upkeep() behind.Upkeep {
	return behind.Upkeep{Of: "throttle", Flush: s.Flush, Clean: s.Clean, Log: s.log}
}
