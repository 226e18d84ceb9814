// Package config owns the settings of one process: their names, defaults,
// limits, and where they come from. Flags win over LATCHKEY_ variables, those
// over one YAML file, that over defaults. Nothing else reads the environment,
// and this package opens no listener, no database and no data folder.
package config
