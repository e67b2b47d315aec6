//! Reading, writing and filling through the library: what lands in the file, and what is refused.

#![warn(clippy::pedantic)]

mod scratch;

use std::error::Error as _;
#[cfg(target_os = "linux")]
use std::ffi::OsStr;
use std::fs;
#[cfg(target_os = "linux")]
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;

use pagealloc::{fill_pages, read_page, sync_directory, write_page};
use pagealloc::{Kind, LAST_PAGE_NO, PAGE_SIZE, PAYLOAD_MAX};
use scratch::Scratch;

fn page(payload: &[u8]) -> Vec<u8> {
    let mut page = b"EGAP1ESD\0\0\0\0\0\0\0\0".to_vec();
    page.extend_from_slice(payload);
    page.resize(PAGE_SIZE, 0);
    page
}

#[test]
fn what_was_written_is_read() {
    let folder = Scratch::new();
    let file = folder.file("pages");
    let full = [7; PAYLOAD_MAX];
    for (page_no, data) in [(3, &b"three"[..]), (0, b""), (1 << 20, &full)] {
        write_page(&file, page_no, data).unwrap();
        let payload = read_page(&file, page_no).unwrap();
        assert_eq!(payload[..data.len()], *data);
        assert!(payload[data.len()..].iter().all(|byte| *byte == 0));
    }
    assert_eq!(fs::metadata(&file).unwrap().len(), ((1 << 20) + 1) * 4096);
}

#[test]
fn a_page_is_overwritten_whole_and_its_neighbours_are_not() {
    let folder = Scratch::new();
    let file = folder.file("pages");
    fs::write(&file, page(&[b'x'; PAYLOAD_MAX]).repeat(3)).unwrap();
    write_page(&file, 1, b"short").unwrap();
    let [old, new] = [page(&[b'x'; PAYLOAD_MAX]), page(b"short")];
    assert_eq!(fs::read(&file).unwrap(), [&old[..], &new, &old].concat());
}

#[test]
#[cfg(target_os = "linux")] // macOS wants names in UTF-8
fn a_name_may_be_any_bytes() {
    let folder = Scratch::new();
    let file = folder.file(OsStr::from_bytes(b"\xff"));
    write_page(&file, 0, b"x").unwrap();
    let error = read_page(&file, 1).unwrap_err();
    let said = error.message().as_bytes();
    assert!(said.starts_with(file.as_os_str().as_bytes()));
}

#[test]
fn what_cannot_be_is_refused_before_the_file_is_made() {
    let folder = Scratch::new();
    let file = folder.file("pages");
    let too_long = [0; PAYLOAD_MAX + 1];
    for (page_no, data) in [
        (LAST_PAGE_NO + 1, &b""[..]),
        (u64::MAX, b""),
        (0, &too_long),
    ] {
        let error = write_page(&file, page_no, data).unwrap_err();
        assert_eq!(error.kind(), Kind::Argument);
    }
    assert_eq!(
        read_page(&file, LAST_PAGE_NO + 1).unwrap_err().kind(),
        Kind::Argument
    );
    assert!(!file.exists());
}

#[test]
fn a_page_that_is_none_says_where_it_lies() {
    let folder = Scratch::new();
    let file = folder.file("pages");
    fs::write(
        &file,
        [&page(b"one")[..], &[0; 4096], &page(b"torn")[..100]].concat(),
    )
    .unwrap();
    for (page_no, said) in [
        (1, "page 1 at offset 4096: all zero: never written, or lost"),
        (2, "page 2 at offset 8192: short page: 100 of 4096 bytes"),
        (3, "page 3 at offset 12288: beyond the end of the file"),
        (
            LAST_PAGE_NO,
            "page 2251799813685246 at offset 9223372036854767616: \
                        beyond the end of the file",
        ),
    ] {
        let error = read_page(&file, page_no).unwrap_err();
        assert_eq!(error.kind(), Kind::Content);
        assert_eq!(error.to_string(), format!("{}: {said}", file.display()));
    }
}

#[test]
fn the_systems_own_error_is_the_source() {
    let error = write_page("/no/such/file", 0, b"").unwrap_err();
    assert_eq!(error.kind(), Kind::SystemCall);
    let cause = error.source().unwrap().downcast_ref::<std::io::Error>();
    assert_eq!(cause.unwrap().kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn a_name_with_a_nul_is_refused() {
    let error = write_page("a\0b", 0, b"").unwrap_err();
    assert_eq!(error.kind(), Kind::SystemCall);
}

#[test]
fn a_new_file_has_mode_0644_less_the_umask() {
    let folder = Scratch::new();
    let file = folder.file("pages");
    write_page(&file, 0, b"").unwrap();
    let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode | 0o044, 0o644); // whatever the umask takes of it
}

#[test]
fn the_directory_of_a_file_can_be_synced() {
    let folder = Scratch::new();
    let file = folder.file("pages");
    write_page(&file, 0, b"").unwrap();
    sync_directory(&file).unwrap();
    sync_directory("Cargo.toml").unwrap(); // in the working directory
    sync_directory("/file").unwrap();
}

#[test]
fn threads_write_what_one_alone_would_write() {
    let folder = Scratch::new();
    let [one, many] = [folder.file("one"), folder.file("many")];
    fill_pages(&one, 40, 1, u64::MAX).unwrap();
    fill_pages(&many, 40, 8, u64::MAX).unwrap();
    let bytes = fs::read(&one).unwrap();
    assert_eq!(bytes.len(), 40 * PAGE_SIZE);
    assert!(bytes == fs::read(&many).unwrap());
    fill_pages(&one, 40, 8, 0).unwrap();
    assert!(bytes != fs::read(&one).unwrap());
}

#[test]
fn what_lies_behind_the_filled_pages_stays() {
    let folder = Scratch::new();
    let file = folder.file("pages");
    fs::write(&file, [7; 3 * PAGE_SIZE + 5]).unwrap();
    fill_pages(&file, 2, 2, 0).unwrap();
    let bytes = fs::read(&file).unwrap();
    assert!(read_page(&file, 0).is_ok() && read_page(&file, 1).is_ok());
    assert_eq!(bytes[2 * PAGE_SIZE..], [7; PAGE_SIZE + 5]);
}

#[test]
fn no_pages_are_a_file_all_the_same() {
    let folder = Scratch::new();
    let file = folder.file("pages");
    fill_pages(&file, 0, 64, 0).unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"");
}
