// Command pagealloc writes pages of 4096 bytes into a file, each synced, and reads them back.
package main

import (
	"fmt"
	"os"
)

// Signals need no code here. The runtime takes SIGXFSZ and does nothing, so that a write over
// RLIMIT_FSIZE is short or fails with EFBIG; os.Stdout ends the process by SIGPIPE (os/signal).
func main() {
	if err := run(os.Args[1:]); err != nil {
		complain(err.Error())
		os.Exit(exitCode(err))
	}
}

func complain(message string) {
	fmt.Fprintf(os.Stderr, "pagealloc: %s\n", message)
}
