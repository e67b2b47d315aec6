package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"pagealloc"
)

const syncDirOption = "--sync-dir"

// command is one word's command. Arguments count by position, so TEXT may begin with a dash.
type command struct {
	run   func(given []string) error
	fits  func(given []string) bool
	takes string
}

var commands = map[string]command{
	"write":   {write, fitsWrite, "FILE PAGE_NO TEXT"},
	"read":    {read, fitsCount(2, 2), "FILE PAGE_NO"},
	"hexdump": {dump, fitsCount(1, 2), "FILE [PAGE_NO]"},
	"verify":  {verify, fitsCount(1, 1), "FILE"},
	"fill":    {fill, fitsFill, "FILE PAGES [--threads N] [--seed S]"},
}

// run runs the command with arguments, the program's name not among them.
func run(arguments []string) error {
	if len(arguments) == 0 {
		return wrong("no command given %s", hint)
	}
	name, given := arguments[0], arguments[1:]
	if name == "--help" || name == "-h" {
		return say([]byte(help))
	}
	chosen, known := commands[name]
	if !known {
		return wrong("unknown command: %s %s", name, hint)
	}
	if !chosen.fits(given) {
		return wrong("%s takes %s %s", name, chosen.takes, hint)
	}
	return chosen.run(given)
}

func exitCode(err error) int {
	var failed *pagealloc.Error
	if errors.As(err, &failed) {
		return int(failed.Kind)
	}
	return int(pagealloc.SystemCall)
}

func fitsCount(least, most int) func([]string) bool {
	return func(given []string) bool { return least <= len(given) && len(given) <= most }
}

func write(given []string) error {
	syncDir := given[0] == syncDirOption && len(given) == 4
	if syncDir {
		given = given[1:]
	}
	file, text := given[0], given[2]
	pageNo, err := pageNumber(given[1])
	if err != nil {
		return err
	}
	payload := []byte(text)
	if text == "-" {
		if payload, err = standardInput(); err != nil {
			return err
		}
	}
	if err := pagealloc.WritePage(file, pageNo, payload); err != nil || !syncDir {
		return err
	}
	return pagealloc.SyncDirectory(file)
}

func fitsWrite(given []string) bool {
	if len(given) > 0 && given[0] == syncDirOption {
		return len(given) == 4
	}
	return len(given) == 3
}

func read(given []string) error {
	pageNo, err := pageNumber(given[1])
	if err != nil {
		return err
	}
	payload, err := pagealloc.ReadPage(given[0], pageNo)
	if err != nil {
		return err
	}
	return say(bytes.TrimRight(payload, "\x00"))
}

func dump(given []string) error {
	file := given[0]
	if len(given) == 1 {
		return pagealloc.EachRaw(file, sayDump)
	}
	pageNo, err := pageNumber(given[1])
	if err != nil {
		return err
	}
	page, err := pagealloc.ReadRaw(file, pageNo)
	if err != nil {
		return err
	}
	return sayDump(pageNo, page)
}

func sayDump(pageNo int64, page []byte) error {
	return say(hexdump(page, pageNo*pagealloc.PageSize))
}

func verify(given []string) error {
	file := given[0]
	var pages, bad int64
	err := pagealloc.EachRaw(file, func(pageNo int64, page []byte) error {
		pages++
		if fault := pagealloc.Fault(page); fault != "" {
			bad++
			complain(pagealloc.Place(file, pageNo) + ": " + fault)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if bad > 0 {
		text := fmt.Sprintf("%s: bad pages: %d of %d", file, bad, pages)
		return &pagealloc.Error{Kind: pagealloc.Content, Text: text}
	}
	return say([]byte(fmt.Sprintf("%s: good pages: %d\n", file, pages)))
}

func fill(given []string) error {
	options := map[string]string{"--threads": "1", "--seed": "0"}
	for at := 2; at < len(given); at += 2 {
		options[given[at]] = given[at+1]
	}
	pages, err := pageCount(given[1])
	if err != nil {
		return err
	}
	threads, err := threadCount(options["--threads"])
	if err != nil {
		return err
	}
	seed, err := seedNumber(options["--seed"])
	if err != nil {
		return err
	}
	return pagealloc.Fill(given[0], pages, threads, seed)
}

func fitsFill(given []string) bool {
	if len(given) < 2 || len(given)%2 != 0 {
		return false
	}
	seen := map[string]bool{}
	for at := 2; at < len(given); at += 2 {
		option := given[at]
		if seen[option] || (option != "--threads" && option != "--seed") {
			return false
		}
		seen[option] = true
	}
	return true
}

// standardInput returns standard input up to its end, or one byte more than a page can hold.
func standardInput() ([]byte, error) {
	data := make([]byte, pagealloc.PayloadMax+1)
	n, err := io.ReadFull(os.Stdin, data)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, pagealloc.Refused("standard input", err)
	}
	return data[:n], nil
}

// say writes data to standard output. os.Stdout ends the process by SIGPIPE when nobody reads it.
func say(data []byte) error {
	if len(data) == 0 {
		return nil // no call, which could fail
	}
	if _, err := os.Stdout.Write(data); err != nil {
		return pagealloc.Refused("standard output", err)
	}
	return nil
}
