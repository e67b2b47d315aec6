//! What is done with an open file: its calls, each with its error as one clear line.
//!
//! The file position is never used: pread64 and pwrite64 take the offset, and no lseek is made.

use std::ffi::OsString;
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use crate::error::{with, Error, Result};
use crate::page::{offset_of, Page, PAGE_SIZE};
use crate::process;
use crate::sync::{full_sync, SYNC_CALL};

/// Returns how messages name a page.
pub(crate) fn place(path: &Path, page_no: u64) -> OsString {
    let offset = offset_of(page_no);
    with(path, format!(": page {page_no} at offset {offset}"))
}

/// A file of pages that is open. Dropping it closes it too, but passes over what close(2) says.
pub(crate) struct PageFile<'a> {
    file: File,
    path: &'a Path,
}

impl<'a> PageFile<'a> {
    /// Opens `path` as `read` does: `O_RDONLY|O_CLOEXEC`.
    pub(crate) fn open_to_read(path: &'a Path) -> Result<Self> {
        Self::open(path, OpenOptions::new().read(true))
    }

    /// Opens `path` as `write` does: `O_RDWR|O_CREAT|O_CLOEXEC`, mode 0644.
    ///
    /// Never `O_APPEND`, with which Linux ignores pwrite's offset (pwrite(2), BUGS), and never
    /// `O_TRUNC`.
    pub(crate) fn open_to_write(path: &'a Path) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        Self::open(path, options.mode(0o644))
    }

    fn open(path: &'a Path, options: &OpenOptions) -> Result<Self> {
        match options.open(path) {
            Ok(file) => Ok(Self { file, path }),
            Err(cause) => Err(Error::system_call(with(path, ": open"), cause)),
        }
    }

    /// The name that it was opened by.
    pub(crate) fn path(&self) -> &'a Path {
        self.path
    }

    /// Returns the size in bytes; refuses what is not a regular file.
    pub(crate) fn size(&self) -> Result<u64> {
        let status = self
            .status()
            .map_err(|cause| Error::system_call(with(self.path, ": fstat"), cause))?;
        if status.is_dir() {
            return Err(Error::refusal(with(self.path, ": open: is a directory")));
        }
        if !status.is_file() {
            return Err(Error::refusal(with(
                self.path,
                ": open: not a regular file",
            )));
        }
        Ok(status.len())
    }

    /// Returns the bytes of page `page_no`: fewer at the end of the file, none behind it.
    pub(crate) fn read_at(&self, page_no: u64) -> Result<Vec<u8>> {
        let mut page = vec![0; PAGE_SIZE];
        let size = again(|| self.file.read_at(&mut page, offset_of(page_no))).map_err(|cause| {
            Error::system_call(with(place(self.path, page_no), ": pread"), cause)
        })?;
        page.truncate(size);
        Ok(page)
    }

    /// Writes `page` with one pwrite64 and returns once it is on the disk.
    ///
    /// `old_size` is what the file is cut back to, in bytes, should a part be all that was
    /// written. A failed sync is not tried again.
    pub(crate) fn write_synced(&self, page: &Page, page_no: u64, old_size: u64) -> Result<()> {
        self.write_whole(page, page_no, old_size)?;
        full_sync(&self.file).map_err(|cause| {
            let what = with(place(self.path, page_no), format!(": {SYNC_CALL}"));
            Error::sync(what, cause, "the page")
        })
    }

    /// Closes the file.
    pub(crate) fn close(self) -> Result<()> {
        process::close(self.file)
            .map_err(|cause| Error::system_call(with(self.path, ": close"), cause))
    }

    /// Writes `page` with one pwrite64; a part is no success and is cut off again.
    ///
    /// `write_all_at` won't do. It goes on with a second pwrite64 where the first one stopped: what
    /// then fails, mostly with EFBIG or ENOSPC, hides how much was written, and where it succeeds
    /// the page was written in two calls, between which anybody may read half of it.
    fn write_whole(&self, page: &Page, page_no: u64, old_size: u64) -> Result<()> {
        let what = || with(place(self.path, page_no), ": pwrite");
        let offset = offset_of(page_no);
        let written = again(|| self.file.write_at(page, offset))
            .map_err(|cause| Error::system_call(what(), cause))?;
        if written == PAGE_SIZE {
            return Ok(());
        }
        self.cut_back(offset + written as u64, old_size);
        let short = format!(": short write: {written} of {PAGE_SIZE} bytes");
        Err(Error::refusal(with(what(), &short)))
    }

    /// Gives the file its old size again, if the part that ends at `end` is what made it longer.
    fn cut_back(&self, end: u64, old_size: u64) {
        if end <= old_size {
            return;
        }
        // A file that ends elsewhere was made longer by somebody else, who would lose data.
        let ends_there = self.status().map_or(false, |status| status.len() == end);
        if ends_there {
            let _ = self.file.set_len(old_size); // the short write is what gets reported
        }
    }

    fn status(&self) -> io::Result<Metadata> {
        again(|| self.file.metadata())
    }
}

/// Makes a call that a signal interrupted again.
///
/// For those that the standard library leaves alone; open, sync and `set_len` it repeats itself.
fn again<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_regular_file_is_refused() {
        for (path, reason) in [("/dev/null", "not a regular file"), ("/", "is a directory")] {
            let file = PageFile::open_to_read(Path::new(path)).unwrap();
            let error = file.size().unwrap_err();
            assert_eq!(error.to_string(), format!("{path}: open: {reason}"));
            file.close().unwrap();
        }
    }

    #[test]
    fn a_call_that_a_signal_interrupted_is_made_again() {
        let mut answers = vec![Ok(7), Err(4), Err(4)]; // the last first; 4 is EINTR
        let got = again(|| answers.pop().unwrap().map_err(io::Error::from_raw_os_error));
        assert_eq!((got.unwrap(), answers.len()), (7, 0));
    }

    #[test]
    fn any_other_error_is_returned_at_once() {
        let mut answers = vec![Ok(7), Err(5)];
        let got = again(|| answers.pop().unwrap().map_err(io::Error::from_raw_os_error));
        assert_eq!(got.unwrap_err().raw_os_error(), Some(5));
        assert_eq!(answers.len(), 1);
    }
}

/// How Linux's devices answer is known: none takes a sync, and /dev/full takes no write either.
#[cfg(all(test, target_os = "linux"))]
mod tests_on_devices {
    use super::*;
    use crate::error::Kind;
    use crate::page::build_page;

    /// Writes to a device, which `size` would have refused.
    fn failure_on(device: &str) -> Error {
        let file = PageFile::open_to_write(Path::new(device)).unwrap();
        let page = build_page(b"x").unwrap();
        file.write_synced(&page, 1, 0).unwrap_err()
    }

    #[test]
    fn a_sync_that_failed_is_an_error_of_its_own() {
        let error = failure_on("/dev/null"); // takes every write, and answers a sync with EINVAL
        assert_eq!(error.kind(), Kind::Sync);
        let said = "/dev/null: page 1 at offset 4096: fdatasync: error 22; \
                    the page may not be on the disk";
        assert_eq!(error.to_string(), said);
    }

    #[test]
    fn a_write_that_failed_is_not_synced() {
        let error = failure_on("/dev/full");
        assert_eq!(error.kind(), Kind::SystemCall);
        let said = "/dev/full: page 1 at offset 4096: pwrite: no space left on device";
        assert_eq!(error.to_string(), said);
    }
}
