//! Bytes as xxd prints them: offset, eight groups of two bytes, text.

use std::fmt::{self, Write};

/// Bytes of a whole row below 4 GiB.
const ROW_SIZE: usize = 68;

/// Returns the lines of `data`, which lies at `offset` (a multiple of 16) of its file.
pub(crate) fn hexdump(data: &[u8], offset: u64) -> String {
    let mut lines = String::with_capacity(data.len() / 16 * ROW_SIZE);
    for (row, at) in data.chunks(16).zip((offset..).step_by(16)) {
        push_row(&mut lines, row, at).expect("a String takes everything");
    }
    lines
}

fn push_row(lines: &mut String, row: &[u8], at: u64) -> fmt::Result {
    write!(lines, "{at:08x}:")?;
    // Pairs are counted from the left, so that an odd last byte stands alone.
    for group in 0..8 {
        let pair = row.chunks(2).nth(group).unwrap_or_default();
        lines.push(' ');
        for byte in pair {
            write!(lines, "{byte:02x}")?;
        }
        lines.push_str(&"    "[2 * pair.len()..]);
    }
    lines.push_str("  ");
    lines.extend(row.iter().map(|byte| shown(*byte)));
    lines.push('\n');
    Ok(())
}

fn shown(byte: u8) -> char {
    match byte {
        b' '..=b'~' => char::from(byte),
        _ => '.',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_offset_groups_and_text() {
        assert_eq!(
            hexdump(b"EGAP1ESD\0\0\0\0\0\0\x7f\xff", 0x1000),
            "00001000: 4547 4150 3145 5344 0000 0000 0000 7fff  EGAP1ESD........\n"
        );
    }

    #[test]
    fn a_short_row_keeps_its_columns() {
        assert_eq!(
            hexdump(b"0123456789abcdef ~!", 0),
            "00000000: 3031 3233 3435 3637 3839 6162 6364 6566  0123456789abcdef\n\
             00000010: 207e 21                                   ~!\n"
        );
    }

    #[test]
    fn no_bytes_are_no_lines() {
        assert_eq!(hexdump(b"", 0), "");
    }

    #[test]
    fn an_offset_over_eight_digits_is_wider() {
        assert!(hexdump(b"x", 0x12_3456_7890).starts_with("1234567890: 78 "));
    }
}
