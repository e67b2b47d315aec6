//go:build freebsd || dragonfly

package main

import "golang.org/x/sys/unix"

// Limits are signed there.
func setLimit(limit *unix.Rlimit, bytes uint64) { limit.Cur = int64(bytes) }
