// Package client owns the OAuth apps that the operator registered: what they
// may be called, where answers for them may be sent, which scopes they may ask
// for, and how they prove who they are. It owns the scopes that the operator
// declares, too. It issues no code and no token, and must not know HTTP or SQL.
package client
