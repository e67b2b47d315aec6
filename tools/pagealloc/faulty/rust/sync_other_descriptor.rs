//! Breaks `synced`: the page's `File` goes out of scope, and one opened anew is synced.
//!
//! Why it matters: a failed write-back is told to descriptors that were open when it happened. The
//! one that wrote was closed by its scope's end, without a word; what was opened after that may be
//! told of nothing, and a crash in between finds the page nowhere.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt;

mod page;

fn main() -> io::Result<()> {
    let (path, page_no) = page::arguments();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let offset = page_no * page::PAGE_SIZE as u64;
    {
        let file = options.open(&path)?;
        file.write_all_at(&page::full_page(b"another File was synced"), offset)?;
    }
    options.open(&path)?.sync_data()
}
