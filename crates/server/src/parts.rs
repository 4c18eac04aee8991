//! `tracery parts` and `tracery verify`: what lies in the store, and whether all of it can be read.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use tracery_stdx::ByteSize;
use tracery_store::{Catalog, StoreOptions};

use crate::cli::{Output, PartsArguments};
use crate::keys::place;
use crate::state;

const EXIT_PROBLEMS: u8 = 3;

pub(crate) async fn list(arguments: PartsArguments) -> anyhow::Result<ExitCode> {
    let place = place(arguments.place);
    let catalog = Catalog::open(&place.catalog_url).await.context("cannot open the catalog")?;
    let parts = catalog.parts().await?;
    if arguments.output == Output::Table {
        println!("{:<34} {:>4} {:<8} {:>5} {:>10} {:>10}  datasets", "part", "env", "signal", "level", "rows", "size");
    }
    let (mut rows, mut bytes) = (0, 0);
    for part in &parts {
        rows += part.row_count;
        bytes += part.byte_count;
        match arguments.output {
            Output::Table => println!(
                "{:<34} {:>4} {:<8} {:>5} {:>10} {:>10}  {}",
                part.id,
                part.environment.0,
                part.signal.table(),
                part.level,
                part.row_count,
                ByteSize(u64::try_from(part.byte_count).unwrap_or(0)).to_string(),
                part.datasets.join(",")
            ),
            Output::Json => {
                let shown = json!({
                    "id": part.id,
                    "environment": part.environment.0,
                    "signal": part.signal.table(),
                    "level": part.level,
                    "path": part.path,
                    "time_min_ns": part.time_min_ns,
                    "time_max_ns": part.time_max_ns,
                    "row_count": part.row_count,
                    "byte_count": part.byte_count,
                    "datasets": part.datasets,
                });
                println!("{shown}");
            }
            Output::Csv => println!(
                "{},{},{},{},{},{}",
                part.id,
                part.environment.0,
                part.signal.table(),
                part.level,
                part.row_count,
                part.byte_count
            ),
        }
    }
    if arguments.output == Output::Table {
        println!("{} parts, {rows} rows, {}", parts.len(), ByteSize(u64::try_from(bytes).unwrap_or(0)));
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn verify(arguments: PartsArguments) -> anyhow::Result<ExitCode> {
    let options = StoreOptions { maintenance: false, ..StoreOptions::default() };
    let store = state::store(&place(arguments.place), options).await?;
    let report = store.verify().await?;
    let bytes = ByteSize(u64::try_from(report.byte_count).unwrap_or(0));
    println!("{} parts, {} rows, {bytes} read", report.part_count, report.row_count);
    for (path, problem) in &report.problems {
        println!("{path}: {problem}");
    }
    store.close().await;
    Ok(if report.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_PROBLEMS) })
}
