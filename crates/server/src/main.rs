//! The binary `tracery`: the command line, and one file for each thing it can do. `serve` is the one place that names
//! every other crate.
//!
//! **Invariant:** only this crate reads the environment and configuration files; everything else is passed in.

mod cli;
mod config;
mod guard;
mod keys;
mod listen;
mod metrics;
mod parts;
mod query;
mod serve;
mod state;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::cli::{Cli, Command};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The command line was understood and its work failed.
const EXIT_FAILED: u8 = 1;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let Some(command) = cli.command else {
        print!("{}", cli::INTRODUCTION);
        return ExitCode::SUCCESS;
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("tracery: cannot start its threads: {error}");
            return ExitCode::from(EXIT_FAILED);
        }
    };
    let result = runtime.block_on(async {
        match command {
            Command::Serve(arguments) => serve::run(arguments).await,
            Command::Demo(arguments) => serve::demo(arguments).await,
            Command::Query(arguments) => query::run(arguments).await,
            Command::Keys(arguments) => keys::run(arguments).await,
            Command::Parts(arguments) => parts::list(arguments).await,
            Command::Verify(arguments) => parts::verify(arguments).await,
            Command::Completions { shell } => {
                clap_complete::generate(shell, &mut Cli::command(), "tracery", &mut std::io::stdout());
                Ok(ExitCode::SUCCESS)
            }
        }
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    result.unwrap_or_else(|error| {
        eprintln!("tracery: {error:#}");
        ExitCode::from(EXIT_FAILED)
    })
}
