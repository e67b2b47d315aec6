//go:build darwin

package pagealloc

import "golang.org/x/sys/unix"

const syncCall = "F_FULLFSYNC"

// fullSync returns once the file's data is on the disk. fsync(2) of macOS stops at the drive's
// cache; only this goes through it. A filesystem that can't do it is an error, no reason for less.
func (file descriptor) fullSync() error {
	return again(func() error {
		_, err := unix.FcntlInt(uintptr(file), unix.F_FULLFSYNC, 0)
		return err
	})
}
