// Package leak is the flow of secrets that somebody found where they should not
// be: whoever reports one, it ends. It owns that an answer tells nobody whether
// a text was a secret. It must not know what ends with one.
package leak

import (
	"context"
	"errors"
	"slices"
	"time"

	"latchkey/service/access"
	"latchkey/service/fault"
	"latchkey/service/secret"
)

// ErrTooMany says that a report has no text, or more than AtMost.
var ErrTooMany = fault.New(fault.Invalid, "leak_count", "a report has 1 to 100 keys")

// AtMost is how many texts a report may have.
const AtMost = 100

// End ends what the text stands for. A text that stands for nothing, or for what
// has ended already, is no error.
type End func(ctx context.Context, text string) error

// Deps are what the flow works with.
type Deps struct {
	Ends  map[secret.Prefix]End      // by the kind of secret
	Count func(address string) error // counts a report; an error refuses it

	// An answer takes at least Least and Each for each text of our form: ending
	// takes longer than finding nothing.
	Least, Each time.Duration
}

// Service takes reports. It is safe for concurrent use.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{Deps: d} }

// Report ends every secret among the texts before it returns. What it returns
// says nothing of whether there was one. It fails with ErrTooMany, as Count
// does, or if the storage does.
func (s *Service) Report(ctx context.Context, texts []string) error {
	if len(texts) == 0 || len(texts) > AtMost {
		return ErrTooMany
	}
	if err := s.Count(access.From(ctx).Address); err != nil {
		return err
	}
	found := s.ours(texts)
	if len(found) == 0 {
		return nil
	}
	wait := time.NewTimer(s.Least + time.Duration(len(found))*s.Each)
	defer wait.Stop()
	var errs []error
	for _, f := range found {
		errs = append(errs, f.end(ctx, f.text))
	}
	select {
	case <-wait.C:
	case <-ctx.Done():
	}
	return errors.Join(errs...)
}

type find struct {
	text string
	end  End
}

// ours are the texts that have the form of one of our secrets, each once. Their
// checksum can be told without us, so it need not be hidden.
func (s *Service) ours(texts []string) []find {
	var found []find
	for _, text := range texts {
		if slices.ContainsFunc(found, func(f find) bool { return f.text == text }) {
			continue
		}
		for prefix, end := range s.Ends {
			if secret.IsBearer(prefix, text) {
				found = append(found, find{text: text, end: end})
			}
		}
	}
	return found
}
