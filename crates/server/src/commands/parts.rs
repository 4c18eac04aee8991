//! `tracery parts`: what lies in the store, one part a line, and what was set aside, from the catalog alone.

use std::collections::HashMap;

use clap::Args;
use serde_json::json;
use time::OffsetDateTime;
use time::macros::format_description;
use tracery_model::EnvironmentId;
use tracery_stdx::ByteSize;
use tracery_store::{Catalog, PartMeta};

use super::{Failure, OrExit, look_at_settings, say};
use crate::cli::{EXIT_UNREACHABLE, EXIT_USAGE};
use crate::config::Place;

#[derive(Debug, Args)]
pub(crate) struct PartsArgs {
    #[command(flatten)]
    place: Place,
    /// One JSON object a line, with times in nanoseconds and sizes in bytes.
    #[arg(long)]
    json: bool,
}

const TITLES: [&str; 8] =
    ["environment", "signal", "level", "rows", "size", "oldest (UTC)", "newest (UTC)", "path"];
/// Of [`TITLES`], those that are numbers.
const NUMERIC: [bool; 8] = [false, false, true, true, true, false, false, false];

pub(crate) async fn run(args: PartsArgs) -> Result<(), Failure> {
    let url = args.place.existing_catalog_url().or_exit(EXIT_USAGE)?;
    let catalog = Catalog::open(&url).await.or_exit(EXIT_UNREACHABLE)?;
    let parts = catalog.parts().await.or_exit(EXIT_UNREACHABLE)?;
    let environments = look_at_settings(&args.place).await?.environments().await.or_exit(EXIT_UNREACHABLE)?;
    let slugs: HashMap<EnvironmentId, String> =
        environments.into_iter().map(|environment| (environment.id, environment.slug)).collect();
    let set_aside = catalog.parts_set_aside().await.or_exit(EXIT_UNREACHABLE)?;
    if args.json {
        let listed = parts.iter().map(|part| line(part, slugs.get(&part.environment)));
        let aside = set_aside.iter().map(|(path, reason)| json!({ "path": path, "set_aside": reason }));
        return say(&listed.chain(aside).map(|line| format!("{line}\n")).collect::<String>());
    }
    let rows: i64 = parts.iter().map(|part| part.row_count).sum();
    let bytes: i64 = parts.iter().map(|part| part.byte_count).sum();
    let mut text = if parts.is_empty() { String::new() } else { table(&parts, &slugs) };
    text.push_str(&format!("{} parts, {rows} rows, {}\n", parts.len(), size(bytes)));
    if !set_aside.is_empty() {
        text.push_str(&format!("\n{} damaged parts are set aside:\n", set_aside.len()));
        text.extend(set_aside.iter().map(|(path, reason)| format!("{path}: {reason}\n")));
    }
    say(&text)
}

fn table(parts: &[PartMeta], slugs: &HashMap<EnvironmentId, String>) -> String {
    let cells = |part: &PartMeta| {
        let number = || part.environment.0.to_string();
        [
            slugs.get(&part.environment).cloned().unwrap_or_else(number),
            part.signal.to_string(),
            part.level.to_string(),
            part.row_count.to_string(),
            size(part.byte_count),
            instant(part.time_min_ns),
            instant(part.time_max_ns),
            part.path.clone(),
        ]
    };
    let rows: Vec<[String; 8]> =
        std::iter::once(TITLES.map(str::to_owned)).chain(parts.iter().map(cells)).collect();
    let widths: Vec<usize> =
        (0..8).map(|idx| rows.iter().map(|row| row[idx].chars().count()).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).zip(NUMERIC).map(|((cell, width), numeric)| {
            if numeric { format!("{cell:>width$}") } else { format!("{cell:width$}") }
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn size(bytes: i64) -> String {
    ByteSize(u64::try_from(bytes).unwrap_or(0)).to_string()
}

/// To the second, in UTC.
fn instant(ns: i64) -> String {
    let form = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    OffsetDateTime::from_unix_timestamp(ns.div_euclid(1_000_000_000))
        .ok()
        .and_then(|time| time.format(form).ok())
        .unwrap_or_else(|| ns.to_string())
}

fn line(part: &PartMeta, slug: Option<&String>) -> serde_json::Value {
    json!({
        "id": part.id,
        "environment": slug,
        "environment_id": part.environment.0,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_readable() {
        assert_eq!(instant(1_700_000_000_000_000_000), "2023-11-14 22:13:20");
        assert_eq!(instant(-1), "1969-12-31 23:59:59");
    }
}
