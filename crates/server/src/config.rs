//! Settings of `tracery serve`: a flag wins over a `TRACERY_…` variable, that over a key of the configuration file,
//! that over the default. [`ServeArgs::resolve`] reads them once, at start, and refuses what cannot work.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use serde::Deserialize;
use tracery_stdx::ByteSize;

use crate::machine_memory;
use crate::sqlite_url::{self, Mode};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Auth {
    /// Loopback addresses only; any credential or none is taken.
    Open,
    /// Keys and logins are verified.
    Required,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// Every setting has the same name on the command line (`--data-dir`), in the environment (`TRACERY_DATA_DIR`) and
/// in the file (`data_dir`).
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServeArgs {
    /// Directory for everything that is kept.
    #[arg(long, env = "TRACERY_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Web page, own API, Honeycomb and OTLP [default: 127.0.0.1:8080]. Port 0 takes a free one.
    #[arg(long, env = "TRACERY_HTTP", value_name = "ADDR")]
    pub(crate) http: Option<SocketAddr>,
    /// OTLP over gRPC [default: 127.0.0.1:4317].
    #[arg(long, env = "TRACERY_OTLP_GRPC", value_name = "ADDR")]
    pub(crate) otlp_grpc: Option<SocketAddr>,
    /// OTLP over HTTP [default: 127.0.0.1:4318].
    #[arg(long, env = "TRACERY_OTLP_HTTP", value_name = "ADDR")]
    pub(crate) otlp_http: Option<SocketAddr>,
    /// The X-Ray daemon's port, UDP and TCP [default: 127.0.0.1:2000]. Clients do not sign there, so it must be a loopback
    /// address. Port 0 takes a free one for each of the two.
    #[arg(long, env = "TRACERY_XRAY", value_name = "ADDR")]
    pub(crate) xray: Option<SocketAddr>,
    /// Environment that unsigned X-Ray telemetry on the daemon's port belongs to; made if it is new [default: default].
    #[arg(long, env = "TRACERY_XRAY_ENVIRONMENT", value_name = "NAME")]
    pub(crate) xray_environment: Option<String>,
    /// Calls a second of CloudWatch Logs operations in an account and region, as `PutLogEvents=5000,CreateLogGroup=10`
    /// [default: as many as come].
    #[arg(long, env = "TRACERY_LOGS_RATES", value_name = "RATES")]
    pub(crate) logs_rates: Option<String>,
    /// Whether credentials are verified [default: open].
    #[arg(long, env = "TRACERY_AUTH", value_name = "MODE")]
    pub(crate) auth: Option<Auth>,
    /// SQL database for the list of parts and the settings: `postgres://…`, or `sqlite://…` [default: SQLite in the
    /// data directory].
    #[arg(long, env = "TRACERY_CATALOG", value_name = "URL", hide_env_values = true)]
    pub(crate) catalog: Option<String>,
    /// Object store for parts: `s3://bucket/prefix` (credentials from the usual `AWS_…` variables) or `file:///dir`
    /// [default: the data directory].
    #[arg(long, env = "TRACERY_STORE", value_name = "URL")]
    pub(crate) store: Option<String>,
    /// Key that secrets of access keys are encrypted with: 64 hexadecimal digits [default: the file secret.key in the data
    /// directory, made at the first start].
    #[arg(long, env = "TRACERY_SECRET_KEY", value_name = "HEX", hide_env_values = true)]
    pub(crate) secret_key: Option<String>,
    /// Written when traffic can be taken: one JSON object with the addresses that were bound.
    #[arg(long, env = "TRACERY_READY_FILE", value_name = "PATH")]
    pub(crate) ready_file: Option<PathBuf>,
    /// TOML file with any of these settings.
    #[arg(long, env = "TRACERY_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub(crate) config: Option<PathBuf>,
    /// Memory to stay within, such as 512MiB [default: a quarter of the machine, or of what its container may use].
    #[arg(long, env = "TRACERY_MEMORY", value_name = "SIZE")]
    pub(crate) memory: Option<String>,
    /// Drop data older than this many days [default: 60].
    #[arg(long, env = "TRACERY_RETENTION_DAYS", value_name = "N")]
    pub(crate) retention_days: Option<u32>,
    /// Keep what the server does itself (requests, decoding, commits, merges, questions) as spans of the environment
    /// `tracery`.
    #[arg(long, env = "TRACERY_SELF_TRACE", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) self_trace: Option<bool>,
    /// How logs are written to standard error [default: text].
    #[arg(long, env = "TRACERY_LOG_FORMAT", value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
    /// What is logged, as `info` or `info,tracery_store=debug` [default: info].
    #[arg(long, env = "TRACERY_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// Connections that are open at the same time; more wait to be accepted [default: 4096].
    #[arg(long, env = "TRACERY_CONNECTIONS", value_name = "N")]
    pub(crate) connections: Option<usize>,
    /// Seconds a client may take to send the body of a request [default: 60].
    #[arg(long, env = "TRACERY_BODY_SECONDS", value_name = "N")]
    pub(crate) body_seconds: Option<u32>,
    /// Let webhooks go to addresses that are not public: those of the server's own network, and of the server.
    #[arg(long, env = "TRACERY_PRIVATE_WEBHOOKS", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) private_webhooks: Option<bool>,
    /// Where people reach the pages, such as https://tracery.example: links in notifications begin with it.
    #[arg(long, env = "TRACERY_PUBLIC_URL", value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// Whether exceptions in spans, log records and X-Ray segments become errors, too [default: true].
    #[arg(long, env = "TRACERY_ERRORS_FROM_TELEMETRY", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) errors_from_telemetry: Option<bool>,
}

/// Settings that were read and found to work together.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) place: Place,
    pub(crate) http: SocketAddr,
    pub(crate) otlp_grpc: SocketAddr,
    pub(crate) otlp_http: SocketAddr,
    pub(crate) xray: SocketAddr,
    pub(crate) xray_environment: Option<String>,
    pub(crate) logs_rates: Option<String>,
    pub(crate) auth: Auth,
    pub(crate) ready_file: Option<PathBuf>,
    pub(crate) memory_bytes: usize,
    pub(crate) retention: Duration,
    pub(crate) self_trace: bool,
    pub(crate) log_format: LogFormat,
    pub(crate) log: String,
    pub(crate) connections: usize,
    pub(crate) body_patience: Duration,
    pub(crate) private_webhooks: bool,
    pub(crate) public_url: Option<String>,
    pub(crate) errors_from_telemetry: bool,
}

