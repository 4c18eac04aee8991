//! `tracery query`: SQL or a Honeycomb query specification, put to a running server or to a directory. Both go
//! through the same API, so that both answer alike.

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use axum::body::Body;
use axum::http::Request;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use bytes::Bytes;
use clap::{Args, ValueEnum};
use futures::{Stream, StreamExt as _};
use serde_json::{Map, Value, json};
use tower::ServiceExt as _;
use tracery_stdx::{ByteSize, SystemClock};

use super::{Failure, OrExit, look_at_settings, look_at_store, say};
use crate::cli::{EXIT_QUERY, EXIT_UNREACHABLE};
use crate::config::Place;
use crate::serve;

const QUERY_MEMORY_BYTES: usize = 512 << 20;
const ANSWER_BYTES_MAX: usize = 256 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const EVENT_STREAM: &str = "text/event-stream";
/// Codes of errors that no other question would mend.
const SERVER_ERRORS: &[&str] = &["query_failed", "unavailable", "stopping", "not_available"];

#[derive(Debug, Args)]
pub(crate) struct QueryArgs {
    /// SQL (`SELECT …`), or a query specification (`{…}`); `-` reads it from standard input.
    question: String,
    /// The running server.
    #[arg(long, env = "TRACERY_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// A configuration key, for a server that requires one.
    #[arg(long, env = "TRACERY_KEY", hide_env_values = true)]
    key: Option<String>,
    /// Ask the data in a directory instead of a server.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<std::path::PathBuf>,
    /// Slug of the environment to ask.
    #[arg(long, default_value = "default")]
    environment: String,
    /// Dataset of a query specification; all of them when left out.
    #[arg(long)]
    dataset: Option<String>,
    /// How the answer is written.
    #[arg(long = "output", value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    /// The whole answer as the API gives it.
    Json,
    Csv,
}

pub(crate) async fn run(mut args: QueryArgs) -> Result<(), Failure> {
    if args.question == "-" {
        args.question.clear();
        std::io::stdin()
            .take(1 << 20)
            .read_to_string(&mut args.question)
            .context("cannot read the question")?;
    }
    let (path, body) = if args.question.trim_start().starts_with('{') {
        let spec: Value = serde_json::from_str(&args.question)
            .context("the specification is not JSON")
            .or_exit(EXIT_QUERY)?;
        ("query", spec)
    } else {
        ("sql", json!({ "sql": args.question }))
    };
    let mut parameters = url::form_urlencoded::Serializer::new(String::new());
    parameters.append_pair("environment", &args.environment);
    if let Some(dataset) = &args.dataset {
        parameters.append_pair("dataset", dataset);
    }
    let target = format!("/api/v1/{path}?{}", parameters.finish());
    let asked = async {
        match &args.data_dir {
            Some(directory) => ask_directory(directory.clone(), &target, &body).await,
            None => ask_server(&args, &target, &body).await,
        }
    };
    let answer = match asked.await? {
        Answer::Result(answer) => answer,
        Answer::Error(answer) => {
            let message = answer["error"]["message"].as_str().unwrap_or("the server gave no reason");
            let code = answer["error"]["code"].as_str().unwrap_or_default();
            let exit = if SERVER_ERRORS.contains(&code) { EXIT_UNREACHABLE } else { EXIT_QUERY };
            return Err(Failure { code: exit, error: anyhow!("{message}") });
        }
    };
    say(&render(&answer, args.format))
}

/// The answer, or the error that came instead of it.
enum Answer {
    Result(Value),
    Error(Value),
}

async fn ask_server(args: &QueryArgs, target: &str, body: &Value) -> Result<Answer, Failure> {
    let base = args.url.trim_end_matches('/');
    let client = reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .build()
        .context("cannot make an HTTP client")?;
    let mut request = client.post(format!("{base}{target}")).header(ACCEPT, EVENT_STREAM).json(body);
    if let Some(key) = &args.key {
        request = request.bearer_auth(key);
    }
    let response =
        request.send().await.with_context(|| format!("no answer from {base}")).or_exit(EXIT_UNREACHABLE)?;
    let chunks = futures::stream::unfold(response, |mut response| async {
        let chunk = response.chunk().await.map_err(anyhow::Error::from).transpose()?;
        Some((chunk, response))
    });
    listen(chunks).await
}

async fn ask_directory(directory: std::path::PathBuf, target: &str, body: &Value) -> Result<Answer, Failure> {
    let place = Place { data_dir: Some(directory), ..Place::default() };
    let store = look_at_store(&place).await?;
    let settings = look_at_settings(&place).await?;
    let (api, _) = serve::api(&store, &settings, Arc::new(SystemClock), QUERY_MEMORY_BYTES, false)?;
    let request = Request::post(target)
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, EVENT_STREAM)
        .body(Body::from(body.to_string()))
        .context("cannot put the question")?;
    let response = match tracery_api::routes(api).oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let chunks = response.into_body().into_data_stream();
    let answer = listen(chunks.map(|chunk| chunk.map_err(anyhow::Error::from))).await;
    store.close().await;
    answer
}

