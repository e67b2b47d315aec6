//! Times `write_page`: `pageloop FILE PAGES BUDGET_MS`, as `tools/bench/page_loop.c` says.

use std::env;
use std::error::Error;
use std::time::{Duration, Instant};

use pagealloc::write_page;

const FILE_PAGES: u64 = 256;
const DATA: &[u8] = b"a page of the benchmark";

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = env::args().collect();
    let [_, path, pages, budget] = words.as_slice() else {
        return Err("usage: pageloop FILE PAGES BUDGET_MS".into());
    };
    let (pages, budget): (u64, u64) = (pages.parse()?, budget.parse()?);
    for page_no in 0..FILE_PAGES {
        write_page(path, page_no, DATA)?;
    }
    let budget = Duration::from_millis(budget);
    let begin = Instant::now();
    let mut spent = Vec::new();
    for count in 0..pages {
        let start = Instant::now();
        write_page(path, count % FILE_PAGES, DATA)?;
        spent.push(start.elapsed().as_nanos().to_string());
        if begin.elapsed() >= budget {
            break;
        }
    }
    println!("write_page {}", spent.join(" "));
    Ok(())
}
