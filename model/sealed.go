package model

// Sealed is a sealed value in a row, and where it stands.
type Sealed struct {
	Table  string
	Column string
	Row    string // the row's key
	Value  string // as the keyring made it
}

// AAD is what the value is bound to, so that it opens nowhere else.
func (s Sealed) AAD() string { return s.Table + "|" + s.Column + "|" + s.Row }

// Reseal puts another sealed form of the same secret in the place of one.
type Reseal struct {
	Sealed // as it was read

	Becomes string // its new Value
}
