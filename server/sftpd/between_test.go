package sftpd_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"latchkey/model"
	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
	"latchkey/service/access"
)

// overtaker is a log that does something when a sign-in is noted: its login is
// committed then, and its connection not served yet.
type overtaker struct {
	slog.Handler

	act atomic.Pointer[func()]
}

func (*overtaker) Enabled(context.Context, slog.Level) bool { return true }

func (o *overtaker) Handle(_ context.Context, r slog.Record) error {
	signedIn := false
	r.Attrs(func(a slog.Attr) bool {
		signedIn = signedIn || a.Key == "event" && a.Value.String() == "signed_in"
		return !signedIn
	})
	if signedIn {
		if act := o.act.Swap(nil); act != nil {
			(*act)()
		}
	}
	return nil
}

// An ending that comes when the login is made and the connection not registered
// finds nothing to hang up. The connection finds the ending.
func TestEndingBetweenSignInAndService(t *testing.T) {
	for name, end := range map[string]func(d *door, account string) error{
		"the account is disabled": func(d *door, account string) error {
			return d.App.Accounts.SetDisabled(context.Background(), account, true)
		},
		"the account is deleted": func(d *door, account string) error { return d.App.Accounts.Delete(context.Background(), account) },
		"its right is taken": func(d *door, account string) error {
			owner, err := d.App.Accounts.Snapshot(context.Background(), account)
			if err != nil {
				return err
			}
			none := model.ScopeList{{Path: "/", Permission: write}}
			return d.App.Accounts.EditRole(context.Background(), owner.RoleIDs[0], model.RoleEdit{Scopes: &none})
		},
		"everything is evicted": func(d *door, account string) error {
			owner, err := d.App.Accounts.Snapshot(context.Background(), account)
			if err != nil {
				return err
			}
			list, err := d.App.Sessions.List(context.Background(), access.Caller{Kind: access.SessionToken, Account: owner})
			for _, device := range list {
				if device.Kind == "sftp" {
					err = d.App.Sessions.EvictAny(context.Background(), device.Key)
				}
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			log := &overtaker{Handler: slog.DiscardHandler}
			d := open(t, func(_ *config.Config, o *server.Options) { o.Log = slog.New(log) })
			account := d.member(t, "ann")
			key := newKey(t)
			d.addKey(t, "ann", "own", key)
			for _, auth := range []ssh.AuthMethod{ssh.PublicKeys(key), pass(servertest.AdminPassword)} {
				var ended error
				act := func() { ended = end(d, account) }
				log.act.Store(&act)
				c, err := d.dial("ann", auth)
				if log.act.Load() != nil {
					log.act.Store(nil)
					continue // the first one's ending holds
				}
				if ended != nil {
					t.Fatal(ended)
				}
				if err != nil {
					continue
				}
				if _, err := sftp.NewClient(c); err == nil {
					t.Error("the connection is served")
				}
				_ = c.Close()
			}
		})
	}
}
