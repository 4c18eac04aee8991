//! `tracery query`: SQL or a query specification straight on the store, as a table, JSON lines or CSV.

use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::{Map, Value};
use tracery_model::{Signal, TimeRange};
use tracery_query::Scope;
use tracery_query::languages::honeycomb::{Limits, RunOptions, RunScope, Spec, run as answer};
use tracery_query::questions::{SqlAnswer, SqlLimits, sql};
use tracery_stdx::{Clock, SystemClock};
use tracery_store::StoreOptions;

use crate::cli::{Output, QueryArguments};
use crate::keys::place;
use crate::state;

const MEMORY_BYTES: u64 = 1 << 30;

pub(crate) async fn run(arguments: QueryArguments) -> anyhow::Result<ExitCode> {
    let place = place(arguments.place);
    let settings = state::settings(&place).await?;
    let environments = settings.environments().await?;
    let Some(environment) = environments.iter().find(|known| known.slug == arguments.environment) else {
        bail!("there is no environment {:?}", arguments.environment);
    };
    let store = state::store(&place, StoreOptions { maintenance: false, ..StoreOptions::default() }).await?;
    let (context, events) = state::engine(&store, MEMORY_BYTES)?;
    let progress = std::io::stderr().is_terminal().then(|| tokio::spawn(show_progress()));
    let datasets = arguments.dataset.map(|dataset| vec![dataset]);
    let question = arguments.question.trim();
    let result = if question.starts_with('{') {
        let spec: Value = serde_json::from_str(question).context("the specification is not JSON")?;
        let spec = Spec::parse(&spec)?;
        let scope = RunScope { environment: environment.id, datasets, signals: Signal::ALL.to_vec() };
        let options = RunOptions { disable_series: true, ..RunOptions::at(SystemClock.now_s()) };
        let output = answer(&context, &events, &scope, &spec, &[], &options, &Limits::default()).await?;
        rows_of(&output.results)
    } else {
        let scope = Scope {
            environment: environment.id,
            datasets,
            signals: Signal::ALL.to_vec(),
            time: TimeRange::ALL,
        };
        let found = sql(&context, &events, &scope, question, SqlLimits::default()).await?;
        if found.truncated {
            eprintln!("tracery: there are more rows than are shown");
        }
        let columns = found.columns().into_iter().map(|(name, _)| name).collect();
        let mut rows = Vec::new();
        for batch in &found.batches {
            for row in 0..batch.num_rows() {
                rows.push(batch.columns().iter().map(|column| SqlAnswer::cell(column, row)).collect());
            }
        }
        (columns, rows)
    };
    if let Some(progress) = progress {
        progress.abort();
        eprint!("\r\x1b[K");
    }
    print(&result, arguments.output);
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn show_progress() {
    let started = std::time::Instant::now();
    loop {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        eprint!("\r{:.1} s …", started.elapsed().as_secs_f64());
    }
}

type Rows = (Vec<String>, Vec<Vec<Value>>);

fn rows_of(results: &[Map<String, Value>]) -> Rows {
    let columns: Vec<String> =
        results.first().map(|row| row.keys().cloned().collect()).unwrap_or_default();
    let rows = results
        .iter()
        .map(|row| columns.iter().map(|name| row.get(name).cloned().unwrap_or(Value::Null)).collect())
        .collect();
    (columns, rows)
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn print((columns, rows): &Rows, output: Output) {
    match output {
        Output::Json => {
            for row in rows {
                let object: Map<String, Value> = columns.iter().cloned().zip(row.iter().cloned()).collect();
                println!("{}", Value::Object(object));
            }
        }
        Output::Csv => {
            let line = |cells: Vec<String>| cells.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(",");
            println!("{}", line(columns.clone()));
            rows.iter().for_each(|row| println!("{}", line(row.iter().map(text).collect())));
        }
        Output::Table => {
            let cells: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(text).collect()).collect();
            let width = |idx: usize| {
                let widest = cells.iter().map(|row| row[idx].chars().count()).max().unwrap_or(0);
                widest.max(columns[idx].chars().count())
            };
            let widths: Vec<usize> = (0..columns.len()).map(width).collect();
            for row in std::iter::once(columns).chain(&cells) {
                let padded: Vec<String> =
                    row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
                println!("{}", padded.join("  ").trim_end());
            }
        }
    }
}

/// As RFC 4180 wants it.
fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}
