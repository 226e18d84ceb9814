// Package docs owns the documents for people and the description of the HTTP
// API for programs. It knows nothing of the program.
package docs

import (
	_ "embed"
	"fmt"
	"sync"

	"github.com/goccy/go-yaml"
)

//go:embed openapi.yaml
var openAPI []byte

//nolint:gochecknoglobals // the one conversion of the document, which never changes
var openAPIJSON = sync.OnceValues(func() ([]byte, error) {
	text, err := yaml.YAMLToJSON(openAPI)
	if err != nil {
		return nil, fmt.Errorf("read openapi.yaml: %w", err)
	}
	return text, nil
})

// OpenAPI is the description of the HTTP API as JSON (OpenAPI 3.1). It is
// converted once, shared between callers and must not be written to.
func OpenAPI() ([]byte, error) { return openAPIJSON() }
