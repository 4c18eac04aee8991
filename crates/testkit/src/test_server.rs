//! The binary as a process of its own: on free ports, over a temporary directory, killed when dropped.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A running server.
#[derive(Debug)]
pub struct TestServer {
    child: Child,
    binary: PathBuf,
    arguments: Vec<String>,
    directory: TempDir,
    addresses: Value,
}

impl TestServer {
    /// Starts `binary` (in tests of `tracery-server`: `env!("CARGO_BIN_EXE_tracery")`) with more arguments than the
    /// directory, the ports and the ready file, and waits until it takes traffic.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(binary: &str, arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let binary = PathBuf::from(binary);
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let (child, addresses) = spawn(&binary, directory.path(), &arguments);
        Self { child, binary, arguments, directory, addresses }
    }

    /// Address of a door: `http`, `otlp_grpc`, `otlp_http`, `xray_udp`, `xray_tcp`.
    pub fn address(&self, door: &str) -> String {
        self.addresses[door].as_str().unwrap_or_else(|| panic!("no door {door}")).to_owned()
    }

    /// `http://address` of the main door.
    pub fn url(&self) -> String {
        format!("http://{}", self.address("http"))
    }

    pub fn data_dir(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it as a power cut would, and starts it again over the same directory.
    pub fn crash_and_restart(&mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait");
        (self.child, self.addresses) = spawn(&self.binary, self.directory.path(), &self.arguments);
    }

    /// Sends a signal by name, as `TERM`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.pid())]).status();
        assert!(sent.expect("kill").success(), "signal {name}");
    }

    /// Waits until it ends by itself.
    pub fn wait(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("wait") {
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(POLL_INTERVAL);
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn spawn(binary: &Path, directory: &Path, arguments: &[String]) -> (Child, Value) {
    let ready = directory.join("ready.json");
    drop(std::fs::remove_file(&ready));
    let mut child = Command::new(binary)
        .args(["serve", "--http", "127.0.0.1:0", "--otlp-grpc", "127.0.0.1:0", "--otlp-http", "127.0.0.1:0"])
        .args(["--xray", "127.0.0.1:0"])
        .arg("--data-dir")
        .arg(directory.join("data"))
        .arg("--ready-file")
        .arg(&ready)
        .args(arguments)
        .stdin(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {}: {error}", binary.display()));
    let started = Instant::now();
    loop {
        // Written by a rename, so it is whole as soon as it is there.
        if let Ok(text) = std::fs::read_to_string(&ready) {
            return (child, serde_json::from_str(&text).expect("the ready file is JSON"));
        }
        if let Some(status) = child.try_wait().expect("wait") {
            panic!("the server ended before it was ready: {status}");
        }
        assert!(started.elapsed() < PATIENCE, "the server is not ready in time");
        std::thread::sleep(POLL_INTERVAL);
    }
}
