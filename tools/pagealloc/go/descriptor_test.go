package pagealloc

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func opened(t *testing.T, path string) descriptor {
	t.Helper()
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return descriptor(fd)
}

// A null device takes every write and has no sync.
func TestAFailedSyncIsAnErrorOfItsOwn(t *testing.T) {
	err := opened(t, "/dev/null").writeSynced(make([]byte, PageSize), "f", 3, 0)
	var failed *Error
	if !errors.As(err, &failed) || failed.Kind != Sync {
		t.Fatalf("got %v", err)
	}
	want := "f: page 3 at offset 12288: " + syncCall + ": error 22; the page may not be on the disk"
	if failed.Text != want || failed.Cause != unix.EINVAL {
		t.Errorf("got %q, %v\nwant %q", failed.Text, failed.Cause, want)
	}
}

func TestCutBackTakesOnlyWhatWasAppended(t *testing.T) {
	for _, test := range []struct {
		name               string
		size, end, oldSize int64
		want               int64
	}{
		{"the part is the end", 4608, 4608, 4096, 4096},
		{"the file was empty", 100, 100, 0, 0},
		{"somebody wrote behind it", 9000, 4608, 4096, 9000},
		{"the part is inside the old file", 8192, 4608, 8192, 8192},
		{"somebody cut the file off there", 4608, 4608, 8192, 4608},
		{"somebody made the file shorter", 10, 4608, 4096, 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := opened(t, filepath.Join(t.TempDir(), "f"))
			if err := unix.Ftruncate(int(file), test.size); err != nil {
				t.Fatal(err)
			}
			file.cutBack(test.end, test.oldSize)
			if size, err := file.size("f"); err != nil || size != test.want {
				t.Errorf("%d bytes, %v", size, err)
			}
		})
	}
}

func TestACallIsMadeAgainUntilNoSignalInterruptsIt(t *testing.T) {
	outcomes := []error{unix.EINTR, unix.EINTR, unix.EIO, nil}
	err := again(func() error {
		outcome := outcomes[0]
		outcomes = outcomes[1:]
		return outcome
	})
	if err != unix.EIO || len(outcomes) != 1 {
		t.Errorf("got %v with %d calls left", err, len(outcomes))
	}
}

func TestFolderOf(t *testing.T) {
	for path, want := range map[string]string{
		"f": ".", "": ".", "a/f": "a", "a//f": "a", "/f": "/", "//f": "//", "a/../f": "a/..", "./f": ".", "a/": "a",
	} {
		if folder := folderOf(path); folder != want {
			t.Errorf("%q lies in %q, not %q", path, folder, want)
		}
	}
}

func TestSyncDirectorySyncsAFolderAndNothingElse(t *testing.T) {
	folder := t.TempDir()
	if err := SyncDirectory(filepath.Join(folder, "f")); err != nil {
		t.Error(err)
	}
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := SyncDirectory(file + "/f")
	if err == nil || err.Error() != file+"/f: directory: open: not a directory" {
		t.Errorf("got %v", err)
	}
}

func TestEveryErrorNumberHasWords(t *testing.T) {
	for _, test := range []struct {
		cause error
		text  string
	}{
		{unix.ENOSPC, "no space left on device"},
		{&os.PathError{Op: "write", Path: "f", Err: unix.EDQUOT}, "disk quota exceeded"},
		{unix.EBADF, "error 9"},
		{os.ErrClosed, "file already closed"},
	} {
		if text := words(test.cause); text != test.text {
			t.Errorf("%v is %q", test.cause, text)
		}
	}
}
