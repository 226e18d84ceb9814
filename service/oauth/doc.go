// Package oauth is the flow of OAuth 2.0 and OpenID Connect: from an app's
// request to its owner's yes, from the code to tokens, and from a token to what
// it may be told. It owns the order of the checks and the words of RFC 6749;
// it does not know HTTP, pages or tables. Apps are service/client's, codes and
// tokens service/grant's.
package oauth
