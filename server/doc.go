// Package server owns the program's life: it opens the data folder, the
// stores, the services and the doors in that order, runs them, and closes them
// in reverse. It is the only place that sees stores and services at once, and
// it decides nothing about either.
package server
