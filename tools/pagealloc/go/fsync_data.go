//go:build linux || solaris || aix

package pagealloc

import "golang.org/x/sys/unix"

const syncCall = "fdatasync"

// fullSync returns once the file's data is on the disk, with the size where the data needs it.
func (file descriptor) fullSync() error {
	return again(func() error { return unix.Fdatasync(int(file)) })
}
