package audit

import (
	"maps"
	"slices"
)

// sentences say what happened, one for every kind that is stored.
func sentences() map[Kind]string {
	return map[Kind]string{
		SignedIn:         "Signed in.",
		SignInRefused:    "Somebody tried to sign in and was refused.",
		SignInThrottled:  "Sign-ins were turned away after too many tries.",
		SignedOut:        "Signed out.",
		Reauthenticated:  "The password was given again to confirm a change.",
		DeviceAdded:      "Signed in on a new device.",
		DeviceEvicted:    "A device was signed out.",
		DevicesEvicted:   "All other devices were signed out.",
		DevicesCleaned:   "Devices that were not used any more were removed.",
		ProfileChanged:   "The profile was changed.",
		PasswordChanged:  "The password was changed.",
		EmailChanged:     "The e-mail address was changed.",
		EmailVerified:    "The e-mail address was confirmed.",
		SignInDisowned:   "A sign-in was reported as somebody else's.",
		AccountCreated:   "The account was created.",
		AccountDisabled:  "The account was disabled.",
		AccountEnabled:   "The account was enabled.",
		AccountDeleted:   "The account was deleted.",
		AccountEdited:    "The account was edited.",
		AccountsImported: "Accounts were imported.",
		RoleChanged:      "A role was created, changed or deleted.",
		SettingsChanged:  "Settings were changed.",
		TwoFactorEnabled: "Two-factor sign-in was turned on.",
		TwoFactorRemoved: "Two-factor sign-in was turned off.",
		RecoveryRenewed:  "New recovery codes were made.",
		RecoveryUsed:     "A recovery code was used to sign in.",
		SSHKeyAdded:      "An SSH key was added.",
		SSHKeyChanged:    "An SSH key was changed.",
		SSHKeyLifted:     "A suspended SSH key was let in again.",
		SSHKeyDeleted:    "An SSH key was deleted.",
		APIKeyRefused:    "A wrong API key was refused.",
		APIKeyCreated:    "An API key was created.",
		APIKeyChanged:    "An API key was changed.",
		APIKeyRotated:    "An API key was given a new text.",
		APIKeyDeleted:    "An API key was deleted.",
		APIKeyRevoked:    "An API key was revoked.",
		APIKeyExpiring:   "An API key expires soon.",
		APIKeyUnused:     "An API key was not used for a long time.",
		ThrottleLifted:   "The limit on sign-ins was lifted.",
		AppAuthorized:    "An app was given access.",
		AppRefused:       "An app was refused access.",
		AppWithdrawn:     "Access of an app was taken back.",
		TokenRevoked:     "A token was revoked.",
		CodeReused:       "A code was used twice: access of the app was ended.",
		RefreshReused:    "A refresh token was used twice, so somebody may have copied it: the sign-in was ended.",
		TokenMinted:      "A token was made on the server's command line.",
		KeyRotated:       "A new key signs tokens.",
		KeyRemoved:       "An old token key was removed.",
		MasterKeyChanged: "The server's keys were sealed under another master key.",
		Founded:          "The server was set up.",
		AppRegistered:    "An app was registered.",
		AppChanged:       "A registered app was changed.",
		AppSecretRotated: "A registered app was given another secret.",
		AppDeleted:       "A registered app was deleted.",
		ScopeDeclared:    "A scope was declared.",
		ScopeWithdrawn:   "A declared scope was withdrawn.",
	}
}

// Text is one plain sentence about what happened, without who and where. A kind
// from a newer version is its own text.
func Text(kind string) string {
	if text, ok := sentences()[Kind(kind)]; ok {
		return text
	}
	return kind
}

// Kinds are the kinds of event that are stored, in the order of the alphabet.
func Kinds() []Kind { return slices.Sorted(maps.Keys(sentences())) }

func (k Kind) isStored() bool {
	_, ok := sentences()[k]
	return ok
}
