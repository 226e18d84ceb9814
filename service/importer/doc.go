// Package importer is the flow that brings an AList installation's users,
// roles, SSH keys, second factors and settings over. It owns what becomes of
// every row, odd ones too, and how imported passwords grow strong without
// their users. How the source is read, and how rows are written, it leaves to
// others.
package importer
