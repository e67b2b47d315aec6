// Breaks `synced`: the page is written by one descriptor and synced by another, after the close.
//
// Why it matters: until the second open the page is in memory alone. A write-back error of that time
// is kept no longer than the kernel keeps the inode (lib/errseq.c), and Sync then succeeds although
// the disk never got the page.

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
	writePage(path, offset)
	again, err := os.OpenFile(path, os.O_RDWR, 0)
	must(err)
	must(again.Sync())
	must(again.Close())
}

func writePage(path string, offset int64) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	must(err)
	_, err = file.WriteAt(newPage("synced by another descriptor"), offset)
	must(err)
	must(file.Close())
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
