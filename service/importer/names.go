package importer

import (
	"latchkey/model"
	"latchkey/service/account"
)

// names are the names that are taken while a plan is made.
type names struct {
	exact map[string]int64 // spelling → our wire id
	keys  map[string]bool
	alike map[string]int // folded name → how many accounts have it
}

func newNames(accounts []model.Account) names {
	n := names{exact: map[string]int64{}, keys: map[string]bool{}, alike: map[string]int{}}
	for _, a := range accounts {
		n.take(a)
	}
	return n
}

func (n names) take(a model.Account) {
	n.exact[a.Username], n.keys[a.NameKey] = a.ID, true
	n.alike[a.NameFolded]++
}

// key is what an imported account holds in the unique column: the folded name,
// as every account made here; for a twin, its exact spelling (ruling 10). Where
// that is another twin's folded name, a slash in front, which no name made here
// can have, makes it unique.
func (n names) key(username string) string {
	folded := account.Fold(username)
	if !n.keys[folded] {
		return folded
	}
	key := username
	for n.keys[key] {
		key = "/" + key
	}
	return key
}
