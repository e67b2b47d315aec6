// Breaks `positional-write`, `synced` and `open-flags`: os.WriteFile makes the file anew.
//
// Why it matters: it opens with O_TRUNC, so the old pages are gone before the new one is written,
// and it never syncs: a power failure may leave an empty file. It writes what it is given at the
// start of the file, so PAGE_NO other than 0 needs all the pages before it.

//go:build ignore

package main

import (
	"log"
	"os"
	"strconv"
)

const pageSize = 4096

func main() {
	path, offset := arguments()
	content := append(make([]byte, offset), newPage("os.WriteFile")...)
	must(os.WriteFile(path, content, 0o644))
}

// arguments returns FILE and the offset of PAGE_NO (0 when not given).
func arguments() (string, int64) {
	if len(os.Args) != 2 && len(os.Args) != 3 {
		log.Fatalf("usage: %s FILE [PAGE_NO]", os.Args[0])
	}
	if len(os.Args) == 2 {
		return os.Args[1], 0
	}
	pageNo, err := strconv.ParseInt(os.Args[2], 10, 64)
	must(err)
	return os.Args[1], pageNo * pageSize
}

// newPage returns a whole page in the layout of pagealloc.
func newPage(payload string) []byte {
	page := make([]byte, pageSize)
	copy(page, "EGAP1ESD")
	copy(page[16:], payload)
	return page
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
