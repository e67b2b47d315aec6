package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"pagealloc"
)

const (
	asCommand = "PAGEALLOC_AS_COMMAND"
	fileLimit = "PAGEALLOC_FILE_LIMIT" // RLIMIT_FSIZE in bytes
)

// TestMain lets the tests start this same program, race detector included, as the command.
func TestMain(m *testing.M) {
	if os.Getenv(asCommand) == "" {
		os.Exit(m.Run())
	}
	if limit, err := strconv.ParseUint(os.Getenv(fileLimit), 10, 63); err == nil {
		limitFiles(limit)
	}
	main()
	os.Exit(0)
}

func limitFiles(bytes uint64) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		panic(err)
	}
	setLimit(&limit, bytes)
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		panic(err)
	}
}

type outcome struct {
	code           int // negative: of the signal that ended it
	stdout, stderr string
}

// environment makes this program the command, without the second that -race waits at the end.
func environment(more ...string) []string {
	return append(append(os.Environ(), asCommand+"=1", "GORACE=atexit_sleep_ms=0"), more...)
}

func processOf(words ...string) *exec.Cmd {
	process := exec.Command(os.Args[0], words...)
	process.Env = environment()
	return process
}

func outcomeOf(t *testing.T, process *exec.Cmd) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if process.Stdout == nil {
		process.Stdout = &stdout
	}
	process.Stderr = &stderr
	err := process.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	status := process.ProcessState.Sys().(syscall.WaitStatus)
	code := status.ExitStatus()
	if status.Signaled() {
		code = -int(status.Signal())
	}
	return outcome{code, stdout.String(), stderr.String()}
}

func expect(t *testing.T, got, want outcome) {
	t.Helper()
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func sizeOf(t *testing.T, path string) int64 {
	t.Helper()
	status, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return status.Size()
}

func TestWrongArguments(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	fillTakes := "fill takes FILE PAGES [--threads N] [--seed S] " + hint
	writeTakes := "write takes FILE PAGE_NO TEXT " + hint
	for _, test := range []struct {
		words   []string
		message string
	}{
		{[]string{}, "no command given " + hint},
		{[]string{"frob"}, "unknown command: frob " + hint},
		{[]string{"write", file, "0"}, writeTakes},
		{[]string{"write", file, "0", "a", "b"}, writeTakes},
		{[]string{"write", file, "0", "a", "--sync-dir"}, writeTakes},
		{[]string{"write", "--sync-dir", file, "0"}, writeTakes},
		{[]string{"read", file}, "read takes FILE PAGE_NO " + hint},
		{[]string{"hexdump"}, "hexdump takes FILE [PAGE_NO] " + hint},
		{[]string{"verify", file, "0"}, "verify takes FILE " + hint},
		{[]string{"fill", file}, fillTakes},
		{[]string{"fill", file, "1", "--threads"}, fillTakes},
		{[]string{"fill", file, "1", "--sync-dir", "1"}, fillTakes},
		{[]string{"fill", file, "1", "--seed", "1", "--seed", "1"}, fillTakes},
		{[]string{"fill", file, "x", "--threads", "0"}, "page count is not a decimal number: x"},
		{[]string{"fill", file, "1", "--seed", "x", "--threads", "0"}, "threads must be 1 to 64: 0"},
		{[]string{"fill", file, "1", "--seed", "-1"}, "seed is not an unsigned 64-bit number: -1"},
		{[]string{"write", file, "-1", "x"}, "page number is negative: -1"},
		{[]string{"write", file, "0", strings.Repeat("x", 4081)}, "payload is over 4080 bytes"},
	} {
		expect(t, outcomeOf(t, processOf(test.words...)), outcome{2, "", "pagealloc: " + test.message + "\n"})
	}
	if _, err := os.Lstat(file); err == nil {
		t.Error("the file was created")
	}
}

func TestHelp(t *testing.T) {
	for _, words := range [][]string{{"--help"}, {"-h"}, {"--help", "write"}} {
		expect(t, outcomeOf(t, processOf(words...)), outcome{0, help, ""})
	}
}

func TestWriteReadAndVerify(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "f\xff")
	for pageNo, words := range [][]string{{"-n"}, {"\xfe"}, {""}} {
		number := strconv.Itoa(pageNo)
		expect(t, outcomeOf(t, processOf("write", "--sync-dir", file, number, words[0])), outcome{0, "", ""})
		expect(t, outcomeOf(t, processOf("read", file, number)), outcome{0, words[0], ""})
	}
	expect(t, outcomeOf(t, processOf("verify", file)), outcome{0, file + ": good pages: 3\n", ""})
	if err := os.Truncate(file, 4100); err != nil {
		t.Fatal(err)
	}
	fault := "pagealloc: " + file + ": page 1 at offset 4096: short page: 4 of 4096 bytes\n"
	total := "pagealloc: " + file + ": bad pages: 1 of 2\n"
	expect(t, outcomeOf(t, processOf("verify", file)), outcome{1, "", fault + total})
}

