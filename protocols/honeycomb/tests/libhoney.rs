//! The vendor's own Python client, unmodified, over a real socket. Runs when `TRACERY_TEST_LIBHONEY_PYTHON` names an
//! interpreter that has `libhoney` (`pip install libhoney`); only the endpoint is told to it.

mod support;

use support::Bench;
use tracery_intake::AuthMode;
use tracery_model::Signal;

const SCRIPT: &str = r#"
import sys, datetime, libhoney
libhoney.init(writekey=sys.argv[2], dataset="Py App", api_host=sys.argv[1])
responses = libhoney.responses()  # closing forgets the queue
for i in range(250):
    event = libhoney.new_event({"i": i, "duration_ms": i / 2, "name": "work", "service.name": "py"})
    event.add_field("nested", {"a": [1, 2]})
    if i % 2:
        event.add_field("trace.trace_id", "%032x" % (i + 1))
        event.created_at = datetime.datetime(2023, 11, 14, 22, 13, 20)
    event.send()
libhoney.close()
statuses = []
while True:
    response = responses.get(timeout=20)
    if response is None:
        break
    statuses.append((response["status_code"], response["error"]))
assert statuses == [(202, None)] * 250, statuses[:3]
libhoney.init(writekey="nonsense", dataset="Py App", api_host=sys.argv[1])
responses = libhoney.responses()
libhoney.new_event({"a": 1}).send()
libhoney.close()
response = responses.get(timeout=20)
assert response["status_code"] == 401, response
"#;

#[tokio::test(flavor = "multi_thread")]
async fn libhoney_for_python_delivers_every_event() {
    let Ok(python) = std::env::var("TRACERY_TEST_LIBHONEY_PYTHON") else {
        eprintln!("TRACERY_TEST_LIBHONEY_PYTHON is not set: libhoney is not tested");
        return;
    };
    let bench = Bench::new(AuthMode::Required).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(axum::serve(listener, bench.router.clone()).into_future());
    let key = bench.key.clone();
    let output = tokio::task::spawn_blocking(move || {
        std::process::Command::new(python).args(["-c", SCRIPT, &url, &key]).output().unwrap()
    })
    .await
    .unwrap();
    server.abort();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let batches = bench.sink.taken();
    for signal in [Signal::Span, Signal::Log] {
        let rows: usize = batches
            .iter()
            .filter(|(_, batch)| batch.signal == signal)
            .map(|(_, batch)| batch.row_count())
            .sum();
        assert_eq!(rows, 125, "{signal}");
    }
}
