package servertest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Contract is the description that a server hands out of itself
// (/api/openapi.json), to judge what it does by. It is safe for concurrent use.
type Contract struct {
	Doc *openapi3.T

	schemas                      map[*openapi3.MediaType]*jsonschema.Schema // of JSON replies, compiled once: kin-openapi does it for every reply
	preflight, noRoute, noMethod *openapi3.Operation                        // what paths and methods answer that are not in Doc
}

// Validate ends the test's success if the reply is not one that the server's
// description has for the request. Do calls it for every reply.
func (s *Server) Validate(t testing.TB, req *http.Request, reply *httptest.ResponseRecorder) {
	t.Helper()
	if err := s.Contract(t).Reply(req, reply); err != nil {
		t.Errorf("%s %s answers what docs/openapi.yaml does not describe: %d %s\n%v",
			req.Method, req.URL.Path, reply.Code, shortened(reply.Body.String()), err)
	}
}

// Contract is the server's description.
func (s *Server) Contract(t testing.TB) *Contract {
	t.Helper()
	shared.once.Do(func() { shared.contract, shared.err = load(s.App.Handler()) })
	if shared.err != nil {
		t.Fatalf("load /api/openapi.json: %v", shared.err)
	}
	return shared.contract
}

// shared is the description, which is the same for all servers of a process and
// takes longer to load than most tests.
//
//nolint:gochecknoglobals // loaded once per process
var shared struct {
	once     sync.Once
	contract *Contract
	err      error
}

