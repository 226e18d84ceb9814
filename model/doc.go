// Package model owns the records: one file per table, each a plain struct that
// the stores read and write. It also owns the errors every store speaks. It
// knows the standard library only, and nothing of it may leave the program:
// records refuse to become JSON, replies are structs of their own.
package model
