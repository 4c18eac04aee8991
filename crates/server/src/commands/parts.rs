//! `tracery parts`: what lies in the store, one part a line, and what was set aside, from the catalog alone.

use clap::Args;
use serde_json::json;
use tracery_stdx::ByteSize;
use tracery_store::{Catalog, PartMeta};

use super::{Failure, OrExit};
use crate::cli::{EXIT_UNREACHABLE, EXIT_USAGE};
use crate::config::Place;

#[derive(Debug, Args)]
pub(crate) struct PartsArgs {
    #[command(flatten)]
    place: Place,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: PartsArgs) -> Result<(), Failure> {
    let url = args.place.catalog_url().or_exit(EXIT_USAGE)?;
    let catalog = Catalog::open(&url).await.or_exit(EXIT_UNREACHABLE)?;
    let parts = catalog.parts().await.or_exit(EXIT_UNREACHABLE)?;
    let set_aside = catalog.parts_set_aside().await.or_exit(EXIT_UNREACHABLE)?;
    if args.json {
        parts.iter().for_each(|part| println!("{}", line(part)));
        for (path, reason) in set_aside {
            println!("{}", json!({ "path": path, "set_aside": reason }));
        }
        return Ok(());
    }
    println!("{:<11} {:<7} {:>5} {:>12} {:>12}  path", "environment", "signal", "level", "rows", "size");
    for part in &parts {
        let size = ByteSize(u64::try_from(part.byte_count).unwrap_or(0)).to_string();
        println!(
            "{:<11} {:<7} {:>5} {:>12} {:>12}  {}",
            part.environment.0,
            part.signal.to_string(),
            part.level,
            part.row_count,
            size,
            part.path
        );
    }
    let rows: i64 = parts.iter().map(|part| part.row_count).sum();
    let bytes: i64 = parts.iter().map(|part| part.byte_count).sum();
    println!("{} parts, {rows} rows, {}", parts.len(), ByteSize(u64::try_from(bytes).unwrap_or(0)));
    if !set_aside.is_empty() {
        println!("\n{} damaged parts are set aside:", set_aside.len());
        set_aside.iter().for_each(|(path, reason)| println!("{path}: {reason}"));
    }
    Ok(())
}

fn line(part: &PartMeta) -> serde_json::Value {
    json!({
        "id": part.id,
        "environment": part.environment.0,
        "signal": part.signal.table(),
        "level": part.level,
        "path": part.path,
        "time_min_ns": part.time_min_ns,
        "time_max_ns": part.time_max_ns,
        "rows": part.row_count,
        "bytes": part.byte_count,
        "datasets": part.datasets,
        "created_ms": part.created_ms,
    })
}
