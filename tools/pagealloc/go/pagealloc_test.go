package pagealloc_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"pagealloc"
)

func ExampleWritePage() {
	folder, err := os.MkdirTemp("", "pages")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "pages.db")
	if err := pagealloc.WritePage(path, 3, []byte("payload")); err != nil {
		fmt.Println(err) // nothing is sure about the page
		return
	}
	payload, err := pagealloc.ReadPage(path, 3)
	fmt.Printf("%s %d %v", payload[:7], len(payload), err)
	// Output: payload 4080 <nil>
}

func expectError(t *testing.T, err error, kind pagealloc.Kind, text string) {
	t.Helper()
	var failed *pagealloc.Error
	if !errors.As(err, &failed) {
		t.Fatalf("got %v, want %q", err, text)
	}
	if failed.Kind != kind || failed.Error() != text {
		t.Errorf("got %d: %q\nwant %d: %q", failed.Kind, failed, kind, text)
	}
}

func contentOf(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWritePageChangesThatPageAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pages")
	old := bytes.Repeat([]byte("old!"), 3*1024)
	must(t, os.WriteFile(path, old, 0o600))
	must(t, pagealloc.WritePage(path, 1, []byte("new")))
	page, _ := pagealloc.BuildPage([]byte("new"))
	want := append(append(old[:4096:4096], page...), old[8192:]...)
	if !bytes.Equal(contentOf(t, path), want) {
		t.Error("other bytes were changed")
	}
}

func TestWritePageBehindTheEndLeavesAHole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pages")
	must(t, pagealloc.WritePage(path, 2, nil))
	_, err := pagealloc.ReadPage(path, 1)
	expectError(t, err, pagealloc.Content, path+": page 1 at offset 4096: all zero: never written, or lost")
	payload, err := pagealloc.ReadPage(path, 2)
	must(t, err)
	if !bytes.Equal(payload, make([]byte, 4080)) {
		t.Error("the payload is not empty")
	}
}

func TestWritePageCreatesWithTheUsualMode(t *testing.T) {
	defer unix.Umask(unix.Umask(0o022))
	path := filepath.Join(t.TempDir(), "pages")
	must(t, pagealloc.WritePage(path, 0, nil))
	status, err := os.Stat(path)
	must(t, err)
	if status.Mode() != 0o644 {
		t.Errorf("the mode is %v", status.Mode())
	}
}

func TestWhatWritePageRefuses(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "f")
	for _, test := range []struct {
		path   string
		pageNo int64
		kind   pagealloc.Kind
		text   string
		cause  error
	}{
		{file, -1, pagealloc.Argument, "page number is negative: -1", nil},
		{file, 2251799813685247, pagealloc.Argument, "page number is over 2251799813685246: 2251799813685247", nil},
		{folder, 0, pagealloc.SystemCall, folder + ": open: is a directory", unix.EISDIR},
		{file + "/f", 0, pagealloc.SystemCall, file + "/f: open: no such file or directory", unix.ENOENT},
		{"/dev/null", 0, pagealloc.SystemCall, "/dev/null: open: not a regular file", nil},
		{file + "\x00", 0, pagealloc.SystemCall, file + "\x00: open: error 22", unix.EINVAL},
	} {
		err := pagealloc.WritePage(test.path, test.pageNo, nil)
		expectError(t, err, test.kind, test.text)
		if cause := errors.Unwrap(err); cause != test.cause {
			t.Errorf("%s: the cause is %v", test.text, cause)
		}
		if _, err := os.Lstat(file); err == nil {
			t.Fatalf("%s: the file was created", test.text)
		}
	}
}

func TestTheLastPageIsOverWhatAFileCanHold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pages")
	must(t, pagealloc.WritePage(path, 0, nil))
	err := pagealloc.WritePage(path, pagealloc.LastPageNo, nil)
	where := path + ": page 2251799813685246 at offset 9223372036854767616"
	expectError(t, err, pagealloc.SystemCall, where+": pwrite: file too large")
	if len(contentOf(t, path)) != 4096 {
		t.Error("the length has changed")
	}
}

func TestWhatReadPageRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pages")
	page, _ := pagealloc.BuildPage(nil)
	must(t, os.WriteFile(path, append(page, page[:7]...), 0o600))
	_, err := pagealloc.ReadPage(path, 1)
	expectError(t, err, pagealloc.Content, path+": page 1 at offset 4096: short page: 7 of 4096 bytes")
	_, err = pagealloc.ReadPage(path, 2)
	expectError(t, err, pagealloc.Content, path+": page 2 at offset 8192: beyond the end of the file")
	_, err = pagealloc.ReadPage(path, -1)
	expectError(t, err, pagealloc.Argument, "page number is negative: -1")
	_, err = pagealloc.ReadPage(path+"2", 0)
	expectError(t, err, pagealloc.SystemCall, path+"2: open: no such file or directory")
}

func TestEachRaw(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pages")
	content := bytes.Repeat([]byte("x"), 2*4096+5)
	must(t, os.WriteFile(path, content, 0o600))
	var seen []byte
	next := int64(0)
	must(t, pagealloc.EachRaw(path, func(pageNo int64, page []byte) error {
		if pageNo != next {
			t.Errorf("page %d came for page %d", pageNo, next)
		}
		next++
		seen = append(seen, page...)
		return nil
	}))
	if next != 3 || !bytes.Equal(seen, content) {
		t.Errorf("%d pages with %d bytes", next, len(seen))
	}
	enough := errors.New("enough")
	if err := pagealloc.EachRaw(path, func(int64, []byte) error { return enough }); err != enough {
		t.Errorf("got %v", err)
	}
}
