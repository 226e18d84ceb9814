package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"latchkey/server/openid"
	"latchkey/server/servertest"
	"latchkey/service/access"
)

// The document names the scope that each route takes, and no other; and what
// whoever presents a key is answered.
func TestOpenAPINamesEveryScope(t *testing.T) {
	s := servertest.Open(t)
	contract := s.Contract(t)
	wanted := map[*openapi3.Operation]access.Scope{}
	for _, r := range s.App.Table() {
		methods := []string{r.Method}
		if r.Method == "*" {
			methods = []string{http.MethodGet, http.MethodPost}
		}
		for _, method := range methods {
			if op := contract.Operation(method, r.Path); op != nil {
				wanted[op] = r.Scope
			}
		}
	}
	for path, item := range contract.Doc.Paths.Map() {
		for method, op := range item.Operations() {
			name := method + " " + path
			scope, there := wanted[op]
			if got, _ := op.Extensions["x-scope"].(string); !there || got != string(scope) {
				t.Errorf("%s: x-scope is %q, and the route takes %q", name, got, scope)
			}
			for _, fault := range describedForKeys(path, op, scope) {
				t.Errorf("%s: %s", name, fault)
			}
		}
	}
}

// describedForKeys says what the description of an operation lacks for those who
// present keys.
func describedForKeys(path string, op *openapi3.Operation, scope access.Scope) []string {
	var faults []string
	schemes := schemesOf(op)
	switch {
	case scope == access.Open && (op.Security == nil || len(*op.Security) > 0):
		faults = append(faults, "it looks at nobody, and security is not []")
	case scope == access.FirstParty && (op.Security == nil || slices.ContainsFunc(schemes, isOfKeys)):
		faults = append(faults, "no key opens it, and security does not say so")
	case scope.IsKnown() && op.Security != nil && !slices.ContainsFunc(schemes, isOfKeys):
		faults = append(faults, "keys open it, and security does not say so")
	}
	if !strings.HasPrefix(path, "/api/") || path == "/api/openapi.json" || openid.IsProtocol(path) {
		return faults
	}
	statuses := []string{"4XX"}
	if scope != access.Open {
		statuses = []string{"401", "403", "4XX"}
	}
	for _, status := range statuses {
		if op.Responses.Value(status) == nil {
			faults = append(faults, "no answer "+status+" for keys")
		}
	}
	return faults
}

func schemesOf(op *openapi3.Operation) []string {
	var names []string
	if op.Security == nil {
		return nil
	}
	for _, way := range *op.Security {
		for name := range way {
			names = append(names, name)
		}
	}
	return names
}

func isOfKeys(scheme string) bool { return strings.HasPrefix(scheme, "apiKey") }

// The four ways of the document are the ways that work.
func TestOpenAPISecuritySchemesAreTrue(t *testing.T) {
	h := openKeyHouse(t)
	key := h.keyOf(t, "admin", access.MeRead)
	schemes := h.Contract(t).Doc.Components.SecuritySchemes
	for name, ref := range schemes {
		if !isOfKeys(name) {
			continue
		}
		r := servertest.Request{Path: "/api/me", Header: map[string]string{}}
		want := http.StatusOK
		switch s := ref.Value; {
		case s.Type == "apiKey" && s.In == "header":
			r.Header[s.Name] = key
		case s.Type == "apiKey" && s.In == "query":
			r.Path, want = r.Path+"?"+s.Name+"="+key, http.StatusUnauthorized // it was not made for it
		case s.Type == "http" && s.Scheme == "bearer":
			r.Token = "Bearer " + key
		case s.Type == "http" && s.Scheme == "basic":
			r.Token = basicAuth("me:" + key)
		}
		if got := h.Do(t, r); got.Status != want {
			t.Errorf("%s: %d %s", name, got.Status, got.Text)
		}
	}
	if len(schemes) < 6 {
		t.Errorf("only %d schemes are described", len(schemes))
	}
}
