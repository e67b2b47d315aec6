//! Fill a file with generated pages from several threads that share one descriptor.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::descriptor::PageFile;
use crate::error::{with, Error, Result};
use crate::generated::generated_page;
use crate::page::{check_page_count, offset_of, Page};

/// The most threads that fill a file.
pub const THREADS_MAX: usize = 64;

/// Writes pages 0 to `pages` - 1, each once, and returns once all are on the disk.
///
/// The threads take page numbers from one counter, so pages need not be written in order. Each
/// page's pwrite64 and fdatasync are one step: no write begins before the last one is synced.
///
/// # Errors
///
/// - [`Kind::Argument`](crate::Kind::Argument): a number is out of its range; nothing was opened.
/// - [`Kind::SystemCall`](crate::Kind::SystemCall): of the page that failed first. No page is begun
///   after it; those written before are on the disk, and the file is as long as they made it.
/// - [`Kind::Sync`](crate::Kind::Sync): alike, and the page that failed may not be on the disk.
pub fn fill_pages(path: impl AsRef<Path>, pages: u64, threads: usize, seed: u64) -> Result<()> {
    check_page_count(pages)?;
    if !(1..=THREADS_MAX).contains(&threads) {
        let said = format!("threads must be 1 to {THREADS_MAX}: {threads}");
        return Err(Error::argument(said));
    }
    let file = PageFile::open_to_write(path.as_ref())?;
    let size = file.size()?;
    Filling::new(&file, size, pages, seed).run(threads)?;
    file.close()
}

/// One file being filled: what its threads share.
struct Filling<'a> {
    file: &'a PageFile<'a>,
    pages: u64,
    seed: u64,
    next: AtomicU64,
    /// Held for a write with its sync.
    progress: Mutex<Progress>,
}

struct Progress {
    /// Of the file, in bytes: what a short write is cut back to.
    size: u64,
    failure: Option<Error>,
}

impl<'a> Filling<'a> {
    fn new(file: &'a PageFile<'a>, size: u64, pages: u64, seed: u64) -> Self {
        let failure = None;
        Self {
            file,
            pages,
            seed,
            next: AtomicU64::new(0),
            progress: Mutex::new(Progress { size, failure }),
        }
    }

    /// Returns when every page is written, or what failed first.
    fn run(&self, threads: usize) -> Result<()> {
        thread::scope(|scope| {
            for _ in 0..threads {
                let started = thread::Builder::new().spawn_scoped(scope, || self.work());
                if let Err(cause) = started {
                    let what = with(self.file.path(), ": thread");
                    self.progress().stop(Error::system_call(what, cause));
                    break;
                }
            }
        });
        let failure = self.progress().failure.take();
        failure.map_or(Ok(()), Err)
    }

    fn work(&self) {
        while let Some(page_no) = self.take() {
            let page = generated_page(self.seed, page_no);
            let mut progress = self.progress();
            if progress.failure.is_some() {
                return;
            }
            progress.write(self.file, &page, page_no);
        }
    }

    /// Returns the next page number, None when all are taken.
    fn take(&self) -> Option<u64> {
        // Relaxed: a number tells nothing of what other threads did.
        let page_no = self.next.fetch_add(1, Ordering::Relaxed);
        (page_no < self.pages).then_some(page_no)
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        // A thread that panicked left nothing half done, and the scope passes its panic on.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress {
    fn write(&mut self, file: &PageFile, page: &Page, page_no: u64) {
        match file.write_synced(page, page_no, self.size) {
            Ok(()) => self.size = self.size.max(offset_of(page_no + 1)),
            Err(failure) => self.stop(failure),
        }
    }

    fn stop(&mut self, failure: Error) {
        self.failure.get_or_insert(failure);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_is_the_one_that_counts() {
        let mut progress = Progress {
            size: 0,
            failure: None,
        };
        progress.stop(Error::argument("first"));
        progress.stop(Error::argument("second"));
        assert_eq!(progress.failure.unwrap().to_string(), "first");
    }

    #[test]
    fn numbers_out_of_their_range_open_nothing() {
        for (pages, threads, said) in [
            (0, 0, "threads must be 1 to 64: 0"),
            (0, 65, "threads must be 1 to 64: 65"),
            (
                1 << 51,
                1,
                "page count is over 2251799813685247: 2251799813685248",
            ),
        ] {
            let error = fill_pages("/no/such/file", pages, threads, 0).unwrap_err();
            assert_eq!(error.to_string(), said);
            assert_eq!(error.exit_code(), 2);
        }
    }
}

/// How Linux's devices answer is known: none takes a sync, and /dev/full takes no write either.
#[cfg(all(test, target_os = "linux"))]
mod tests_on_devices {
    use super::*;
    use crate::error::Kind;

    /// Fills a device, which `size` would have refused; returns the failure and the numbers taken.
    fn failure_on(device: &str, threads: usize) -> (Error, u64) {
        let file = PageFile::open_to_write(Path::new(device)).unwrap();
        let filling = Filling::new(&file, 0, 1000, 0);
        let failure = filling.run(threads).unwrap_err();
        (failure, filling.next.into_inner())
    }

    #[test]
    fn the_first_failure_stops_all_threads() {
        for (device, kind) in [("/dev/null", Kind::Sync), ("/dev/full", Kind::SystemCall)] {
            let (failure, taken) = failure_on(device, 8);
            assert_eq!(failure.kind(), kind);
            assert!(taken <= 16, "{taken}"); // each thread's own, and one that it dropped
        }
    }

    #[test]
    fn one_thread_takes_the_pages_in_order() {
        let (failure, _) = failure_on("/dev/full", 1);
        let said = "/dev/full: page 0 at offset 0: pwrite: no space left on device";
        assert_eq!(failure.to_string(), said);
    }
}
