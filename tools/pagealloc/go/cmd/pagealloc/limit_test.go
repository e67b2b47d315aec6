//go:build !freebsd && !dragonfly

package main

import "golang.org/x/sys/unix"

func setLimit(limit *unix.Rlimit, bytes uint64) { limit.Cur = bytes }
