//! Breaks `complete`: `write_at` writes half of the page, says so, and nobody looks at the number.
//!
//! Why it matters: `?` takes the error out of the `Result` and leaves a number that may be dropped:
//! the compiler doesn't warn, and clippy's `unused_io_amount` knows `write`, not `write_at`. A full
//! disk, a quota or a limit cuts a write short without any error. Here `RLIMIT_FSIZE` cuts it
//! (setrlimit(2)).

use std::fs::OpenOptions;
use std::io;
use std::os::raw::c_int;
use std::os::unix::fs::FileExt;

mod page;

extern "C" {
    fn setrlimit(resource: c_int, limits: *const [u64; 2]) -> c_int;
}

const RLIMIT_FSIZE: c_int = 1; // asm-generic/resource.h

fn main() -> io::Result<()> {
    let (path, page_no) = page::arguments();
    let offset = page_no * page::PAGE_SIZE as u64;
    let limit = offset + page::PAGE_SIZE as u64 / 2;
    // SAFETY: the array has the layout of a struct rlimit, and outlives the call.
    assert_eq!(unsafe { setrlimit(RLIMIT_FSIZE, &[limit, limit]) }, 0);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let file = options.open(path)?;
    file.write_at(&page::full_page(b"half of a page"), offset)?;
    file.sync_data()
}
