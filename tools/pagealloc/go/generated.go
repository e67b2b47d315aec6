package pagealloc

import "encoding/binary"

// splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014).
type splitmix64 uint64

const increment = 0x9E3779B97F4A7C15

func (state *splitmix64) next() uint64 {
	*state += increment
	z := uint64(*state)
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// GeneratedPage returns the whole page pageNo that seed makes: its payload is 510 numbers of
// splitmix64, little-endian, whose state begins at seed + pageNo times its increment.
func GeneratedPage(seed uint64, pageNo int64) []byte {
	state := splitmix64(seed + uint64(pageNo)*increment)
	page := append(make([]byte, 0, PageSize), header...)
	for len(page) < PageSize {
		page = binary.LittleEndian.AppendUint64(page, state.next())
	}
	return page
}
