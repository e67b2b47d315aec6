package pagealloc

import (
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// ThreadsMax is how many threads Fill starts at most.
const ThreadsMax = 64

// Fill writes pages 0 to pages-1 of seed, each once, and returns once all are on the disk.
//
// The threads take page numbers from one counter, so pages need not be written in order. Each
// page's pwrite64 and fdatasync are one step: no write begins before the last one is synced.
//
// The error is that of the page that failed first. No page is begun after it; those written before
// are on the disk, and the file is as long as they made it.
func Fill(path string, pages int64, threads int, seed uint64) error {
	if err := checkPageCount(pages); err != nil {
		return err
	}
	if threads < 1 || threads > ThreadsMax {
		return wrongArgument("threads must be 1 to %d: %d", ThreadsMax, threads)
	}
	return withOpen(path, path, unix.O_RDWR|unix.O_CREAT, func(file descriptor) error {
		size, err := file.size(path)
		if err != nil {
			return err
		}
		filling := filling{path: path, file: file, pages: pages, seed: seed, size: size}
		return filling.run(threads)
	})
}

// filling is one file being filled: what its threads share.
type filling struct {
	path  string
	file  descriptor
	pages int64
	seed  uint64

	taken atomic.Int64 // how many page numbers were given out

	mutex   sync.Mutex // held for a write with its sync; guards what follows
	size    int64
	failure error
}

// run returns when every page is written, or with what failed first.
func (f *filling) run(threads int) error {
	var workers sync.WaitGroup
	workers.Add(threads)
	for i := 0; i < threads; i++ {
		go func() {
			defer workers.Done()
			f.work()
		}()
	}
	workers.Wait()
	return f.failure
}

// work writes pages until none is left or one has failed. It keeps to one thread of the system,
// since a goroutine may else go on in another one after any call.
func (f *filling) work() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		pageNo := f.taken.Add(1) - 1
		if pageNo >= f.pages || !f.write(pageNo, GeneratedPage(f.seed, pageNo)) {
			return
		}
	}
}

// write writes and syncs one page; it returns false once any page has failed.
func (f *filling) write(pageNo int64, page []byte) bool {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.failure == nil {
		f.failure = f.file.writeSynced(page, f.path, pageNo, f.size)
	}
	if end := (pageNo + 1) * PageSize; f.failure == nil && end > f.size {
		f.size = end
	}
	return f.failure == nil
}
