package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// programVersion is the module's version, or the commit it was built from.
func programVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	version, commit := info.Main.Version, ""
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			commit = " " + s.Value[:min(12, len(s.Value))]
		}
	}
	return fmt.Sprintf("%s%s (%s)", version, commit, runtime.Version())
}
