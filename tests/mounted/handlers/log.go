// Log appends three records to app.log, syncs each, and acknowledges each by the directory .ack:N.
//
// The only argument is how it deals with calls that fail: right, or one of the mistakes below.
package main

import (
	"fmt"
	"os"
	"strings"
)

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func main() {
	way := os.Args[1]
	log, err := os.OpenFile("app.log", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		fail(err)
	}
	for number := 0; number < 3; number++ {
		if _, err := log.WriteString(strings.Repeat("r", 99) + "\n"); err != nil && way != "skips" {
			fail(err)
		}
		err := log.Sync()
		for err != nil && way == "syncs-again" {
			err = log.Sync()
		}
		if err != nil && way != "skips" {
			fail(err)
		}
		if err := os.Mkdir(fmt.Sprint(".ack:", number), 0o755); err != nil && !os.IsExist(err) {
			fail(err)
		}
	}
	if err := log.Close(); err != nil {
		fail(err)
	}
}
