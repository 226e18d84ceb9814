// Package openid owns the doors of OAuth 2.0 and OpenID Connect under /api/v4:
// their envelope and codes, which are Cloudreve's, and the shapes of their
// requests and replies. It decides nothing; every handler binds, calls one
// service and replies.
package openid
