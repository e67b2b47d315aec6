package main

import (
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestHexdumpIsWhatXxdPrints(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	for _, size := range []int{0, 1, 2, 15, 16, 17, 33, 4096, 9001} {
		data := make([]byte, size)
		rand.New(rand.NewSource(int64(size))).Read(data)
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		xxd, err := exec.Command("xxd", file).Output()
		if err != nil {
			t.Fatal(err)
		}
		expect(t, outcomeOf(t, processOf("hexdump", file)), outcome{0, string(xxd), ""})
	}
	xxd, err := exec.Command("xxd", "-s", "8192", "-l", "4096", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	expect(t, outcomeOf(t, processOf("hexdump", file, "2")), outcome{0, string(xxd), ""})
}

func TestHexdumpGoesOnBehindFourGigabytes(t *testing.T) {
	want := "1000000000: 41                                       A\n"
	if got := string(hexdump([]byte("A"), 1<<36)); got != want {
		t.Errorf("got %q", got)
	}
}