/// Where data lies: what every command that opens it needs.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Place {
    /// Directory that `tracery serve` was given.
    #[arg(long, env = "TRACERY_DATA_DIR", value_name = "DIR", required_unless_present = "catalog")]
    pub(crate) data_dir: Option<PathBuf>,
    /// SQL database, where `tracery serve` was given one.
    #[arg(long, env = "TRACERY_CATALOG", value_name = "URL", hide_env_values = true)]
    pub(crate) catalog: Option<String>,
    /// Object store, where `tracery serve` was given one.
    #[arg(long, env = "TRACERY_STORE", value_name = "URL")]
    pub(crate) store: Option<String>,
    /// Key that secrets of access keys are encrypted with, where `tracery serve` was given one.
    #[arg(long, env = "TRACERY_SECRET_KEY", value_name = "HEX", hide_env_values = true)]
    pub(crate) secret_key: Option<String>,
}

impl Place {
    /// The database of the catalog and the settings.
    pub(crate) fn catalog_url(&self) -> Result<String> {
        if let Some(url) = &self.catalog {
            return Ok(url.clone());
        }
        let Some(directory) = &self.data_dir else { bail!("give --data-dir or --catalog") };
        std::fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
        sqlite_url::of_file(&directory.join(CATALOG_FILE), Mode::Make)
    }

    /// The same for commands that look at what is there: they make nothing.
    ///
    /// # Errors
    /// When the directory is not one that a server was given.
    pub(crate) fn existing_catalog_url(&self) -> Result<String> {
        if let Some(url) = &self.catalog {
            return Ok(url.clone());
        }
        let Some(directory) = &self.data_dir else { bail!("give --data-dir or --catalog") };
        let file = directory.join(CATALOG_FILE);
        if !file.is_file() {
            bail!("{} holds no data of a server: there is no {CATALOG_FILE} in it", directory.display());
        }
        sqlite_url::of_file(&file, Mode::Existing)
    }
}

/// In the data directory.
const CATALOG_FILE: &str = "catalog.db";
const BODY_SECONDS_DEFAULT: u32 = 60;
const RETENTION_DAYS_DEFAULT: u32 = 60;
const MEMORY_BYTES_DEFAULT: u64 = 1 << 30;
const MEMORY_BYTES_MIN: u64 = 64 << 20;

