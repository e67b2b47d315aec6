//! Breaks `synced`: `flush` is taken for a sync.
//!
//! Why it matters: a `File` has no buffer of its own, so its `flush` makes no system call at all
//! and always succeeds. The page is in the kernel's memory, and a power failure in the next half
//! minute loses it. `sync_data` is the call.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

mod page;

fn main() -> io::Result<()> {
    let (path, page_no) = page::arguments();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open(path)?;
    let offset = page_no * page::PAGE_SIZE as u64;
    file.write_all_at(&page::full_page(b"flushed, not synced"), offset)?;
    file.flush()
}
