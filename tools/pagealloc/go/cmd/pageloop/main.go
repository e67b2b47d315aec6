// Command pageloop times WritePage: pageloop FILE PAGES BUDGET_MS, as tools/bench/page_loop.c says.
package main

import (
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"pagealloc"
)

const filePages = 256

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: pageloop FILE PAGES BUDGET_MS")
	}
	path, pages, budget := os.Args[1], number(os.Args[2]), number(os.Args[3])
	data := []byte("a page of the benchmark")
	for pageNo := int64(0); pageNo < filePages; pageNo++ {
		write(path, pageNo, data)
	}
	end := time.Now().Add(time.Duration(budget) * time.Millisecond)
	spent := make([]int64, 0, pages)
	for count := int64(0); count < pages; count++ {
		start := time.Now()
		write(path, count%filePages, data)
		stop := time.Now()
		spent = append(spent, stop.Sub(start).Nanoseconds())
		if !stop.Before(end) {
			break
		}
	}
	fmt.Print("write_page")
	for _, ns := range spent {
		fmt.Print(" ", ns)
	}
	fmt.Println()
}

func number(text string) int64 {
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func write(path string, pageNo int64, data []byte) {
	if err := pagealloc.WritePage(path, pageNo, data); err != nil {
		log.Fatal(err)
	}
}
