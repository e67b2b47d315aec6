//! Breaks `positional-write`: `write_all`, which writes at the file position.
//!
//! Why it matters: `try_clone` and `dup` share the position, and so does every thread that has the
//! `&File`; whoever writes in between makes the page land elsewhere. `write_all` also goes on by
//! itself after a short write, so that a page may be written in several calls.
//!
//! All pages up to `PAGE_NO` are written in order, so that the position is right without a seek.

use std::fs::OpenOptions;
use std::io::{self, Write};

mod page;

fn main() -> io::Result<()> {
    let (path, page_no) = page::arguments();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open(path)?;
    for _ in 0..=page_no {
        file.write_all(&page::full_page(b"written at the file position"))?;
        file.sync_data()?;
    }
    Ok(())
}
