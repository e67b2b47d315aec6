//! Read and write single pages of a file, with one system call for each.

use std::path::Path;

use crate::descriptor::{place, PageFile};
use crate::error::{with, Error, Result};
use crate::page::{build_page, check_page, check_page_no, Fault, HEADER_SIZE, PAYLOAD_MAX};

/// Makes `data` the payload of page `page_no` and returns once it is on the disk.
///
/// The calls are openat, fstat or statx (a query), one pwrite64 of 4096 bytes, fdatasync, close. A
/// missing file is created with mode 0644; its name is durable only after
/// [`sync_directory`](crate::sync_directory).
///
/// # Errors
///
/// - [`Kind::Argument`](crate::Kind::Argument): the page number or the payload can't be; nothing
///   was opened.
/// - [`Kind::SystemCall`](crate::Kind::SystemCall): the file has the size it had; one created by
///   this call is left, empty.
/// - [`Kind::Sync`](crate::Kind::Sync): the page was written, but may not be on the disk; the sync
///   is not tried again.
pub fn write_page(path: impl AsRef<Path>, page_no: u64, data: &[u8]) -> Result<()> {
    check_page_no(page_no)?;
    let page = build_page(data)?;
    let file = PageFile::open_to_write(path.as_ref())?;
    let old_size = file.size()?;
    file.write_synced(&page, page_no, old_size)?;
    file.close()
}

/// Returns the payload of page `page_no`, padding included.
///
/// # Errors
///
/// - [`Kind::Argument`](crate::Kind::Argument): the page number can't be.
/// - [`Kind::Content`](crate::Kind::Content): the page lies beyond the end, is cut short, or is no
///   page of this format.
/// - [`Kind::SystemCall`](crate::Kind::SystemCall): the file can't be read.
pub fn read_page(path: impl AsRef<Path>, page_no: u64) -> Result<[u8; PAYLOAD_MAX]> {
    let path = path.as_ref();
    let raw = read_raw(path, page_no)?;
    let page = check_page(&raw).map_err(|fault| misfit(path, page_no, &fault))?;
    let mut payload = [0; PAYLOAD_MAX];
    payload.copy_from_slice(&page[HEADER_SIZE..]);
    Ok(payload)
}

/// Returns page `page_no` as it is, without judging it; fewer than 4096 bytes at the end.
pub(crate) fn read_raw(path: &Path, page_no: u64) -> Result<Vec<u8>> {
    check_page_no(page_no)?;
    let file = PageFile::open_to_read(path)?;
    file.size()?;
    let raw = file.read_at(page_no)?;
    file.close()?;
    if raw.is_empty() {
        let what = with(place(path, page_no), ": beyond the end of the file");
        return Err(Error::content(what));
    }
    Ok(raw)
}

/// Shows `visit` each page's number and bytes as they are; the last one may be shorter.
pub(crate) fn each_raw_page(
    path: &Path,
    mut visit: impl FnMut(u64, &[u8]) -> Result<()>,
) -> Result<()> {
    let file = PageFile::open_to_read(path)?;
    file.size()?;
    for page_no in 0.. {
        let raw = file.read_at(page_no)?;
        if raw.is_empty() {
            break;
        }
        visit(page_no, &raw)?;
    }
    file.close()
}

/// Returns the error for a page that is not what it should be.
pub(crate) fn misfit(path: &Path, page_no: u64, fault: &Fault) -> Error {
    Error::content(with(place(path, page_no), format!(": {fault}")))
}
