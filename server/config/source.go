package config

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

const (
	commandLine = "command line"
	environment = "environment"
)

// sources is what was written anywhere, the strongest place winning. A value
// that is overruled is not judged.
type sources struct {
	merged   *koanf.Koanf      // texts, by file key
	from     map[string]origin // by file key
	rejected map[string]bool   // file keys whose text was not taken
	secrets  secretTexts
	mistakes Mistakes
}

func gather(fs *pflag.FlagSet, environ []string) *sources {
	src := &sources{
		merged:   koanf.New("."),
		from:     map[string]origin{},
		rejected: map[string]bool{},
		secrets:  secretTexts{},
	}
	named := fileSetting()
	variables := src.variables(environ)
	path := variables.String(named.key())
	from := origin{environment, named.env()}
	if f := fs.Lookup(named.flag); f != nil && f.Changed {
		path, from = f.Value.String(), origin{commandLine, "--" + named.flag}
	}
	variables.Delete(named.key())

	if path = strings.TrimSpace(path); path != "" {
		src.file(path, from)
	}
	src.merge(variables, func(s setting) origin { return origin{environment, s.env()} })
	src.flags(fs)
	return src
}

func (src *sources) merge(layer *koanf.Koanf, from func(setting) origin) {
	for _, s := range settings() {
		if layer.Exists(s.key()) {
			src.from[s.key()] = from(s)
		}
	}
	if err := src.merged.Merge(layer); err != nil {
		src.mistakes = append(src.mistakes, Mistake{Source: "configuration", Problem: "cannot be put together"})
	}
}

// variables reads what begins with LATCHKEY_. Secrets are put aside: they
// never meet the other values.
func (src *sources) variables(environ []string) *koanf.Koanf {
	keys := map[string]string{fileSetting().env(): fileSetting().key()}
	known := []string{fileSetting().env()}
	for _, s := range settings() {
		keys[s.env()] = s.key()
		known = append(known, s.env())
	}
	for _, s := range secretSettings() {
		known = append(known, s.env, s.fileEnv())
		keys[s.env], keys[s.fileEnv()] = "", ""
	}
	links := serviceLinks()

	layer := koanf.New(".")
	take := func(name, value string) (string, any) {
		key, ours := keys[name]
		switch {
		case ours && key == "":
			src.secrets[name] = value
		case ours:
			return key, value
		case strings.HasPrefix(name, testPrefix), links.MatchString(name + "=" + value):
		default:
			src.mistakes = append(src.mistakes, origin{environment, name}.mistake(unknown(name, known)))
		}
		return "", nil
	}
	provider := env.Provider("", env.Opt{
		Prefix:        envPrefix,
		TransformFunc: take,
		EnvironFunc:   func() []string { return environ },
	})
	if err := layer.Load(provider, nil); err != nil {
		src.mistakes = append(src.mistakes, Mistake{Source: environment, Problem: "cannot be read"})
	}
	return layer
}

// serviceLinks matches the variables that Kubernetes sets in every container
// when a Service's name begins with "latchkey" (Kubernetes documentation,
// "Discovering services: environment variables").
func serviceLinks() *regexp.Regexp {
	return regexp.MustCompile(`^LATCHKEY_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)=` +
		`|^LATCHKEY_(\w+_)?PORT=(tcp|udp|sctp)://`)
}

func (src *sources) file(path string, from origin) {
	layer, parser := koanf.New("."), &yamlFile{path: path, lines: map[string]int{}}
	if err := layer.Load(file.Provider(path), parser); err != nil {
		m := from.mistake(unreadable(err))
		m.Value, m.Want = shown(path), "a YAML file"
		src.mistakes = append(src.mistakes, m)
		return
	}
	src.mistakes = append(src.mistakes, parser.mistakes...)
	src.merge(layer, func(s setting) origin { return parser.origin(s.key()) })
}

func (src *sources) flags(fs *pflag.FlagSet) {
	keys := map[string]string{}
	for _, s := range settings() {
		keys[s.flag] = s.key()
	}
	given := func(f *pflag.Flag) (string, any) {
		key, ours := keys[f.Name]
		if !ours || !f.Changed {
			return "", nil
		}
		src.from[key] = origin{commandLine, "--" + f.Name}
		return key, f.Value.String()
	}
	if err := src.merged.Load(posflag.ProviderWithFlag(fs, ".", src.merged, given), nil); err != nil {
		src.mistakes = append(src.mistakes, Mistake{Source: commandLine, Problem: "cannot be read"})
	}
}

// apply reads the texts into c.
func (src *sources) apply(c *Config) Mistakes {
	var bad Mistakes
	for _, s := range settings() {
		if !src.merged.Exists(s.key()) {
			continue
		}
		in := strings.TrimSpace(src.merged.String(s.key()))
		wrong := unprintable(in)
		switch {
		case wrong != "":
		case in == "" && s.kind != kindText && s.kind != kindList:
			wrong = "is empty"
		default:
			wrong = s.set(c, in)
		}
		if wrong != "" {
			src.rejected[s.key()] = true
			bad = append(bad, s.mistake(src.origin(s), in, wrong))
		}
	}
	return bad
}

func (src *sources) origin(s setting) origin {
	if from, ok := src.from[s.key()]; ok {
		return from
	}
	return origin{"default", s.key()}
}

// mistake repeats the text, but of a database's address only what says which
// kind it is: the rest may hold a password.
func (s setting) mistake(from origin, in, wrong string) Mistake {
	m := from.mistake(wrong)
	m.Value, m.Want = shown(in), s.want
	if s.flag == "db" && !strings.HasPrefix(in, sqlitePrefix) {
		scheme, _, _ := strings.Cut(in, ":")
		if strings.ContainsFunc(scheme, func(r rune) bool { return !unicode.IsLetter(r) }) {
			scheme = ""
		}
		m.Value = fmt.Sprintf("%q", scheme+"…")
	}
	return m
}

// unprintable keeps out what a file could not hold.
func unprintable(in string) string {
	if !utf8.ValidString(in) {
		return "is not UTF-8 text"
	}
	if strings.ContainsFunc(in, unicode.IsControl) {
		return "has a line break or another control character in it"
	}
	return ""
}
