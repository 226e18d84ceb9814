package importer

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
	"unicode/utf8"

	"latchkey/model"
	"latchkey/model/alistdb"
)

// planDevices takes AList's sessions over as devices without a login: history,
// of which nothing can be continued, because their tokens are not ours.
func (p *plan) planDevices() {
	count := Count{What: "sessions", Found: len(p.dump.Sessions)}
	present := map[string]bool{}
	for _, d := range p.have.Devices {
		present[d.Key] = true
	}
	for _, source := range p.dump.Sessions {
		a, known := p.accounts[source.UserID]
		if !known {
			count.Left++
			p.sessionLine(source, p.noOwner(source.UserID), "left out")
			continue
		}
		key := deviceKey(source.DeviceKey)
		if present[key] {
			count.There++
			continue
		}
		present[key] = true
		p.in.Devices = append(p.in.Devices, p.device(source, a, key))
		count.New++
	}
	p.report.Counts = append(p.report.Counts, count)
}

func (p *plan) device(source alistdb.Session, a model.Account, key string) model.Device {
	for _, odd := range source.Odd {
		p.sessionLine(source, odd, "taken as empty")
	}
	seen := orElse(model.At(time.Unix(source.LastActive, 0)), p.at)
	if seen.After(p.at.Time) {
		p.sessionLine(source, "it was last active in the future", "taken as last active now")
		seen = p.at
	}
	kind := model.DeviceAPI
	if strings.HasPrefix(source.UserAgent, "Mozilla/") {
		kind = model.DeviceWeb
	}
	return model.Device{
		Key: key, AccountKey: a.Key, Kind: kind, UserAgent: cut(source.UserAgent, maxAgent), IP: cut(source.IP, maxAddress),
		CreatedAt: seen, SeenAt: seen,
	}
}

// What a device's row holds, in bytes.
const (
	maxAgent   = 512
	maxAddress = 64
)

func cut(text string, size int) string {
	for len(text) > size {
		_, last := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-last]
	}
	return text
}

// deviceKey is AList's device key if it looks like ours, 32 hex digits, else
// one made from it. Ours cannot be computed without the server's key, so the
// history of an old device never becomes a new one.
func deviceKey(theirs string) string {
	raw, err := hex.DecodeString(theirs)
	if err == nil && len(raw) == 16 && strings.ToLower(theirs) == theirs {
		return theirs
	}
	sum := sha256.Sum256([]byte("alist device|" + theirs))
	return hex.EncodeToString(sum[:16])
}

func (p *plan) sessionLine(source alistdb.Session, found, done string) {
	p.report.line(Line{Table: tableSessions, Name: source.DeviceKey, Found: found, Done: done})
}
