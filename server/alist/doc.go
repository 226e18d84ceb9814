// Package alist owns the AList dialect of /api: its envelope, codes and words,
// its spellings of requests and its shapes of replies. It decides nothing;
// every handler binds, calls one service and replies.
package alist
