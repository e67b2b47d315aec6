//go:build unix && !darwin && !linux && !solaris && !aix

package pagealloc

import "golang.org/x/sys/unix"

const syncCall = "fsync"

// fullSync returns once the file is on the disk. x/sys/unix has no fdatasync for these systems.
func (file descriptor) fullSync() error {
	return again(func() error { return unix.Fsync(int(file)) })
}
