//! What can go wrong, and whose fault it is.

use std::error;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;

use crate::words::words;

/// What every fallible function here returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Whose fault an [`Error`] is; the number is the exit code of the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A page lies beyond the end, is cut short, or is not a page of this format.
    Content = 1,
    /// A number or a payload that can't be; nothing was opened.
    Argument = 2,
    /// A system call failed or did less than it was asked to; the file has its old size.
    SystemCall = 3,
    /// The sync failed: whether the page is on the disk can't be known any more.
    Sync = 4,
}

/// One clear line about what went wrong; the [`io::Error`] behind it is its source.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: OsString,
    cause: Option<io::Error>,
}

impl Error {
    /// Whose fault it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The line, with names byte for byte; `Display` replaces what is not UTF-8.
    #[must_use]
    pub fn message(&self) -> &OsStr {
        &self.message
    }

    /// The exit code of the command.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.kind as u8
    }

    pub(crate) fn content(message: OsString) -> Self {
        Self::bare(Kind::Content, message)
    }

    pub(crate) fn argument(message: impl Into<OsString>) -> Self {
        Self::bare(Kind::Argument, message.into())
    }

    /// A call that did not fail, but did not do what it was asked to.
    pub(crate) fn refusal(message: OsString) -> Self {
        Self::bare(Kind::SystemCall, message)
    }

    /// A call that failed; `what` names it and what it was made on.
    pub(crate) fn system_call(what: impl Into<OsString>, cause: io::Error) -> Self {
        let message = with(what, format!(": {}", words(&cause)));
        Self {
            kind: Kind::SystemCall,
            message,
            cause: Some(cause),
        }
    }

    /// A sync that failed; `lost` is what may not be on the disk now.
    pub(crate) fn sync(what: impl Into<OsString>, cause: io::Error, lost: &str) -> Self {
        let reason = words(&cause);
        Self {
            kind: Kind::Sync,
            message: with(what, format!(": {reason}; {lost} may not be on the disk")),
            cause: Some(cause),
        }
    }

    fn bare(kind: Kind, message: OsString) -> Self {
        Self {
            kind,
            message,
            cause: None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message.to_string_lossy())
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.cause
            .as_ref()
            .map(|cause| cause as &(dyn error::Error + 'static))
    }
}

/// Returns `text` with `more` behind it, either of which may be a name with any bytes.
pub(crate) fn with(text: impl Into<OsString>, more: impl AsRef<OsStr>) -> OsString {
    let mut whole = text.into();
    whole.push(more);
    whole
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn a_failed_call_says_why_in_the_commands_own_words() {
        let error = Error::system_call("f: open", io::Error::from_raw_os_error(2));
        assert_eq!(error.to_string(), "f: open: no such file or directory");
        assert_eq!((error.kind(), error.exit_code()), (Kind::SystemCall, 3));
        let cause = error.source().unwrap().downcast_ref::<io::Error>().unwrap();
        assert_eq!(cause.raw_os_error(), Some(2));
    }

    #[test]
    fn a_failed_sync_says_what_may_be_lost() {
        let error = Error::sync("f: fdatasync", io::Error::from_raw_os_error(5), "the page");
        let said = "f: fdatasync: input/output error; the page may not be on the disk";
        assert_eq!(error.to_string(), said);
        assert_eq!(error.exit_code(), 4);
    }

    #[test]
    fn names_are_kept_byte_for_byte() {
        let error = Error::content(with(OsStr::from_bytes(b"\xff"), ": bad"));
        assert_eq!(error.message().as_bytes(), b"\xff: bad");
        assert_eq!(error.to_string(), "\u{fffd}: bad");
        assert!(error.source().is_none());
    }
}
