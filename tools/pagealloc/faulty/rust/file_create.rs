//! Breaks `open-flags`: `File::create`, which empties a file that is there already.
//!
//! Why it matters: the name says nothing of it, and on a new file all is well. On an old one every
//! page is gone before the first is written. `OpenOptions` has `create` without `truncate`.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

mod page;

fn main() -> io::Result<()> {
    let (path, page_no) = page::arguments();
    let file = File::create(path)?;
    let offset = page_no * page::PAGE_SIZE as u64;
    file.write_all_at(&page::full_page(b"all that is left"), offset)?;
    file.sync_data()
}
