//! The command: arguments in, one clear line and an exit code out.
//!
//! Written by hand, since the same command exists in other languages: arguments count by position
//! alone, so TEXT may begin with a dash, and messages are the same everywhere.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use crate::arguments::{page_count, page_number, seed, thread_count};
use crate::error::{with, Error, Result};
use crate::filling::fill_pages;
use crate::hexdump::hexdump;
use crate::page::{check_page, offset_of, PAYLOAD_MAX};
use crate::process::Stream;
use crate::store::{each_raw_page, misfit, read_page, read_raw, write_page};
use crate::sync::sync_directory;

const HELP: &str = "\
usage: pagealloc write [--sync-dir] FILE PAGE_NO TEXT   write TEXT into a page and sync it
       pagealloc write [--sync-dir] FILE PAGE_NO -      the same from standard input
       pagealloc read FILE PAGE_NO                      print a page's payload
       pagealloc hexdump FILE [PAGE_NO]                 print file or page as xxd does
       pagealloc verify FILE                            check every page
       pagealloc fill FILE PAGES [--threads N] [--seed S]   write pages 0 to PAGES-1
       pagealloc --help                                 print this

A page has 4096 bytes, of which 4080 are payload. --sync-dir also makes the file's
name durable. fill lets N threads (1) write pages made from seed S (0).

exit codes: 0 done
            1 the file does not hold what it should
            2 wrong arguments; nothing was touched
            3 the system refused; the file has its old size
            4 the sync failed; the page may not be on the disk
";

const HINT: &str = " (see pagealloc --help)";
const SYNC_DIR: &str = "--sync-dir";

/// Runs the command with `arguments`, the program's name not among them; returns the exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    match run(&arguments) {
        Ok(()) => 0,
        Err(error) => {
            complain(&error);
            error.exit_code()
        }
    }
}

fn run(arguments: &[OsString]) -> Result<()> {
    let (name, given) = match arguments.split_first() {
        None => return Err(Error::argument(format!("no command given{HINT}"))),
        Some(split) => split,
    };
    match name.to_str() {
        Some("--help" | "-h") => say(HELP.as_bytes()),
        Some("write") => write(given),
        Some("read") => read(given),
        Some("hexdump") => dump(given),
        Some("verify") => verify(given),
        Some("fill") => fill(given),
        _ => Err(Error::argument(with(with("unknown command: ", name), HINT))),
    }
}

fn write(given: &[OsString]) -> Result<()> {
    let (sync_dir, given) = match given {
        [first, rest @ ..] if first == SYNC_DIR => (true, rest),
        _ => (false, given),
    };
    let [file, number, text] = exactly(given, "write takes FILE PAGE_NO TEXT")?;
    let page_no = page_number(number)?;
    let data = if text == "-" {
        standard_input()?
    } else {
        text.clone().into_vec()
    };
    write_page(file, page_no, &data)?;
    if sync_dir {
        sync_directory(file)?;
    }
    Ok(())
}

fn read(given: &[OsString]) -> Result<()> {
    let [file, number] = exactly(given, "read takes FILE PAGE_NO")?;
    let payload = read_page(file, page_number(number)?)?;
    let end = payload.iter().rposition(|byte| *byte != 0);
    say(&payload[..end.map_or(0, |last| last + 1)])
}

fn dump(given: &[OsString]) -> Result<()> {
    let show = |page_no, raw: &[u8]| say(hexdump(raw, offset_of(page_no)).as_bytes());
    match given {
        [file] => each_raw_page(Path::new(file), show),
        [file, number] => {
            let page_no = page_number(number)?;
            show(page_no, &read_raw(Path::new(file), page_no)?)
        }
        _ => Err(misused("hexdump takes FILE [PAGE_NO]")),
    }
}

fn verify(given: &[OsString]) -> Result<()> {
    let [file] = exactly(given, "verify takes FILE")?;
    let (mut pages, mut bad) = (0_u64, 0_u64);
    each_raw_page(Path::new(file), |page_no, raw| {
        pages += 1;
        if let Err(fault) = check_page(raw) {
            bad += 1;
            complain(&misfit(Path::new(file), page_no, &fault));
        }
        Ok(())
    })?;
    if bad > 0 {
        let said = format!(": bad pages: {bad} of {pages}");
        return Err(Error::content(with(file, &said)));
    }
    say(with(file, format!(": good pages: {pages}\n")).as_bytes())
}

fn fill(given: &[OsString]) -> Result<()> {
    const WANTED: &str = "fill takes FILE PAGES [--threads N] [--seed S]";
    let (file, count, options) = match given {
        [file, count, options @ ..] => (file, count, options),
        _ => return Err(misused(WANTED)),
    };
    let (mut threads, mut from) = (None, None);
    for option in options.chunks(2) {
        let slot = match option {
            [name, _] if name == "--threads" => &mut threads,
            [name, _] if name == "--seed" => &mut from,
            _ => return Err(misused(WANTED)),
        };
        if slot.replace(&option[1]).is_some() {
            return Err(misused(WANTED));
        }
    }
    let pages = page_count(count)?;
    let threads = threads.map_or(Ok(1), |word| thread_count(word))?;
    let seed = from.map_or(Ok(0), |word| seed(word))?;
    fill_pages(file, pages, threads, seed)
}

fn exactly<'a, const N: usize>(given: &'a [OsString], usage: &str) -> Result<&'a [OsString; N]> {
    given.try_into().map_err(|_| misused(usage))
}

fn misused(usage: &str) -> Error {
    Error::argument(format!("{usage}{HINT}"))
}

/// Returns standard input up to its end, or one byte more than a page can hold.
fn standard_input() -> Result<Vec<u8>> {
    let mut data = Vec::with_capacity(PAYLOAD_MAX + 1);
    Stream::input()
        .file()
        .take(PAYLOAD_MAX as u64 + 1)
        .read_to_end(&mut data)
        .map_err(|cause| Error::system_call("standard input", cause))?;
    Ok(data)
}

fn say(data: &[u8]) -> Result<()> {
    Stream::output()
        .file()
        .write_all(data)
        .map_err(|cause| Error::system_call("standard output", cause))
}

fn complain(error: &Error) {
    let mut line = b"pagealloc: ".to_vec();
    line.extend_from_slice(error.message().as_bytes());
    line.push(b'\n');
    let _ = io::stderr().write_all(&line); // nobody is left to be told
}
