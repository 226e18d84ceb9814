package model

// AuditActor says what kind of caller did something.
type AuditActor string

// The kinds of actor.
const (
	ActorNone    AuditActor = "none"    // nobody known, such as who fails to sign in
	ActorSession AuditActor = "session" // a login's token
	ActorToken   AuditActor = "token"   // the static token
	ActorAPIKey  AuditActor = "api_key" // an API key; the detail says which
	ActorOAuth   AuditActor = "oauth"   // an app's access token
	ActorCommand AuditActor = "command" // somebody at the machine
	ActorSystem  AuditActor = "system"  // the program itself
)

// AuditEvent is a security event as it is kept. It hangs on no other row:
// names and ids are what they were when it happened, so it outlives the
// account it is about.
type AuditEvent struct {
	Record `gorm:"-"`

	ID           int64 `gorm:"primaryKey"` // rises with the order of storing
	At           Time
	Nonce        int64 // random; with At it tells the same event met twice from another one
	Kind         string
	AccountKey   string // whom it is about; empty: nobody known, or no account in particular
	AccountID    int64  // 0 if unknown
	Username     string
	ActorKind    AuditActor
	ActorKey     string // whose credential it was; empty without one
	ActorID      int64
	ActorName    string
	DeviceKey    string // the device it is about; empty: none
	CallerDevice string // the device it came from; empty: none
	Address      string // in full; empty: none
	Reason       string // the fault's code, of a refusal
	Detail       string // a JSON object
	RequestID    string // the request's name in the log; empty: none
}

// TableName names the table.
func (AuditEvent) TableName() string { return "audit_events" }

// AuditQuery asks for events, newest first. Zero fields do not count.
type AuditQuery struct {
	AccountKey string // events about the account
	Kind       string
	Username   string // events about whoever had the name then, or has it now
	Address    string
	Since      Time // not before
	Until      Time // before
	Offset     int
	Limit      int
	CountTo    int // matches are counted up to this number
}

// AuditTrim says what to delete when there are too many events.
type AuditTrim struct {
	Most   int64    // rows that may stay
	First  []string // kinds whose oldest rows go before any other
	AtMost int      // rows to delete in one go
}
