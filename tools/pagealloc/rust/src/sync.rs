//! Force data to the disk, as each platform spells it.
//!
//! [`File::sync_data`] has the branches that this needs, in `std/src/sys/fs/unix.rs`: fdatasync(2)
//! where there is one, and fsync(2) elsewhere. On macOS it is fcntl(2) with `F_FULLFSYNC`, because
//! fsync(2) stops at the drive's cache there; [`File::sync_all`] is the same call on that system,
//! and neither falls back on fsync(2) where a filesystem can't do it. Both repeat a call that a
//! signal interrupted. What is left to say here is which call it was, for messages.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::raw::c_int;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::error::{with, Error, Result};
use crate::process::close;

/// The name of the call that [`full_sync`] makes.
pub(crate) const SYNC_CALL: &str = sync_call(
    cfg!(target_vendor = "apple"),
    cfg!(any(
        target_os = "android",
        target_os = "freebsd",
        target_os = "hurd",
        target_os = "linux",
        target_os = "netbsd",
        target_os = "openbsd",
    )),
);

const fn sync_call(apple: bool, fdatasync: bool) -> &'static str {
    match (apple, fdatasync) {
        (true, _) => "F_FULLFSYNC",
        (false, true) => "fdatasync",
        (false, false) => "fsync",
    }
}

/// Returns once the data of `file` is on the disk, with the size where the data needs it.
///
/// After an error it may not be, and calling again proves nothing: the kernel reports a failed
/// write-back once and may then have dropped the page, so that a second sync has nothing left to
/// write and succeeds (fsync(2), NOTES on EIO).
pub(crate) fn full_sync(file: &File) -> io::Result<()> {
    file.sync_data()
}

/// Makes the name `path` durable: syncs the directory that it is in.
///
/// A symbolic link's target lies elsewhere, and its name is not made durable by this.
///
/// # Errors
///
/// [`Kind::SystemCall`](crate::Kind::SystemCall) when the directory can't be opened,
/// [`Kind::Sync`](crate::Kind::Sync) when the name may not be on the disk.
pub fn sync_directory(path: impl AsRef<Path>) -> Result<()> {
    let what = |call: &str| with(path.as_ref(), format!(": directory: {call}"));
    let directory = OpenOptions::new()
        .read(true)
        .custom_flags(O_DIRECTORY)
        .open(directory_of(path.as_ref()))
        .map_err(|cause| Error::system_call(what("open"), cause))?;
    directory
        .sync_all()
        .map_err(|cause| Error::sync(what("fsync"), cause, "the name"))?;
    close(directory).map_err(|cause| Error::system_call(what("close"), cause))
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

/// fcntl.h's; the standard library has no name for it. Zero where it isn't known here, for it is a
/// safeguard only: what `directory_of` returns is a directory.
const O_DIRECTORY: c_int = if cfg!(target_vendor = "apple") {
    0x0010_0000
} else if cfg!(any(target_os = "linux", target_os = "android")) {
    if cfg!(any(
        target_arch = "aarch64",
        target_arch = "arm",
        target_arch = "m68k",
        target_arch = "powerpc",
        target_arch = "powerpc64",
    )) {
        0o40_000
    } else {
        0o200_000 // asm-generic/fcntl.h
    }
} else {
    0
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_platform_has_its_call() {
        assert_eq!(sync_call(true, false), "F_FULLFSYNC");
        assert_eq!(sync_call(true, true), "F_FULLFSYNC");
        assert_eq!(sync_call(false, true), "fdatasync");
        assert_eq!(sync_call(false, false), "fsync");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn linux_has_fdatasync() {
        assert_eq!(SYNC_CALL, "fdatasync");
    }

    #[test]
    fn a_names_directory_is_what_lies_before_its_last_part() {
        for (path, directory) in [
            ("file", "."),
            ("./file", "."),
            ("../sub/file", "../sub"),
            ("/file", "/"),
            ("/sub/file", "/sub"),
        ] {
            assert_eq!(directory_of(Path::new(path)), Path::new(directory));
        }
    }

    #[test]
    fn what_is_no_directory_is_refused_by_the_flag() {
        if O_DIRECTORY == 0 {
            return;
        }
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(O_DIRECTORY)
            .open("/dev/null");
        assert_eq!(opened.unwrap_err().raw_os_error(), Some(20));
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let error = sync_directory("no-such-folder/file").unwrap_err();
        let said = "no-such-folder/file: directory: open: no such file or directory";
        assert_eq!(error.to_string(), said);
        assert_eq!(error.exit_code(), 3);
    }
}
