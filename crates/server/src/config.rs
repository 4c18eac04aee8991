//! Flags, variables and the configuration file → one checked configuration.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use serde::{Deserialize, Deserializer};
use tracery_intake::AuthMode;
use tracery_stdx::ByteSize;

use crate::cli::{Auth, LogFormat, ServeArguments};

const RETENTION_DAYS: u32 = 60;
/// Budget on a machine that does not say how much memory it has.
const MEMORY_BYTES: u64 = 1 << 30;

#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) http: SocketAddr,
    pub(crate) otlp_grpc: SocketAddr,
    pub(crate) otlp_http: SocketAddr,
    pub(crate) mode: AuthMode,
    pub(crate) place: Place,
    pub(crate) ready_file: Option<PathBuf>,
    pub(crate) memory_bytes: u64,
    pub(crate) retention: Duration,
    pub(crate) log_format: LogFormat,
}

/// Where state lies.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) data_dir: PathBuf,
    pub(crate) catalog_url: String,
    pub(crate) store_url: Option<String>,
}

impl Place {
    pub(crate) fn new(data_dir: &Path, catalog: Option<String>, store: Option<String>) -> Self {
        let catalog_url =
            catalog.unwrap_or_else(|| format!("sqlite://{}?mode=rwc", data_dir.join("catalog.db").display()));
        Self { data_dir: data_dir.to_owned(), catalog_url, store_url: store }
    }
}

pub(crate) fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ByteSize>, D::Error> {
    String::deserialize(deserializer)?.parse().map(Some).map_err(serde::de::Error::custom)
}

impl Config {
    pub(crate) fn from_arguments(mut given: ServeArguments) -> anyhow::Result<Self> {
        if let Some(path) = &given.config {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the configuration file {}", path.display()))?;
            let file: ServeArguments = toml::from_str(&text)
                .with_context(|| format!("cannot understand the configuration file {}", path.display()))?;
            given = merge(given, file);
        }
        if given.xray.is_some() {
            bail!("--xray: the X-Ray door is not built yet; leave the flag out");
        }
        let Some(data_dir) = given.data_dir else {
            bail!("--data-dir DIR is needed: where should catalog, settings and parts lie?")
        };
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let config = Self {
            http: given.http.unwrap_or(local(8080)),
            otlp_grpc: given.otlp_grpc.unwrap_or(local(4317)),
            otlp_http: given.otlp_http.unwrap_or(local(4318)),
            mode: match given.auth.unwrap_or(Auth::Open) {
                Auth::Open => AuthMode::Open,
                Auth::Required => AuthMode::Required,
            },
            place: Place::new(&data_dir, given.catalog, given.store),
            ready_file: given.ready_file,
            memory_bytes: given.memory.map_or_else(|| memory_of_machine() / 4, |size| size.0),
            retention: Duration::from_secs(u64::from(given.retention_days.unwrap_or(RETENTION_DAYS)) * 86_400),
            log_format: given.log_format.unwrap_or(LogFormat::Text),
        };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> anyhow::Result<()> {
        let addresses =
            [("--http", self.http), ("--otlp-grpc", self.otlp_grpc), ("--otlp-http", self.otlp_http)];
        for (flag, address) in addresses {
            if self.mode == AuthMode::Open && !address.ip().is_loopback() {
                bail!(
                    "{flag} {address}: open mode takes any credential, so it serves loopback addresses only; \
                     use --auth required and make keys with `tracery keys create`"
                );
            }
        }
        if self.memory_bytes < 64 << 20 {
            bail!("--memory {}: less than 64MiB does not suffice", ByteSize(self.memory_bytes));
        }
        Ok(())
    }
}

/// What was given wins over the file.
fn merge(given: ServeArguments, file: ServeArguments) -> ServeArguments {
    ServeArguments {
        data_dir: given.data_dir.or(file.data_dir),
        http: given.http.or(file.http),
        otlp_grpc: given.otlp_grpc.or(file.otlp_grpc),
        otlp_http: given.otlp_http.or(file.otlp_http),
        xray: given.xray.or(file.xray),
        auth: given.auth.or(file.auth),
        catalog: given.catalog.or(file.catalog),
        store: given.store.or(file.store),
        ready_file: given.ready_file.or(file.ready_file),
        config: given.config,
        memory: given.memory.or(file.memory),
        retention_days: given.retention_days.or(file.retention_days),
        log_format: given.log_format.or(file.log_format),
    }
}

fn memory_of_machine() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kilobytes = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse::<u64>().ok());
    kilobytes.map_or(MEMORY_BYTES * 4, |kilobytes| kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments() -> ServeArguments {
        ServeArguments { data_dir: Some("d".into()), ..ServeArguments::default() }
    }

    #[test]
    fn open_mode_stays_on_loopback() {
        let outside = Some("0.0.0.0:8080".parse().unwrap());
        let open = ServeArguments { http: outside, ..arguments() };
        assert!(Config::from_arguments(open.clone()).unwrap_err().to_string().contains("--auth required"));
        assert!(Config::from_arguments(ServeArguments { auth: Some(Auth::Required), ..open }).is_ok());
        assert!(Config::from_arguments(ServeArguments { otlp_grpc: outside, ..arguments() }).is_err());
    }

    #[test]
    fn flags_win_over_the_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "http = \"127.0.0.1:1\"\nretention_days = 3\nmemory = \"1GiB\"\n").unwrap();
        let given = ServeArguments {
            config: Some(file.path().to_owned()),
            http: Some("127.0.0.1:2".parse().unwrap()),
            ..arguments()
        };
        let config = Config::from_arguments(given).unwrap();
        assert_eq!((config.http.port(), config.retention.as_secs(), config.memory_bytes), (2, 259_200, 1 << 30));
        std::fs::write(file.path(), "htttp = 1").unwrap();
        let given = ServeArguments { config: Some(file.path().to_owned()), ..arguments() };
        assert!(Config::from_arguments(given).is_err());
    }
}
