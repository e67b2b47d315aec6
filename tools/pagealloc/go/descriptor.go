package pagealloc

import (
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// descriptor is an open file, and what is done with it. It is no os.File, because that makes more
// calls on the file than are asked for: os.OpenFile puts it into non-blocking mode and offers it
// to epoll, os.NewFile asks for its flags, and after a short write (*os.File).WriteAt tries the
// rest, so that what one call wrote is never known.
//
// The file position is never used: pread64 and pwrite64 take the offset, and no lseek is made.
type descriptor int

var _ io.WriterAt = descriptor(0)

// withOpen calls use with the opened file and closes it again; an error of use is not hidden by
// one of the close. Messages begin with name.
func withOpen(path, name string, flags int, use func(descriptor) error) (err error) {
	fd, err := againFor(func() (int, error) { return unix.Open(path, flags|unix.O_CLOEXEC, 0o644) })
	if err != nil {
		return Refused(name+": open", err)
	}
	defer func() {
		// Not again after EINTR: Linux has closed it by then, and the number may be in use anew.
		if closed := unix.Close(fd); closed != nil && err == nil {
			err = Refused(name+": close", closed)
		}
	}()
	return use(descriptor(fd))
}

// size returns the size in bytes; it refuses what is not a regular file.
func (file descriptor) size(path string) (int64, error) {
	status, err := file.status()
	if err != nil {
		return 0, Refused(path+": fstat", err)
	}
	switch status.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return status.Size, nil
	case unix.S_IFDIR:
		return 0, Refused(path+": open", unix.EISDIR)
	}
	return 0, &Error{SystemCall, path + ": open: not a regular file", nil}
}

// readPage returns the bytes of page pageNo, fewer at the end of the file, none behind it.
func (file descriptor) readPage(path string, pageNo int64) ([]byte, error) {
	page := make([]byte, PageSize)
	n, err := againFor(func() (int, error) { return unix.Pread(int(file), page, pageNo*PageSize) })
	if err != nil {
		return nil, Refused(Place(path, pageNo)+": pread", err)
	}
	return page[:n], nil
}

// WriteAt makes one pwrite64. When that wrote only a part, the error is io.ErrShortWrite.
func (file descriptor) WriteAt(data []byte, offset int64) (int, error) {
	n, err := againFor(func() (int, error) { return unix.Pwrite(int(file), data, offset) })
	if err != nil {
		return 0, err
	}
	if n < len(data) {
		return n, io.ErrShortWrite
	}
	return n, nil
}

// writeSynced writes page and returns once it is on the disk. oldSize is what the file is cut
// back to, in bytes, should a part be all that was written. A sync that failed is not tried again:
// the kernel reports a failed write-back once and may then have dropped the page, so that a second
// sync has nothing left to write and succeeds (fsync(2), NOTES on EIO).
func (file descriptor) writeSynced(page []byte, path string, pageNo, oldSize int64) error {
	where, offset := Place(path, pageNo), pageNo*PageSize
	switch n, err := file.WriteAt(page, offset); {
	case err == io.ErrShortWrite:
		file.cutBack(offset+int64(n), oldSize)
		text := fmt.Sprintf("%s: pwrite: short write: %d of %d bytes", where, n, len(page))
		return &Error{SystemCall, text, err}
	case err != nil:
		return Refused(where+": pwrite", err)
	}
	if err := file.fullSync(); err != nil {
		return notSynced(where+": "+syncCall, err, "the page")
	}
	return nil
}

// cutBack gives the file its old size again, if the part that ends at end is what made it longer.
// Its own failure is not reported: the short write is.
func (file descriptor) cutBack(end, oldSize int64) {
	status, err := file.status()
	// A file that ends elsewhere was made longer by somebody else, who would lose data.
	if err == nil && oldSize < end && status.Size == end {
		_ = again(func() error { return unix.Ftruncate(int(file), oldSize) })
	}
}

func (file descriptor) status() (status unix.Stat_t, err error) {
	err = again(func() error { return unix.Fstat(int(file), &status) })
	return status, err
}

// again makes a call until no signal interrupts it.
func again(call func() error) error {
	_, err := againFor(func() (int, error) { return 0, call() })
	return err
}

// againFor is again for a call that returns a number.
func againFor(call func() (int, error)) (int, error) {
	for {
		if number, err := call(); err != unix.EINTR {
			return number, err
		}
	}
}
