package server_test

import "time"

// isMintedFor has the operator make a token for ann.
func (w *witness) isMintedFor() {
	w.Helper()
	minted, err := w.App.MintToken(w.Context(), "ann", "backup", time.Hour)
	if err != nil {
		w.Fatal(err)
	}
	w.secrets["a minted token"] = minted.Token
	w.newest(event{Event: "token_minted", Username: "ann", Actor: "system", Device: minted.SessionID})
}
