package victim

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"
)

// patience is how long a program may take to be ready, on a machine that is busy.
const patience = 60 * time.Second

// look is the time between two looks whether a program is ready.
const look = 5 * time.Millisecond

var errNotReady = errors.New("it did not get ready")

// Server is the sync server, on one address and one data file all its lives. It keeps its mail for a development mailbox.
type Server struct {
	Program
	addr, data string
}

// NewServer prepares the server's binary for a data file in dir; env is what else the binary needs in its environment.
func NewServer(ctx context.Context, binary, dir string, env ...string) (*Server, error) {
	var random [3]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, fmt.Errorf("choose an address: %w", err)
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", privateHost(random)+":0")
	if err != nil {
		return nil, fmt.Errorf("choose an address: %w", err)
	}
	s := &Server{addr: ln.Addr().String(), data: filepath.Join(dir, "server.db")}
	if err := ln.Close(); err != nil {
		return nil, fmt.Errorf("choose an address: %w", err)
	}
	s.Program = Program{
		Path: binary, Env: env, Log: filepath.Join(dir, "server.log"),
		Args: []string{"--listen", s.addr, "--data", s.data, "--log-level", "info", "--dev-mailbox=true"},
	}
	return s, nil
}

// URL is where the server answers.
func (s *Server) URL() string { return "http://" + s.addr }

// Data is the path of its data file.
func (s *Server) Data() string { return s.data }

// Run starts the server and returns when it is ready to serve.
func (s *Server) Run(ctx context.Context) error {
	if err := s.Start(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+"/readyz", http.NoBody)
		if err != nil {
			return fmt.Errorf("ask the server: %w", err)
		}
		res, err := client.Do(req)
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("server: %w:\n%s", errNotReady, s.Tail())
		case <-s.Ended():
			return fmt.Errorf("server: %w:\n%s", errNotReady, s.Tail())
		case <-time.After(look):
		}
	}
}
