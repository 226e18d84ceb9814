// Package setting owns what an admin can change while the program runs: the
// names, defaults and meanings of the settings, and their values in memory.
// What is fixed at start is configuration and not its business.
package setting
