package pagealloc

import (
	"strings"

	"golang.org/x/sys/unix"
)

// SyncDirectory makes the name path durable: it opens the file's directory, syncs and closes it.
// A symbolic link's target lies elsewhere, and its name is not made durable by this.
//
// After an error, of kind SystemCall or Sync, the name may not be on the disk.
func SyncDirectory(path string) error {
	name, flags := path+": directory", unix.O_RDONLY|unix.O_DIRECTORY
	return withOpen(folderOf(path), name, flags, func(folder descriptor) error {
		if err := again(func() error { return unix.Fsync(int(folder)) }); err != nil {
			return notSynced(name+": fsync", err, "the name")
		}
		return nil
	})
}

// folderOf returns the directory part of path. filepath.Dir would leave out "..", which leads
// elsewhere behind a symbolic link.
func folderOf(path string) string {
	folder := path[:strings.LastIndexByte(path, '/')+1]
	if folder == "" {
		return "."
	}
	if trimmed := strings.TrimRight(folder, "/"); trimmed != "" {
		return trimmed
	}
	return folder
}
