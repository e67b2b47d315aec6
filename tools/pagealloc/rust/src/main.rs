//! The command as a process.

use std::env;
use std::process::ExitCode;

use pagealloc::{cli, process};

fn main() -> ExitCode {
    process::settle_signals();
    ExitCode::from(cli::main(env::args_os().skip(1)))
}
