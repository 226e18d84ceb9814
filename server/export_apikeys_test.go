package server

import (
	"latchkey/service/access"
	"latchkey/service/apikey"
)

// NamedKeys are the API keys, for tests that make some without a door.
func (a *App) NamedKeys() *apikey.Service { return a.apiKeys }

// Row is a row of the route table.
type Row struct {
	Method, Path string // Method is * for every one
	Scope        access.Scope
}

// Table is the route table.
func (a *App) Table() []Row {
	var rows []Row
	for _, r := range a.table() {
		rows = append(rows, Row{r.method, r.path, r.scope})
	}
	return rows
}
