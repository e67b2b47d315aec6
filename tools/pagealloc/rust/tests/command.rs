//! The command as a process: exit codes, streams, signals and limits.

#![warn(clippy::pedantic)]

mod scratch;

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use scratch::Scratch;

const PROGRAM: &str = env!("CARGO_BIN_EXE_pagealloc");
const WRITE: &str = "write takes FILE PAGE_NO TEXT (see pagealloc --help)";
const FILL: &str = "fill takes FILE PAGES [--threads N] [--seed S] (see pagealloc --help)";

fn run(words: &[&str], file: &Path) -> Output {
    pagealloc(words, file).output().unwrap()
}

/// The command with `words`, in which `FILE` stands for `file`.
fn pagealloc(words: &[&str], file: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(filled(words, file)).stdin(Stdio::null());
    command
}

/// The same by way of a shell that first limits the size of files to so many blocks of 512 bytes.
fn limited(blocks: u32, words: &[&str], file: &Path) -> Output {
    Command::new("sh")
        .arg("-c")
        .arg(format!("ulimit -f {blocks}; exec \"$0\" \"$@\""))
        .arg(PROGRAM)
        .args(filled(words, file))
        .output()
        .unwrap()
}

fn filled<'a>(words: &[&'a str], file: &'a Path) -> Vec<&'a OsStr> {
    let word = |word: &&'a str| match *word {
        "FILE" => file.as_os_str(),
        other => OsStr::new(other),
    };
    words.iter().map(word).collect()
}

/// Asserts exit code and message of `done`; the message names `file` first.
fn assert_failed(done: &Output, code: i32, file: &Path, message: &str) {
    let said = format!("pagealloc: {}: {message}\n", file.display());
    assert_eq!(String::from_utf8_lossy(&done.stderr), said);
    assert_eq!(done.status.code(), Some(code));
    assert_eq!(done.stdout, b"");
}

#[test]
fn a_page_is_written_and_read() {
    let folder = Scratch::new();
    let file = folder.file("pages");
    for words in [
        &["write", "FILE", "1", "--text\n"][..],
        &["write", "--sync-dir", "FILE", "1", "--text\n"],
    ] {
        let done = run(words, &file);
        assert!(done.status.success());
        assert_eq!((&done.stdout[..], &done.stderr[..]), (&b""[..], &b""[..]));
        assert_eq!(run(&["read", "FILE", "1"], &file).stdout, b"--text\n");
    }
}

#[test]
fn a_payload_of_zeros_reads_as_nothing() {
    let folder = Scratch::new();
    let file = folder.file("pages");
    assert!(run(&["write", "FILE", "0", ""], &file).status.success());
    let done = run(&["read", "FILE", "0"], &file);
    assert_eq!((done.status.code(), done.stdout), (Some(0), Vec::new()));
}

#[test]
fn a_dash_is_standard_input() {
    let folder = Scratch::new();
    let file = folder.file("pages");
    let mut child = pagealloc(&["write", "FILE", "0", "-"], &file)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"a\0b").unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(run(&["read", "FILE", "0"], &file).stdout, b"a\0b");
}

#[test]
fn an_endless_standard_input_is_refused() {
    let folder = Scratch::new();
    let file = folder.file("pages");
    let done = pagealloc(&["write", "FILE", "0", "-"], &file)
        .stdin(File::open("/dev/zero").unwrap())
        .output()
        .unwrap();
    assert_eq!(done.stderr, b"pagealloc: payload is over 4080 bytes\n");
    assert_eq!(done.status.code(), Some(2));
    assert!(!file.exists());
}

#[test]
fn misuse_says_what_the_command_takes() {
    let folder = Scratch::new();
    let file = folder.file("pages");
    for (words, said) in [
        (&[][..], "no command given (see pagealloc --help)"),
        (&["frob"], "unknown command: frob (see pagealloc --help)"),
        (&["write", "FILE", "0"], WRITE),
        (&["write", "--sync-dir", "FILE", "0"], WRITE),
        (&["write", "FILE", "--sync-dir", "0", "x"], WRITE),
        (
            &["read", "FILE"],
            "read takes FILE PAGE_NO (see pagealloc --help)",
        ),
        (
            &["hexdump"],
            "hexdump takes FILE [PAGE_NO] (see pagealloc --help)",
        ),
        (&["verify"], "verify takes FILE (see pagealloc --help)"),
        (&["fill", "FILE"], FILL),
        (&["fill", "FILE", "1", "--seed"], FILL),
        (&["fill", "FILE", "1", "--seed", "1", "--seed", "1"], FILL),
        (&["fill", "FILE", "1", "--speed", "1"], FILL),
        (
            &["fill", "FILE", "1", "--threads", "0"],
            "threads must be 1 to 64: 0",
        ),
    ] {
        let done = run(words, &file);
        assert_eq!(
            String::from_utf8_lossy(&done.stderr),
            format!("pagealloc: {said}\n")
        );
        assert_eq!((done.status.code(), file.exists()), (Some(2), false));
    }
}

