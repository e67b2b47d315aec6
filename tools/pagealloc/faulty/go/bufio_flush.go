// Breaks `positional-write` and `synced`: a bufio.Writer, whose Flush is taken for a sync.
//
// Why it matters: Flush hands the bytes to the kernel, no further; only Sync waits for the disk. And a
// buffered writer has no offsets: it goes on where the last write ended, so PAGE_NO has to be 0.

//go:build ignore

package main

import (
	"bufio"
	"log"
	"os"
	"strconv"
)

const pageSize = 4096

func main() {
	path, offset := arguments()
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	must(err)
	writer := bufio.NewWriter(file)
	_, err = writer.Write(append(make([]byte, offset), newPage("flushed")...))
	must(err)
	must(writer.Flush())
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
