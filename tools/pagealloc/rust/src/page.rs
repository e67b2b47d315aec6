//! The layout of a page, and where it lies.
//!
//! | offset | bytes | meaning                                        |
//! | ------ | ----- | ---------------------------------------------- |
//! | 0      | 8     | magic 0x4453453150414745, little-endian        |
//! | 8      | 8     | zero                                           |
//! | 16     | 4080  | payload, zero-padded; its length is not stored |

use std::fmt;

use crate::error::{Error, Result};

/// Bytes in a page.
pub const PAGE_SIZE: usize = 4096;
/// What every page begins with, as a little-endian number.
pub const MAGIC: u64 = 0x4453_4531_5041_4745;
/// Bytes of a page that are its user's.
pub const PAYLOAD_MAX: usize = PAGE_SIZE - HEADER_SIZE;
/// The last page whose end, too, is an offset that a signed 64-bit number holds.
pub const LAST_PAGE_NO: u64 = i64::MAX as u64 / PAGE_SIZE as u64 - 1;
/// The most pages that a file can have.
pub const PAGES_MAX: u64 = LAST_PAGE_NO + 1;

pub(crate) const HEADER_SIZE: usize = 16;

/// A whole page.
pub(crate) type Page = [u8; PAGE_SIZE];

/// Returns where page `page_no`, at most [`LAST_PAGE_NO`], begins.
pub(crate) fn offset_of(page_no: u64) -> u64 {
    page_no * PAGE_SIZE as u64
}

/// Accepts the number of a page that a file can have.
pub(crate) fn check_page_no(page_no: u64) -> Result<()> {
    check("page number", page_no, LAST_PAGE_NO)
}

/// Accepts a number of pages that a file can have.
pub(crate) fn check_page_count(pages: u64) -> Result<()> {
    check("page count", pages, PAGES_MAX)
}

fn check(what: &str, number: u64, most: u64) -> Result<()> {
    if number > most {
        return Err(Error::argument(format!("{what} is over {most}: {number}")));
    }
    Ok(())
}

/// Returns the whole page that carries `payload`, at most [`PAYLOAD_MAX`] bytes.
pub(crate) fn build_page(payload: &[u8]) -> Result<Page> {
    let mut page = [0; PAGE_SIZE];
    page[..8].copy_from_slice(&MAGIC.to_le_bytes());
    let room = page[HEADER_SIZE..].get_mut(..payload.len());
    room.ok_or_else(|| Error::argument(format!("payload is over {PAYLOAD_MAX} bytes")))?
        .copy_from_slice(payload);
    Ok(page)
}

/// What is wrong with a page; in words, its `Display`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It ends after so many bytes.
    Short(usize),
    /// Nothing but zeros: a hole reads like that, and so does a page that a crash has lost.
    AllZero,
    /// It begins with this number.
    WrongMagic(u64),
    /// Bytes 8 to 15 hold something.
    Padding,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short(size) => write!(formatter, "short page: {size} of {PAGE_SIZE} bytes"),
            Self::AllZero => formatter.write_str("all zero: never written, or lost"),
            Self::WrongMagic(magic) => {
                write!(formatter, "wrong magic: {magic:#018x}, not {MAGIC:#018x}")
            }
            Self::Padding => formatter.write_str("bytes 8 to 15 are not zero"),
        }
    }
}

/// Accepts a whole page of this format.
pub(crate) fn check_page(raw: &[u8]) -> std::result::Result<&Page, Fault> {
    let page: &Page = raw.try_into().map_err(|_| Fault::Short(raw.len()))?;
    let mut first = [0; 8];
    first.copy_from_slice(&page[..8]);
    match u64::from_le_bytes(first) {
        MAGIC if page[8..HEADER_SIZE] == [0; 8] => Ok(page),
        MAGIC => Err(Fault::Padding),
        _ if page.iter().all(|byte| *byte == 0) => Err(Fault::AllZero),
        magic => Err(Fault::WrongMagic(magic)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_magic_zeros_payload_and_padding() {
        let page = build_page(b"first page").unwrap();
        assert_eq!(&page[..16], b"EGAP1ESD\0\0\0\0\0\0\0\0");
        assert_eq!(&page[16..26], b"first page");
        assert_eq!(page[26..], [0; 4070]);
        assert_eq!(check_page(&page), Ok(&page));
    }

    #[test]
    fn a_payload_fills_a_page_and_no_more() {
        assert_eq!(build_page(&[7; 4080]).unwrap()[16..], [7; 4080]);
        let error = build_page(&[7; 4081]).unwrap_err();
        assert_eq!(error.to_string(), "payload is over 4080 bytes");
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn the_last_page_ends_within_a_signed_64_bit_offset() {
        assert_eq!(LAST_PAGE_NO, 2_251_799_813_685_246);
        assert!(i64::try_from(offset_of(LAST_PAGE_NO) + PAGE_SIZE as u64).is_ok());
        assert!(i64::try_from(offset_of(LAST_PAGE_NO + 1) + PAGE_SIZE as u64).is_err());
        check_page_no(LAST_PAGE_NO).unwrap();
        let error = check_page_no(LAST_PAGE_NO + 1).unwrap_err();
        let said = "page number is over 2251799813685246: 2251799813685247";
        assert_eq!(error.to_string(), said);
        check_page_count(PAGES_MAX).unwrap();
        let error = check_page_count(PAGES_MAX + 1).unwrap_err();
        let said = "page count is over 2251799813685247: 2251799813685248";
        assert_eq!(error.to_string(), said);
    }

    #[test]
    fn each_fault_has_its_words() {
        let good = build_page(b"x").unwrap();
        let mut foreign = good;
        foreign[0] = 0;
        let mut padded = good;
        padded[15] = 1;
        for (raw, words) in [
            (&good[..100], "short page: 100 of 4096 bytes"),
            (&[0; PAGE_SIZE], "all zero: never written, or lost"),
            (
                &foreign,
                "wrong magic: 0x4453453150414700, not 0x4453453150414745",
            ),
            (&padded, "bytes 8 to 15 are not zero"),
        ] {
            assert_eq!(check_page(raw).unwrap_err().to_string(), words);
        }
    }

    #[test]
    fn a_magic_of_few_digits_is_shown_in_full() {
        let words = Fault::WrongMagic(0x1f).to_string();
        assert!(words.starts_with("wrong magic: 0x000000000000001f,"));
    }
}
