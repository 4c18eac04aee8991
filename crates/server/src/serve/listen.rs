//! Connections: HTTP/1.1 and HTTP/2 without TLS on every port (gRPC clients come to all of them), bounded in number,
//! header size and patience, and drained at the end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use tracery_api::PeerAddress;

/// Also how long an idle HTTP/1.1 connection is kept: longer than the minute between two exports of metrics, so that
/// an exporter does not find its connection closed.
const HEADER_READ_MAX: Duration = Duration::from_secs(75);
const HEADER_BYTES_MAX: usize = 64 << 10;
const STREAMS_PER_CONNECTION_MAX: u32 = 256;
/// A dead peer is noticed after interval and timeout.
const PING_INTERVAL: Duration = Duration::from_secs(60);
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// An export of some megabytes should not wait for window updates.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;
/// After an error of `accept` (no file descriptors left, say) the loop must not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A door and where it listens.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
}

/// All listeners with their connections.
pub(crate) struct Listeners {
    bound: Vec<Bound>,
    connections: Arc<Semaphore>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Listeners {
    pub(crate) fn new(connections_max: usize) -> Self {
        Self {
            bound: Vec::new(),
            connections: Arc::new(Semaphore::new(connections_max.min(Semaphore::MAX_PERMITS))),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }

    pub(crate) fn serve(
        &mut self,
        name: &'static str,
        listener: TcpListener,
        router: Router,
    ) -> std::io::Result<()> {
        self.bound.push(Bound { name, address: listener.local_addr()? });
        let (connections, stop, tasks) =
            (Arc::clone(&self.connections), self.stop.clone(), self.tasks.clone());
        self.tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    accepted = accept(&listener, &connections) => match accepted {
                        Ok((stream, peer, permit)) => {
                            let peer = PeerAddress(peer.ip().to_canonical());
                            tasks.spawn(converse(stream, peer, router.clone(), stop.clone(), permit));
                        }
                        Err(error) => {
                            tracing::warn!(door = name, %error, "cannot accept a connection");
                            tokio::time::sleep(ACCEPT_PAUSE).await;
                        }
                    },
                }
            }
        });
        Ok(())
    }

    /// A door that has no connections, such as a UDP port: it is only named here.
    pub(crate) fn name(&mut self, name: &'static str, address: SocketAddr) {
        self.bound.push(Bound { name, address });
    }

    pub(crate) fn bound(&self) -> impl Iterator<Item = &Bound> {
        self.bound.iter()
    }

    /// Accepts nothing more and waits until requests are finished, at most `patience`.
    pub(crate) async fn drain(&self, patience: Duration) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(patience, self.tasks.wait()).await.is_err() {
            tracing::warn!(
                connections = self.tasks.len(),
                "requests that did not finish in time are cut off"
            );
        }
    }
}

/// The next connection, once there is room for it. Until then one waits for each door, and the others in the system's queue.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let (stream, peer) = listener.accept().await?;
    // In this order: a door that nobody comes to must not hold a place.
    let permit = Arc::clone(connections).acquire_owned().await.map_err(std::io::Error::other)?;
    Ok((stream, peer, permit))
}

async fn converse(
    stream: TcpStream,
    peer: PeerAddress,
    router: Router,
    stop: CancellationToken,
    permit: OwnedSemaphorePermit,
) {
    // Answers are small, and a client waits for each before it sends more.
    drop(stream.set_nodelay(true));
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_READ_MAX)
        .max_buf_size(HEADER_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(HEADER_BYTES_MAX).unwrap_or(u32::MAX))
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT);
    let service = router.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        request
    });
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = std::pin::pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        // Clients go away in the middle of things all the time.
        tracing::debug!(%error, "connection ended early");
    }
    drop(permit);
}
