//! `tracery demo`: a server in a directory of its own, and what to send to it.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::{Failure, OrExit, say};
use crate::cli::EXIT_USAGE;
use crate::config::ServeArgs;
use crate::serve;

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Keep the data here instead of in a directory that is removed at the end.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

pub(crate) async fn run(args: DemoArgs) -> Result<(), Failure> {
    let temporary = match args.data_dir {
        Some(_) => None,
        None => Some(tempfile::tempdir().context("cannot make a temporary directory")?),
    };
    let data_dir = args.data_dir.or_else(|| temporary.as_ref().map(|temporary| temporary.path().to_owned()));
    let config = ServeArgs { data_dir, log: Some("warn".into()), ..ServeArgs::default() }
        .resolve()
        .or_exit(EXIT_USAGE)?;
    say(&format!(
        "Tracery listens. Send something to it, then open http://{http}/\n\n\
         An application with an OpenTelemetry SDK:\n  \
         OTEL_EXPORTER_OTLP_ENDPOINT=http://{otlp} OTEL_SERVICE_NAME=shop your-application\n\n\
         An application with an X-Ray SDK:\n  \
         AWS_XRAY_DAEMON_ADDRESS={xray} your-application\n\n\
         One event by hand:\n  \
         curl http://{http}/1/events/shop -H 'Content-Type: application/json' -d '{{\"name\":\"hello\",\"duration_ms\":12}}'\n\n\
         A question:\n  \
         tracery query --url http://{http} 'SELECT name, count(*) FROM events GROUP BY name'\n\n\
         Ctrl-C stops it{gone}.\n",
        http = config.http,
        otlp = config.otlp_http,
        xray = config.xray,
        gone = if temporary.is_some() { " and forgets everything" } else { "" },
    ))?;
    serve::run(config).await
}
