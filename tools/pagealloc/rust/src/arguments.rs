//! The numbers among the command's arguments: ASCII digits and nothing else.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::error::{with, Error, Result};
use crate::filling::THREADS_MAX;
use crate::page::{LAST_PAGE_NO, PAGES_MAX};

/// Returns the page number that `word` spells.
pub(crate) fn page_number(word: &OsStr) -> Result<u64> {
    counted(word, "page number", LAST_PAGE_NO)
}

/// Returns the number of pages that `word` spells.
pub(crate) fn page_count(word: &OsStr) -> Result<u64> {
    counted(word, "page count", PAGES_MAX)
}

/// Returns the number of threads that `word` spells.
pub(crate) fn thread_count(word: &OsStr) -> Result<usize> {
    decimal(word.as_bytes())
        .and_then(|number| usize::try_from(number).ok())
        .filter(|threads| (1..=THREADS_MAX).contains(threads))
        .ok_or_else(|| refused(&format!("threads must be 1 to {THREADS_MAX}"), word))
}

/// Returns the seed that `word` spells.
pub(crate) fn seed(word: &OsStr) -> Result<u64> {
    decimal(word.as_bytes()).ok_or_else(|| refused("seed is not an unsigned 64-bit number", word))
}

fn counted(word: &OsStr, what: &str, most: u64) -> Result<u64> {
    let bytes = word.as_bytes();
    if bytes.strip_prefix(b"-").map_or(false, is_digits) {
        return Err(refused(&format!("{what} is negative"), word));
    }
    if !is_digits(bytes) {
        return Err(refused(&format!("{what} is not a decimal number"), word));
    }
    decimal(bytes)
        .filter(|number| *number <= most)
        .ok_or_else(|| refused(&format!("{what} is over {most}"), word))
}

/// Returns the number that `digits` spells, None when it is none or has over 64 bits.
fn decimal(digits: &[u8]) -> Option<u64> {
    if !is_digits(digits) {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    })
}

fn is_digits(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit)
}

fn refused(what: &str, word: &OsStr) -> Error {
    Error::argument(with(format!("{what}: "), word))
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    fn says<T: Debug>(parse: fn(&OsStr) -> Result<T>, word: &str, what: &str) {
        let error = parse(OsStr::new(word)).unwrap_err();
        assert_eq!(error.to_string(), format!("{what}: {word}"));
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn digits_are_a_number() {
        for (word, number) in [
            ("0", 0),
            ("007", 7),
            ("00000000000000000000000000000000001", 1),
            ("2251799813685246", LAST_PAGE_NO),
        ] {
            assert_eq!(page_number(OsStr::new(word)).unwrap(), number);
        }
        assert_eq!(
            page_count(OsStr::new("2251799813685247")).unwrap(),
            PAGES_MAX
        );
        assert_eq!(thread_count(OsStr::new("64")).unwrap(), 64);
        assert_eq!(seed(OsStr::new("18446744073709551615")).unwrap(), u64::MAX);
    }

    #[test]
    fn anything_else_is_no_number() {
        for word in [
            "", "-", "+1", " 1", "1 ", "1\n", "1_0", "0x1", "1.0", "--1", "\u{663}",
        ] {
            says(page_number, word, "page number is not a decimal number");
            says(page_count, word, "page count is not a decimal number");
            says(thread_count, word, "threads must be 1 to 64");
            says(seed, word, "seed is not an unsigned 64-bit number");
        }
    }

    #[test]
    fn a_minus_and_digits_are_negative() {
        for word in ["-1", "-0", "-99999999999999999999"] {
            says(page_number, word, "page number is negative");
            says(page_count, word, "page count is negative");
            says(seed, word, "seed is not an unsigned 64-bit number");
        }
    }

    #[test]
    fn each_number_has_its_limit() {
        let long = "9".repeat(5000);
        for word in ["2251799813685247", "18446744073709551616", &long] {
            says(page_number, word, "page number is over 2251799813685246");
        }
        says(
            page_count,
            "2251799813685248",
            "page count is over 2251799813685247",
        );
        for word in ["0", "65", "-1", &long] {
            says(thread_count, word, "threads must be 1 to 64");
        }
        for word in ["18446744073709551616", &long] {
            says(seed, word, "seed is not an unsigned 64-bit number");
        }
    }

    #[test]
    fn a_word_is_quoted_byte_for_byte() {
        let error = page_number(OsStr::from_bytes(b"1\xff")).unwrap_err();
        let said = b"page number is not a decimal number: 1\xff";
        assert_eq!(error.message().as_bytes(), said);
    }
}
