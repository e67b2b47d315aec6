//! Writes three pages to a.db, and syncs each.
//!
//! The only argument is how it deals with calls that fail: right, or one of the mistakes below.

use std::fs::OpenOptions;
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{FileExt, OpenOptionsExt};

const PAGE: u64 = 4096;
const O_DSYNC: i32 = 0o10000;

fn work(way: &str) -> Result<()> {
    let flags = if way.ends_with("dsync") { O_DSYNC } else { 0 };
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .custom_flags(flags)
        .open("a.db")?;
    for number in 0..3 {
        let page = [b'p'; PAGE as usize];
        let written = match way {
            // One call, and what it leaves out is left out.
            "count-ignored" => file.write_at(&page, number * PAGE).map(|_| ()),
            "interrupted" => match file.write_at(&page, number * PAGE) {
                Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
                other => other.map(|_| ()),
            },
            _ => file.write_all_at(&page, number * PAGE),
        };
        match written {
            Err(_) if way == "unwatched-dsync" => (),
            other => other?,
        }
        if flags == 0 {
            file.sync_data()?;
        }
    }
    Ok(())
}

fn main() -> Result<()> {
    let way = std::env::args().nth(1).ok_or_else(|| Error::other("which way?"))?;
    work(&way)
}