#[test]
fn verify_names_each_bad_page_and_counts() {
    let folder = Scratch::new();
    let file = folder.file("pages");
    assert!(run(&["fill", "FILE", "2", "--threads", "2"], &file)
        .status
        .success());
    let said = format!("{}: good pages: 2\n", file.display());
    assert_eq!(run(&["verify", "FILE"], &file).stdout, said.as_bytes());
    OpenOptions::new()
        .append(true)
        .open(&file)
        .and_then(|mut file| file.write_all(b"tail"))
        .unwrap();
    let done = run(&["verify", "FILE"], &file);
    let name = file.display();
    let said = format!(
        "pagealloc: {name}: page 2 at offset 8192: short page: 4 of 4096 bytes\n\
         pagealloc: {name}: bad pages: 1 of 3\n"
    );
    assert_eq!(String::from_utf8_lossy(&done.stderr), said);
    assert_eq!(done.status.code(), Some(1));
}

#[test]
fn hexdump_shows_the_file_or_a_page_of_it() {
    let folder = Scratch::new();
    let file = folder.file("pages");
    fs::write(&file, [b'x'; 4100]).unwrap();
    let whole = run(&["hexdump", "FILE"], &file).stdout;
    let last = b"00001000: 7878 7878                                xxxx\n";
    assert!(whole.ends_with(last));
    assert_eq!(whole.len(), 256 * 68 + last.len());
    assert_eq!(run(&["hexdump", "FILE", "1"], &file).stdout, last);
}

#[test]
fn a_short_write_is_reported_and_undone() {
    for old in [0, 4096, 3 * 4096] {
        let folder = Scratch::new();
        let file = folder.file("pages");
        fs::write(&file, vec![b'o'; old]).unwrap();
        let done = limited(20, &["write", "FILE", "2", "text"], &file);
        let said = "page 2 at offset 8192: pwrite: short write: 2048 of 4096 bytes";
        assert_failed(&done, 3, &file, said);
        assert_eq!(fs::metadata(&file).unwrap().len(), old as u64);
    }
}

#[test]
fn a_short_write_ends_a_filling_where_it_is() {
    let folder = Scratch::new();
    let file = folder.file("pages");
    let done = limited(20, &["fill", "FILE", "9"], &file);
    let said = "page 2 at offset 8192: pwrite: short write: 2048 of 4096 bytes";
    assert_failed(&done, 3, &file, said);
    assert_eq!(fs::metadata(&file).unwrap().len(), 8192);
}

#[test]
fn sigxfsz_does_not_end_the_command() {
    let folder = Scratch::new();
    let file = folder.file("pages");
    let done = limited(16, &["write", "FILE", "2", "text"], &file);
    assert_failed(
        &done,
        3,
        &file,
        "page 2 at offset 8192: pwrite: file too large",
    );
}

#[test]
fn a_closed_pipe_ends_the_command_as_sigpipe_does() {
    let folder = Scratch::new();
    let file = folder.file("pages");
    fs::write(&file, vec![0; 1 << 20]).unwrap(); // more than a pipe holds
    let mut child = pagealloc(&["hexdump", "FILE"], &file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let done = child.wait_with_output().unwrap();
    assert_eq!((done.status.signal(), done.stderr), (Some(13), Vec::new()));
}

#[test]
#[cfg(target_os = "linux")]
fn output_that_cannot_be_written_is_an_error() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let done = Command::new(PROGRAM)
        .arg("--help")
        .stdout(full)
        .output()
        .unwrap();
    let said = b"pagealloc: standard output: no space left on device\n";
    assert_eq!((done.status.code(), &done.stderr[..]), (Some(3), &said[..]));
}

#[test]
fn help_goes_to_standard_output() {
    for word in ["--help", "-h"] {
        let done = Command::new(PROGRAM).arg(word).output().unwrap();
        assert!(done.stdout.starts_with(b"usage: pagealloc write "));
        assert_eq!((done.status.code(), done.stderr), (Some(0), Vec::new()));
    }
}
