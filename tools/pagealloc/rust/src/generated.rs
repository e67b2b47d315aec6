//! The pages that `fill` writes: made from a seed and the page number alone.
//!
//! The payload of page p is 510 numbers of 64 bits, little-endian, out of the generator splitmix64
//! (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014), whose state
//! begins at seed + p times its increment.

use crate::page::{Page, HEADER_SIZE, MAGIC, PAGE_SIZE};

const INCREMENT: u64 = 0x9E37_79B9_7F4A_7C15;

/// Returns the whole page `page_no` that `seed` makes.
pub(crate) fn generated_page(seed: u64, page_no: u64) -> Page {
    let mut page = [0; PAGE_SIZE];
    page[..8].copy_from_slice(&MAGIC.to_le_bytes());
    let mut state = seed.wrapping_add(page_no.wrapping_mul(INCREMENT));
    for number in page[HEADER_SIZE..].chunks_exact_mut(8) {
        state = state.wrapping_add(INCREMENT);
        number.copy_from_slice(&mixed(state).to_le_bytes());
    }
    page
}

/// Returns splitmix64's output for `state`.
fn mixed(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::check_page;

    fn numbers(page: &Page) -> Vec<u64> {
        page[HEADER_SIZE..]
            .chunks_exact(8)
            .map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap()))
            .collect()
    }

    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        // What the generator gives for this seed, as published with its C code.
        let first = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(numbers(&generated_page(1_234_567, 0))[..5], first);
    }

    #[test]
    fn a_page_begins_one_number_after_the_page_before() {
        let (page, next) = (generated_page(7, 3), generated_page(7, 4));
        assert_eq!(numbers(&page)[1..], numbers(&next)[..509]);
    }

    #[test]
    fn seed_and_page_number_wrap_around() {
        assert_eq!(
            generated_page(u64::MAX, 1),
            generated_page(INCREMENT - 1, 0)
        );
    }

    #[test]
    fn a_generated_page_is_a_page() {
        let page = generated_page(0, 0);
        assert_eq!(check_page(&page), Ok(&page));
    }
}
