package sqlstore_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"latchkey/model"
)

// clients is how many callers read and write at once.
const clients = 12

func TestMixedReadsAndWritesNeverFail(t *testing.T) {
	const rounds = 25 // of each client
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			db := open(t, opts)
			var group sync.WaitGroup
			for client := range clients {
				own := createAccount(t, db, client+1)
				openLogin(t, db, own.Key, fmt.Sprint("login ", client))
				group.Go(func() {
					for round := range rounds {
						at := model.At(start.Add(time.Duration(round+1) * time.Second))
						login := fmt.Sprint("login ", client)
						sso := fmt.Sprint(client, round)
						for what, do := range map[string]func() error{
							"Touch": func() error {
								return db.Logins().Touch(t.Context(), []model.Touch{{LoginID: login, DeviceKey: "device of " + login, At: at}})
							},
							"EditAccount": func() error {
								return db.Accounts().EditAccount(t.Context(), own.Key, model.AccountEdit{SSOID: &sso, At: at})
							},
							"Profile": func() error {
								_, err := db.Accounts().Profile(t.Context(), own.Key)
								return err
							},
							"Devices": func() error {
								list, err := db.Logins().Devices(t.Context(), own.Key, model.Live{At: at})
								if err == nil && len(list) != 1 {
									err = fmt.Errorf("%d devices, want 1", len(list))
								}
								return err
							},
							"Login": func() error {
								_, err := db.Logins().Login(t.Context(), login)
								return err
							},
						} {
							if err := do(); err != nil {
								t.Errorf("%s of client %d in round %d = %v", what, client, round, err)
								return
							}
						}
						// Who was answered reads what they wrote.
						if p, err := db.Accounts().Profile(t.Context(), own.Key); err != nil || p.SSOID != sso {
							t.Errorf("client %d wrote %q and reads %q, %v", client, sso, p.SSOID, err)
							return
						}
					}
				})
			}
			group.Wait()
		})
	}
}
