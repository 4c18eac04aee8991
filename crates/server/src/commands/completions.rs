//! `tracery completions`: a script for the shell, on standard output.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Failure, say};
use crate::cli::Cli;

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell that will read the script.
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "tracery", &mut script);
    say(&String::from_utf8_lossy(&script))
}
