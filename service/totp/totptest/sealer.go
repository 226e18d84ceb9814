package totptest

import "latchkey/service/keyring/keyringtest"

// NewSealer makes a working totp.Sealer with a random key.
func NewSealer() keyringtest.Sealer { return keyringtest.NewSealer() }
