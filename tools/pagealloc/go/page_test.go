package pagealloc_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"pagealloc"
)

func TestBuildPage(t *testing.T) {
	for _, payload := range []string{"", "text", strings.Repeat("x", pagealloc.PayloadMax)} {
		page, err := pagealloc.BuildPage([]byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		want := append([]byte("EGAP1ESD\x00\x00\x00\x00\x00\x00\x00\x00"+payload), make([]byte, 4080-len(payload))...)
		if !bytes.Equal(page, want) {
			t.Errorf("the page of %d bytes is % x…", len(payload), page[:32])
		}
	}
}

func TestBuildPageRefusesMoreThanAPageHolds(t *testing.T) {
	_, err := pagealloc.BuildPage(make([]byte, 4081))
	expectError(t, err, pagealloc.Argument, "payload is over 4080 bytes")
}

func TestFault(t *testing.T) {
	good, _ := pagealloc.BuildPage([]byte("one"))
	changed := func(at int) []byte {
		page := append([]byte(nil), good...)
		page[at] ^= 1
		return page
	}
	for _, test := range []struct {
		page  []byte
		fault string
	}{
		{good, ""},
		{changed(4095), ""},
		{changed(0), "wrong magic: 0x4453453150414744, not 0x4453453150414745"},
		{changed(15), "bytes 8 to 15 are not zero"},
		{make([]byte, 4096), "all zero: never written, or lost"},
		{good[:4095], "short page: 4095 of 4096 bytes"},
		{nil, "short page: 0 of 4096 bytes"},
	} {
		if fault := pagealloc.Fault(test.page); fault != test.fault {
			t.Errorf("got %q, want %q", fault, test.fault)
		}
	}
}

// Seed 0 gives splitmix64's own sequence, whose beginning is published with many implementations.
func TestGeneratedPageOfSeedZero(t *testing.T) {
	page := pagealloc.GeneratedPage(0, 0)
	if fault := pagealloc.Fault(page); fault != "" {
		t.Fatal(fault)
	}
	want := []uint64{0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F, 0xF88BB8A8724C81EC}
	for i, number := range want {
		if got := binary.LittleEndian.Uint64(page[16+8*i:]); got != number {
			t.Errorf("number %d is %#x, not %#x", i, got, number)
		}
	}
}

// The state begins one increment later with each page, so a page is the one before it moved on.
func TestGeneratedPagesOverlap(t *testing.T) {
	for _, seed := range []uint64{0, 1, 1<<64 - 1} {
		for _, pageNo := range []int64{0, 1, pagealloc.LastPageNo - 1} {
			page, next := pagealloc.GeneratedPage(seed, pageNo), pagealloc.GeneratedPage(seed, pageNo+1)
			if len(page) != 4096 || !bytes.Equal(page[24:], next[16:4088]) {
				t.Errorf("seed %d: page %d is not one number before page %d", seed, pageNo, pageNo+1)
			}
		}
	}
}
