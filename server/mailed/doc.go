// Package mailed is the door behind the links that people are mailed: small
// pages without script. Opening one changes nothing, because mail is opened by
// programs, too; acting takes the button of its form. A link is 256 random
// bits, so tries are not counted. The package must not know what a link does.
package mailed
