//! Pages of 4096 bytes in a file: each written whole, at its own offset, and synced.
//!
//! ```
//! # fn main() -> pagealloc::Result<()> {
//! # let path = std::env::temp_dir().join(format!("pagealloc-doc-{}", std::process::id()));
//! pagealloc::write_page(&path, 0, b"first page")?; // returns when it is on the disk
//! assert!(pagealloc::read_page(&path, 0)?.starts_with(b"first page\0"));
//! # std::fs::remove_file(&path).unwrap();
//! # Ok(())
//! # }
//! ```
//!
//! A process whose file size is limited (`RLIMIT_FSIZE`) is sent SIGXFSZ by a write beyond the
//! limit, which ends it; [`process::settle_signals`] lets the write fail instead.

#![warn(missing_docs, clippy::pedantic)]
#![deny(unsafe_code, unsafe_op_in_unsafe_fn)]

#[cfg(not(unix))]
compile_error!("pagealloc needs pread, pwrite and byte strings for names: a Unix");

mod arguments;
pub mod cli;
mod descriptor;
mod error;
mod filling;
mod generated;
mod hexdump;
mod page;
pub mod process;
mod store;
mod sync;
mod words;

pub use error::{Error, Kind, Result};
pub use filling::{fill_pages, THREADS_MAX};
pub use page::{LAST_PAGE_NO, MAGIC, PAGES_MAX, PAGE_SIZE, PAYLOAD_MAX};
pub use store::{read_page, write_page};
pub use sync::sync_directory;
