package pagealloc

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Kind says whose fault an Error is. Its number is the command's exit code.
type Kind int

const (
	Content    Kind = iota + 1 // the file does not hold what it should
	Argument                   // the caller asks for what can't be; the file was not touched
	SystemCall                 // the system refused; the file has its old size
	Sync                       // the sync failed; the page may not be on the disk
)

// Error is one clear line about what went wrong.
type Error struct {
	Kind  Kind
	Text  string
	Cause error // of the system call that failed (unix.Errno, io.ErrShortWrite), else nil
}

func (e *Error) Error() string { return e.Text }

// Unwrap returns Cause, so that errors.Is(err, unix.ENOSPC) can be asked.
func (e *Error) Unwrap() error { return e.Cause }

// Refused returns the Error for a call that the system refused; what names the call.
func Refused(what string, cause error) *Error {
	return &Error{SystemCall, what + ": " + words(cause), cause}
}

func wrongContent(path string, pageNo int64, fault string) *Error {
	return &Error{Content, Place(path, pageNo) + ": " + fault, nil}
}

func wrongArgument(format string, values ...any) *Error {
	return &Error{Argument, fmt.Sprintf(format, values...), nil}
}

func notSynced(what string, cause error, lost string) *Error {
	return &Error{Sync, what + ": " + words(cause) + "; " + lost + " may not be on the disk", cause}
}

// The command's own words, for they are the same in each language that it exists in.
var wordsFor = map[unix.Errno]string{
	unix.EACCES:       "permission denied",
	unix.EDQUOT:       "disk quota exceeded",
	unix.EFBIG:        "file too large",
	unix.EIO:          "input/output error",
	unix.EISDIR:       "is a directory",
	unix.ELOOP:        "too many symbolic links",
	unix.EMFILE:       "too many open files",
	unix.ENAMETOOLONG: "name too long",
	unix.ENOENT:       "no such file or directory",
	unix.ENOSPC:       "no space left on device",
	unix.ENOTDIR:      "not a directory",
	unix.EPERM:        "operation not permitted",
	unix.EROFS:        "read-only file system",
	unix.ETXTBSY:      "file is being executed",
}

// words returns what cause means; "error N" for a rare error number.
func words(cause error) string {
	var number unix.Errno
	if !errors.As(cause, &number) {
		return cause.Error()
	}
	if text, known := wordsFor[number]; known {
		return text
	}
	return fmt.Sprintf("error %d", int(number))
}
