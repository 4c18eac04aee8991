//! X-Ray beside OpenTelemetry: a segment for each request with its captured subsegments, sent as a datagram to the daemon
//! at `AWS_XRAY_DAEMON_ADDRESS`; nothing is sent when that is not set. `app` records, and a request is never held up or
//! failed by it.

use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};

use rand::Rng;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

const HEADER: &str = "{\"format\":\"json\",\"version\":1}\n";
/// The name of segments whose host does not fit the pattern.
const SERVICE: &str = "cruddur-backend";
/// Hosts that segments are named after, as the SDKs' dynamic naming does.
const HOST_SUFFIX: &str = ".cruddur.example";

tokio::task_local! {
    static RECORDING: Recording;
}

/// Where segments are sent. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Daemon(Arc<UdpSocket>);

impl Daemon {
    /// The daemon of `AWS_XRAY_DAEMON_ADDRESS`: `host:port`, or `tcp:host:port udp:host:port`.
    pub(crate) fn from_environment() -> Option<Self> {
        Self::at(udp_address(&std::env::var("AWS_XRAY_DAEMON_ADDRESS").ok()?)?)
    }

    fn at(address: SocketAddr) -> Option<Self> {
        let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any).ok()?;
        socket.connect(address).ok()?;
        socket.set_nonblocking(true).ok()?;
        Some(Self(Arc::new(socket)))
    }

    fn send(&self, document: &Value) {
        // Telemetry over UDP may be lost.
        drop(self.0.send(format!("{HEADER}{document}").as_bytes()));
    }
}

fn udp_address(text: &str) -> Option<SocketAddr> {
    let mut words = text.split_ascii_whitespace();
    let udp = words.clone().find_map(|word| word.strip_prefix("udp:"));
    udp.or_else(|| words.next()).and_then(|address| address.parse().ok())
}

/// The open entities of one request, outermost first.
#[derive(Clone, Default)]
struct Recording(Arc<Mutex<Vec<Map<String, Value>>>>);

