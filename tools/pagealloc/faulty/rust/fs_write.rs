//! Breaks `positional-write`, `full-page`, `synced`, `open-flags`: the whole file by `fs::write`.
//!
//! Why it matters: the file is emptied first and then written anew, all pages for the sake of
//! one; a crash in between leaves none. `fs::write` neither syncs nor gives a handle that could be
//! synced.

use std::{fs, io};

mod page;

fn main() -> io::Result<()> {
    let (path, page_no) = page::arguments();
    let begin = page_no as usize * page::PAGE_SIZE;
    let end = begin + page::PAGE_SIZE;
    let mut bytes = fs::read(&path).unwrap_or_default();
    bytes.resize(bytes.len().max(end), 0);
    bytes[begin..end].copy_from_slice(&page::full_page(b"fs::write"));
    fs::write(path, bytes)
}