/// Reads events to the last, showing progress on a terminal. A refusal comes as plain JSON instead.
async fn listen(chunks: impl Stream<Item = anyhow::Result<Bytes>>) -> Result<Answer, Failure> {
    let mut chunks = std::pin::pin!(chunks);
    let shows = std::io::stderr().is_terminal();
    let mut read: Vec<u8> = Vec::new();
    let mut answer = None;
    while let Some(chunk) = chunks.next().await {
        // What was there before has no end of an event, but for its last byte.
        let mut looked = read.len().saturating_sub(1);
        read.extend_from_slice(&chunk.context("the answer broke off").or_exit(EXIT_UNREACHABLE)?);
        if read.len() > ANSWER_BYTES_MAX {
            return Err(anyhow!("the answer is larger than {ANSWER_BYTES_MAX} bytes").into());
        }
        while let Some(end) = read[looked..].windows(2).position(|two| two == b"\n\n") {
            let event: Vec<u8> = read.drain(..looked + end + 2).collect();
            looked = 0;
            match parse_event(&event)? {
                Some(("progress", figures)) if shows => hint(&format!("\r\x1b[K{}", progress_line(&figures))),
                Some(("result", value)) => answer = Some(Answer::Result(value)),
                Some(("error", value)) => answer = Some(Answer::Error(value)),
                _ => {}
            }
        }
    }
    if shows {
        hint("\r\x1b[K");
    }
    match answer {
        Some(answer) => Ok(answer),
        None => Ok(Answer::Error(parse(&read)?)),
    }
}

/// Tells a person at the terminal something that nobody has to hear.
fn hint(text: &str) {
    drop(std::io::stderr().write_all(text.as_bytes()));
}

/// Name and content of an event; `None` for a comment, and for what is no event.
fn parse_event(event: &[u8]) -> Result<Option<(&'static str, Value)>, Failure> {
    let Ok(text) = std::str::from_utf8(event) else { return Ok(None) };
    let line = |prefix: &str| text.lines().find_map(|line| line.strip_prefix(prefix)).map(str::trim);
    let name = ["progress", "result", "error"].into_iter().find(|name| line("event:") == Some(name));
    match (name, line("data:")) {
        (Some(name), Some(data)) => Ok(Some((name, parse(data.as_bytes())?))),
        _ => Ok(None),
    }
}

fn parse(bytes: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(bytes)
        .context("the answer is not JSON; is that a Tracery server?")
        .or_exit(EXIT_UNREACHABLE)
}

fn progress_line(figures: &Value) -> String {
    let number = |name: &str| figures[name].as_u64().unwrap_or(0);
    let (rows, total) = (number("rows_scanned"), number("rows_total"));
    let percent = (rows.min(total) * 100).checked_div(total).unwrap_or(0);
    let tenths = number("elapsed_ms") / 100;
    format!(
        "{percent} %  {rows} of {total} rows, {} read, {}.{} s",
        ByteSize(number("bytes_scanned")),
        tenths / 10,
        tenths % 10
    )
}

/// Titles and rows of either kind of answer.
fn table(answer: &Value) -> (Vec<String>, Vec<Vec<Value>>) {
    if let Some(columns) = answer["columns"].as_array() {
        let titles = columns.iter().map(|column| column["name"].as_str().unwrap_or_default().to_owned());
        let rows = answer["rows"].as_array().into_iter().flatten();
        let rows = rows.map(|row| row.as_array().cloned().unwrap_or_default());
        return (titles.collect(), rows.collect());
    }
    let empty = Map::new();
    let results = answer["results"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut titles: Vec<String> = Vec::new();
    for result in results {
        for name in result["data"].as_object().unwrap_or(&empty).keys() {
            if !titles.contains(name) {
                titles.push(name.clone());
            }
        }
    }
    let rows = results
        .iter()
        .map(|result| titles.iter().map(|title| result["data"][title.as_str()].clone()).collect())
        .collect();
    (titles, rows)
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn render(answer: &Value, format: Format) -> String {
    if format == Format::Json {
        return format!("{answer:#}\n");
    }
    let (titles, rows) = table(answer);
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    if format == Format::Csv {
        return std::iter::once(&titles).chain(&rows).map(|row| csv_line(row)).collect();
    }
    let width = |idx: usize| {
        let cells = rows.iter().filter_map(|row| row.get(idx));
        cells.chain(titles.get(idx)).map(|text| printable(text).chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..titles.len()).map(width).collect();
    let mut text = String::new();
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    for row in [&titles, &rule].into_iter().chain(&rows) {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{:width$}", printable(cell)));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    if answer["truncated"] == true {
        text.push_str("… and more rows\n");
    }
    text
}

/// Telemetry is text that strangers wrote: control characters would reach the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}

fn csv_line(row: &[String]) -> String {
    let quoted = row.iter().map(|cell| {
        if cell.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.clone()
        }
    });
    quoted.collect::<Vec<_>>().join(",") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_in_one_line() {
        let figures =
            json!({ "rows_scanned": 50, "rows_total": 200, "bytes_scanned": 2048, "elapsed_ms": 1234 });
        assert_eq!(progress_line(&figures), "25 %  50 of 200 rows, 2.0 KiB read, 1.2 s");
        assert_eq!(progress_line(&json!({})), "0 %  0 of 0 rows, 0 B read, 0.0 s");
    }

    #[test]
    fn answers_of_both_kinds_become_tables_and_csv() {
        let sql = json!({
            "columns": [{ "name": "name" }, { "name": "n" }],
            "rows": [["a,b", 1], [null, 22]], "truncated": true,
        });
        assert_eq!(render(&sql, Format::Table), "name  n\n----  --\na,b   1\n      22\n… and more rows\n");
        assert_eq!(render(&sql, Format::Csv), "name,n\n\"a,b\",1\n,22\n");
        let spec = json!({ "results": [{ "data": { "COUNT": 3 } }, { "data": { "service": "x\u{1b}", "COUNT": 1 } }] });
        assert_eq!(render(&spec, Format::Table), "COUNT  service\n-----  -------\n3\n1      x\u{fffd}\n");
    }
}
