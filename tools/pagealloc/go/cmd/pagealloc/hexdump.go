package main

import (
	"bytes"
	"fmt"
)

const (
	rowSize     = 16
	groupsWidth = 40
)

// hexdump returns data, which lies at offset (a multiple of 16) of its file, as xxd prints it:
// offset, eight groups of two bytes, text.
func hexdump(data []byte, offset int64) []byte {
	var lines bytes.Buffer
	for len(data) > 0 {
		row := data[:min(rowSize, len(data))]
		fmt.Fprintf(&lines, "%08x: %-*s %s\n", offset, groupsWidth, groups(row), printable(row))
		data, offset = data[len(row):], offset+rowSize
	}
	return lines.Bytes()
}

// groups pairs bytes from the left, so that an odd last one stands alone.
func groups(row []byte) string {
	var text []byte
	for at := 0; at < len(row); at += 2 {
		text = append(text, fmt.Sprintf("%x ", row[at:min(at+2, len(row))])...)
	}
	return string(bytes.TrimRight(text, " "))
}

func printable(row []byte) []byte {
	text := make([]byte, len(row))
	for at, b := range row {
		if b < 0x20 || b > 0x7e {
			b = '.'
		}
		text[at] = b
	}
	return text
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}
