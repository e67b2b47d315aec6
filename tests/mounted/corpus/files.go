// Go: static, with threads of its own making.
package main

import (
	"log"
	"os"
	"runtime"
	"strconv"
	"sync"
)

func must(_ any, err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func work(number int, done *sync.WaitGroup) {
	runtime.LockOSThread()
	defer done.Done()
	own, err := os.OpenFile("t"+strconv.Itoa(number), os.O_RDWR|os.O_CREATE, 0o644)
	must(own, err)
	// EXPECT[worker 0-3] openat(t{i}, O_RDWR|O_CREAT|O_CLOEXEC) = ok
	must(own.Seek(int64(number)*4096, 0))
	// EXPECT[worker 0-3] lseek(t{i}, {4096*i}, SEEK_SET) = {4096*i}
	must(own.Write(make([]byte, 512)))
	// EXPECT[worker 0-3] write(t{i}, 512) = 512 @{4096*i}
	must(nil, own.Sync())
	// EXPECT[worker 0-3] fsync(t{i}) = 0
	must(nil, own.Close())
	// EXPECT[worker 0-3] close(t{i}) = 0
}

func init() {
	runtime.LockOSThread()
}

func main() {
	f, err := os.OpenFile("f", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	must(f, err)
	// EXPECT openat(f, O_RDWR|O_CREAT|O_TRUNC|O_CLOEXEC) = ok
	must(f.Seek(8192, 0))
	// EXPECT lseek(f, 8192, SEEK_SET) = 8192
	must(f.Write(make([]byte, 4096)))
	// EXPECT write(f, 4096) = 4096 @8192
	must(f.Seek(-4096, 1))
	// EXPECT lseek(f, -4096, SEEK_CUR) = 8192
	must(f.WriteAt(make([]byte, 512), 5<<32))
	// EXPECT pwrite64(f, 512, 21474836480) = 512
	must(nil, f.Sync())
	// EXPECT fsync(f) = 0
	must(nil, f.Truncate(10000))
	// EXPECT ftruncate(f, 10000) = 0
	must(f.Seek(0, 2))
	// EXPECT lseek(f, 0, SEEK_END) = 10000 -- unknown: result: where the file ends
	must(f.WriteString("end"))
	// EXPECT write(f, 3) = 3 @10000
	must(nil, f.Close())
	// EXPECT close(f) = 0
	var done sync.WaitGroup
	for number := range 4 {
		done.Add(1)
		go work(number, &done)
	}
	done.Wait()
	must(nil, os.Rename("f", "g"))
	// EXPECT renameat(f, g) = 0
	must(nil, os.Remove("g"))
	// EXPECT unlinkat(g) = 0
}
