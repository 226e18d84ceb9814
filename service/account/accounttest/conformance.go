package accounttest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/account"
	"latchkey/service/racetest"
)

// Harness is a fresh store and what hangs on accounts in it.
type Harness struct {
	Store     account.Store
	Attach    func(t *testing.T, accountKey string) string       // gives an account a second factor and one of everything else; returns the id of a live login
	Attached  func(t *testing.T, accountKey string) int          // how many rows hang on an account
	Login     func(t *testing.T, loginID string) model.Login     // one that Attach made, live or ended
	EndReason func(t *testing.T, loginID string) model.EndReason // why it ended, empty while live
}

// Conformance is what every account.Store must do. open makes a fresh one for
// each part.
func Conformance(t *testing.T, open func(t *testing.T) Harness) {
	t.Helper()
	for name, part := range map[string]func(*testing.T, Harness){
		"an empty store is founded once":                         foundsOnce,
		"of parallel starts one founds":                          foundsOnceInParallel,
		"a store that is not empty is not founded":               foundsOnlyEmpty,
		"founding happens as a whole or not at all":              foundsWhole,
		"an account comes back as it was made":                   keepsEveryField,
		"ids rise and are never used again":                      neverReusesID,
		"a wished id counts":                                     takesWishedID,
		"what must be unique is refused":                         refusesTaken,
		"of parallel creations of a name one wins":               createsNameOnce,
		"of parallel creations of an id one wins":                createsIDOnce,
		"the exact spelling counts before the folded one":        exactBeforeFolded,
		"a folded name finds an account only if it is alone":     foldedIfAlone,
		"a name is not a pattern":                                nameIsNoPattern,
		"a profile has the roles in the account's order":         rolesInOrder,
		"a profile says whether there is a second factor":        saysTwoFactor,
		"the first of a role is enabled and has the lowest id":   firstWithRole,
		"a change changes what it names":                         changesWhatIsNamed,
		"a change of an unknown account is refused":              changesKnown,
		"a taken name leaves everything as it was":               refusesTakenChange,
		"of parallel changes to a name one wins":                 changesNameOnce,
		"a new password ends every login and raises the epoch":   passwordEndsLogins,
		"a login that is kept outlives a new password":           keptOutlivesPassword,
		"of changes of one epoch one counts":                     changesOneEpoch,
		"a change asked for by a login needs it live":            changesOnlyForLiveLogin,
		"an address finds its only confirmed owner":              foundByEmail,
		"an owner's new address ends every other login":          addressEndsOthers,
		"disabling ends every login and enabling revives none":   disablingEndsLogins,
		"deleting takes all that hangs on the account":           deletesAll,
		"of parallel deletions one counts":                       deletesOnce,
		"a deleted account's id and name come back with nothing": inheritsNothing,
		"an account is found by its number":                      findsByID,
		"pages hold the accounts in the order of their ids":      pagesByID,
		"an edit changes what it names and no credential":        editsEveryField,
		"an edit to an unknown role is refused whole":            editsKnownRoles,
		"one enabled admin stays":                                oneAdminStays,
		"of admins that all go at once one stays":                oneAdminStaysInParallel,
		"roles come back as they were made":                      createsRoles,
		"of parallel creations of a role one wins":               createsRoleOnce,
		"pages hold the roles in the order of their ids":         pagesRoles,
		"an edit of a role changes what it names":                editsRoles,
		"a role that somebody has stays":                         keepsRolesInUse,
		"a role is not given and deleted at once":                keepsRolesInUseInParallel,
		"what a caller does to a result stays with the caller":   returnsCopies,
	} {
		t.Run(name, func(t *testing.T) { part(t, open(t)) })
	}
}

// parallel is how many callers try the same thing at once.
const parallel = 12

// at is when the suite's rows were made; stores keep whole milliseconds.
func at(after time.Duration) model.Time {
	return model.At(time.Date(2026, 3, 1, 12, 0, 0, 123_000_000, time.UTC).Add(after))
}

// sample is an account whose unique values carry n.
func sample(n int) model.Account {
	name := fmt.Sprintf("name%d", n)
	return model.Account{
		Key: fmt.Sprintf("%032x", n), Username: name, NameFolded: name, NameKey: name,
		BasePath: "/", Roles: model.IntList{3}, CreatedAt: at(0),
	}
}

// named is sample(n) of that spelling. Its folded name stays free for twins.
func named(n int, name, folded, key string) model.Account {
	a := sample(n)
	a.Username, a.NameFolded, a.NameKey = name, folded, key
	return a
}

func want(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", what, diff)
	}
}

func (h Harness) create(t *testing.T, a model.Account) model.Account {
	t.Helper()
	made, err := h.Store.CreateAccount(t.Context(), a)
	if err != nil {
		t.Fatalf("CreateAccount(%q) = %v", a.Username, err)
	}
	return made
}

func (h Harness) profile(t *testing.T, key string) model.Profile {
	t.Helper()
	p, err := h.Store.Profile(t.Context(), key)
	if err != nil {
		t.Fatalf("Profile = %v", err)
	}
	return p
}

func (h Harness) ended(t *testing.T, loginID string, want model.EndReason) {
	t.Helper()
	if got := h.EndReason(t, loginID); got != want {
		t.Errorf("login %s ended for %q, want %q", loginID, got, want)
	}
}

// once runs f(0), f(1), … at once. One must succeed; every other result must
// be the error given.
func once(t *testing.T, otherwise error, f func(i int) error) {
	t.Helper()
	racetest.Once(t, parallel, otherwise, f)
}
