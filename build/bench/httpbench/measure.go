package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/andybalholm/brotli"

	"widgets.pro/build/bench/report"
)

// answer is one HTTP answer as it came over the wire.
type answer struct {
	header http.Header
	body   string // still compressed
	wire   int    // bytes, headers included
}

var scriptSrc = regexp.MustCompile(`<script[^>]* src="([^"]+)"`)

// script is the address of the page's script.
func (a *answer) script() string {
	text, err := io.ReadAll(brotli.NewReader(strings.NewReader(a.body)))
	if err != nil {
		return ""
	}
	m := scriptSrc.FindSubmatch(text)
	if m == nil {
		return ""
	}
	return string(m[1])
}

// fetch asks over a connection of its own and counts every byte.
func fetch(ctx context.Context, address, encoding string) (*answer, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("address: %w", err)
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	defer func() { _ = c.Close() }()
	deadline, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if at, ok := deadline.Deadline(); ok {
		_ = c.SetDeadline(at)
	}
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept-Encoding: %s\r\nConnection: close\r\n\r\n", u.RequestURI(), u.Host, encoding); err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	raw, err := io.ReadAll(c)
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	res, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(raw)), nil)
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("read the body: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answered %s", res.Status)
	}
	return &answer{res.Header, string(body), len(raw)}, nil
}

// startNginx serves the bytes of p, with its headers, from a file in dir that it keeps open: the floor beside which the
// server is measured. Without sendfile, which is slower for so small a file.
func startNginx(ctx context.Context, dir string, p *answer) (address string, end func(), err error) {
	addr, err := report.FreeAddress(ctx)
	if err != nil {
		return "", nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "page"), []byte(p.body), 0o600); err != nil {
		return "", nil, fmt.Errorf("write the page: %w", err)
	}
	var headers strings.Builder
	for _, k := range slices.Sorted(func(yield func(string) bool) {
		for k := range p.header {
			if !yield(k) {
				return
			}
		}
	}) {
		if slices.Contains([]string{"Date", "Content-Length", "Content-Type", "Connection"}, k) {
			continue // which nginx says by itself
		}
		fmt.Fprintf(&headers, "    add_header %s %s;\n", k, strconv.Quote(p.header.Get(k)))
	}
	conf := filepath.Join(dir, "nginx.conf")
	user := ""
	if os.Getuid() == 0 {
		user = "user root;\n"
	}
	text := user + `daemon off;
worker_processes 1;
master_process off;
pid ` + dir + `/nginx.pid;
error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off;
  etag off;
  keepalive_requests 1000000000;
  open_file_cache max=10 inactive=1h;
  open_file_cache_valid 1h;
  open_file_cache_min_uses 1;
  default_type "text/html; charset=utf-8";
  client_body_temp_path ` + dir + `/body;
  proxy_temp_path ` + dir + `/proxy;
  fastcgi_temp_path ` + dir + `/fastcgi;
  uwsgi_temp_path ` + dir + `/uwsgi;
  scgi_temp_path ` + dir + `/scgi;
  server {
    listen ` + addr + `;
    root ` + dir + `;
    location = /page {
` + headers.String() + `    }
  }
}
`
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return "", nil, fmt.Errorf("write nginx's configuration: %w", err)
	}
	address = "http://" + addr + "/page"
	end, err = start(ctx, pinned(ctx, 0, "nginx", "-p", dir, "-e", "stderr", "-c", conf), address)
	return address, end, err
}

var (
	perSecond = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
	errWrk    = errors.New("wrk did not say how many requests were answered well")
)

// wrk measures requests per second.
func wrk(ctx context.Context, o options, address string) (float64, error) {
	cmd := pinned(ctx, 1, "wrk", "-t1", "-c"+strconv.Itoa(o.connections), "-d"+strconv.Itoa(max(1, int(o.duration.Seconds())))+"s", "-H", "Accept-Encoding: br", address)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("wrk: %w: %s", err, out)
	}
	m := perSecond.FindSubmatch(out)
	if m == nil || bytes.Contains(out, []byte("Non-2xx")) || bytes.Contains(out, []byte("Socket errors")) {
		return 0, fmt.Errorf("%w: %s", errWrk, out)
	}
	v, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errWrk, err)
	}
	return v, nil
}