func load(handler http.Handler) (*Contract, error) {
	reply := httptest.NewRecorder()
	handler.ServeHTTP(reply, httptest.NewRequest(http.MethodGet, "/api/openapi.json", http.NoBody))
	doc, err := openapi3.NewLoader().LoadFromData(reply.Body.Bytes())
	if err != nil {
		return nil, err
	}
	c := &Contract{Doc: doc, schemas: map[*openapi3.MediaType]*jsonschema.Schema{}}
	if err := c.compile(reply.Body); err != nil {
		return nil, err
	}
	for _, beside := range []struct {
		to     **openapi3.Operation
		status int
		name   string
	}{
		{&c.preflight, http.StatusNoContent, "Preflight"},
		{&c.noRoute, http.StatusNotFound, "NoRoute"},
		{&c.noMethod, http.StatusMethodNotAllowed, "NoMethod"},
	} {
		if *beside.to, err = anywhere(doc.Components.Responses, beside.status, beside.name); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// compile compiles the schema of every JSON reply. References stay within text.
func (c *Contract) compile(text io.Reader) error {
	const base = "file:///openapi.json"
	tree, err := jsonschema.UnmarshalJSON(text)
	if err != nil {
		return err
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	if err := compiler.AddResource(base, tree); err != nil {
		return err
	}
	one := func(ref *openapi3.ResponseRef, at ...string) error {
		media := ref.Value.Content["application/json"]
		if media == nil || ref.Ref != "" { // what is referred to has its turn below
			return nil
		}
		at = append(at, "content", "application/json", "schema")
		c.schemas[media], err = compiler.Compile(base + "#" + pointer(at...))
		return err
	}
	for name, ref := range c.Doc.Components.Responses {
		if err := one(ref, "components", "responses", name); err != nil {
			return err
		}
	}
	for path, item := range c.Doc.Paths.Map() {
		for method, op := range item.Operations() {
			for status, ref := range op.Responses.Map() {
				if err := one(ref, "paths", path, strings.ToLower(method), "responses", status); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// pointer is a JSON pointer (RFC 6901).
func pointer(to ...string) string {
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	var text strings.Builder
	for _, step := range to {
		text.WriteString("/" + escape.Replace(step))
	}
	return text.String()
}

// anywhere is an operation that answers one thing of its own, and what any path
// may answer.
func anywhere(named openapi3.ResponseBodies, status int, name string) (*openapi3.Operation, error) {
	responses := openapi3.NewResponses()
	for s, n := range map[int]string{
		status:                           name,
		http.StatusRequestEntityTooLarge: "TooLarge",
		http.StatusInternalServerError:   "Fault",
		http.StatusServiceUnavailable:    "Unavailable",
	} {
		if named[n] == nil {
			return nil, fmt.Errorf("components.responses has no %s", n)
		}
		responses.Set(strconv.Itoa(s), named[n])
	}
	responses.Delete("default")
	return &openapi3.Operation{Responses: responses}, nil
}

// Operation is what a method does at a path, or nil. Where the document says
// that every method is taken, that is what GET does.
func (c *Contract) Operation(method, path string) *openapi3.Operation {
	item, _ := c.find(path)
	if item == nil {
		return nil
	}
	op := item.Operations()[method]
	if every, _ := item.Extensions["x-any-method"].(bool); every && op == nil {
		op = item.Get
	}
	return op
}

// find is the description of a path, and what stands in it for the names in
// braces; nil if there is none.
func (c *Contract) find(path string) (*openapi3.PathItem, map[string]string) {
	if item := c.Doc.Paths.Value(path); item != nil {
		return item, nil
	}
	steps := strings.Split(path, "/")
	for template, item := range c.Doc.Paths.Map() {
		if params := fill(strings.Split(template, "/"), steps); params != nil {
			return item, params
		}
	}
	return nil, nil
}

// fill is what stands in a path for the names of a template, nil if it is no
// path of it.
func fill(template, steps []string) map[string]string {
	if len(template) != len(steps) {
		return nil
	}
	params := map[string]string{}
	for i, step := range steps {
		name, ok := strings.CutPrefix(template[i], "{")
		switch {
		case ok && step != "":
			params[strings.TrimSuffix(name, "}")] = step
		case template[i] != step:
			return nil
		}
	}
	return params
}

// Reply says in what a reply differs from the description of the request's
// route; paths and methods that have none are described too.
func (c *Contract) Reply(req *http.Request, reply *httptest.ResponseRecorder) error {
	about := c.input(req)
	if reply.Code == http.StatusNoContent && req.Method == http.MethodOptions && req.Header.Get("Origin") != "" {
		about.Route.Operation = c.preflight
	}
	err := openapi3filter.ValidateResponse(req.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: about,
		Status:                 reply.Code,
		Header:                 reply.Header(),
		Body:                   io.NopCloser(bytes.NewReader(reply.Body.Bytes())),
		Options:                &openapi3filter.Options{IncludeResponseStatus: true, ExcludeResponseBody: true},
	})
	if err != nil || req.Method == http.MethodHead {
		return err
	}
	return c.body(about.Route.Operation.Responses.Status(reply.Code).Value.Content, reply)
}

func (c *Contract) body(described openapi3.Content, reply *httptest.ResponseRecorder) error {
	if len(described) == 0 {
		if reply.Body.Len() > 0 {
			return errors.New("there is a body")
		}
		return nil
	}
	got := reply.Header().Get("Content-Type")
	media := described.Get(got)
	switch {
	case media == nil:
		return fmt.Errorf("the body is %q", got)
	case c.schemas[media] == nil:
		return media.Schema.Value.VisitJSON(reply.Body.String(), openapi3.EnableJSONSchema2020())
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(reply.Body.Bytes()))
	if err != nil {
		return err
	}
	return c.schemas[media].Validate(value)
}

// Request says in what a request differs from what the description asks for.
// Servers take more than that.
func (c *Contract) Request(t testing.TB, r Request) error {
	t.Helper()
	return openapi3filter.ValidateRequest(t.Context(), c.input(newRequest(t, r)))
}

func (c *Contract) input(req *http.Request) *openapi3filter.RequestValidationInput {
	path := req.URL.Path
	item, params := c.find(path)
	op := c.Operation(req.Method, path)
	switch {
	case item == nil:
		op = c.noRoute
	case op == nil:
		op = c.noMethod
	}
	return &openapi3filter.RequestValidationInput{
		Request:    req,
		PathParams: params,
		Route:      &routers.Route{Spec: c.Doc, Path: path, PathItem: item, Method: req.Method, Operation: op},
		Options:    &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}
}

func shortened(text string) string {
	const most = 500
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
