//! What the faulty Rust programs share: their arguments, and a page as it should be.

use std::{env, process};

pub const PAGE_SIZE: usize = 4096;

/// Returns FILE and `PAGE_NO` (0 when not given) from the command line.
pub fn arguments() -> (String, u64) {
    let given: Vec<String> = env::args().collect();
    match &given[1..] {
        [file] => (file.clone(), 0),
        [file, number] => (file.clone(), number.parse().expect("a page number")),
        _ => {
            eprintln!("usage: {} FILE [PAGE_NO]", given[0]);
            process::exit(2);
        }
    }
}

/// Returns a whole page in the layout of `pagealloc`.
pub fn full_page(payload: &[u8]) -> [u8; PAGE_SIZE] {
    let mut page = [0; PAGE_SIZE];
    page[..8].copy_from_slice(b"EGAP1ESD");
    page[16..16 + payload.len()].copy_from_slice(payload);
    page
}
