// Package docs owns the documents for people and the description of the HTTP
// API for programs. It knows nothing of the program.
package docs

import (
	_ "embed"
	"fmt"

	"github.com/goccy/go-yaml"
)

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI is the description of the HTTP API as JSON (OpenAPI 3.1).
func OpenAPI() ([]byte, error) {
	text, err := yaml.YAMLToJSON(openAPI)
	if err != nil {
		return nil, fmt.Errorf("read openapi.yaml: %w", err)
	}
	return text, nil
}
