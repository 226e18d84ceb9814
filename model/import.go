package model

// Holdings is what an import has to fit into, as one read saw it.
type Holdings struct {
	Roles    []Role
	Accounts []Account
	SSHKeys  []SSHKey
	Settings []Setting
	Devices  []Device
	Used     map[string]bool // keys of accounts that something hangs on: a device, a login, an SSH key, a second factor
}

// Import is what an import writes: all of it, or nothing.
type Import struct {
	Vacate   []Account    // founding accounts that give way; they must still be as they were seen, with nothing on them
	Fill     []RoleFill   // founding roles that take over the rights of the imported ones
	Roles    []Role       // new, with their ids
	Accounts []Account    // new, with their ids
	TOTP     []TOTP       // of new accounts
	SSHKeys  []SSHKey     // of new accounts, without ids
	Devices  []Device     // new, without logins
	Settings []SettingNew // new, or in place of a value that was seen
}

// RoleFill replaces a role that is still what it was.
type RoleFill struct{ Was, Becomes Role }

// SettingNew stores a value where there is none, or in place of Was.
type SettingNew struct {
	Setting

	Was string // the stored form that is replaced; empty if there was no row
}

// IsEmpty reports whether there is nothing to write.
func (i Import) IsEmpty() bool {
	return len(i.Vacate)+len(i.Fill)+len(i.Roles)+len(i.Accounts)+len(i.TOTP)+len(i.SSHKeys)+
		len(i.Devices)+len(i.Settings) == 0
}
