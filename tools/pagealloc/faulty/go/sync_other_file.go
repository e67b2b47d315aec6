// Breaks `synced`: the page is in one file, and Sync is called on another.
//
// Why it matters: Sync covers the file it is called on and nothing else. Two variables of one type
// are quickly mixed up, and neither the compiler nor a test without a power failure notices.

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
	pages, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	must(err)
	other, err := os.OpenFile(path+".other", os.O_RDWR|os.O_CREATE, 0o644)
	must(err)
	_, err = pages.WriteAt(newPage("another file is synced"), offset)
	must(err)
	must(other.Sync())
	must(other.Close())
	must(pages.Close())
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