impl Recording {
    fn with<T>(&self, work: impl FnOnce(&mut Vec<Map<String, Value>>) -> T) -> T {
        // What another request's panic left behind is still JSON.
        work(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

fn now() -> f64 {
    let now = OffsetDateTime::now_utc();
    now.unix_timestamp_nanos() as f64 / 1e9
}

fn random_hex(digits: usize) -> String {
    format!("{:032x}", rand::rng().random::<u128>())[..digits].to_owned()
}

fn entity(name: &str) -> Map<String, Value> {
    let fields = json!({ "id": random_hex(16), "name": name, "start_time": now() });
    fields.as_object().cloned().unwrap_or_default()
}

/// What a request's segment says of it.
pub(crate) struct Request<'r> {
    pub(crate) method: &'r str,
    pub(crate) url: &'r str,
    pub(crate) host: &'r str,
    pub(crate) user_agent: Option<&'r str>,
    pub(crate) user: Option<&'r str>,
}

/// Runs the work of a request in a segment and sends it; `status` reads the response's status.
pub(crate) async fn in_segment<T>(
    daemon: Option<&Daemon>,
    request: Request<'_>,
    work: impl Future<Output = T>,
    status: impl FnOnce(&T) -> u16,
) -> T {
    let Some(daemon) = daemon else { return work.await };
    let name = match request.host.split(':').next() {
        Some(host) if host.ends_with(HOST_SUFFIX) => host,
        _ => SERVICE,
    };
    let mut segment = entity(name);
    let seconds = OffsetDateTime::now_utc().unix_timestamp();
    segment.insert("trace_id".into(), format!("1-{seconds:08x}-{}", random_hex(24)).into());
    segment.insert("service".into(), json!({ "version": env!("CARGO_PKG_VERSION") }));
    let http = json!({ "method": request.method, "url": request.url, "user_agent": request.user_agent });
    segment.insert("http".into(), json!({ "request": http }));
    if let Some(user) = request.user {
        segment.insert("user".into(), user.into());
    }
    let recording = Recording::default();
    recording.with(|open| open.push(segment));
    let result = RECORDING.scope(recording.clone(), work).await;
    let status = status(&result);
    let Some(mut segment) = recording.with(|open| (!open.is_empty()).then(|| open.swap_remove(0))) else {
        return result;
    };
    segment.insert("end_time".into(), now().into());
    segment["http"]["response"] = json!({ "status": status });
    match status {
        429 => segment.extend([("error".to_owned(), true.into()), ("throttle".to_owned(), true.into())]),
        400..=499 => segment.extend([("error".to_owned(), true.into())]),
        500.. => segment.extend([("fault".to_owned(), true.into())]),
        _ => {}
    }
    daemon.send(&Value::Object(segment));
    result
}

/// Runs work in a subsegment of the request, if one is recorded.
pub(crate) async fn captured<T>(name: &str, work: impl Future<Output = T>) -> T {
    let Ok(recording) = RECORDING.try_with(Recording::clone) else { return work.await };
    let mut subsegment = entity(name);
    subsegment.insert("namespace".into(), "local".into());
    recording.with(|open| open.push(subsegment));
    let result = work.await;
    recording.with(|open| {
        if open.len() > 1
            && let Some(mut done) = open.pop()
            && let Some(parent) = open.last_mut()
        {
            done.insert("end_time".into(), now().into());
            let siblings = parent.entry("subsegments").or_insert_with(|| json!([]));
            if let Some(siblings) = siblings.as_array_mut() {
                siblings.push(Value::Object(done));
            }
        }
    });
    result
}

/// Keeps a value with the innermost open subsegment.
pub(crate) fn put_metadata(namespace: &str, key: &str, value: Value) {
    innermost(|entity| {
        let metadata = entity.entry("metadata").or_insert_with(|| json!({}));
        metadata[namespace][key] = value;
    });
}

/// Says that the innermost open entity failed, and how.
pub(crate) fn failed(kind: &str, message: &str) {
    innermost(|entity| {
        let exception = json!({ "id": random_hex(16), "type": kind, "message": message, "remote": false });
        entity.insert("fault".into(), true.into());
        entity.insert("cause".into(), json!({ "working_directory": "/", "exceptions": [exception] }));
    });
}

fn innermost(work: impl FnOnce(&mut Map<String, Value>)) {
    // Outside of a recorded request there is nothing to write to.
    let _ = RECORDING.try_with(|recording| {
        recording.with(|open| {
            if let Some(entity) = open.last_mut() {
                work(entity);
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_in_both_forms() {
        let address: SocketAddr = "127.0.0.1:2000".parse().unwrap();
        for text in ["127.0.0.1:2000", "tcp:10.0.0.1:3000 udp:127.0.0.1:2000", "udp:127.0.0.1:2000"] {
            assert_eq!(udp_address(text), Some(address), "{text}");
        }
        assert_eq!(udp_address("nonsense"), None);
        assert_eq!(udp_address(""), None);
    }

    #[tokio::test]
    async fn a_request_is_a_segment_with_its_subsegments() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let daemon = Daemon::at(socket.local_addr().unwrap()).unwrap();
        for (host, status, name) in
            [("127.0.0.1:4567", 500, SERVICE), ("api.cruddur.example", 404, "api.cruddur.example")]
        {
            let request =
                Request { method: "GET", url: "http://x/", host, user_agent: None, user: Some("u-1") };
            let work = captured("activities_home", async {
                captured("mock-data", async { put_metadata("cruddur", "result", json!({ "length": 3 })) })
                    .await;
                failed("LedgerError", "does not balance");
            });
            in_segment(Some(&daemon), request, work, |()| status).await;
            let mut buffer = [0; 65_536];
            let len = socket.recv(&mut buffer).unwrap();
            let document = std::str::from_utf8(&buffer[..len]).unwrap().strip_prefix(HEADER).unwrap();
            let segment: Value = serde_json::from_str(document).unwrap();
            assert_eq!(segment["name"], name);
            assert_eq!(segment["user"], "u-1");
            assert_eq!(segment["trace_id"].as_str().unwrap().len(), 35);
            assert_eq!(segment["http"]["response"]["status"], status);
            assert_eq!(segment["fault"] == true, status == 500);
            let home = &segment["subsegments"][0];
            assert_eq!((&home["name"], &home["fault"]), (&json!("activities_home"), &json!(true)));
            assert_eq!(home["subsegments"][0]["metadata"]["cruddur"]["result"]["length"], 3);
        }
    }
}
