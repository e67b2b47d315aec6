package pagealloc_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"pagealloc"
)

func TestFillWritesEachPage(t *testing.T) {
	const pages, seed = 40, 1<<64 - 1
	var want []byte
	for pageNo := int64(0); pageNo < pages; pageNo++ {
		want = append(want, pagealloc.GeneratedPage(seed, pageNo)...)
	}
	for _, threads := range []int{1, 8, 64} {
		t.Run(fmt.Sprint(threads), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "pages")
			must(t, pagealloc.Fill(path, pages, threads, seed))
			if !bytes.Equal(contentOf(t, path), want) {
				t.Error("the file is not what the seed makes")
			}
		})
	}
}

func TestFillOfNoPagesCreatesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pages")
	must(t, pagealloc.Fill(path, 0, 8, 0))
	if len(contentOf(t, path)) != 0 {
		t.Error("the file is not empty")
	}
}

func TestFillLeavesWhatLiesBehind(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pages")
	must(t, pagealloc.WritePage(path, 5, []byte("behind")))
	must(t, pagealloc.Fill(path, 2, 2, 0))
	payload, err := pagealloc.ReadPage(path, 5)
	if err != nil || !bytes.HasPrefix(payload, []byte("behind")) {
		t.Errorf("page 5 holds %q, %v", payload[:6], err)
	}
}

func TestWhatFillRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pages")
	for _, test := range []struct {
		pages   int64
		threads int
		text    string
	}{
		{-1, 1, "page count is negative: -1"},
		{pagealloc.PagesMax + 1, 1, "page count is over 2251799813685247: 2251799813685248"},
		{1, 0, "threads must be 1 to 64: 0"},
		{1, 65, "threads must be 1 to 64: 65"},
	} {
		expectError(t, pagealloc.Fill(path, test.pages, test.threads, 0), pagealloc.Argument, test.text)
	}
	if _, err := os.Lstat(path); err == nil {
		t.Error("the file was created")
	}
}
