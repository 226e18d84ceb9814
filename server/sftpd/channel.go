package sftpd

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// serve answers until the connection ends.
func (c *client) serve(ctx context.Context, channels <-chan ssh.NewChannel, requests <-chan *ssh.Request) {
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { answerGlobal(requests) })
	var open atomic.Int64
	for offered := range channels {
		switch {
		case offered.ChannelType() != "session": // X11, agents, tunnels
			_ = offered.Reject(ssh.UnknownChannelType, "only sftp is served here")
		case int(open.Load()) >= c.server.cfg.Channels:
			_ = offered.Reject(ssh.ResourceShortage, "too many channels")
		default:
			open.Add(1)
			running.Go(func() {
				defer open.Add(-1)
				defer c.server.survive(ctx)
				c.session(ctx, offered)
			})
		}
	}
}

// answerGlobal answers what concerns the whole connection: keepalives, and no to
// all else, such as tunnels.
func answerGlobal(requests <-chan *ssh.Request) {
	for r := range requests {
		_ = r.Reply(r.Type == "keepalive@openssh.com", nil)
	}
}

// session serves one channel: the subsystem sftp, once. Programs, shells,
// terminals, variables and agents are refused.
func (c *client) session(ctx context.Context, offered ssh.NewChannel) {
	channel, requests, err := offered.Accept()
	if err != nil {
		return
	}
	defer channel.Close()
	var served sync.WaitGroup
	defer served.Wait()
	started := false
	for r := range requests {
		var files *tree
		if !started && wantsSFTP(r) {
			if files, err = c.openTree(); err != nil {
				c.apologise(ctx, channel, err)
			}
		}
		_ = r.Reply(files != nil, nil)
		if files != nil {
			started = true
			served.Go(func() {
				defer c.server.survive(ctx)
				defer channel.Close()
				defer files.close()
				serveFiles(channel, files)
			})
		}
	}
}

// apologise says why there are no files, without the server's paths.
func (c *client) apologise(ctx context.Context, channel ssh.Channel, err error) {
	text := "your files cannot be opened on the server"
	if errors.Is(err, errNoFolder) {
		text = err.Error()
	}
	_, _ = io.WriteString(channel.Stderr(), text+"\r\n")
	c.server.Log.LogAttrs(ctx, slog.LevelWarn, "open SFTP folder", slog.String("account_key", c.AccountKey), slog.Any("error", err))
}

func wantsSFTP(r *ssh.Request) bool {
	var wanted struct{ Name string }
	return r.Type == "subsystem" && ssh.Unmarshal(r.Payload, &wanted) == nil && wanted.Name == "sftp"
}

func serveFiles(channel ssh.Channel, files *tree) {
	server := sftp.NewRequestServer(channel, sftp.Handlers{FileGet: files, FilePut: files, FileCmd: files, FileList: files})
	status := struct{ Status uint32 }{}
	if err := server.Serve(); err != nil && !errors.Is(err, io.EOF) {
		status.Status = 1
	}
	_ = server.Close()
	_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(&status))
}
