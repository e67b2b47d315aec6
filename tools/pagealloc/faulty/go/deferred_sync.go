// Breaks `synced`: deferred calls run last first, so Close comes before Sync, whose error is dropped.
//
// Why it matters: Sync returns "file already closed" without a system call, and a deferred call's
// result goes nowhere. The program ends as if all were well, and the page was never synced.

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
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	must(err)
	defer file.Sync()
	defer file.Close()
	_, err = file.WriteAt(newPage("synced too late"), offset)
	must(err)
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
