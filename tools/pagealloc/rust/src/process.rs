//! What a process needs that the standard library has no safe form of. All `unsafe` is here.

#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::mem::ManuallyDrop;
use std::os::raw::c_int;
use std::os::unix::io::{FromRawFd, IntoRawFd, RawFd};

extern "C" {
    #[link_name = "close"]
    fn c_close(fd: c_int) -> c_int;
    // sighandler_t is a pointer, or one of the two numbers below.
    fn signal(number: c_int, handler: usize) -> usize;
}

const SIG_DFL: usize = 0;
const SIG_IGN: usize = 1;
const SIGPIPE: c_int = 13;
// signal(7); the same on macOS and the BSDs.
const SIGXFSZ: c_int = if cfg!(any(target_arch = "mips", target_arch = "mips64")) {
    31
} else {
    25
};

/// Lets a closed pipe end the process silently, and a file size limit fail a write.
///
/// The runtime of Rust ignores SIGPIPE, so that a closed standard output would be an error to
/// report. SIGXFSZ ends a process that writes beyond its `RLIMIT_FSIZE`; ignored, the write fails
/// with EFBIG (setrlimit(2)). Call it before any thread is started.
pub fn settle_signals() {
    // SAFETY: both numbers are signals that can be caught, and neither disposition runs any code
    // of this process.
    unsafe {
        signal(SIGPIPE, SIG_DFL);
        signal(SIGXFSZ, SIG_IGN);
    }
}

/// Closes `file` and returns what close(2) says, which dropping a [`File`] passes over.
///
/// It is not called again after EINTR: on Linux the descriptor is gone then (close(2), NOTES).
pub(crate) fn close(file: File) -> io::Result<()> {
    // SAFETY: `into_raw_fd` gives the descriptor up, so nobody else closes or uses it.
    match unsafe { c_close(file.into_raw_fd()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// A standard stream as it is: without the buffer of [`io::stdin`], which would read further than
/// a page, and without the leniency of [`io::stdout`], which takes EBADF for success.
pub(crate) struct Stream(ManuallyDrop<File>);

impl Stream {
    /// Standard input.
    pub(crate) fn input() -> Self {
        Self::on(0)
    }

    /// Standard output.
    pub(crate) fn output() -> Self {
        Self::on(1)
    }

    /// The stream, for its `Read` or `Write`.
    pub(crate) fn file(&self) -> &File {
        &self.0
    }

    fn on(fd: RawFd) -> Self {
        // SAFETY: descriptors 0 to 2 are open from the start, for the runtime opens /dev/null in
        // place of one that is not; nothing in this crate closes them, and ManuallyDrop doesn't.
        Self(ManuallyDrop::new(unsafe { File::from_raw_fd(fd) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_file_can_be_closed() {
        close(File::open("/dev/null").unwrap()).unwrap();
    }

    #[test]
    fn an_error_of_close_is_returned() {
        // SAFETY: no process has this descriptor, and `close` gives it up without any other call.
        let file = unsafe { File::from_raw_fd(c_int::MAX) };
        assert_eq!(close(file).unwrap_err().raw_os_error(), Some(9));
    }
}
