//! Breaks `full-page`: `write_all_at` is given the bytes in use and not the whole page.
//!
//! Why it matters: "all" means all of the slice. What lies behind it in the page is whatever was
//! there before, and the kernel has to read the page in order to change a part of it.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt;

mod page;

fn main() -> io::Result<()> {
    let (path, page_no) = page::arguments();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let file = options.open(path)?;
    let offset = page_no * page::PAGE_SIZE as u64;
    let payload = b"a part of a page";
    let used = 16 + payload.len();
    file.write_all_at(&page::full_page(payload)[..used], offset)?;
    file.sync_data()
}
