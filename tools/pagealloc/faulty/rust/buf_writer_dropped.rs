//! Breaks `positional-write`, `synced`, `no-seek`: a `BufWriter` is dropped, and that is all.
//!
//! Why it matters: the page is written while the `BufWriter` is dropped, where no error can be
//! returned: a full disk goes unnoticed. `flush` would return it, and would still be no sync.
//! Header and payload become one call only because both fit into the buffer.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};

mod page;

fn main() -> io::Result<()> {
    let (path, page_no) = page::arguments();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let mut writer = BufWriter::new(options.open(path)?);
    let page = page::full_page(b"never flushed");
    writer.seek(SeekFrom::Start(page_no * page::PAGE_SIZE as u64))?;
    writer.write_all(&page[..16])?;
    writer.write_all(&page[16..])
}
