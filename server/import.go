package server

import (
	"context"
	"errors"

	"latchkey/model/alistdb"
	"latchkey/service/importer"
	"latchkey/service/password"
)

// openImports makes what imports from AList and what makes imported passwords
// strong, and returns what checks them.
func (a *App) openImports(hasher *password.Hasher) *password.Checker {
	deps := importer.Deps{
		Store: a.db.Imports(), Passwords: password.NewChecker(hasher, a.Ring), Sealer: a.Ring,
		Hub: a.hub, Audit: a.audit, Now: a.opts.Now,
	}
	a.imports = importer.New(deps)
	a.wrapper = importer.NewWrapper(importer.WrapDefaults(), deps, hasher, a.opts.Log)
	return deps.Passwords
}

// ImportAList imports from AList's database at location, whose tables begin
// with prefix. It returns where that is, without credentials, and what was
// done, or in a dry run would be. All of it is done, or nothing.
func (a *App) ImportAList(ctx context.Context, location, prefix string, o importer.Options) (string, importer.Report, error) {
	source, err := alistdb.Open(ctx, location, prefix)
	if err != nil {
		return "", importer.Report{}, err
	}
	report, err := a.imports.Run(ctx, source, o)
	return source.Name(), report, errors.Join(err, source.Close())
}
