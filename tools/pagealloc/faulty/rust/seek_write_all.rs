//! Breaks `positional-write`, `no-seek`: the page is found by `seek` and written by `write_all`.
//!
//! Why it matters: these are two calls, between which another thread may move the position.
//! Borrowing doesn't prevent it: `&File` can seek and write, too. `FileExt::write_at` takes the
//! offset along.

use std::fs::OpenOptions;
use std::io::{self, Seek, SeekFrom, Write};

mod page;

fn main() -> io::Result<()> {
    let (path, page_no) = page::arguments();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open(path)?;
    file.seek(SeekFrom::Start(page_no * page::PAGE_SIZE as u64))?;
    file.write_all(&page::full_page(b"seek, then write_all"))?;
    file.sync_data()
}
