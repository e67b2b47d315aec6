package pagealloc

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
)

// The layout of a page:
//
//	offset  bytes  meaning
//	0       8      Magic, little-endian
//	8       8      zero
//	16      4080   payload, zero-padded; its length is not stored
const (
	PageSize   = 4096
	Magic      = 0x4453453150414745
	HeaderSize = 16
	PayloadMax = PageSize - HeaderSize

	// LastPageNo is the last page whose end, too, is a signed 64-bit offset.
	LastPageNo = math.MaxInt64/PageSize - 1
	PagesMax   = LastPageNo + 1
)

var (
	header  = append(binary.LittleEndian.AppendUint64(nil, Magic), make([]byte, 8)...)
	allZero = make([]byte, PageSize)
)

// BuildPage returns the whole page that carries payload. The error is an *Error of kind Argument.
func BuildPage(payload []byte) ([]byte, error) {
	if len(payload) > PayloadMax {
		return nil, wrongArgument("payload is over %d bytes", PayloadMax)
	}
	page := make([]byte, PageSize)
	copy(page, header)
	copy(page[HeaderSize:], payload)
	return page, nil
}

// Fault returns what is wrong with page, "" when nothing is.
func Fault(page []byte) string {
	switch {
	case len(page) != PageSize:
		return fmt.Sprintf("short page: %d of %d bytes", len(page), PageSize)
	case bytes.HasPrefix(page, header):
		return ""
	case bytes.Equal(page, allZero):
		return "all zero: never written, or lost"
	}
	magic := binary.LittleEndian.Uint64(page)
	if magic != Magic {
		return fmt.Sprintf("wrong magic: 0x%016x, not 0x%016x", magic, uint64(Magic))
	}
	return "bytes 8 to 15 are not zero"
}

// Place returns how messages name a page.
func Place(path string, pageNo int64) string {
	return fmt.Sprintf("%s: page %d at offset %d", path, pageNo, pageNo*PageSize)
}

func checkPageNo(pageNo int64) error {
	return checkRange(pageNo, "page number", LastPageNo)
}

func checkPageCount(pages int64) error {
	return checkRange(pages, "page count", PagesMax)
}

func checkRange(number int64, what string, most int64) error {
	if number < 0 {
		return wrongArgument("%s is negative: %d", what, number)
	}
	if number > most {
		return wrongArgument("%s is over %d: %d", what, most, number)
	}
	return nil
}
