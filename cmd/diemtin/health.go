package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

const (
	// healthTimeout bounds the whole question. It is longer than readyTimeout:
	// a database that hangs is then named as the cause.
	healthTimeout = 5 * time.Second
	// maxHealthAnswer bounds what is read of the answer, in bytes.
	maxHealthAnswer = 4 << 10
)

var healthVerb = verb{name: "health", short: "Ask a running service whether it is ready: exit code 0, or 1 and the cause.",
	example: "diemtin health --admin 127.0.0.1:8081",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		admin := fs.String("admin", defaultAdmin, "`address` of the service's admin listener")
		return func(ctx context.Context, std stdio, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			if err := health(ctx, *admin); err != nil {
				return err
			}
			fmt.Fprintln(std.out, "ok")
			return nil
		}
	}}

// health is nil if the service whose admin listener is at address answers that
// it is ready, else the cause.
func health(ctx context.Context, address string) error {
	target, err := dialable(address)
	if err != nil {
		return errUsage{err}
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+target+"/readyz", nil)
	if err != nil {
		return errUsage{fmt.Errorf("--admin %q: want HOST:PORT", address)}
	}
	client := http.Client{Transport: &http.Transport{Proxy: nil, DisableKeepAlives: true}} // what a proxy says is not the service's word
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("ask %s: %w", target, unwrapAll(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	said, _ := io.ReadAll(io.LimitReader(resp.Body, maxHealthAnswer)) // the status alone says enough
	return fmt.Errorf("%s is not ready: %s (HTTP %d)", target, strings.TrimSpace(string(said)), resp.StatusCode)
}

// dialable is a listener's address as a caller on the same machine dials it:
// one that listens on every interface is asked on loopback.
func dialable(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || port == "" {
		return "", fmt.Errorf("--admin %q: want HOST:PORT, such as %s", address, defaultAdmin)
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1" // a final image has no file that knows localhost
	}
	return net.JoinHostPort(host, port), nil
}

// unwrapAll is the innermost cause where the layers around it only repeat the
// address; a timeout stays one.
func unwrapAll(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %s", healthTimeout)
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}
