package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

const (
	opened = "openat(FILE, O_RDWR|O_CREAT|O_CLOEXEC, 0644)"
	synced = "fdatasync(fd) = 0"
	closed = "close(fd) = 0"
)

var (
	shown      = regexp.MustCompile(`^\d+ +(\w+)\((.*)\) += (-?\w+)`)
	descriptor = regexp.MustCompile(`^\d+(<[^>]*>)?`)
)

// callsOn returns every system call that the command makes on file, as strace -P tells them.
func callsOn(t *testing.T, file string, variables, options []string, words ...string) []string {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log")
	// A signal or an exit told in the middle of a call would cut its line in two.
	options = append([]string{"-f", "-qq", "--signal=none", "-s0", "-P", file, "-o", log}, options...)
	process := exec.Command("strace", append(append(options, "--", os.Args[0]), words...)...)
	process.Env = environment(variables...)
	if code := outcomeOf(t, process).code; code < 0 || code == 2 {
		t.Fatalf("%v ended with %d", process.Args, code)
	}
	lines, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	var calls []string
	for _, line := range strings.Split(string(lines), "\n") {
		if match := shown.FindStringSubmatch(line); match != nil {
			calls = append(calls, plain(match[1], match[2], match[3], file))
		}
	}
	return calls
}

// plain writes a call without what changes from run to run.
func plain(name, arguments, result, file string) string {
	switch name {
	case "fstat":
		return name
	case "openat":
		return "openat(" + strings.Replace(arguments, `AT_FDCWD, "`+file+`"`, "FILE", 1) + ")"
	}
	arguments = descriptor.ReplaceAllString(arguments, "fd")
	return name + "(" + strings.Replace(arguments, `""...`, "DATA", 1) + ") = " + result
}

func expectCalls(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestCallsOfWriteAndRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	expectCalls(t, callsOn(t, file, nil, nil, "write", file, "2", "x"),
		opened, "fstat", "pwrite64(fd, DATA, 4096, 8192) = 4096", synced, closed)
	expectCalls(t, callsOn(t, file, nil, nil, "read", file, "2"),
		"openat(FILE, O_RDONLY|O_CLOEXEC)", "fstat", "pread64(fd, DATA, 4096, 8192) = 4096", closed)
}

func TestCallsOnTheDirectory(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "f")
	expectCalls(t, callsOn(t, folder, nil, nil, "write", "--sync-dir", file, "0", "x"),
		"openat(FILE, O_RDONLY|O_CLOEXEC|O_DIRECTORY)", "fsync(fd) = 0", closed)
}

func TestCallsOfAShortWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	limit := []string{fileLimit + "=4608"}
	expectCalls(t, callsOn(t, file, limit, nil, "write", file, "1", "x"),
		opened, "fstat", "pwrite64(fd, DATA, 4096, 4096) = 512", "fstat", "ftruncate(fd, 0) = 0", closed)
}

func TestAFailedSyncIsNotTriedAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	inject := []string{"--inject=fdatasync:error=EIO"}
	expectCalls(t, callsOn(t, file, nil, inject, "write", file, "0", "x"),
		opened, "fstat", "pwrite64(fd, DATA, 4096, 0) = 4096", "fdatasync(fd) = -1", closed)
}

func TestAnInterruptedCallIsMadeAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	inject := []string{"--inject=pwrite64,fdatasync:error=EINTR:when=1"}
	// strace counts the calls of each thread, and Go may go on in another one: it fails there, too.
	var calls []string
	for _, call := range callsOn(t, file, nil, inject, "write", file, "0", "x") {
		if again := len(calls) > 0 && calls[len(calls)-1] == call; !again || !strings.HasSuffix(call, "= -1") {
			calls = append(calls, call)
		}
	}
	expectCalls(t, calls,
		opened, "fstat", "pwrite64(fd, DATA, 4096, 0) = -1", "pwrite64(fd, DATA, 4096, 0) = 4096",
		"fdatasync(fd) = -1", synced, closed)
}

func TestEachPageOfAFillIsSyncedBeforeTheNext(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	calls := callsOn(t, file, nil, nil, "fill", file, "50", "--threads", "8")
	if len(calls) != 103 {
		t.Fatalf("%d calls", len(calls))
	}
	expectCalls(t, calls[:2], opened, "fstat")
	seen := map[string]bool{}
	for at := 2; at < 102; at += 2 {
		if !strings.HasPrefix(calls[at], "pwrite64(fd, DATA, 4096, ") || calls[at+1] != synced || seen[calls[at]] {
			t.Errorf("call %d: %s, %s", at, calls[at], calls[at+1])
		}
		seen[calls[at]] = true
	}
	expectCalls(t, calls[102:], closed)
}

func TestTheFirstFailureStopsAllThreads(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	inject := []string{"--inject=fdatasync:error=EIO"}
	calls := callsOn(t, file, nil, inject, "fill", file, "50", "--threads", "8")
	if len(calls) != 5 || !strings.HasPrefix(calls[2], "pwrite64") {
		t.Fatalf("the calls are %q", calls)
	}
	expectCalls(t, calls[3:], "fdatasync(fd) = -1", closed)
}
