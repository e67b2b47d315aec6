package main

import (
	"math/big"
	"regexp"
	"strings"
	"testing"

	"pagealloc"
)

func TestPageNumber(t *testing.T) {
	for word, text := range map[string]string{
		"0":                       "",
		"2251799813685246":        "",
		strings.Repeat("0", 5000): "",
		"2251799813685247":        "page number is over 2251799813685246: 2251799813685247",
		"18446744073709551616":    "page number is over 2251799813685246: 18446744073709551616",
		"-0":                      "page number is negative: -0",
		"-":                       "page number is not a decimal number: -",
		"--1":                     "page number is not a decimal number: --1",
		"":                        "page number is not a decimal number: ",
		"+1":                      "page number is not a decimal number: +1",
		"1_0":                     "page number is not a decimal number: 1_0",
		" 1":                      "page number is not a decimal number:  1",
		"1\n":                     "page number is not a decimal number: 1\n",
		"0x1":                     "page number is not a decimal number: 0x1",
		"٣":                       "page number is not a decimal number: ٣",
	} {
		got := ""
		if _, err := pageNumber(word); err != nil {
			got = err.Error()
		}
		if got != text {
			t.Errorf("got %q, want %q", got, text)
		}
	}
}

func TestOtherNumbers(t *testing.T) {
	if pages, err := pageCount("2251799813685247"); err != nil || pages != pagealloc.PagesMax {
		t.Errorf("%d, %v", pages, err)
	}
	if seed, err := seedNumber("18446744073709551615"); err != nil || seed != 1<<64-1 {
		t.Errorf("%d, %v", seed, err)
	}
	for _, word := range []string{"", "-1", "+1", "1_0", "18446744073709551616"} {
		if seed, err := seedNumber(word); err == nil {
			t.Errorf("%q is %d", word, seed)
		}
	}
	for _, word := range []string{"", "0", "65", "-1", "+1", "18446744073709551617"} {
		if threads, err := threadCount(word); err == nil {
			t.Errorf("%q is %d", word, threads)
		}
	}
}

func FuzzPageNumber(f *testing.F) {
	for _, word := range []string{"0", "007", "2251799813685246", "2251799813685247", "1e3", "-7", "\xff"} {
		f.Add(word)
	}
	digits := regexp.MustCompile(`\A[0-9]+\z`)
	f.Fuzz(func(t *testing.T, word string) {
		got, err := pageNumber(word)
		want, _ := new(big.Int).SetString(word, 10)
		fits := digits.MatchString(word) && want.Cmp(big.NewInt(pagealloc.LastPageNo)) <= 0
		if fits != (err == nil) || fits && want.Int64() != got {
			t.Errorf("%q is %d, %v", word, got, err)
		}
	})
}
