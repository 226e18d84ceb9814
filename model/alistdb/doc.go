// Package alistdb owns how AList's tables are read, of every version and from
// every database that AList runs on. It gives the rows as plain records, says
// what it could not read, and never writes to the source. What becomes of the
// rows is not its business.
package alistdb