impl ServeArgs {
    /// Adds the file's settings where neither flag nor variable said anything, then the defaults.
    pub(crate) fn resolve(self) -> Result<Config> {
        let file = match &self.config {
            Some(path) => read_file(path)?,
            None => ServeArgs::default(),
        };
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let place = Place {
            data_dir: self.data_dir.or(file.data_dir),
            catalog: self.catalog.or(file.catalog),
            store: self.store.or(file.store),
            secret_key: self.secret_key.or(file.secret_key),
        };
        if place.data_dir.is_none() && (place.catalog.is_none() || place.store.is_none()) {
            bail!("give --data-dir, or both --catalog and --store");
        }
        let config = Config {
            place,
            http: self.http.or(file.http).unwrap_or(loopback(8080)),
            otlp_grpc: self.otlp_grpc.or(file.otlp_grpc).unwrap_or(loopback(4317)),
            otlp_http: self.otlp_http.or(file.otlp_http).unwrap_or(loopback(4318)),
            xray: self.xray.or(file.xray).unwrap_or(loopback(2000)),
            xray_environment: self.xray_environment.or(file.xray_environment),
            logs_rates: self.logs_rates.or(file.logs_rates),
            private_webhooks: self.private_webhooks.or(file.private_webhooks).unwrap_or(false),
            public_url: self.public_url.or(file.public_url),
            errors_from_telemetry: self.errors_from_telemetry.or(file.errors_from_telemetry).unwrap_or(true),
            auth: self.auth.or(file.auth).unwrap_or(Auth::Open),
            ready_file: self.ready_file.or(file.ready_file),
            memory_bytes: memory_bytes(self.memory.or(file.memory).as_deref())?,
            retention: match self.retention_days.or(file.retention_days).unwrap_or(RETENTION_DAYS_DEFAULT) {
                0 => bail!("--retention-days 0 would keep nothing"),
                days => Duration::from_secs(u64::from(days) * 86_400),
            },
            self_trace: self.self_trace.or(file.self_trace).unwrap_or(false),
            log_format: self.log_format.or(file.log_format).unwrap_or(LogFormat::Text),
            log: self.log.or(file.log).unwrap_or_else(|| "info".into()),
            connections: self.connections.or(file.connections).unwrap_or(4096).max(1),
            body_patience: Duration::from_secs(
                self.body_seconds.or(file.body_seconds).unwrap_or(BODY_SECONDS_DEFAULT).max(1).into(),
            ),
        };
        if !config.xray.ip().is_loopback() {
            bail!(
                "--xray {} can be reached from other machines, and nobody signs on the daemon's port; bind a loopback \
                 address, and send signed requests from elsewhere to --http",
                config.xray
            );
        }
        if config.auth == Auth::Open {
            for (flag, address) in [
                ("--http", config.http),
                ("--otlp-grpc", config.otlp_grpc),
                ("--otlp-http", config.otlp_http),
            ] {
                if !address.ip().is_loopback() {
                    bail!(
                        "{flag} {address} can be reached from other machines, and without --auth required anybody \
                         there could read everything; bind a loopback address or require authentication"
                    );
                }
            }
        }
        Ok(config)
    }
}

fn read_file(path: &Path) -> Result<ServeArgs> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} is not a configuration", path.display()))
}

fn memory_bytes(text: Option<&str>) -> Result<usize> {
    let bytes = match text {
        Some(text) => {
            let ByteSize(bytes) = text.parse().context("--memory")?;
            if bytes < MEMORY_BYTES_MIN {
                bail!("--memory {text} is too little; at least {}", ByteSize(MEMORY_BYTES_MIN));
            }
            bytes
        }
        None => machine_memory::bytes().map_or(MEMORY_BYTES_DEFAULT, |all| (all / 4).max(MEMORY_BYTES_MIN)),
    };
    Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_file(text: &str, flags: ServeArgs) -> Result<Config> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        ServeArgs { config: Some(file.path().to_owned()), ..flags }.resolve()
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let flags = ServeArgs { http: Some(([127, 0, 0, 1], 1).into()), ..ServeArgs::default() };
        let text = "data_dir = '/data'\nhttp = '127.0.0.1:2'\notlp_http = '127.0.0.1:3'\nmemory = '1GiB'\nauth = 'required'\n";
        let config = with_file(text, flags).unwrap();
        assert_eq!((config.http.port(), config.otlp_http.port(), config.otlp_grpc.port()), (1, 3, 4317));
        assert_eq!(config.memory_bytes, 1 << 30);
        assert_eq!(config.xray, ([127, 0, 0, 1], 2000).into());
        assert_eq!(config.auth, Auth::Required);
        assert_eq!(config.place.data_dir.unwrap(), Path::new("/data"));
    }

    #[test]
    fn what_cannot_work_is_refused() {
        for (text, reason) in [
            ("", "--data-dir"),
            ("data_dir = '/d'\nhttp = '0.0.0.0:8080'", "loopback"),
            ("data_dir = '/d'\notlp_grpc = '[::]:4317'", "loopback"),
            ("data_dir = '/d'\nauth = 'required'\nxray = '0.0.0.0:2000'", "nobody signs"),
            ("data_dir = '/d'\nmemory = '1MiB'", "too little"),
            ("data_dir = '/d'\nretention_days = 0", "keep nothing"),
            ("data_dir = '/d'\nsurprise = 1", "unknown field"),
        ] {
            let error = format!("{:#}", with_file(text, ServeArgs::default()).unwrap_err());
            assert!(error.contains(reason), "{text}: {error}");
        }
        assert!(
            with_file("data_dir = '/d'\nhttp = '0.0.0.0:1'\nauth = 'required'", ServeArgs::default()).is_ok()
        );
    }

    #[test]
    fn damaged_files_are_refused_and_never_panic() {
        tracery_testkit::each_mutation(&tracery_testkit::seeds("config"), 3_000, |bytes| {
            let Ok(text) = std::str::from_utf8(bytes) else { return };
            if let Ok(arguments) = toml::from_str::<ServeArgs>(text) {
                drop(arguments.resolve());
            }
        });
    }
}
