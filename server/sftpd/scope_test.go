package sftpd_test

import (
	"testing"

	"latchkey/model"
	"latchkey/server/servertest"
)

// The folder of a right need not be there: whoever may write in it makes it.
func TestFolderOfARightIsMade(t *testing.T) {
	d := open(t)
	d.user(t, "ann", "/", model.PathScope{Path: "/mine", Permission: full}, model.PathScope{Path: "/pub", Permission: read})
	files := d.files(t, "ann", pass(servertest.AdminPassword))
	if err := files.Mkdir("/mine"); err != nil {
		t.Errorf("make the folder of a right: %v", err)
	}
	if err := files.Mkdir("/mine"); err == nil {
		t.Error("a folder that is there is made")
	}
	if err := files.Mkdir("/pub"); err == nil {
		t.Error("a folder is made where one only reads")
	}
	list, err := files.ReadDir("/")
	if err != nil || len(list) != 1 || list[0].Name() != "mine" {
		t.Errorf("list: %v, %v, want mine", list, err)
	}
}
