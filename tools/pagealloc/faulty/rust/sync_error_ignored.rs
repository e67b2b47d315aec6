//! Breaks `synced`: the sync fails, and `let _ =` says that this doesn't matter.
//!
//! Why it matters: `let _ =` is how the compiler's warning about an unused `Result` goes away, and
//! with it the only sign that the page is not on the disk. Here the handle is a socket's, which
//! answers fdatasync(2) with EINVAL.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::os::unix::io::OwnedFd;
use std::os::unix::net::UnixStream;

mod page;

fn main() -> io::Result<()> {
    let (path, page_no) = page::arguments();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let file = options.open(path)?;
    let (socket, _peer) = UnixStream::pair()?;
    let wrong = File::from(OwnedFd::from(socket));
    let offset = page_no * page::PAGE_SIZE as u64;
    file.write_all_at(&page::full_page(b"the sync failed"), offset)?;
    let _ = wrong.sync_data();
    Ok(())
}