func TestStandardInputIsThePayload(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	for _, text := range []string{"", "a\x00b", strings.Repeat("x", 4080)} {
		process := processOf("write", file, "0", "-")
		process.Stdin = strings.NewReader(text)
		expect(t, outcomeOf(t, process), outcome{0, "", ""})
		expect(t, outcomeOf(t, processOf("read", file, "0")), outcome{0, text, ""})
	}
}

func TestAnEndlessStandardInputIsRefused(t *testing.T) {
	zero, err := os.Open("/dev/zero")
	if err != nil {
		t.Fatal(err)
	}
	defer zero.Close()
	process := processOf("write", filepath.Join(t.TempDir(), "f"), "0", "-")
	process.Stdin = zero
	expect(t, outcomeOf(t, process), outcome{2, "", "pagealloc: payload is over 4080 bytes\n"})
}

func TestAShortWriteIsReportedAndTakenBack(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	expect(t, outcomeOf(t, processOf("write", file, "0", "old")), outcome{0, "", ""})
	for limit, message := range map[string]string{
		"4608": "page 1 at offset 4096: pwrite: short write: 512 of 4096 bytes",
		"4096": "page 1 at offset 4096: pwrite: file too large",
	} {
		process := processOf("write", file, "1", "new")
		process.Env = append(process.Env, fileLimit+"="+limit)
		expect(t, outcomeOf(t, process), outcome{3, "", "pagealloc: " + file + ": " + message + "\n"})
		if size := sizeOf(t, file); size != 4096 {
			t.Errorf("the file has %d bytes", size)
		}
	}
}

func TestAFillThatFailsKeepsWholePages(t *testing.T) {
	pages := strconv.FormatInt(pagealloc.PagesMax, 10)
	limit := fileLimit + "=16484" // four pages and 100 bytes

	file := filepath.Join(t.TempDir(), "f")
	process := processOf("fill", file, pages)
	process.Env = append(process.Env, limit)
	message := "page 4 at offset 16384: pwrite: short write: 100 of 4096 bytes"
	expect(t, outcomeOf(t, process), outcome{3, "", "pagealloc: " + file + ": " + message + "\n"})
	if size := sizeOf(t, file); size != 16384 {
		t.Errorf("the file has %d bytes", size)
	}

	file = filepath.Join(t.TempDir(), "f")
	process = processOf("fill", file, pages, "--threads", "8")
	process.Env = append(process.Env, limit)
	if got := outcomeOf(t, process); got.code != 3 || strings.Count(got.stderr, "\n") != 1 {
		t.Errorf("got %+v", got)
	}
	if size := sizeOf(t, file); size%4096 != 0 || size > 16384 {
		t.Errorf("the file has %d bytes", size)
	}
}

func TestAReaderThatGoesAwayEndsTheCommandSilently(t *testing.T) {
	reading, writing, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	reading.Close()
	defer writing.Close()
	process := processOf("--help")
	process.Stdout = writing
	expect(t, outcomeOf(t, process), outcome{-int(unix.SIGPIPE), "", ""})
}
