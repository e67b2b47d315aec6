// Package pagealloc keeps pages of 4096 bytes in a file: each is written whole, with one pwrite64
// at its own offset, and synced before the call returns.
//
// Every error is an *Error, but for one of the caller's own function that EachRaw hands on.
package pagealloc

import "golang.org/x/sys/unix"

// WritePage makes data the payload of page pageNo and returns once it is on the disk.
//
// The calls are openat, fstat (a query), one pwrite64 of 4096 bytes, fdatasync, close. A missing
// file is created with mode 0644; its name is durable only after SyncDirectory.
//
// After an error of kind Argument nothing was opened; after SystemCall the file has the size it
// had, and one that this call created is left, empty; after Sync the page may not be on the disk.
func WritePage(path string, pageNo int64, data []byte) error {
	if err := checkPageNo(pageNo); err != nil {
		return err
	}
	page, err := BuildPage(data)
	if err != nil {
		return err
	}
	return withOpen(path, path, unix.O_RDWR|unix.O_CREAT, func(file descriptor) error {
		oldSize, err := file.size(path)
		if err != nil {
			return err
		}
		return file.writeSynced(page, path, pageNo, oldSize)
	})
}

// ReadPage returns the 4080 payload bytes of page pageNo, padding included. An error of kind
// Content says that the page lies beyond the end, is cut short, or is no page of this format.
func ReadPage(path string, pageNo int64) ([]byte, error) {
	page, err := ReadRaw(path, pageNo)
	if err != nil {
		return nil, err
	}
	if fault := Fault(page); fault != "" {
		return nil, wrongContent(path, pageNo, fault)
	}
	return page[HeaderSize:], nil
}

// ReadRaw returns page pageNo as it is, without judging it; fewer than 4096 bytes at the end. An
// error of kind Content says that the page lies beyond the end.
func ReadRaw(path string, pageNo int64) (page []byte, err error) {
	if err := checkPageNo(pageNo); err != nil {
		return nil, err
	}
	err = withReadable(path, func(file descriptor) error {
		page, err = file.readPage(path, pageNo)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(page) == 0 {
		return nil, wrongContent(path, pageNo, "beyond the end of the file")
	}
	return page, nil
}

// EachRaw calls visit with every page as it is, in order; the last one may be shorter. It ends
// early with the first error of visit, which it returns.
func EachRaw(path string, visit func(pageNo int64, page []byte) error) error {
	return withReadable(path, func(file descriptor) error {
		for pageNo := int64(0); ; pageNo++ {
			page, err := file.readPage(path, pageNo)
			if err != nil || len(page) == 0 {
				return err
			}
			if err := visit(pageNo, page); err != nil {
				return err
			}
		}
	})
}

// withReadable calls use with the regular file at path, opened for reading.
func withReadable(path string, use func(descriptor) error) error {
	return withOpen(path, path, unix.O_RDONLY, func(file descriptor) error {
		if _, err := file.size(path); err != nil {
			return err
		}
		return use(file)
	})
}
