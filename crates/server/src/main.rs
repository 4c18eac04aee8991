//! The binary `tracery`: reads the command line, the environment and files (nothing else in the workspace does), and
//! runs one command. Its exit code says how that went.

mod allocator;
mod cli;
mod commands;
mod config;
mod machine_memory;
mod secret_key;
mod serve;
mod sqlite_url;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, everything else is a mistake on the command line.
            let code = if error.use_stderr() { cli::EXIT_USAGE } else { 0 };
            drop(error.print());
            return ExitCode::from(code);
        }
    };
    let Some(command) = cli.command else {
        drop(commands::say(&format!("{}\n", cli::INTRODUCTION)));
        return ExitCode::SUCCESS;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(tracery_query::STACK_BYTES)
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("cannot start the runtime: {error}"));
            return ExitCode::from(cli::EXIT_FAILED);
        }
    };
    let result = runtime.block_on(Box::pin(commands::run(command)));
    // What is still running was told to stop and had its time.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&format!("{:#}", failure.error));
            ExitCode::from(failure.code)
        }
    }
}

/// Whoever closed standard error does not want to hear it.
fn complain(message: &str) {
    use std::io::Write as _;
    drop(writeln!(std::io::stderr(), "tracery: {message}"));
}
