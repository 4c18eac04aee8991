//! What people type: keys while the server runs, what lies in the store, damage, and exit codes.

use serde_json::Value;
use tracery_testkit::TestServer;

use super::{BINARY, send, tracery};

fn said(arguments: &[&str]) -> String {
    let output = tracery(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn without_arguments_it_explains_itself_and_every_command_has_help() {
    let introduction = said(&[]);
    for line in ["tracery demo", "tracery serve --data-dir DIR", "tracery query", "tracery keys create"] {
        assert!(introduction.contains(line), "{introduction}");
    }
    let help = said(&["--help"]);
    assert!(help.contains("Exit codes:") && help.contains("5  damage was found"), "{help}");
    for command in ["serve", "demo", "query", "keys", "users", "parts", "verify", "completions"] {
        assert!(help.contains(command), "{help}");
        let of_command = said(&[command, "--help"]);
        assert!(of_command.contains("Usage: tracery") && of_command.lines().count() > 4, "{of_command}");
        // Every option says what it is for: none is followed by the next one at once.
        let lines: Vec<&str> = of_command.lines().map(str::trim).collect();
        let options = lines.iter().filter(|line| line.starts_with("--") || line.starts_with("-h"));
        for option in options {
            let description =
                option.split_once("  ").map(|(_, text)| text.trim()).filter(|text| !text.is_empty());
            let next = lines.iter().skip_while(|line| *line != option).nth(1);
            let below = next.filter(|next| !next.is_empty() && !next.starts_with('-'));
            assert!(description.is_some() || below.is_some(), "tracery {command}: {option} is not explained");
        }
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(said(&["completions", shell]).contains("completions"), "{shell}");
    }
}

#[test]
fn looking_at_a_directory_that_is_none_makes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mistyped = directory.path().join("dat");
    let empty = directory.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    for place in [&mistyped, &empty] {
        let place = ["--data-dir", place.to_str().unwrap()];
        for command in [
            [&["parts"], &place[..]].concat(),
            [&["verify"], &place[..]].concat(),
            [&["keys", "list"], &place[..]].concat(),
            [&["keys", "revoke"], &place[..], &["x"]].concat(),
            [&["query", "SELECT 1"], &place[..]].concat(),
        ] {
            let output = tracery(&command);
            let error = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{command:?}: {error}");
            assert!(error.contains("holds no data of a server"), "{command:?}: {error}");
        }
    }
    assert!(!mistyped.exists());
    assert_eq!(std::fs::read_dir(&empty).unwrap().count(), 0);
}

#[test]
fn a_directory_may_have_any_name() {
    let directory = tempfile::tempdir().unwrap();
    let odd = directory.path().join("50% #1? of it");
    let place = ["--data-dir", odd.to_str().unwrap()];
    let made =
        said(&[&["keys", "create"], &place[..], &["--environment", "prod", "--kind", "ingest"]].concat());
    let made: Value = serde_json::from_str(&made).unwrap();
    assert!(odd.join("catalog.db").is_file());
    let listed: Value = serde_json::from_str(&said(&[&["keys", "list"], &place[..]].concat())).unwrap();
    assert_eq!(listed["id"], made["id"]);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_pipe_that_nobody_reads_is_no_failure() {
    use std::process::{Command, Stdio};
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().to_str().unwrap();
    said(&["keys", "create", "--data-dir", place, "--environment", "prod", "--kind", "ingest"]);
    for command in [
        &[][..],
        &["completions", "bash"],
        &["keys", "list", "--data-dir", place],
        &["keys", "create", "--data-dir", place, "--environment", "prod", "--kind", "ingest"],
        &["parts", "--data-dir", place],
        &["verify", "--data-dir", place],
        &["--help"],
    ] {
        let mut child = Command::new(BINARY)
            .args(command)
            .env_remove("TRACERY_DATA_DIR")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Closed before anything can be written.
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !error.contains("panicked"), "{command:?}: {error}");
    }
}

#[tokio::test]
async fn keys_are_made_listed_and_revoked_while_the_server_runs() {
    let server = TestServer::start(BINARY, &["--auth", "required"]);
    let directory = server.data_dir();
    let place = ["--data-dir", directory.to_str().unwrap()];
    let keys = |verb: &str, more: &[&str]| said(&[&["keys", verb], &place[..], more].concat());
    let made: Value = serde_json::from_str(&keys(
        "create",
        &["--environment", "prod", "--kind", "ingest", "--name", "shop"],
    ))
    .unwrap();
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    assert_eq!(send(&server, Some(key)).await, 200);
    let listed = keys("list", &[]);
    assert!(!listed.contains(key), "a list shows no secret");
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(
        (&listed["id"], &listed["name"], &listed["environment"]),
        (&made["id"], &"shop".into(), &"prod".into())
    );
    assert_eq!(listed["revoked_ms"], Value::Null);
    keys("revoke", &[id]);
    let listed: Value = serde_json::from_str(&keys("list", &[])).unwrap();
    assert!(listed["revoked_ms"].is_i64(), "{listed}");
    assert_eq!(tracery(&[&["keys", "revoke"], &place[..], &[id]].concat()).status.code(), Some(1));
    // The server looks keys up again within seconds.
    let started = std::time::Instant::now();
    while send(&server, Some(key)).await != 401 {
        assert!(started.elapsed() < std::time::Duration::from_secs(60), "a revoked key still opens");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn parts_are_listed_and_damage_is_found() {
    let mut server = TestServer::start(BINARY, &[]);
    assert_eq!(send(&server, None).await, 200);
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
    let directory = server.data_dir();
    let place = ["--data-dir", directory.to_str().unwrap()];

    let table = said(&[&["parts"], &place[..]].concat());
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("environment") && lines[0].ends_with("path"), "{table}");
    assert!(lines[1].starts_with("default") && lines[1].contains("20"), "{table}");
    assert!(lines[2].starts_with("1 parts, 1 rows, "), "{table}");
    let json: Value = serde_json::from_str(&said(&[&["parts", "--json"], &place[..]].concat())).unwrap();
    assert_eq!((&json["environment"], &json["rows"]), (&"default".into(), &1.into()));
    let verified = said(&[&["verify"], &place[..]].concat());
    assert!(verified.contains("1 parts") && verified.contains("no damage"), "{verified}");

    let object = directory.join("objects").join(json["path"].as_str().unwrap());
    let mut bytes = std::fs::read(&object).unwrap();
    bytes[40] ^= 0xff;
    std::fs::write(&object, bytes).unwrap();
    let output = tracery(&[&["verify"], &place[..]].concat());
    let (out, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(5), "{out}{errors}");
    assert!(out.contains(json["path"].as_str().unwrap()), "{out}");
}

#[tokio::test]
async fn a_second_server_on_the_same_directory_is_refused() {
    let mut server = TestServer::start(BINARY, &[]);
    let directory = server.data_dir();
    let place = ["--data-dir", directory.to_str().unwrap()];
    let any_port = ["--http", "127.0.0.1:0", "--otlp-grpc", "127.0.0.1:0", "--otlp-http", "127.0.0.1:0"];
    let output = tracery(&[&["serve"], &place[..], &any_port].concat());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{errors}");
    assert!(errors.contains("another server uses this data directory"), "{errors}");
    assert_eq!(send(&server, None).await, 200, "the first one goes on");
    assert!(said(&[&["parts"], &place[..]].concat()).contains("1 parts"), "looking is allowed");
    server.crash_and_restart();
    assert_eq!(send(&server, None).await, 200, "a lock does not outlive its process");
}

#[test]
fn what_does_not_answer_is_told_from_what_is_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().to_str().unwrap();
    said(&["keys", "create", "--data-dir", place, "--environment", "prod", "--kind", "ingest"]);
    for (arguments, code) in [
        (vec!["query", "--data-dir", "/nowhere/at/all", "SELECT 1"], 2),
        (vec!["query", "--data-dir", place, "SELECT nothing FROM nowhere"], 3),
        (vec!["query", "--data-dir", place, "{\"limit\": -1}"], 3),
        (vec!["query", "--data-dir", place, "{not json"], 3),
        (vec!["query", "--url", "http://127.0.0.1:9", "SELECT 1"], 4),
        (vec!["keys", "list", "--catalog", "postgres://nobody@127.0.0.1:9/none"], 4),
        (vec!["parts", "--catalog", "postgres://nobody@127.0.0.1:9/none"], 4),
        (vec!["keys", "list"], 2),
        (vec!["parts", "--json", "--surprise"], 2),
    ] {
        let output = tracery(&arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
        assert!(!errors.is_empty(), "{arguments:?} says nothing");
    }
}
