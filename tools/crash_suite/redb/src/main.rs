//! Commits keys to a redb database and says of each that it is durable: redb write FILE FIRST COUNT.
//! With check instead: opens FILE as after a restart, and fails unless it is whole and has the keys.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use redb::{Database, ReadableTable, TableDefinition, TableError};

const ROWS: TableDefinition<&str, &[u8]> = TableDefinition::new("rows");

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["write", file, first, count] => write(file, first, count),
        ["check", file, keys @ ..] => check(file, keys),
        _ => Err("usage: redb write FILE FIRST COUNT, redb check FILE [KEY...]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Commits COUNT rows from FIRST on, each in a transaction of its own.
fn write(file: &str, first: &str, count: &str) -> Result<(), Box<dyn Error>> {
    let (first, count): (u32, u32) = (first.parse()?, count.parse()?);
    let database = Database::create(file)?;
    for number in first..first + count {
        let key = format!("row{number:04}");
        let transaction = database.begin_write()?;
        transaction
            .open_table(ROWS)?
            .insert(key.as_str(), [7u8; 700].as_slice())?;
        transaction.commit()?;
        // Refused with EEXIST: it is a word to tracefs.
        let _ = std::fs::create_dir(format!(".ack:{key}"));
    }
    Ok(())
}

/// Opens the database, checks all pages, and looks for the keys.
fn check(file: &str, keys: &[&str]) -> Result<(), Box<dyn Error>> {
    if keys.is_empty() && !Path::new(file).exists() {
        return Ok(());
    }
    let mut database = Database::open(file)?;
    if !database.check_integrity()? {
        // It had been ended without close, and is repaired: as after any crash.
    }
    let transaction = database.begin_read()?;
    let table = match transaction.open_table(ROWS) {
        Err(TableError::TableDoesNotExist(_)) if keys.is_empty() => return Ok(()),
        table => table?,
    };
    for key in keys {
        if table.get(*key)?.is_none() {
            return Err(format!("acknowledged key lost: {key}").into());
        }
    }
    for row in table.iter()? {
        row?;
    }
    Ok(())
}
