package setting

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"latchkey/model"
	"latchkey/service/fault"
)

// What can be wrong with a setting.
var (
	// ErrUnknown says that there is no such setting.
	ErrUnknown = fault.New(fault.NotFound, "setting_unknown", "record not found")
	// ErrFixed says that the setting cannot be changed.
	ErrFixed = fault.New(fault.Invalid, "setting_fixed", "this setting cannot be changed")
	// ErrValue says that the value does not suit the setting.
	ErrValue = fault.New(fault.Invalid, "setting_value", "this value does not suit the setting")
)

// Store keeps the settings that differ from their defaults.
type Store interface {
	// Settings lists every stored setting.
	Settings(ctx context.Context) ([]model.Setting, error)
	// SaveSettings stores all of the values, or none.
	SaveSettings(ctx context.Context, rows []model.Setting) error
}

// Sealer encrypts secret settings.
type Sealer struct {
	Seal func(aad string, plain []byte) (string, error)
	Open func(aad, sealed string) ([]byte, error)
}

// Service holds the values of all settings. It is safe for concurrent use.
type Service struct {
	store  Store
	sealer Sealer
	items  map[string]Item
	values atomic.Pointer[map[string]string]

	mu sync.Mutex // held from reading or saving rows until values has them, so that no older state comes last
}

// New reads the settings.
func New(ctx context.Context, store Store, sealer Sealer) (*Service, error) {
	s := &Service{store: store, sealer: sealer, items: map[string]Item{}}
	for _, item := range Items() {
		s.items[item.Key] = item
	}
	return s, s.Reload(ctx)
}

// Reload reads the settings again.
func (s *Service) Reload(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reload(ctx)
}

func (s *Service) reload(ctx context.Context) error {
	rows, err := s.store.Settings(ctx)
	if err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	values := map[string]string{}
	for key, item := range s.items {
		values[key] = item.Default
	}
	for _, row := range rows {
		item, known := s.items[row.Key]
		if !known || item.Fixed {
			continue
		}
		value := row.Value
		if item.Secret {
			plain, err := s.sealer.Open(aad(row.Key), row.Value)
			if err != nil {
				return fmt.Errorf("setting %s: %w", row.Key, err)
			}
			value = string(plain)
		}
		values[row.Key] = value
	}
	s.values.Store(&values)
	return nil
}

// Save checks and stores values by key: all of them, or none. It fails with
// ErrUnknown, ErrFixed or ErrValue.
func (s *Service) Save(ctx context.Context, values map[string]string) error {
	rows := make([]model.Setting, 0, len(values))
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if s.items[key].Fixed && s.Get(key) == values[key] {
			continue // a form that sends everything back
		}
		row, err := s.row(key, values[key])
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.store.SaveSettings(ctx, rows); err != nil {
		return fmt.Errorf("save settings: %w", err)
	}
	return s.reload(context.WithoutCancel(ctx)) // what is committed counts, whether or not the caller still waits
}

func (s *Service) row(key, value string) (model.Setting, error) {
	item, ok := s.items[key]
	switch {
	case !ok:
		return model.Setting{}, ErrUnknown
	case item.Fixed:
		return model.Setting{}, ErrFixed
	case !item.takes(value):
		return model.Setting{}, ErrValue.WithText("this value does not suit the setting " + key + item.takenText())
	case !item.Secret:
		return model.Setting{Key: key, Value: value}, nil
	}
	sealed, err := s.sealer.Seal(aad(key), []byte(value))
	return model.Setting{Key: key, Value: sealed}, err
}

func (i Item) takes(value string) bool {
	switch i.Kind {
	case Bool:
		return value == "true" || value == "false" || value == "1" || value == "0"
	case Number:
		n, err := strconv.ParseInt(value, 10, 32)
		return err == nil && (i.Most == 0 || i.Least <= n && n <= i.Most)
	case Choice:
		return slices.Contains(i.Options, value)
	case Text, LongText:
		return !i.Secret || value != "" // an empty secret would be matched by nothing sent
	}
	return false
}

// takenText says which values takes takes, where that is a few words.
func (i Item) takenText() string {
	switch {
	case i.Kind == Bool:
		return ": true or false"
	case i.Kind == Number && i.Most == 0:
		return ": a whole number"
	case i.Kind == Number:
		return fmt.Sprintf(": a whole number from %d to %d", i.Least, i.Most)
	case i.Kind == Choice:
		return ": " + strings.Join(i.Options, ", ")
	}
	return ""
}

// Get is a setting's value, or "" for a setting that does not exist.
func (s *Service) Get(key string) string { return (*s.values.Load())[key] }

// True reports whether a Bool setting is on.
func (s *Service) True(key string) bool {
	value := s.Get(key)
	return value == "true" || value == "1"
}

// View is a setting with its value.
type View struct {
	Item

	Value string
}

// List is the settings of the groups, or all of them without any, in the order
// of Items.
func (s *Service) List(groups []int) []View {
	values := *s.values.Load()
	list := []View{}
	for _, item := range Items() {
		if len(groups) == 0 || slices.Contains(groups, item.Group) {
			list = append(list, View{Item: item, Value: values[item.Key]})
		}
	}
	return list
}

// Public is what everybody may read.
func (s *Service) Public() map[string]string {
	public := map[string]string{}
	for key, value := range *s.values.Load() {
		if !s.items[key].Private {
			public[key] = value
		}
	}
	return public
}

// MaxDevices is how many devices an account may have; 0 means no limit.
func (s *Service) MaxDevices() int64 { return max(0, s.number(KeyMaxDevices, 0)) }

// PasswordMin is how many characters a new password has at least: 8 to 64.
func (s *Service) PasswordMin() int {
	return int(min(max(leastPasswordMin, s.number(KeyPasswordMin, leastPasswordMin)), mostPasswordMin))
}

// EvictOldest reports whether a device too many pushes the idlest one out
// instead of being refused.
func (s *Service) EvictOldest() bool { return s.Get(KeyEvictPolicy) == evictOldest }

// DeviceTTL is how long a device may stay unseen before its row is cleaned; 0
// keeps it.
func (s *Service) DeviceTTL() time.Duration {
	return time.Duration(max(0, s.number(KeyDeviceTTL, defaultDeviceTTL))) * time.Second
}

// SSHKeyUnused is from when on an unused SSH key is spoken of; 0 is never.
func (s *Service) SSHKeyUnused() time.Duration { return s.days(KeySSHKeyUnused) }

// APIKeyUnused is from when on an unused API key is reported; 0 is never.
func (s *Service) APIKeyUnused() time.Duration { return s.days(KeyAPIKeyUnused) }

// APIKeyOff reports whether unused API keys are revoked instead of reported.
func (s *Service) APIKeyOff() bool { return s.True(KeyAPIKeyOff) }

func (s *Service) days(key string) time.Duration {
	const century = 36_500 // more would not fit into a Duration much longer
	return time.Duration(min(max(0, s.number(key, 0)), century)) * 24 * time.Hour
}

func (s *Service) number(key string, otherwise int64) int64 {
	n, err := strconv.ParseInt(s.Get(key), 10, 64)
	if err != nil {
		return otherwise
	}
	return n
}

func aad(key string) string { return "settings|value|" + key }
