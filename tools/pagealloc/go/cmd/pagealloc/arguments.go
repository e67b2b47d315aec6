package main

import (
	"fmt"
	"strconv"
	"strings"

	"pagealloc"
)

// The numbers among the command's arguments: ASCII digits and nothing else.

func pageNumber(word string) (int64, error) {
	return counted(word, "page number", pagealloc.LastPageNo)
}

func pageCount(word string) (int64, error) {
	return counted(word, "page count", pagealloc.PagesMax)
}

func threadCount(word string) (int, error) {
	threads, err := decimal(word)
	if err != nil || threads < 1 || threads > pagealloc.ThreadsMax {
		return 0, wrong("threads must be 1 to %d: %s", pagealloc.ThreadsMax, word)
	}
	return int(threads), nil
}

func seedNumber(word string) (uint64, error) {
	seed, err := decimal(word)
	if err != nil {
		return 0, wrong("seed is not an unsigned 64-bit number: %s", word)
	}
	return seed, nil
}

func counted(word, what string, most int64) (int64, error) {
	if strings.HasPrefix(word, "-") && isDigits(word[1:]) {
		return 0, wrong("%s is negative: %s", what, word)
	}
	if !isDigits(word) {
		return 0, wrong("%s is not a decimal number: %s", what, word)
	}
	number, err := decimal(word)
	if err != nil || number > uint64(most) {
		return 0, wrong("%s is over %d: %s", what, most, word)
	}
	return int64(number), nil
}

// decimal returns the number that word spells. In base 10 ParseUint takes digits alone, neither
// sign nor underscore.
func decimal(word string) (uint64, error) {
	return strconv.ParseUint(word, 10, 64)
}

func isDigits(word string) bool {
	return word != "" && strings.Trim(word, "0123456789") == ""
}

func wrong(format string, values ...any) error {
	return &pagealloc.Error{Kind: pagealloc.Argument, Text: fmt.Sprintf(format, values...)}
}
