package docs_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"latchkey/docs"
)

// load is the document as kin-openapi reads it.
func load(t *testing.T) *openapi3.T {
	t.Helper()
	text, err := docs.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestOpenAPIIsValid(t *testing.T) {
	doc := load(t)
	if !doc.IsOpenAPI31OrLater() {
		t.Errorf("openapi is %q, want 3.1", doc.OpenAPI)
	}
	if err := doc.Validate(t.Context(), openapi3.EnableExamplesValidation()); err != nil {
		t.Error(err)
	}
}

func TestOpenAPIIsConvertedOnce(t *testing.T) {
	first, err := docs.OpenAPI()
	if err != nil || !json.Valid(first) {
		t.Fatalf("OpenAPI = %d bytes, %v, want JSON", len(first), err)
	}
	if allocs := testing.AllocsPerRun(10, func() { _, _ = docs.OpenAPI() }); allocs != 0 {
		t.Errorf("a second call makes %v allocations, want none", allocs)
	}
}

// Every operation can be read on its own, and no two have one name.
func TestOpenAPIOperationsAreDescribed(t *testing.T) {
	doc := load(t)
	seen := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			name := method + " " + path
			if op.OperationID == "" || seen[op.OperationID] {
				t.Errorf("%s: operationId %q is empty or taken", name, op.OperationID)
			}
			seen[op.OperationID] = true
			if op.Summary == "" || len(op.Tags) != 1 || doc.Tags.Get(op.Tags[0]) == nil {
				t.Errorf("%s needs a summary and one of the tags", name)
			}
			if op.Description == "" && op.Summary != "The same by POST" {
				t.Errorf("%s has no description", name)
			}
			for _, fault := range examplesMissing(op) {
				t.Errorf("%s: %s", name, fault)
			}
		}
	}
}

func examplesMissing(op *openapi3.Operation) []string {
	var faults []string
	for status, response := range op.Responses.Map() {
		for media, content := range response.Value.Content {
			if len(content.Examples) == 0 && content.Example == nil && op.OperationID != "openAPI" {
				faults = append(faults, fmt.Sprintf("no example of %s %s", status, media))
			}
		}
		if response.Value.Headers["X-Request-Id"] == nil && op.OperationID != "" {
			faults = append(faults, "no X-Request-Id with "+status)
		}
	}
	return faults
}

// An object of an answer that does not say which keys it has lets any through,
// and a key that may be left out hides that it is gone.
func TestOpenAPIAnswersAreClosed(t *testing.T) {
	doc := load(t)
	faults := map[string]bool{}
	look := func(where string, s *openapi3.Schema) {
		if s.Type.Is(openapi3.TypeObject) || len(s.AllOf) > 0 {
			for _, fault := range loose(s) {
				if !leavesOut(where) || !strings.HasSuffix(fault, " is not required") {
					faults[where+": "+fault] = true
				}
			}
		}
	}
	for name, ref := range doc.Components.Schemas {
		if isRequest(name) {
			continue
		}
		look(name, ref.Value)
		err := ref.WalkSubtree(func(at string, sub *openapi3.SchemaRef) error {
			if sub.Ref == "" {
				look(name+at, sub.Value)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, fault := range slices.Sorted(maps.Keys(faults)) {
		t.Error(fault)
	}
}

// leavesOut reports whether an answer has a form of OAuth's standards, which leave
// out what there is not.
func leavesOut(schema string) bool {
	return slices.Contains([]string{"OAuthTokens", "OAuthIntrospection", "OAuthUserInfo"}, schema)
}

// loose says what a schema of an object leaves open.
func loose(s *openapi3.Schema) []string {
	var faults []string
	if len(s.AllOf) == 1 { // closed by what it builds on, or by itself
		base := s.AllOf[0].Ref
		closed := slices.Contains([]string{"Success", "Failure", "V4Success", "V4Failure"}, strings.TrimPrefix(base, "#/components/schemas/"))
		if own := s.UnevaluatedProperties.Has; !closed && (own == nil || *own) {
			faults = append(faults, "it is open")
		}
		return faults
	}
	if s.Properties["session_id"] != nil { // DeviceFields, which the two lists close
		return nil
	}
	if s.AdditionalProperties.Has == nil {
		faults = append(faults, "additionalProperties is not given")
	}
	for name := range s.Properties {
		if !slices.Contains(s.Required, name) {
			faults = append(faults, name+" is not required")
		}
	}
	return faults
}

func isRequest(schema string) bool {
	switch schema {
	case "AppChange",
		"AppRotation",
		"AuthorizePageForm",
		"ChosenToken",
		"Cleaning",
		"ConfirmPageForm",
		"DevicePageForm",
		"Eviction",
		"FactorRule",
		"Generation",
		"KeyID",
		"LimitForm",
		"LinkForm",
		"NewApp",
		"NewEmail",
		"NewPassword",
		"NewSSHKey",
		"OwnChange",
		"ConsentForm",
		"OAuthDeviceForm",
		"OAuthTokenForm",
		"OAuthTokenOf",
		"PairCode",
		"PairSignIn",
		"PairToken",
		"PasswordChange",
		"Reauthentication",
		"Registration",
		"RoleForm",
		"SSHKeyChange",
		"ScopeDeclaration",
		"SettingValues",
		"SignIn",
		"SignInForm",
		"SignInPageForm",
		"SignOutPageForm",
		"ThrottleSubject",
		"UserForm",
		"Verification":
		return true
	}
	return false
}

// What is described once is used.
func TestOpenAPIHasNoDeadComponents(t *testing.T) {
	text, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c := load(t).Components
	for kind, names := range map[string][]string{
		"schemas":       slices.Collect(maps.Keys(c.Schemas)),
		"responses":     slices.Collect(maps.Keys(c.Responses)),
		"requestBodies": slices.Collect(maps.Keys(c.RequestBodies)),
		"parameters":    slices.Collect(maps.Keys(c.Parameters)),
		"headers":       slices.Collect(maps.Keys(c.Headers)),
		"examples":      slices.Collect(maps.Keys(c.Examples)),
	} {
		for _, name := range names {
			if isAnyPaths(name) {
				continue
			}
			if !strings.Contains(string(text), fmt.Sprintf(`"#/components/%s/%s"`, kind, name)) {
				t.Errorf("nothing refers to %s/%s", kind, name)
			}
		}
	}
}

// isAnyPaths reports whether a response is one that paths give which are not in
// the document; servertest looks them up by name.
func isAnyPaths(response string) bool {
	switch response {
	case "Preflight", "NoRoute", "NoMethod":
		return true
	}
	return false
}
