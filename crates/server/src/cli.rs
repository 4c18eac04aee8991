//! The command line: every command, and what its exit code means.

use clap::{Parser, Subcommand};

use crate::commands::{completions, demo, keys, parts, query, users, verify};
use crate::config::ServeArgs;

/// Something failed that the caller could not have known.
pub(crate) const EXIT_FAILED: u8 = 1;
/// The command line or the configuration is wrong.
pub(crate) const EXIT_USAGE: u8 = 2;
/// The question is wrong.
pub(crate) const EXIT_QUERY: u8 = 3;
/// The server, the catalog or the object store does not answer.
pub(crate) const EXIT_UNREACHABLE: u8 = 4;
/// `verify` found damage.
pub(crate) const EXIT_DAMAGED: u8 = 5;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed
  2  the command line or the configuration is wrong
  3  the question is wrong (query)
  4  the server, the catalog or the object store does not answer
  5  damage was found (verify)";

/// What `tracery` alone says.
pub(crate) const INTRODUCTION: &str = "\
Tracery takes telemetry as OTLP, Honeycomb and X-Ray clients send it, keeps it, and answers questions about it.

  tracery demo                        a server with a directory of its own, and what to send to it
  tracery serve --data-dir DIR        the server: web page and HTTP on 8080, OTLP on 4317 (gRPC) and 4318 (HTTP),
                                      the X-Ray daemon's ports on 2000
  tracery query 'SELECT count(*) FROM spans'
                                      ask a running server, or a directory with --data-dir
  tracery keys create --data-dir DIR --environment NAME --kind ingest
                                      a key for clients

`tracery help` lists every command, `tracery help serve` every setting.";

#[derive(Debug, Parser)]
#[command(name = "tracery", version, about = "One self-hosted server for traces, logs, metrics and events.", after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server.
    Serve(Box<ServeArgs>),
    /// Run a server to try things with, and say what to send to it.
    Demo(demo::DemoArgs),
    /// Ask: SQL, or a Honeycomb query specification as JSON.
    Query(query::QueryArgs),
    /// Make, list and revoke keys; also while the server runs.
    Keys(keys::KeysArgs),
    /// Make people who may log in.
    Users(users::UsersArgs),
    /// Show what lies in the store.
    Parts(parts::PartsArgs),
    /// Check that every listed part is readable and every index agrees.
    Verify(verify::VerifyArgs),
    /// Print completions for a shell.
    Completions(completions::CompletionsArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
