// Package newkey is the door behind a link to make an API key with: a page that
// shows what is proposed, asks who the person is, and shows the key's text once.
// Anybody may make such a link, so opening it changes nothing, and what makes a
// key mighty is not ticked. It works without script and leaves nobody signed in.
// The package must not know what makes a key valid.
package newkey
