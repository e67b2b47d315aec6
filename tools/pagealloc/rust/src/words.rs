//! Error numbers in words that are the same with every C library and in every language that the
//! command exists in. The standard library has the C library's words, and no numbers by name.

use std::io;

/// Returns what `error` means; `error N` for a rare number.
pub(crate) fn words(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => word_for(number).map_or_else(|| format!("error {number}"), str::to_owned),
        None => error.to_string(),
    }
}

/// The numbers below 35 are the same on every Unix, EAGAIN apart.
fn word_for(number: i32) -> Option<&'static str> {
    Some(match number {
        1 => "operation not permitted",   // EPERM
        2 => "no such file or directory", // ENOENT
        5 => "input/output error",        // EIO
        13 => "permission denied",        // EACCES
        20 => "not a directory",          // ENOTDIR
        21 => "is a directory",           // EISDIR
        24 => "too many open files",      // EMFILE
        26 => "file is being executed",   // ETXTBSY
        27 => "file too large",           // EFBIG
        28 => "no space left on device",  // ENOSPC
        30 => "read-only file system",    // EROFS
        ENAMETOOLONG => "name too long",
        ELOOP => "too many symbolic links",
        EDQUOT => "disk quota exceeded",
        _ => return None,
    })
}

// asm-generic/errno.h, which MIPS and SPARC differ from: there these three are `error N`.
#[cfg(any(target_os = "linux", target_os = "android"))]
const ENAMETOOLONG: i32 = 36;
#[cfg(any(target_os = "linux", target_os = "android"))]
const ELOOP: i32 = 40;
#[cfg(any(target_os = "linux", target_os = "android"))]
const EDQUOT: i32 = 122;

// sys/errno.h of macOS and the BSDs.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const ENAMETOOLONG: i32 = 63;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const ELOOP: i32 = 62;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const EDQUOT: i32 = 69;

#[cfg(test)]
mod tests {
    use super::*;

    fn said(number: i32) -> String {
        words(&io::Error::from_raw_os_error(number))
    }

    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn the_numbers_are_those_that_the_c_library_means() {
        for (number, of_libc) in [
            (1, "Operation not permitted"),
            (2, "No such file or directory"),
            (5, "Input/output error"),
            (13, "Permission denied"),
            (20, "Not a directory"),
            (21, "Is a directory"),
            (24, "Too many open files"),
            (26, "Text file busy"),
            (27, "File too large"),
            (28, "No space left on device"),
            (30, "Read-only file system"),
            (ENAMETOOLONG, "File name too long"),
            (ELOOP, "Too many levels of symbolic links"),
            (EDQUOT, "Disk quota exceeded"),
        ] {
            let error = io::Error::from_raw_os_error(number);
            assert_eq!(error.to_string(), format!("{of_libc} (os error {number})"));
            assert!(!said(number).starts_with("error "), "{number}");
        }
    }

    #[test]
    fn a_rare_number_is_itself() {
        assert_eq!(said(22), "error 22");
        assert_eq!(said(0), "error 0");
    }

    #[test]
    fn an_error_without_a_number_has_its_own_words() {
        let error = io::Error::new(io::ErrorKind::InvalidInput, "a NUL in the name");
        assert_eq!(words(&error), "a NUL in the name");
    }
}
