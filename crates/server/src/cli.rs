//! The command line. Each flag of `serve` is also a `TRACERY_…` variable and a key of the configuration file; the flag
//! wins over the variable, and both over the file.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Deserialize;
use tracery_stdx::ByteSize;

/// What `tracery` alone prints.
pub(crate) const INTRODUCTION: &str = "\
Tracery keeps what your system tells about itself and answers questions about it.
Applications keep the SDKs they have (OpenTelemetry, Honeycomb) and change only the endpoint.

  tracery demo                         serve from a folder here and say what to send
  tracery serve --data-dir DIR         serve; http://127.0.0.1:8080 is the page
  tracery query --data-dir DIR SQL     ask without a server
  tracery keys create …                make a key for an application
  tracery help                         everything else
";

#[derive(Debug, Parser)]
#[command(
    name = "tracery",
    version,
    about = "Traces, logs, errors and metrics in one store, behind the doors that SDKs already know",
    after_help = "Exit codes: 0 done; 1 failed, the reason is on standard error; 2 the command line was wrong; \
                  3 verify found problems."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one of them in a process")]
pub(crate) enum Command {
    /// Take telemetry in and answer questions until told to stop
    Serve(ServeArguments),
    /// Serve from a folder of its own, and say what to send and where to look
    Demo(ServeArguments),
    /// Ask a question: SQL, or a Honeycomb query specification (JSON)
    Query(QueryArguments),
    /// Make, list and revoke keys
    Keys(KeysArguments),
    /// List what lies in the store
    Parts(PartsArguments),
    /// Check that every listed part can be read and every index agrees
    Verify(PartsArguments),
    /// Print completions for a shell
    Completions { shell: clap_complete::Shell },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Auth {
    /// Any credential or none; loopback addresses only
    Open,
    /// Keys are verified
    Required,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// Flags of `serve`; the keys of the configuration file are the same words with `_`.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServeArguments {
    /// Where catalog, settings and parts lie
    #[arg(long, env = "TRACERY_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The main port: web page, API, Honeycomb, OTLP [default: 127.0.0.1:8080]
    #[arg(long, env = "TRACERY_HTTP", value_name = "ADDR")]
    pub(crate) http: Option<SocketAddr>,
    /// OTLP/gRPC [default: 127.0.0.1:4317]
    #[arg(long, env = "TRACERY_OTLP_GRPC", value_name = "ADDR")]
    pub(crate) otlp_grpc: Option<SocketAddr>,
    /// OTLP/HTTP [default: 127.0.0.1:4318]
    #[arg(long, env = "TRACERY_OTLP_HTTP", value_name = "ADDR")]
    pub(crate) otlp_http: Option<SocketAddr>,
    /// The X-Ray daemon's port; refused until that door is built
    #[arg(long, env = "TRACERY_XRAY", value_name = "ADDR")]
    pub(crate) xray: Option<SocketAddr>,
    /// Whether credentials are verified [default: open]
    #[arg(long, env = "TRACERY_AUTH", value_enum)]
    pub(crate) auth: Option<Auth>,
    /// Catalog and settings: sqlite://… or postgres://… [default: SQLite in the data directory]
    #[arg(long, env = "TRACERY_CATALOG", value_name = "URL")]
    pub(crate) catalog: Option<String>,
    /// Object store: file:///… or s3://bucket/prefix [default: the data directory]
    ///
    /// S3 takes its credentials and endpoint from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION,
    /// AWS_ENDPOINT_URL and AWS_ALLOW_HTTP.
    #[arg(long, env = "TRACERY_STORE", value_name = "URL")]
    pub(crate) store: Option<String>,
    /// Written when traffic can be taken: one JSON object with the bound addresses
    #[arg(long, env = "TRACERY_READY_FILE", value_name = "PATH")]
    pub(crate) ready_file: Option<PathBuf>,
    /// A TOML file with any of these flags
    #[arg(long, env = "TRACERY_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub(crate) config: Option<PathBuf>,
    /// Memory budget, such as 2GiB [default: a quarter of the machine]
    #[arg(long, env = "TRACERY_MEMORY", value_name = "SIZE")]
    #[serde(deserialize_with = "crate::config::size")]
    pub(crate) memory: Option<ByteSize>,
    /// Days that telemetry is kept [default: 60]
    #[arg(long, env = "TRACERY_RETENTION_DAYS", value_name = "DAYS")]
    pub(crate) retention_days: Option<u32>,
    /// The form of the log on standard error [default: text]
    #[arg(long, env = "TRACERY_LOG_FORMAT", value_enum)]
    pub(crate) log_format: Option<LogFormat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    Table,
    Json,
    Csv,
}

/// Where a command that needs no server finds the store.
#[derive(Debug, Clone, Args)]
pub(crate) struct PlaceArguments {
    /// The data directory of the server
    #[arg(long, env = "TRACERY_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: PathBuf,
    /// As for serve
    #[arg(long, env = "TRACERY_CATALOG", value_name = "URL")]
    pub(crate) catalog: Option<String>,
    /// As for serve
    #[arg(long, env = "TRACERY_STORE", value_name = "URL")]
    pub(crate) store: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct QueryArguments {
    /// SQL over spans, logs, errors, metrics and events; or a query specification, which begins with {
    pub(crate) question: String,
    #[command(flatten)]
    pub(crate) place: PlaceArguments,
    #[arg(long, default_value = "default", value_name = "NAME")]
    pub(crate) environment: String,
    /// For a specification: one dataset [default: all]
    #[arg(long, value_name = "NAME")]
    pub(crate) dataset: Option<String>,
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct KeysArguments {
    #[command(subcommand)]
    pub(crate) command: KeysCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key, also while the server runs, and print it as JSON; it is shown this once
    Create {
        #[command(flatten)]
        place: PlaceArguments,
        /// Made if it is new
        #[arg(long, value_name = "NAME")]
        environment: String,
        /// ingest, configuration or management
        #[arg(long)]
        kind: String,
        /// What the key may do [default: all that its kind can]
        #[arg(long, value_delimiter = ',', value_name = "A,B")]
        scopes: Vec<String>,
        /// A name to recognise it by
        #[arg(long, default_value = "")]
        name: String,
    },
    /// List keys, without their secrets
    List {
        #[command(flatten)]
        place: PlaceArguments,
    },
    /// Make a key useless
    Revoke {
        #[command(flatten)]
        place: PlaceArguments,
        /// As `list` shows it
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct PartsArguments {
    #[command(flatten)]
    pub(crate) place: PlaceArguments,
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
}
