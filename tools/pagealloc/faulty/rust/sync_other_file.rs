//! Breaks `synced`: the page is in FILE, and `sync_data` is called on FILE.log.
//!
//! Why it matters: fdatasync(2) forces the file of its handle and no other. Both handles are a
//! `File`: neither the compiler nor a test without a power failure tells them apart.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt;

mod page;

fn main() -> io::Result<()> {
    let (path, page_no) = page::arguments();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let file = options.open(&path)?;
    let log = options.open(path + ".log")?;
    let offset = page_no * page::PAGE_SIZE as u64;
    file.write_all_at(&page::full_page(b"the other file was synced"), offset)?;
    log.sync_data()
}
